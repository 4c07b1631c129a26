import asyncio
import contextlib
import socket
import ssl
import struct
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from exchange.binance import http as adapter
from exchange.binance.http import HttpRest
from exchange.ports import LostError, NotSentError


@contextlib.asynccontextmanager
async def serving(handler):
    """A loopback HTTP server with one handler for every path."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(application)
    await server.start_server()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def raw_server(serve):
    """A loopback server that speaks bytes: `serve(reader, writer)` per connection."""
    writers = []

    async def handle(reader, writer):
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await server.wait_closed()


def reset(writer):
    """Close with a TCP reset instead of an orderly end."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def get(url, path="/fapi/v1/time", query=b"", deadline=5.0):
    async with HttpRest(url) as rest:
        return await rest.send("GET", path, query, {}, deadline)


async def test_method_path_query_and_headers_arrive_as_they_were_signed():
    seen = []

    async def handler(request):
        seen.append((request.method, request.raw_path, request.headers.get("X-MBX-APIKEY"), await request.read()))
        return web.json_response({"ok": 1}, headers={"X-MBX-Used-Weight-1M": "7"})

    query = b"symbol=%E5%B8%81USDT&list=%5B%22a%22%5D&signature=ab"
    async with serving(handler) as url, HttpRest(url) as rest:
        answer = await rest.send("POST", "/fapi/v1/listenKey", query, {"X-MBX-APIKEY": "k"}, 5.0)
    assert seen == [("POST", "/fapi/v1/listenKey?" + query.decode(), "k", b"")]
    assert answer.status == 200
    assert answer.body == b'{"ok": 1}'
    assert answer.headers["x-mbx-used-weight-1m"] == "7", "header names are lower case"


async def test_paths_of_the_wallet_service_go_to_its_host_and_no_others():
    seen = []

    def handler(name):
        async def handle(request):
            seen.append((name, request.path))
            return web.json_response({})

        return handle

    async with (
        serving(handler("futures")) as url,
        serving(handler("wallet")) as wallet,
        HttpRest(url, wallet_url=wallet) as rest,
    ):
        for path in ("/fapi/v1/time", "/sapi/v1/account/apiRestrictions"):
            await rest.send("GET", path, b"", {}, 5.0)
    assert seen == [("futures", "/fapi/v1/time"), ("wallet", "/sapi/v1/account/apiRestrictions")]


@pytest.mark.parametrize("status", [200, 400, 401, 403, 418, 429, 451, 500, 503])
async def test_every_status_is_an_answer_and_no_exception(status):
    async def handler(_request):
        return web.Response(status=status, text="<html>page</html>", content_type="text/html")

    async with serving(handler) as url:
        answer = await get(url)
    assert (answer.status, answer.body) == (status, b"<html>page</html>")


async def test_redirects_are_not_followed():
    visited = []

    async def handler(request):
        visited.append(request.path)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serving(handler) as url:
        answer = await get(url)
    assert answer.status == 302
    assert visited == ["/fapi/v1/time"]


async def test_a_refused_connection_was_not_sent():
    with pytest.raises(NotSentError, match=r"no connection to 127\.0\.0\.1"):
        await get(f"http://127.0.0.1:{free_port()}")


async def test_an_unknown_host_was_not_sent():
    with pytest.raises(NotSentError, match=r"no-such-host\.invalid"):
        await get("http://no-such-host.invalid:80")


async def test_tls_against_a_server_without_it_was_not_sent():
    async def serve(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()

    async with raw_server(serve) as url:
        with pytest.raises(NotSentError, match="TLS"):
            await get(url.replace("http://", "https://"))


async def test_a_certificate_nobody_vouches_for_is_refused():
    assert HttpRest.__init__.__kwdefaults__ == {"wallet_url": "", "connections": 20}, (
        "there is no switch that turns verification off"
    )
    rest = HttpRest("https://127.0.0.1:1")
    try:
        assert rest._session.connector._ssl is True
        assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
    finally:
        await rest.close()


async def test_a_reset_before_the_answer_is_lost():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        reset(writer)

    async with raw_server(serve) as url:
        with pytest.raises(LostError):
            await get(url)


async def test_a_reset_in_the_middle_of_an_answer_is_lost():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"serverTime":')
        await writer.drain()
        await asyncio.sleep(0.05)
        reset(writer)

    async with raw_server(serve) as url:
        with pytest.raises(LostError, match=r"cut off|broke"):
            await get(url)


async def test_an_answer_shorter_than_announced_is_lost():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}")
        await writer.drain()
        writer.close()

    async with raw_server(serve) as url:
        with pytest.raises(LostError):
            await get(url)


