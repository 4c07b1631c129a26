"""The in-process front: the ports of `exchange.ports` served by the exchange itself, on whatever loop the clock lives.

It waits on the clock and on asyncio events only, so on a virtual-time loop it is deterministic.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from exchange.ports import LostError, NotSentError, RestAnswer, StreamClosedError
from exchange.simulator.faults.requests import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchange.ports import Clock
    from exchange.simulator.connection import Connection
    from exchange.simulator.core import Exchange

ABNORMAL = 1006


class MemoryFront:
    """Serves one exchange in this process. `run` must be running for time-driven frames to arrive.

    `clock` is the exchange's own, without the error a test may give the desk's. `latency` is one way, in seconds.
    """

    def __init__(self, exchange: Exchange, clock: Clock, *, latency: float = 0.0) -> None:
        """Offer `rest` and `dialer` for the exchange."""
        self._exchange = exchange
        self._clock = clock
        self._latency = latency
        self._streams: dict[MemoryStream, None] = {}
        self.rest = MemoryRest(self)
        self.dialer = MemoryDialer(self)

    async def run(self) -> None:
        """Move the exchange with the clock, one market step at a time, until cancelled."""
        step = self._exchange.market.step_ms
        while True:
            now = self._clock.now_ms()
            self.advance(now)
            await self._clock.sleep(((now // step + 1) * step - now) / 1000)

    def advance(self, now_ms: int) -> None:
        """Move the exchange to an instant and wake whoever waits for frames."""
        self._exchange.advance(now_ms)
        self.wake()

    def wake(self) -> None:
        """Wake the readers that have something to read."""
        for stream in list(self._streams):
            stream.wake()

    async def delay(self) -> None:
        """Wait one way of the wire."""
        await self.wait(self._latency)

    async def wait(self, seconds: float) -> None:
        """Wait that many simulated seconds."""
        if seconds > 0:
            await self._clock.sleep(seconds)

    @property
    def exchange(self) -> Exchange:
        """Return the exchange served."""
        return self._exchange

    @property
    def latency(self) -> float:
        """Return the one-way latency in seconds."""
        return self._latency

    def now_ms(self) -> int:
        """Return the exchange's instant."""
        return self._clock.now_ms()

    def attach(self, stream: MemoryStream) -> None:
        """Keep a stream to be woken."""
        self._streams[stream] = None

    def detach(self, stream: MemoryStream) -> None:
        """Let go of a stream that ended."""
        self._streams.pop(stream, None)


class MemoryRest:
    """`exchange.ports.Rest` in memory."""

    def __init__(self, front: MemoryFront) -> None:
        """Send to a front's exchange."""
        self._front = front

    async def send(
        self, method: str, path: str, query: bytes, headers: Mapping[str, str], deadline: float
    ) -> RestAnswer:
        """Send and wait for the answer. Raises LostError where the way there and back is longer than the deadline."""
        front = self._front
        await front.delay()
        lower = {name.lower(): value for name, value in headers.items()}
        fate = front.exchange.serve(Request(method, path, query, b"", lower), front.now_ms())
        front.wake()
        if fate.answer is None and fate.how == "reset":
            raise LostError(f"the connection was reset before {method} {path} was answered")
        if fate.answer is None or 2 * front.latency + fate.delay_s > deadline:
            await front.wait(deadline)
            raise LostError(f"no answer to {method} {path} within {deadline} s") from TimeoutError()
        await front.wait(front.latency + fate.delay_s)
        return fate.answer


class MemoryDialer:
    """`exchange.ports.StreamDialer` in memory."""

    def __init__(self, front: MemoryFront) -> None:
        """Open sessions on a front's exchange."""
        self._front = front

    async def connect(self, path: str, deadline: float) -> MemoryStream:
        """Open the WebSocket at `path`. Raises StreamClosedError where the venue has none there or is too far."""
        front = self._front
        await front.delay()
        if 2 * front.latency > deadline:
            raise StreamClosedError(ABNORMAL, f"no handshake within {deadline} s")
        if not front.exchange.accepts_connection(front.now_ms()):
            raise NotSentError("the connection was refused")
        session = front.exchange.open(path, front.now_ms())
        front.wake()
        if session is None:
            raise StreamClosedError(ABNORMAL, "handshake refused with HTTP 404")
        await front.delay()
        return MemoryStream(front, session)


class MemoryStream:
    """`exchange.ports.Stream` in memory: a view of the session's own queue, which the exchange bounds."""

    def __init__(self, front: MemoryFront, session: Connection) -> None:
        """Read from and write to a session."""
        self._front = front
        self._session = session
        self._news = asyncio.Event()
        front.attach(self)

    def wake(self) -> None:
        """Let `receive` look again where there is something to see."""
        if self._session.outbox or self._session.ending is not None:
            self._news.set()

    async def receive(self) -> bytes:
        """Return the next message. Raises StreamClosedError once the session has ended and its frames are read."""
        await self._arrival()
        return self._session.outbox.popleft()

    async def receive_many(self) -> list[bytes]:
        """Return all messages that wait, at least one. Raises StreamClosedError as `receive` does."""
        await self._arrival()
        messages = list(self._session.outbox)
        self._session.outbox.clear()
        return messages

    async def _arrival(self) -> None:
        session = self._session
        while not session.outbox:
            if session.ending is not None:
                self._front.detach(self)
                raise StreamClosedError(session.ending.code, session.ending.reason)
            self._news.clear()
            await self._news.wait()

    async def send(self, text: bytes) -> None:
        """Send one text message. Raises StreamClosedError."""
        self._check_open()
        await self._front.delay()
        self._session.text(text, self._front.now_ms())
        self._front.wake()  # an order sent here is told on other sockets

    async def ping(self, deadline: float) -> None:
        """Count as a message and come back. Raises StreamClosedError, also when the way is longer than the deadline."""
        self._check_open()
        await self._front.delay()
        self._session.heard(self._front.now_ms())
        await self._front.delay()
        if 2 * self._front.latency > deadline:
            self._front.exchange.close(self._session, ABNORMAL, "pong is late")
            self.wake()
        self._check_open()

    async def close(self) -> None:
        """Leave the venue."""
        self._front.exchange.close(self._session)
        self._session.outbox.clear()
        self._front.detach(self)
        self._news.set()

    def _check_open(self) -> None:
        ending = self._session.ending
        if ending is not None:
            raise StreamClosedError(ending.code, ending.reason)
