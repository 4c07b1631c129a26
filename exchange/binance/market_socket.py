"""One market socket: a `SocketSession` with two tasks around it.

One task carries out the session's effects and wakes it when it is due, the other reads. A socket that is to replace
another one stands aside at first: it subscribes and keeps its frames until the old one is left.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Protocol

from exchange.binance.session import Action, Dial, Effect, HangUp, Phase, Replace, Send, SocketSession, Tell
from exchange.binance.stream_events import FrameRefused, SocketLost, SocketStats
from exchange.binance.streams_wire import ControlReply, FrameDecoder
from exchange.errors import DecodeError
from exchange.ports import NotSentError, StreamClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exchange.binance.handover import Handover
    from exchange.binance.stream_events import StreamEvent
    from exchange.market_data import MarketMessage
    from exchange.ports import Clock, Entropy, Stream, StreamDialer

_DIAL_DEADLINE_S = 10.0
_SEND_DEADLINE_S = 5.0
_TOLD_EVERY_S = 1.0
_SAMPLE_BYTES = 2048
_FRAMES_A_TURN = 25
"""Frames taken per turn of the loop: a third of a millisecond even where all are bars, which no kernel reads."""


class SocketOwner(Protocol):
    """What a socket needs of the streams it belongs to."""

    decoder: FrameDecoder
    lane: Callable[[Sequence[bytes]], Sequence[bytes]] | None
    """May take frames off before they are decoded; returns the others in their order."""

    @property
    def ports(self) -> tuple[StreamDialer, Clock, Entropy]:
        """Return what a socket reaches the world through."""

    def deliver(self, messages: Sequence[MarketMessage]) -> None:
        """Hand messages over."""

    def tell(self, event: StreamEvent) -> None:
        """Report an event."""

    def replace(self, socket: MarketSocket) -> None:
        """Begin to replace a socket that comes of age."""

    def refused(self, error: DecodeError, raw: bytes) -> None:
        """Keep a frame that could not be believed."""


class MarketSocket:
    """The tasks around one session."""

    def __init__(self, session: SocketSession, owner: SocketOwner, aside: Handover | None = None) -> None:
        """Start idle; with `aside`, frames are kept there and nothing is told until `step_in`."""
        self.session = session
        self.handover = aside
        """The replacement under way, which this socket takes part in."""
        self.task: asyncio.Task[None] | None = None
        self._aside = aside is not None
        self._retired = False
        self._owner = owner
        self._dialer, self._clock, self._entropy = owner.ports
        self._stream: Stream | None = None
        self._reader: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._frames = 0
        self._refused = 0
        self._refused_sample = b""
        self._told_at = -math.inf
        self._todo: deque[Action] = deque()

    def want(self, streams: Iterable[str]) -> None:
        """Replace the wanted streams."""
        self._plan(self.session.want(streams, self._clock.monotonic()))

    def _plan(self, effects: list[Effect]) -> None:
        """Report events at once, so that they keep their place among the messages; queue what needs waiting."""
        for effect in effects:
            if isinstance(effect, Tell):
                self._tell(effect.event)
            else:
                self._todo.append(effect)
        self._wake.set()

    def _tell(self, event: StreamEvent) -> None:
        if not self._aside:
            self._owner.tell(event)
        elif isinstance(event, SocketLost) and self.handover is not None:
            self.handover.restart()  # what was kept has a hole now

    @property
    def is_complete(self) -> bool:
        """Say whether the venue confirmed everything wanted."""
        return self.session.phase is Phase.OPEN and self.session.confirmed == self.session.wanted.keys()

    def retire(self) -> None:
        """End without a word; nothing more is delivered."""
        self._retired = True
        self.handover = None
        if self._reader is not None:
            self._reader.cancel()
        if self.task is not None:
            self.task.cancel()

    def step_in(self, old: MarketSocket) -> None:
        """Take the place of a socket: deliver what it did not, then go on; its counters go on too."""
        left = [] if self.handover is None else self.handover.finish()
        old.retire()
        self.handover, self._aside = None, False
        self.session.reconnects += old.session.reconnects
        self.session.lost_subscriptions += old.session.lost_subscriptions
        self.session.unanswered_audits += old.session.unanswered_audits
        self._frames = old.frames
        self._refused, self._refused_sample = old.refusals
        self._deliver(left)

    @property
    def frames(self) -> int:
        """Return how many frames were received."""
        return self._frames

    @property
    def refusals(self) -> tuple[int, bytes]:
        """Return how many frames were refused, and the beginning of the last."""
        return self._refused, self._refused_sample

    async def run(self) -> None:
        """Carry out the session's effects and wake it when it is due."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    self._plan(self.session.tick(self._clock.monotonic()))
                    self._wake.clear()
                    while self._todo:
                        await self._perform(self._todo.popleft(), group)
                    await self._rest()
        finally:
            if self._stream is not None:
                await self._stream.close()

    async def _rest(self) -> None:
        """Wait until the session is due or something happened."""
        delay = self.session.due() - self._clock.monotonic()
        if self._wake.is_set():
            return
        if delay <= 0.0:
            await self._clock.sleep(0.0)
            return
        woken = asyncio.ensure_future(self._wake.wait())
        if delay == math.inf:
            await woken
            return
        alarm = asyncio.ensure_future(self._clock.sleep(delay))
        try:
            done, _ = await asyncio.wait((woken, alarm), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            woken.cancel()
            alarm.cancel()

    async def _perform(self, action: Action, group: asyncio.TaskGroup) -> None:
        if isinstance(action, Send):
            await self._send(action.text)
        elif isinstance(action, HangUp):
            await self.hang_up(action.reason)
        elif isinstance(action, Replace):
            self._owner.replace(self)
        else:
            await self._dial(action, group)

    async def _dial(self, dial: Dial, group: asyncio.TaskGroup) -> None:
        try:
            self._stream = await self._dialer.connect(dial.path, _DIAL_DEADLINE_S)
        except NotSentError as error:
            self._lost(None, str(error))
        except StreamClosedError as error:
            self._lost(error.code, error.reason or "the handshake was refused")
        else:
            self._plan(self.session.opened(self._clock.monotonic(), self._entropy.uniform()))
            name = f"market socket {self.session.number} reader"
            self._reader = group.create_task(self._read(self._stream), name=name)

    async def _send(self, text: bytes) -> None:
        if self._stream is None:
            return
        try:
            async with asyncio.timeout(_SEND_DEADLINE_S):
                await self._stream.send(text)
        except StreamClosedError:
            return  # the reader hears of it and reports it
        except TimeoutError:
            await self.hang_up(f"a request could not be written for {_SEND_DEADLINE_S:.0f} s")

    async def hang_up(self, reason: str) -> None:
        """Close the socket; the session plans the next one."""
        stream, self._stream = self._stream, None
        if stream is None:
            return  # the reader was quicker and has reported it
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None
        await stream.close()
        self._lost(1000, reason)

    def _lost(self, code: int | None, reason: str) -> None:
        self._stream = None
        self._plan(self.session.lost(self._clock.monotonic(), code, reason, self._entropy.uniform()))

    async def _read(self, stream: Stream) -> None:
        taken = 0
        try:
            while True:
                frames = await stream.receive_many()
                for start in range(0, len(frames), _FRAMES_A_TURN):
                    part = frames[start : start + _FRAMES_A_TURN]
                    taken += len(part)
                    if taken > _FRAMES_A_TURN:
                        await self._clock.sleep(0)  # a burst waits here, not in the way of everything else
                        taken = len(part)
                    self._take(part)
        except StreamClosedError as error:
            if stream is self._stream:
                self._reader = None
                self._lost(error.code, error.reason or "the venue closed it")

    def _take(self, frames: Sequence[bytes]) -> None:
        if self._retired:
            return
        if self._aside:
            self._keep(frames)
            return
        if self.handover is not None:
            for raw in frames:
                self.handover.delivered(raw)
        self._deliver(frames)

    def _deliver(self, frames: Sequence[bytes]) -> None:
        """Decode frames and hand their messages over; replies and refusals keep their place among them."""
        self._frames += len(frames)
        now = self._clock.monotonic()
        decode, lane = self._owner.decoder.decode, self._owner.lane
        heard = False
        if lane is not None:
            rest = lane(frames)
            heard = len(rest) < len(frames)
            frames = rest
        messages: list[MarketMessage] = []
        for raw in frames:
            try:
                decoded = decode(raw)
            except DecodeError as error:
                messages = self._hand_over(messages)
                self._refuse(raw, error, now)
                continue
            if isinstance(decoded, ControlReply):
                messages = self._hand_over(messages)
                if heard:
                    self.session.heard(now)
                self._plan(self.session.answered(decoded, now))
                continue
            heard = True
            if isinstance(decoded, tuple):
                messages.extend(decoded)
            elif decoded is not None:
                messages.append(decoded)
        if heard:
            self.session.heard(now)
        self._hand_over(messages)

    def _keep(self, frames: Sequence[bytes]) -> None:
        """Keep frames for the time when this socket steps in; only replies are read at once."""
        now = self._clock.monotonic()
        for raw in frames:
            try:
                decoded = self._owner.decoder.decode(raw)
            except DecodeError:
                decoded = None  # it is refused where it is delivered
            if isinstance(decoded, ControlReply):
                self._plan(self.session.answered(decoded, now))
            elif self.handover is not None:
                self.session.heard(now)
                self.handover.keep(raw)

    def _hand_over(self, messages: list[MarketMessage]) -> list[MarketMessage]:
        """Deliver messages, if there are any; return the list for the next ones."""
        if not messages:
            return messages
        self._owner.deliver(messages)
        return []

    def _refuse(self, raw: bytes, error: DecodeError, now: float) -> None:
        self._refused += 1
        self._refused_sample = raw[:_SAMPLE_BYTES]
        self._owner.refused(error, raw)
        if now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            self._owner.tell(FrameRefused(self.session.number, error, self._refused))

    def stats(self, now: float) -> SocketStats:
        """Return state and counters."""
        session = self.session
        is_open = session.phase is Phase.OPEN
        return SocketStats(
            socket=session.number,
            route=session.route,
            phase=session.phase.value,
            wanted=len(session.wanted),
            confirmed=len(session.confirmed),
            age_s=now - session.opened_at if is_open else None,
            silent_s=now - session.heard_at if is_open else None,
            reconnects=session.reconnects,
            frames=self._frames,
            refused_frames=self._refused,
            refused_sample=self._refused_sample,
            lost_subscriptions=session.lost_subscriptions,
            unanswered_audits=session.unanswered_audits,
        )
