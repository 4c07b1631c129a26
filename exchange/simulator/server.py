"""The socket front: HTTP and WebSocket on one loopback port, time running at a chosen speed.

Frames are written to a connection's transport once per market step, all of them in one write; a connection whose
peer does not read is cut, and nobody else waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from aiohttp import WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from exchange.simulator.faults.requests import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.simulator.connection import Connection
    from exchange.simulator.core import Exchange

HOST = "127.0.0.1"
SHORTEST_PAUSE_S = 0.005
"""At high speeds several market steps share one wake-up: a wake-up costs more than a step."""
STEPS_PER_TURN = 8
"""After a stall the exchange catches up in slices, so that requests are answered in between."""
PING_S = 180.0
PONG_S = 600.0
BUFFER_LIMIT = 8 * 1024 * 1024
MESSAGE_LIMIT = 256 * 1024
LINE_LIMIT = 64 * 1024
"""A path may name 1024 streams, which aiohttp's own limit of 8 KiB does not hold."""
TEXT_FRAME = 0x81
CLOSE_GRACE_S = 1.0
GIVE_UP_S = 300.0
"""Longest real time a request whose answer is lost keeps its connection."""
ABNORMAL = 1006
"""The close code that never travels: the connection is cut."""


class FrontClock(Protocol):
    """Simulated time as a front lives it."""

    def now_ms(self) -> int:
        """Return the simulated instant in UTC milliseconds."""

    def until(self, instant_ms: int) -> float:
        """Return the real seconds until a simulated instant; negative once it is past."""


class SimulatedClock:
    """Simulated time = start + (monotonic - origin) x speed."""

    def __init__(self, start_ms: int, speed: float) -> None:
        """Start now."""
        self._start_ms = start_ms
        self._speed = speed
        self._origin = time.monotonic()

    def now_ms(self) -> int:
        """Return the simulated instant in UTC milliseconds."""
        return self._start_ms + int((time.monotonic() - self._origin) * 1000 * self._speed)

    def until(self, instant_ms: int) -> float:
        """Return the real seconds until a simulated instant; negative once it is past."""
        return (instant_ms - self._start_ms) / 1000 / self._speed - (time.monotonic() - self._origin)


def frame_header(size: int) -> bytes:
    """Return the header of an unmasked, final text frame (RFC 6455 section 5.2)."""
    if size < 126:
        return bytes((TEXT_FRAME, size))
    if size < 65_536:
        return struct.pack("!BBH", TEXT_FRAME, 126, size)
    return struct.pack("!BBQ", TEXT_FRAME, 127, size)


def listen(port: int) -> socket.socket:
    """Return a listening loopback socket; port 0 picks a free one. Raises OSError where the port cannot be had."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _quiet_logger() -> logging.Logger:
    """Return aiohttp's logger without tracebacks for malformed requests: those get their 400, and that is all."""
    logger = logging.getLogger("perpdesk.exchange.simulator.server")
    if not logger.filters:
        logger.addFilter(_is_own_fault)
    return logger


def _is_own_fault(record: logging.LogRecord) -> bool:
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


