"""The Stream port: the sans-I/O core of `websockets` on an asyncio transport.

No compression is offered (it would cost more CPU than the bytes are worth). Reading pauses while the consumer is
behind, so memory stays bounded and the venue feels the back pressure.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from typing import TYPE_CHECKING, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from exchange.ports import NotSentError, StreamClosedError

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_MESSAGE = 10 * 2**20
"""Bytes of one message beyond which the socket is closed with 1009."""
_QUEUE_HIGH = 512
_QUEUE_LOW = 128
_CLOSE_DEADLINE_S = 1.0
_ABNORMAL = 1006


class WebSocketDialer:
    """Opens WebSockets below one root such as `wss://fstream.binance.com`."""

    def __init__(self, root_url: str) -> None:
        """Take the root URL without a path; TLS certificates are always verified."""
        self._root_url = root_url
        self._tls = ssl.create_default_context() if root_url.startswith("wss://") else None

    async def connect(self, path: str, deadline: float) -> WebSocketStream:
        """Open the WebSocket at `path` within `deadline` real seconds.

        Raises NotSentError when no connection came about, StreamClosedError when the handshake was refused or lost.
        """
        uri = parse_uri(self._root_url + path)
        loop = asyncio.get_running_loop()
        protocol = _Connection(ClientProtocol(uri, max_size=MAX_MESSAGE))
        place = f"{uri.host}:{uri.port}"
        try:
            async with asyncio.timeout(deadline):
                await loop.create_connection(lambda: protocol, uri.host, uri.port, ssl=self._tls)
                await protocol.opened
        except TimeoutError as error:
            protocol.abort()
            if protocol.connected:
                raise StreamClosedError(
                    _ABNORMAL, f"{place} did not answer the handshake in {deadline:.0f} s"
                ) from error
            raise NotSentError(f"no connection to {place} within {deadline:.0f} s") from error
        except ssl.SSLError as error:
            raise NotSentError(f"no TLS connection to {place}: {error.reason or 'handshake failed'}") from error
        except OSError as error:
            raise NotSentError(f"no connection to {place}: {error.strerror or error}") from error
        except asyncio.CancelledError:
            protocol.abort()
            raise
        return WebSocketStream(protocol)


class WebSocketStream:
    """One open WebSocket. One task receives; any task sends."""

    def __init__(self, connection: _Connection) -> None:
        """Take an opened connection."""
        self._connection = connection

    async def receive(self) -> bytes:
        """Return the next complete message. Raises StreamClosedError once all received messages are taken."""
        return await self._connection.receive()

    async def send(self, text: bytes) -> None:
        """Send one text message and wait while the transport's buffer is full. Raises StreamClosedError."""
        await self._connection.send(text)

    async def ping(self, deadline: float) -> None:
        """Send a ping and wait for its pong. Raises StreamClosedError, also when the pong is late."""
        await self._connection.ping(deadline)

    async def close(self) -> None:
        """Close in an orderly way within a second, then by force; never raises."""
        await self._connection.close()


class _Connection(asyncio.Protocol):
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
        self._reading_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.connected = True
        self._transport = cast("asyncio.Transport", transport)
        self._core.send_request(self._core.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._core.receive_data(data)
        self._flush()
        for event in self._core.events_received():
            if isinstance(event, Response):
                self._handshaken()
            else:
                self._frame(event)
        if self._core.handshake_exc is not None:
            self._handshaken()
        if self._core.close_expected():
            self._schedule_abort()

    def eof_received(self) -> bool:
        self._core.receive_eof()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._core.reader.eof:
            self._core.receive_eof()
        self._core.data_to_send()
        if not self._ended.done():
            self._ended.set_result(None)
        if not self.opened.done():
            self.opened.set_exception(StreamClosedError(_ABNORMAL, "the connection ended during the handshake"))
        self._wake(self._waiter)
        self._wake(self._writable)
        for pong in self._pongs.values():
            self._wake(pong)

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
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
        self.opened.set_exception(StreamClosedError(_ABNORMAL, reason))
        self.abort()

    def _frame(self, event: object) -> None:
        if not isinstance(event, Frame):
            return
        opcode = event.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY or opcode is Opcode.CONT:
            if event.fin and not self._parts:
                self._put(bytes(event.data))
                return
            self._parts.append(bytes(event.data))
            if event.fin:
                self._put(b"".join(self._parts))
                self._parts.clear()
        elif opcode is Opcode.PONG:
            self._wake(self._pongs.get(bytes(event.data)))

    def _put(self, message: bytes) -> None:
        self._messages.append(message)
        self._wake(self._waiter)
        if len(self._messages) >= _QUEUE_HIGH and not self._reading_paused:
            self._pause(paused=True)

    def _pause(self, *, paused: bool) -> None:
        self._reading_paused = paused
        if self._transport is None or self._transport.is_closing():
            return
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

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
            return StreamClosedError(_ABNORMAL, "the connection broke without a close frame")
        return StreamClosedError(int(frame.code), frame.reason)

    async def receive(self) -> bytes:
        while not self._messages:
            if self._ended.done() or self._core.state is not OPEN:
                raise self._closed()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message = self._messages.popleft()
        if self._reading_paused and len(self._messages) <= _QUEUE_LOW:
            self._pause(paused=False)
        return message

    async def send(self, text: bytes) -> None:
        if self._core.state is not OPEN or self._ended.done():
            raise self._closed()
        self._core.send_text(text)
        self._flush()
        if self._writable is not None:
            await asyncio.shield(self._writable)
            if self._ended.done():
                raise self._closed()

    async def ping(self, deadline: float) -> None:
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
            raise StreamClosedError(_ABNORMAL, f"no pong within {deadline:.1f} s") from error
        finally:
            del self._pongs[payload]
        if self._ended.done():
            raise self._closed()

    async def close(self) -> None:
        if self._core.state is OPEN and not self._ended.done():
            with contextlib.suppress(WebSocketException):
                self._core.send_close(1000)
                self._flush()
        if self._reading_paused:
            self._pause(paused=False)
        try:
            async with asyncio.timeout(_CLOSE_DEADLINE_S):
                await asyncio.shield(self._ended)
        except TimeoutError:
            self.abort()
