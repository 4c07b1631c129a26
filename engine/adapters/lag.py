"""The lag probe: how late the engine's loop runs its timers."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import asyncio

PERIOD = 0.01
WINDOW = 2000  # 20 s of probes


class Lag(NamedTuple):
    """Lateness in milliseconds over the window."""

    p99: float
    maximum: float


class LagProbe:
    """A timer every 10 ms that notes how late it fired. Costs about 0.3 % of a core."""

    def __init__(self) -> None:
        """Start empty; nothing runs before `start`."""
        self._late: deque[float] = deque(maxlen=WINDOW)
        self._due = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Probe that loop until `stop`; must be called on it."""
        self._due = time.monotonic() + PERIOD
        self._handle = loop.call_later(PERIOD, self._probe, loop)

    def stop(self) -> None:
        """Probe no more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _probe(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        self._late.append(max(0.0, now - self._due))
        self._due = now + PERIOD
        self._handle = loop.call_later(PERIOD, self._probe, loop)

    def read(self) -> Lag:
        """Return p99 and maximum of the window, zeros before the first probe."""
        if not self._late:
            return Lag(0.0, 0.0)
        ordered = sorted(self._late)
        return Lag(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3, ordered[-1] * 1e3)
