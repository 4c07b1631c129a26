"""One WebSocket on an asyncio transport: bytes in, messages queued, back pressure, and how it ended.

Reading pauses while the consumer is behind, so memory stays bounded and the venue feels the back pressure. It pauses
for a moment as well while frames come in one by one in quick succession: a wake-up costs as much as a hundred frames.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, cast

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import CONNECTING, OPEN

from exchange.binance.frame_cutter import FrameCutter
from exchange.ports import StreamClosedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.client import ClientProtocol

_QUEUE_HIGH = 512
_QUEUE_LOW = 128
_CLOSE_DEADLINE_S = 1.0
ABNORMAL = 1006
_GATHER_S = 0.02
"""Real seconds for which a busy socket collects in the kernel before it is read again."""
_BUSY_GAP_S = 0.005
_BUSY_READS = 16
"""So many reads in a row, each within `_BUSY_GAP_S` of the one before, make a socket busy."""
_FULL_READ = 2**16
"""A read of so many bytes is a batch already; to pause after it would only slow a burst down."""
_END_OF_HEAD = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """Feeds bytes to the protocol core and keeps what it yields."""

    def __init__(self, core: ClientProtocol) -> None:
        self.connected = False
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self._core = core
        self._transport: asyncio.Transport | None = None
        self._messages: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._ended: asyncio.Future[None] = loop.create_future()
        self._pongs: dict[bytes, asyncio.Future[None]] = {}
        self._pings = 0
        self._cutter = FrameCutter(core.max_message_size or 0)
        self._head = b""
        self._behind = False
        """The consumer has too much to take already."""
        self._gathering = False
        self._paused = False
        self._busy = 0
        self._heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the opening handshake."""
        self.connected = True
        self._transport = cast("asyncio.Transport", transport)
        self._core.send_request(self._core.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take bytes of the venue."""
        if self._core.state is OPEN:
            self._cut(data)
        elif self._core.state is CONNECTING:
            self._handshake(data)
        else:
            self._odd(data)
        if self._core.close_expected():
            self._schedule_abort()
        elif self.opened.done():
            self._gather(len(data))

    def _handshake(self, data: bytes) -> None:
        """Let the core read the head of the answer; what follows a good one is frames."""
        # The blank line may have begun in the bytes before: what was seen of it is at most three bytes.
        end = (self._head + data).find(_END_OF_HEAD)
        stop = len(data) if end < 0 else end + len(_END_OF_HEAD) - len(self._head)
        self._head = (self._head + data)[-3:]
        self._odd(data[:stop])
        rest = data[stop:]
        if rest and self._core.state is OPEN:
            self._cut(rest)
        elif rest:
            self._odd(rest)

    def _cut(self, data: bytes) -> None:
        core, cutter = self._core, self._cutter
        cutter.feed(data)
        while core.state is OPEN:
            messages, odd = cutter.run(fragmented=core.current_size is not None)
            if messages:
                self._messages.extend(messages)
                self._put()
            if not odd:
                return
            self._odd(odd)
        self._odd(cutter.rest())

    def _odd(self, data: bytes) -> None:
        """Let the core have bytes and take what it makes of them."""
        if not data or self._core.reader.eof:
            return
        self._core.receive_data(data)
        self._flush()
        for event in self._core.events_received():
            if isinstance(event, Response):
                self._handshaken()
            else:
                self._frame(event)
        if self._core.handshake_exc is not None:
            self._handshaken()

    def _gather(self, size: int) -> None:
        """Leave a busy socket alone for a moment."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._busy = self._busy + 1 if now - self._heard_at < _BUSY_GAP_S else 0
        self._heard_at = now
        if self._busy >= _BUSY_READS and size < _FULL_READ and not self._gathering:
            self._gathering = True
            self._steer()
            loop.call_later(_GATHER_S, self._gathered)

    def _gathered(self) -> None:
        self._gathering = False
        self._heard_at = asyncio.get_running_loop().time()
        self._steer()

    def eof_received(self) -> bool:
        """Note that the venue sends no more; the transport closes itself."""
        self._core.receive_eof()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End whatever waits for this connection."""
        del exc
        if not self._core.reader.eof:
            self._core.receive_eof()
        self._core.data_to_send()
        if not self._ended.done():
            self._ended.set_result(None)
        if not self.opened.done():
            self.opened.set_exception(StreamClosedError(ABNORMAL, "the connection ended during the handshake"))
        self._wake(self._waiter)
        self._wake(self._writable)
        for pong in self._pongs.values():
            self._wake(pong)

    def pause_writing(self) -> None:
        """Let senders wait."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Let senders go on."""
        self._wake(self._writable)
        self._writable = None

    @staticmethod
    def _wake(waiter: asyncio.Future[None] | None) -> None:
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _handshaken(self) -> None:
        if self.opened.done():
            return
        refusal = self._core.handshake_exc
        if refusal is None:
            self.opened.set_result(None)
            return
        status = refusal.response.status_code if isinstance(refusal, InvalidStatus) else None
        reason = f"the handshake was refused with HTTP {status}" if status else f"no WebSocket: {refusal}"
        self.opened.set_exception(StreamClosedError(ABNORMAL, reason))
        self.abort()

    def _frame(self, event: object) -> None:
        if not isinstance(event, Frame):
            return
        opcode = event.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY or opcode is Opcode.CONT:
            if event.fin and not self._parts:
                self._messages.append(bytes(event.data))
                self._put()
                return
            self._parts.append(bytes(event.data))
            if event.fin:
                self._messages.append(b"".join(self._parts))
                self._parts.clear()
                self._put()
        elif opcode is Opcode.PONG:
            self._wake(self._pongs.get(bytes(event.data)))

    def _put(self) -> None:
        """Tell the consumer of new messages, and the transport when there are too many of them."""
        self._wake(self._waiter)
        if len(self._messages) >= _QUEUE_HIGH and not self._behind:
            self._behind = True
            self._steer()

    def _steer(self) -> None:
        """Read, or do not, as the consumer and the busy moment want it."""
        transport = self._transport
        paused = self._behind or self._gathering
        if transport is None or transport.is_closing() or paused is self._paused:
            return
        self._paused = paused
        if paused:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _taken(self) -> None:
        if self._behind and len(self._messages) <= _QUEUE_LOW:
            self._behind = False
            self._steer()

    def _flush(self) -> None:
        self._write(self._core.data_to_send())

    def _write(self, chunks: Sequence[bytes]) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        for chunk in chunks:
            if chunk:
                transport.write(chunk)
            elif transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()  # TLS knows no half-closed connection

    def _schedule_abort(self) -> None:
        asyncio.get_running_loop().call_later(_CLOSE_DEADLINE_S, self.abort)

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def _closed(self) -> StreamClosedError:
        frame = self._core.close_rcvd or self._core.close_sent
        if frame is None:
            return StreamClosedError(ABNORMAL, "the connection broke without a close frame")
        return StreamClosedError(int(frame.code), frame.reason)

    async def receive(self) -> bytes:
        """Return the next message. Raises StreamClosedError once all received messages are taken."""
        await self._arrival()
        message = self._messages.popleft()
        self._taken()
        return message

    async def receive_many(self) -> list[bytes]:
        """Return all messages that have arrived, at least one. Raises StreamClosedError once all are taken."""
        await self._arrival()
        messages = list(self._messages)
        self._messages.clear()
        self._taken()
        return messages

    async def _arrival(self) -> None:
        while not self._messages:
            if self._ended.done() or self._core.state is not OPEN:
                raise self._closed()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    async def send(self, text: bytes) -> None:
        """Send one text message and wait while the transport's buffer is full. Raises StreamClosedError."""
        if self._core.state is not OPEN or self._ended.done():
            raise self._closed()
        self._core.send_text(text)
        self._flush()
        if self._writable is not None:
            await asyncio.shield(self._writable)
            if self._ended.done():
                raise self._closed()

    async def ping(self, deadline: float) -> None:
        """Send a ping and wait for its pong. Raises StreamClosedError, also when the pong is late."""
        if self._core.state is not OPEN or self._ended.done():
            raise self._closed()
        self._pings += 1
        payload = self._pings.to_bytes(4, "big")
        pong: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pongs[payload] = pong
        self._core.send_ping(payload)
        self._flush()
        try:
            async with asyncio.timeout(deadline):
                await pong
        except TimeoutError as error:
            raise StreamClosedError(ABNORMAL, f"no pong within {deadline:.1f} s") from error
        finally:
            del self._pongs[payload]
        if self._ended.done():
            raise self._closed()

    async def close(self) -> None:
        """Close in an orderly way within a second, then by force; never raises."""
        if self._core.state is OPEN and not self._ended.done():
            with contextlib.suppress(WebSocketException):
                self._core.send_close(1000)
                self._flush()
        self._behind = self._gathering = False
        self._steer()  # the venue's close frame must be heard
        try:
            async with asyncio.timeout(_CLOSE_DEADLINE_S):
                await asyncio.shield(self._ended)
        except TimeoutError:
            self.abort()
