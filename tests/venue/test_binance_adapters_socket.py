import asyncio
import contextlib
import json
import socket
import time

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from venue_fakes import ScriptedEntropy, book_frame

from exchange.binance import socket as adapter
from exchange.binance.socket import WebSocketDialer
from exchange.binance.stream_events import SocketLost, StreamsLive
from exchange.binance.streams import MarketStreams
from exchange.ports import NotSentError, StreamClosedError


class WallClock:
    """The Clock port on the test process's own clock."""

    def now_ms(self):
        return time.time_ns() // 1_000_000

    def monotonic(self):
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


@contextlib.asynccontextmanager
async def venue(talk, **options):
    """A loopback WebSocket server; `talk(socket, request)` holds the venue's end."""

    async def handler(request):
        peer = web.WebSocketResponse(**options)
        await peer.prepare(request)
        await talk(peer, request)
        return peer

    async with web_server(handler) as url:
        yield url


@contextlib.asynccontextmanager
async def web_server(handler):
    application = web.Application()
    application.router.add_get("/{path:.*}", handler)
    server = TestServer(application)
    await server.start_server()
    try:
        yield f"ws://127.0.0.1:{server.port}"
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def bytes_server(serve):
    """A loopback server that speaks bytes."""
    writers = []

    async def handle(reader, writer):
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def connected(url, path="/market/stream", deadline=5.0):
    stream = await WebSocketDialer(url).connect(path, deadline)
    try:
        yield stream
    finally:
        await stream.close()


async def idle(peer, _request):
    async for _ in peer:
        pass


async def echo(peer, _request):
    async for message in peer:
        if message.type is WSMsgType.TEXT:
            await peer.send_str(message.data)


async def test_messages_go_both_ways_and_keep_their_order():
    async with venue(echo) as url, connected(url) as stream:
        texts = [f"message {number} äöü币".encode() for number in range(200)]
        for text in texts:
            await stream.send(text)
        assert [await stream.receive() for _ in texts] == texts


async def test_path_and_query_reach_the_venue_and_no_compression_is_offered():
    seen = []

    async def talk(peer, request):
        seen.append((request.raw_path, request.headers.get("Sec-WebSocket-Extensions")))
        await idle(peer, request)

    async with venue(talk) as url, connected(url, "/public/stream?streams=a@depth/%E5%B8%81@bookTicker"):
        pass
    assert seen == [("/public/stream?streams=a@depth/%E5%B8%81@bookTicker", None)]


async def test_large_messages_arrive_whole():
    async def talk(peer, request):
        await peer.send_str("x" * 3_000_000)
        await idle(peer, request)

    async with venue(talk) as url, connected(url) as stream:
        assert len(await stream.receive()) == 3_000_000


async def test_a_fragmented_message_is_joined():
    async def serve(reader, writer):
        await accept(reader, writer)
        writer.write(b"\x01\x03abc" + b"\x89\x01p" + b"\x00\x03def" + b"\x80\x03ghi" + b"\x81\x02ok")
        await writer.drain()
        await reader.read()

    async with bytes_server(serve) as url, connected(url) as stream:
        assert await stream.receive() == b"abcdefghi"
        assert await stream.receive() == b"ok"


async def accept(reader, writer):
    from websockets.utils import accept_key

    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept_key(key).encode()
        + b"\r\n\r\n"
    )
    await writer.drain()


async def test_a_message_beyond_the_limit_closes_with_1009(monkeypatch):
    monkeypatch.setattr(adapter, "MAX_MESSAGE", 1_000)

    async def talk(peer, request):
        await peer.send_str("x" * 2_000)
        await idle(peer, request)

    async with venue(talk) as url, connected(url) as stream:
        with pytest.raises(StreamClosedError) as caught:
            await stream.receive()
    assert caught.value.code == 1009


async def test_pings_of_the_venue_are_answered_while_nobody_receives():
    answered = asyncio.Event()

    async def talk(peer, request):
        await peer.ping(b"17")
        message = await peer.receive()
        if message.type is WSMsgType.PONG and message.data == b"17":
            answered.set()
        await idle(peer, request)

    async with venue(talk, autoping=False) as url, connected(url):
        async with asyncio.timeout(5):
            await answered.wait()


async def test_our_pings_are_answered_or_end_in_an_error():
    async with venue(idle) as url, connected(url) as stream:
        await stream.ping(5.0)
    async with venue(idle, autoping=False) as url, connected(url) as stream:
        with pytest.raises(StreamClosedError, match="no pong"):
            await stream.ping(0.2)


async def test_a_close_by_the_venue_gives_its_code_after_the_messages_before_it():
    async def talk(peer, _request):
        await peer.send_str("last words")
        await peer.close(code=1008, message=b"too many requests")

    async with venue(talk) as url, connected(url) as stream:
        assert await stream.receive() == b"last words"
        with pytest.raises(StreamClosedError) as caught:
            await stream.receive()
        assert (caught.value.code, caught.value.reason) == (1008, "too many requests")
        with pytest.raises(StreamClosedError):
            await stream.receive()
        with pytest.raises(StreamClosedError):
            await stream.send(b"anyone there?")
        with pytest.raises(StreamClosedError):
            await stream.ping(1.0)