@pytest.mark.parametrize(
    "noise", [b"\x00\x01\x02 no http\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"]
)
async def test_an_answer_that_is_no_http_is_lost(noise):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(noise)
        await writer.drain()
        writer.close()

    async with raw_server(serve) as url:
        with pytest.raises(LostError):
            await get(url)


async def test_a_slow_answer_is_lost_at_the_deadline_and_names_the_time_out():
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
        await writer.drain()
        await reader.read()

    async with raw_server(serve) as url:
        with pytest.raises(LostError, match=r"within 0\.3 s") as caught:
            await get(url, deadline=0.3)
    assert isinstance(caught.value.__cause__, TimeoutError)


@pytest.mark.parametrize("answers", ["nothing", "half"])
async def test_a_cancelled_request_ends_though_its_deadline_falls_into_the_same_instant(answers):
    """A desk that stood still finds the deadline and the order to stop due together: it has to stop."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        if answers == "half":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await reader.read()

    async with raw_server(serve) as url, HttpRest(url) as rest:
        loop = asyncio.get_running_loop()
        for late in (0.0, 0.001, 0.005, 0.02):
            request = asyncio.ensure_future(rest.send("GET", "/", b"", {}, 0.3))
            loop.call_later(0.3 + late, request.cancel)
            await asyncio.sleep(0.2)
            time.sleep(0.3)  # noqa: ASYNC251 - the loop stands still
            await asyncio.wait([request])
            assert request.cancelled()


async def test_an_answer_beyond_the_size_limit_is_lost(monkeypatch):
    monkeypatch.setattr(adapter, "MAX_BODY", 1_000)

    async def announced(_request):
        return web.Response(body=b"x" * 1_001)

    async def streamed(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                await response.write(b"x" * 100)
        return response

    async def compressed(_request):
        response = web.Response(body=b"x" * 100_000)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    for handler in (announced, streamed, compressed):
        async with serving(handler) as url:
            with pytest.raises(LostError, match=r"at most 1000|exceeds 1000"):
                await get(url)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
async def test_a_request_on_a_connection_gone_stale_is_never_sent_twice(method):
    requests = []

    async def serve(reader, writer):
        first = await reader.readuntil(b"\r\n\r\n")
        requests.append(first.split()[0].decode())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        second = await reader.readuntil(b"\r\n\r\n")
        requests.append(second.split()[0].decode())
        writer.close()

    async with raw_server(serve) as url, HttpRest(url) as rest:
        assert (await rest.send("GET", "/", b"", {}, 5.0)).status == 200
        with pytest.raises(LostError):
            await rest.send(method, "/", b"", {}, 5.0)
    assert requests == ["GET", method]


async def test_proxies_of_the_environment_are_not_trusted(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")

    async def handler(_request):
        return web.json_response({})

    async with serving(handler) as url:
        assert (await get(url)).status == 200


async def test_cookies_are_neither_kept_nor_sent():
    seen = []

    async def handler(request):
        seen.append(request.headers.get("Cookie"))
        return web.json_response({}, headers={"Set-Cookie": "track=1"})

    async with serving(handler) as url, HttpRest(url) as rest:
        for _ in range(2):
            await rest.send("GET", "/", b"", {}, 5.0)
    assert seen == [None, None]


async def test_errors_show_neither_query_nor_signature():
    with pytest.raises(NotSentError) as caught:
        await get(f"http://127.0.0.1:{free_port()}", query=b"timestamp=1&signature=deadbeef")
    assert "deadbeef" not in str(caught.value)
