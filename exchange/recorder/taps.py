"""The transport ports with an ear: what passes through them goes to the recording as it came, and on to the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.ports import StreamClosedError
from exchange.recorder.records import SOCKET_LOST, SOCKET_OPENED, Answer, Frame, Note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exchange.ports import Clock, Rest, RestAnswer, Stream, StreamDialer
    from exchange.recorder.records import Record

    Put = Callable[[Record], None]

_KEY_HEADER = "x-mbx-apikey"


class Stopwatch:
    """UTC microseconds that never step back: the wall clock at the beginning, and monotonic time since."""

    def __init__(self, clock: Clock) -> None:
        """Take the origin now."""
        self._clock = clock
        self._origin_us = clock.now_ms() * 1000
        self._began = clock.monotonic()

    def now_us(self) -> int:
        """Return the present instant."""
        return self._origin_us + int((self._clock.monotonic() - self._began) * 1e6)


class TappedRest:
    """`exchange.ports.Rest` that records the answers to GET requests without a key."""

    def __init__(self, rest: Rest, watch: Stopwatch, put: Put) -> None:
        """Stand before a transport."""
        self._rest = rest
        self._watch = watch
        self._put = put

    async def send(
        self, method: str, path: str, query: bytes, headers: Mapping[str, str], deadline: float
    ) -> RestAnswer:
        """Send and wait at most `deadline` real seconds. Raises NotSentError or LostError, nothing else."""
        sent_us = self._watch.now_us()
        answer = await self._rest.send(method, path, query, headers, deadline)
        if method == "GET" and not any(name.lower() == _KEY_HEADER for name in headers):
            record = Answer(self._watch.now_us(), sent_us, path, query.decode("ascii"), answer.status, answer.body)
            self._put(record)
        return answer


class TappedDialer:
    """`exchange.ports.StreamDialer` whose sockets record every message."""

    def __init__(self, dialer: StreamDialer, watch: Stopwatch, put: Put) -> None:
        """Stand before a dialer."""
        self._dialer = dialer
        self._watch = watch
        self._put = put
        self._sockets = 0

    async def connect(self, path: str, deadline: float) -> TappedStream:
        """Open the WebSocket at `path`. Raises NotSentError or StreamClosedError."""
        stream = await self._dialer.connect(path, deadline)
        self._sockets += 1
        self._put(Note(self._watch.now_us(), SOCKET_OPENED, f"{self._sockets} {path}"))
        return TappedStream(stream, self._sockets, self._watch, self._put)


class TappedStream:
    """`exchange.ports.Stream` that records what it receives."""

    def __init__(self, stream: Stream, number: int, watch: Stopwatch, put: Put) -> None:
        """Stand before an open socket."""
        self._stream = stream
        self._number = number
        self._watch = watch
        self._put = put

    async def receive(self) -> bytes:
        """Return the next complete message. Raises StreamClosedError."""
        try:
            data = await self._stream.receive()
        except StreamClosedError as error:
            self._put(Note(self._watch.now_us(), SOCKET_LOST, f"{self._number} {error.code} {error.reason}"))
            raise
        self._put(Frame(self._watch.now_us(), self._number, data))
        return data

    async def receive_many(self) -> Sequence[bytes]:
        """Return all complete messages that have arrived. Raises StreamClosedError."""
        try:
            messages = await self._stream.receive_many()
        except StreamClosedError as error:
            self._put(Note(self._watch.now_us(), SOCKET_LOST, f"{self._number} {error.code} {error.reason}"))
            raise
        now_us = self._watch.now_us()
        for data in messages:
            self._put(Frame(now_us, self._number, data))
        return messages

    async def send(self, text: bytes) -> None:
        """Send one text message. Raises StreamClosedError."""
        await self._stream.send(text)

    async def ping(self, deadline: float) -> None:
        """Send a ping and wait for its pong. Raises StreamClosedError."""
        await self._stream.ping(deadline)

    async def close(self) -> None:
        """Close in an orderly way; never raises."""
        await self._stream.close()
