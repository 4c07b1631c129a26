"""The market streams: keeps a wanted set flowing over as many sockets as it takes.

Each socket is a `SocketSession` with two tasks around it: one carries out its effects and wakes it when it is due, the
other reads. Messages are handed over synchronously, all that one wake-up brought together, in the order of arrival on
their socket.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING

from exchange.binance.allocation import Load, allocate
from exchange.binance.routes import STREAMS_PER_SOCKET
from exchange.binance.session import Action, Dial, Effect, HangUp, Phase, Send, SessionLimits, SocketSession, Tell
from exchange.binance.stream_events import FrameRefused, SocketStats, StreamEvent, StreamsLive
from exchange.binance.streams_wire import ControlReply, FrameDecoder
from exchange.errors import DecodeError
from exchange.ports import NotSentError, StreamClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exchange.market_data import MarketMessage
    from exchange.ports import Clock, Entropy, Stream, StreamDialer

_DIAL_DEADLINE_S = 10.0
_SEND_DEADLINE_S = 5.0
_TOLD_EVERY_S = 1.0
_SAMPLE_BYTES = 2048
_FRAMES_A_TURN = 200
"""Frames taken per turn of the loop, about a third of a millisecond."""


class MarketStreams:
    """A set of streams, wanted by `want`, delivered while `run` runs. Belongs to one event loop."""

    def __init__(
        self,
        dialer: StreamDialer,
        clock: Clock,
        entropy: Entropy,
        on_messages: Callable[[Sequence[MarketMessage]], None],
        on_event: Callable[[StreamEvent], None],
        on_gap: Callable[[StreamsLive], None] | None = None,
        *,
        per_socket: int = STREAMS_PER_SOCKET,
        limits: SessionLimits | None = None,
    ) -> None:
        """Take the ports and the callbacks; these are called on the loop and must neither block nor raise.

        `on_gap` hears of streams that are back after they were away (`silent_s` says how long), so that what was
        missed is fetched over REST.
        """
        self._dialer = dialer
        self._clock = clock
        self._entropy = entropy
        self._on_messages = on_messages
        self._on_event = on_event
        self._on_gap = on_gap
        self._per_socket = per_socket
        self._limits = limits or SessionLimits()
        self._sockets: list[_Socket] = []
        self._started = 0
        self._grown = asyncio.Event()
        self.decoder = FrameDecoder()

    def want(self, streams: Iterable[str]) -> None:
        """Replace the wanted set. Sockets are opened, filled and emptied in the background. Raises VenueError."""
        loads = [Load(socket.session.route, tuple(socket.session.wanted)) for socket in self._sockets]
        for number, load in enumerate(allocate(loads, streams, self._per_socket)):
            if number == len(self._sockets):
                session = SocketSession(number, load.route, self._limits)
                self._sockets.append(_Socket(session, self))
            self._sockets[number].want(load.streams)
        self._grown.set()

    def stats(self) -> tuple[SocketStats, ...]:
        """Return every socket's state and counters."""
        return tuple(socket.stats(self._clock.monotonic()) for socket in self._sockets)

    async def run(self) -> None:
        """Keep the streams flowing until cancelled, then close the sockets."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._grown.clear()
                while self._started < len(self._sockets):
                    socket = self._sockets[self._started]
                    self._started += 1
                    group.create_task(socket.run(), name=f"market socket {socket.session.number}")
                await self._grown.wait()

    def tell(self, event: StreamEvent) -> None:
        """Report an event of one of the sockets."""
        if self._on_gap is not None and isinstance(event, StreamsLive) and event.silent_s is not None:
            self._on_gap(event)
        self._on_event(event)

    @property
    def ports(self) -> tuple[StreamDialer, Clock, Entropy]:
        """Return what a socket reaches the world through."""
        return self._dialer, self._clock, self._entropy

    @property
    def deliver(self) -> Callable[[Sequence[MarketMessage]], None]:
        """Return where messages go."""
        return self._on_messages


class _Socket:
    """The tasks around one session."""

    def __init__(self, session: SocketSession, owner: MarketStreams) -> None:
        self.session = session
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
        self._plan(self.session.want(streams, self._clock.monotonic()))

    def _plan(self, effects: list[Effect]) -> None:
        """Report events at once, so that they keep their place among the messages; queue what needs waiting."""
        for effect in effects:
            if isinstance(effect, Tell):
                self._owner.tell(effect.event)
            else:
                self._todo.append(effect)
        self._wake.set()

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
            await self._hang_up(action.reason)
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
            await self._hang_up(f"a request could not be written for {_SEND_DEADLINE_S:.0f} s")

    async def _hang_up(self, reason: str) -> None:
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
        """Decode frames and hand their messages over; replies and refusals keep their place among them."""
        self._frames += len(frames)
        now = self._clock.monotonic()
        decode = self._owner.decoder.decode
        heard = False
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

    def _hand_over(self, messages: list[MarketMessage]) -> list[MarketMessage]:
        """Deliver messages, if there are any; return the list for the next ones."""
        if not messages:
            return messages
        self._owner.deliver(messages)
        return []

    def _refuse(self, raw: bytes, error: DecodeError, now: float) -> None:
        self._refused += 1
        self._refused_sample = raw[:_SAMPLE_BYTES]
        if now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            self._owner.tell(FrameRefused(self.session.number, error, self._refused))

    def stats(self, now: float) -> SocketStats:
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