class Link:
    """One WebSocket connection of one session."""

    def __init__(self, session: Connection, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        """Tie a session to its socket."""
        self.session = session
        self._socket = socket
        self._transport = transport
        self._pong_at = time.monotonic()
        self._closing: asyncio.Task[bool] | None = None

    def flush(self) -> int:
        """Write all waiting frames at once and return how many; hang up where the session has ended.

        The frames bypass aiohttp's writer, whose per-message bookkeeping costs more than our encoding. That is sound
        because both write whole frames to the transport from the same loop.
        """
        outbox = self.session.outbox
        count = len(outbox)
        if count and not self._transport.is_closing():
            parts: list[bytes] = []
            for frame in outbox:
                parts += (frame_header(len(frame)), frame)
            self._transport.write(b"".join(parts))
        outbox.clear()
        ending = self.session.ending
        if self._transport.get_write_buffer_size() > BUFFER_LIMIT:
            # Nothing more gets through to a peer that does not read, a close frame neither.
            self._transport.abort()
        elif ending is not None and ending.code == ABNORMAL:
            self._transport.abort()
        elif ending is not None and self._closing is None:
            closing = self._socket.close(code=ending.code, message=ending.reason.encode())
            self._closing = asyncio.create_task(closing)
        return count

    async def serve(self, exchange: Exchange, clock: FrontClock, flush: Callable[[], None]) -> None:
        """Hand incoming messages to the session until the peer leaves or the session ends.

        `flush` writes what they brought about, on this connection and on others.
        """
        async for message in self._socket:
            now_ms = clock.now_ms()
            if message.type is WSMsgType.TEXT:
                exchange.advance(now_ms)
                self.session.text(message.data.encode(), exchange.now_ms)
            elif message.type is WSMsgType.PING:
                self.session.heard(now_ms)
                await self._socket.pong(message.data)
            elif message.type is WSMsgType.PONG:
                self.session.heard(now_ms)
                self._pong_at = time.monotonic()
            flush()

    async def keep_alive(self) -> None:
        """Ping every three minutes; cut a peer that has not answered for ten."""
        while True:
            await asyncio.sleep(PING_S)
            if time.monotonic() - self._pong_at > PONG_S:
                self._transport.abort()
                return
            await self._socket.ping(str(int(time.monotonic() * 1000)).encode())

    async def finish(self) -> None:
        """Wait for the closing handshake, if one is under way."""
        if self._closing is not None:
            await self._closing


def _hang_up(request: web.BaseRequest) -> web.Response:
    """Cut the connection of a request without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


class SocketFront:
    """Serves one exchange on a loopback port."""

    def __init__(self, exchange: Exchange, clock: FrontClock | None = None) -> None:
        """Take over the exchange. Without a clock, time runs from its present instant once `start` is called."""
        self._exchange = exchange
        self._own_clock = clock is None
        self._clock: FrontClock = clock or SimulatedClock(exchange.now_ms, exchange.options.speed)
        self._links: dict[Connection, Link] = {}
        server = web.Server(self._handle, access_log=None, logger=_quiet_logger(), max_line_size=LINE_LIMIT)
        self._runner = web.ServerRunner(server)
        self._pump: asyncio.Task[None] | None = None
        self.frames_sent = 0
        self.port = 0

    async def start(self, listener: socket.socket) -> None:
        """Serve on a listening socket (see `listen`) and let time run from now on."""
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        self.port = listener.getsockname()[1]
        if self._own_clock:
            self._clock = SimulatedClock(self._exchange.now_ms, self._exchange.options.speed)
        self._pump = asyncio.create_task(self._run())

    def now_ms(self) -> int:
        """Return the simulated instant."""
        return self._clock.now_ms()

    async def failed(self) -> None:
        """Wait until time stops running, which only a fault does, and raise that fault."""
        if self._pump is not None:
            await self._pump

    async def stop(self) -> None:
        """Close every stream with 1001 and the port; returns within seconds."""
        if self._pump is not None and not self._pump.done():
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump
        for link in list(self._links.values()):
            link.session.end(1001, "the simulated exchange stops")
            link.flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_GRACE_S):
                for link in list(self._links.values()):
                    await link.finish()
        await self._runner.cleanup()

    async def _run(self) -> None:
        exchange, step = self._exchange, self._exchange.market.step_ms
        while True:
            now = self._clock.now_ms()
            reached = min(now, exchange.now_ms + STEPS_PER_TURN * step)
            exchange.advance(reached)
            self._flush()
            pause = max(self._clock.until((now // step + 1) * step), SHORTEST_PAUSE_S)
            await asyncio.sleep(pause if reached >= now else 0)

    def _flush(self) -> None:
        for link in list(self._links.values()):
            self.frames_sent += link.flush()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = request.raw_path
        if request.headers.get("Upgrade", "").lower() == "websocket":
            # aiohttp hands bytes that are no UTF-8 over as lone surrogates, which no frame could carry back.
            named = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            if not self._exchange.accepts_connection(self._clock.now_ms()):
                return _hang_up(request)
            session = self._exchange.open(named, self._clock.now_ms())
            if session is not None:
                return await self._stream(request, session)
        path, _, query = raw.partition("?")
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        query_bytes = query.encode("utf-8", "surrogateescape")
        received = Request(request.method, path, query_bytes, body, headers)
        fate = self._exchange.serve(received, self._clock.now_ms())
        self._flush()  # an order is told on the user streams before its answer
        if fate.answer is None and fate.how == "timeout":
            await asyncio.sleep(GIVE_UP_S)
        elif fate.delay_s > 0:
            await asyncio.sleep(self._clock.until(self._clock.now_ms() + int(fate.delay_s * 1000)))
        if fate.answer is None:
            return _hang_up(request)
        return web.Response(status=fate.answer.status, headers=fate.answer.headers, body=fate.answer.body)

    async def _stream(self, request: web.BaseRequest, session: Connection) -> web.StreamResponse:
        # Compressing costs more than a loopback saves, and live clients are told not to ask for it.
        socket = web.WebSocketResponse(
            timeout=CLOSE_GRACE_S, autoping=False, compress=False, max_msg_size=MESSAGE_LIMIT
        )
        try:
            await socket.prepare(request)
            transport = request.transport
            if transport is None:
                return socket
            link = Link(session, socket, transport)
            self._links[session] = link
            pinging = asyncio.create_task(link.keep_alive())
            try:
                link.flush()
                await link.serve(self._exchange, self._clock, self._flush)
            finally:
                pinging.cancel()
                await link.finish()
        finally:
            self._links.pop(session, None)
            self._exchange.close(session)
        return socket