async def test_a_connection_that_breaks_without_a_close_frame_is_1006():
    async def serve(reader, writer):
        await accept(reader, writer)
        writer.write(b"\x81\x7e\x01\x00cut")
        await writer.drain()
        writer.transport.abort()

    async with bytes_server(serve) as url, connected(url) as stream:
        with pytest.raises(StreamClosedError) as caught:
            await stream.receive()
    assert caught.value.code == 1006


async def test_a_refused_connection_was_not_sent():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(NotSentError, match=r"no connection to 127\.0\.0\.1"):
        await WebSocketDialer(f"ws://127.0.0.1:{port}").connect("/market/stream", 2.0)


async def test_an_unknown_host_was_not_sent():
    with pytest.raises(NotSentError, match=r"no-such-host\.invalid"):
        await WebSocketDialer("ws://no-such-host.invalid:80").connect("/", 5.0)


async def test_tls_against_a_server_without_it_was_not_sent():
    async def serve(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with bytes_server(serve) as url:
        with pytest.raises(NotSentError, match="TLS"):
            await WebSocketDialer(url.replace("ws://", "wss://")).connect("/", 5.0)


@pytest.mark.parametrize("status", [200, 302, 403, 404, 429, 503])
async def test_a_refused_handshake_names_the_status(status):
    async def handler(_request):
        return web.Response(status=status, text="no", headers={"Location": "/"} if status == 302 else None)

    async with web_server(handler) as url:
        with pytest.raises(StreamClosedError, match=f"HTTP {status}"):
            await WebSocketDialer(url).connect("/market/stream", 5.0)


async def test_noise_instead_of_a_handshake_is_an_error():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with bytes_server(serve) as url:
        with pytest.raises(StreamClosedError):
            await WebSocketDialer(url).connect("/", 5.0)


@pytest.mark.parametrize("hang_up", [True, False])
async def test_a_handshake_that_never_comes_ends_at_the_deadline(hang_up):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        if hang_up:
            writer.close()
        else:
            await reader.read()

    async with bytes_server(serve) as url:
        with pytest.raises(StreamClosedError, match="handshake"):
            await WebSocketDialer(url).connect("/", 0.3)


async def test_a_consumer_that_is_behind_slows_the_venue_down_and_loses_nothing():
    sent = []

    async def talk(peer, _request):
        with contextlib.suppress(ConnectionError):
            for number in range(20_000):
                await peer.send_str(f"{number:06d}" + "x" * 2_000)
                sent.append(number)

    async with venue(talk) as url, connected(url) as stream:
        await asyncio.sleep(0.3)
        queued = len(stream._connection._messages)
        before = len(sent)
        assert before < 20_000, "40 MB do not fit between the two"
        assert queued < 2_000
        for number in range(20_000):
            assert int((await stream.receive())[:6]) == number


async def test_closing_is_orderly_and_bounded():
    closed = asyncio.Event()

    async def talk(peer, request):
        await idle(peer, request)
        closed.set()

    async with venue(talk) as url:
        stream = await WebSocketDialer(url).connect("/", 5.0)
        await stream.close()
        await stream.close()
        async with asyncio.timeout(5):
            await closed.wait()


async def test_closing_does_not_wait_for_a_venue_that_ignores_it():
    async def serve(reader, writer):
        await accept(reader, writer)
        with contextlib.suppress(ConnectionError):
            while await reader.read(1_000):
                pass
            await asyncio.sleep(30)

    async with bytes_server(serve) as url:
        stream = await WebSocketDialer(url).connect("/", 5.0)
        async with asyncio.timeout(5):
            await stream.close()
        with pytest.raises(StreamClosedError):
            await stream.receive()


async def test_market_streams_flow_over_real_sockets_and_survive_a_venue_that_drops_them():
    sockets = []

    async def talk(peer, _request):
        sockets.append(peer)
        subscribed = []
        async for message in peer:
            request = json.loads(message.data)
            if request["method"] == "SUBSCRIBE":
                subscribed += request["params"]
            await peer.send_json({"result": None, "id": request["id"]})
            for number in range(100):
                await peer.send_str(json.dumps(book_frame(time=number), separators=(",", ":")))
            if len(sockets) == 1:
                await peer.close(code=1001, message=b"maintenance")

    messages, events, gaps = [], [], []
    complete = asyncio.Event()

    def take(batch):
        messages.extend(batch)
        if len(messages) == 200:
            complete.set()

    async with venue(talk) as url:
        streams = MarketStreams(WebSocketDialer(url), WallClock(), ScriptedEntropy(), take, events.append, gaps.append)
        streams.want(["btcusdt@bookTicker"])
        task = asyncio.create_task(streams.run())
        async with asyncio.timeout(10):
            await complete.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert [message.event_time for message in messages[:100]] == list(range(100))
    assert [event.code for event in events if isinstance(event, SocketLost)] == [1001]
    assert [event.silent_s is None for event in events if isinstance(event, StreamsLive)] == [True, False]
    assert len(gaps) == 1
