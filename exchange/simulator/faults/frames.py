"""Faults of stream frames: what a socket's client gets in place of the frames that were meant for it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from exchange.simulator.faults.plan import (
    FRAME_FAULTS,
    FrameFault,
    LateFrame,
    MalformedFrame,
    RepeatedFrame,
    SwappedFrames,
)
from exchange.simulator.faults.requests import garble

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exchange.simulator.faults.chance import Chance

HUGE = 10_000_000


class Tamper:
    """Stands between the venue and one socket. `second` tells the simulated second since the venue opened."""

    def __init__(self, chances: Sequence[Chance], route: str, second: Callable[[], float]) -> None:
        """Keep the faults that are meant for the socket's route."""
        self._second = second
        self._rules: list[tuple[Chance, FrameFault, bytes]] = [
            (chance, chance.fault, chance.fault.containing.encode())
            for chance in chances
            if isinstance(chance.fault, FRAME_FAULTS) and chance.fault.route in {"any", route or "unrouted"}
        ]
        self._held: bytes | None = None
        self._late: deque[tuple[float, bytes]] = deque()

    @property
    def is_idle(self) -> bool:
        """Say whether no fault can ever strike this socket."""
        return not self._rules

    def of(self, frame: bytes) -> list[bytes]:
        """Return what goes out in place of a frame: the first fault of the plan that strikes decides."""
        second = self._second()
        out = self._struck(frame, second)
        if self._held is not None and out:
            out, self._held = [*out, self._held], None
        return out

    def _struck(self, frame: bytes, second: float) -> list[bytes]:
        for chance, fault, containing in self._rules:
            if self._held is not None and isinstance(fault, SwappedFrames):
                continue  # this frame is the successor that the held one waits for
            if containing in frame and chance.strikes(second):
                return self._replaced(frame, fault, second)
        if self._late:
            self._late.append((second, frame))  # what comes after a late frame may not overtake it
            return []
        return [frame]

    def _replaced(self, frame: bytes, fault: FrameFault, second: float) -> list[bytes]:
        if isinstance(fault, RepeatedFrame):
            return [frame, frame]
        if isinstance(fault, MalformedFrame):
            return [_malformed(frame, fault)]
        if isinstance(fault, SwappedFrames):
            self._held = frame
        if isinstance(fault, LateFrame):
            self._late.append((second + fault.seconds, frame))
        return []

    def rest(self) -> list[bytes]:
        """Return and forget what is held back, in the order it came."""
        held = [] if self._held is None else [self._held]
        out = [*held, *(frame for _, frame in self._late)]
        self._held = None
        self._late.clear()
        return out

    def due(self) -> list[bytes]:
        """Return the late frames whose moment has come."""
        second = self._second()
        out = []
        while self._late and self._late[0][0] <= second:
            out.append(self._late.popleft()[1])
        return out


def _malformed(frame: bytes, fault: MalformedFrame) -> bytes:
    if fault.variant == "huge":
        return b'{"e":"' + b"x" * HUGE + b'"}'
    if fault.variant == "duplicate_key":
        return frame[:-1] + b',"e":"other","e":"again"}' if frame.endswith(b"}") else frame
    return garble(frame, fault.variant)
