"""The socket front as a peer on the wire sees it."""

import asyncio
import json

import aiohttp
import pytest
from small_market import START, SmallMarket

from exchange.simulator import server
from exchange.simulator.core import Exchange
from exchange.simulator.server import SocketFront, frame_header, listen
from exchange.simulator.venue import ExchangeOptions

DEADLINE = 10.0


@pytest.fixture
async def front():
    front = SocketFront(Exchange(SmallMarket(), options=ExchangeOptions(speed=20.0)))
    await front.start(listen(0))
    yield front
    await front.stop()


@pytest.fixture
async def client(front):
    async with aiohttp.ClientSession(f"http://127.0.0.1:{front.port}") as client:
        yield client


async def next_json(socket):
    return json.loads((await socket.receive(DEADLINE)).data)


async def test_time_runs_at_the_chosen_speed(front, client):
    instants = []
    for _ in range(2):
        async with client.get("/fapi/v1/time") as answer:
            instants.append((await answer.json())["serverTime"])
        await asyncio.sleep(0.2)
    assert instants[0] >= START
    assert instants[1] - instants[0] >= 0.2 * 20 * 1000


async def test_frames_of_all_sizes_arrive_whole_and_in_order(client):
    async with client.ws_connect("/ws/btcusdt@aggTrade/!ticker@arr/!markPrice@arr@1s") as socket:
        frames = [await next_json(socket) for _ in range(60)]
    times = [frame["E"] if isinstance(frame, dict) else frame[0]["E"] for frame in frames]
    assert times == sorted(times)
    assert {isinstance(frame, list) for frame in frames} == {True, False}


@pytest.mark.parametrize(("size", "length"), [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10), (1_000_000, 10)])
def test_frame_headers_follow_the_standard(size, length):
    header = frame_header(size)
    assert header[0] == 0x81
    assert len(header) == length
    assert int.from_bytes(header[2:]) == size if length > 2 else header[1] == size


async def test_compression_is_not_agreed_to(client):
    async with client.ws_connect("/ws", compress=15) as socket:
        assert not socket.compress


async def test_pings_are_answered_with_their_payload(client):
    async with client.ws_connect("/ws", autoping=False) as socket:
        await socket.ping(b"abc")
        message = await socket.receive(DEADLINE)
        assert (message.type, bytes(message.data)) == (aiohttp.WSMsgType.PONG, b"abc")


async def test_the_venue_pings(front, client, monkeypatch):
    monkeypatch.setattr(server, "PING_S", 0.02)
    async with client.ws_connect("/ws", autoping=False) as socket:
        assert (await socket.receive(DEADLINE)).type is aiohttp.WSMsgType.PING


async def test_a_peer_that_never_answers_a_ping_is_cut(front, client, monkeypatch):
    monkeypatch.setattr(server, "PING_S", 0.02)
    monkeypatch.setattr(server, "PONG_S", 0.05)
    async with client.ws_connect("/ws", autoping=False) as socket:
        while (await socket.receive(DEADLINE)).type is aiohttp.WSMsgType.PING:
            pass
        assert socket.close_code == 1006


async def test_talking_too_much_closes_with_1008(front, client):
    async with client.ws_connect("/ws") as socket:
        for i in range(40):
            await socket.send_str(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": i}))
        while (await socket.receive(DEADLINE)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert socket.close_code == 1008


async def test_a_path_may_name_as_many_streams_as_a_connection_may_have(client):
    names = "/".join(f"symbol{i}usdt@kline_15m" for i in range(1_023))
    async with client.ws_connect(f"/stream?streams={names}/btcusdt@aggTrade") as socket:
        assert (await next_json(socket))["stream"] == "btcusdt@aggTrade"


async def test_a_path_of_wild_bytes_is_a_silent_stream(front, caplog):
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(
        b"GET /ws/\xff\xfe@aggTrade HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert (await reader.readline()).split()[1] in {b"101", b"400"}
    assert caplog.records == []
    writer.close()


async def test_a_malformed_request_gets_400_without_a_traceback(front, caplog):
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(b"GET /fapi/v1/ping HTTP/9.9.9\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"400"
    assert caplog.records == []
    writer.close()


async def test_an_unknown_stream_path_is_404(client):
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await client.ws_connect("/nowhere")
    assert caught.value.status == 404


async def test_a_peer_that_does_not_read_is_cut_while_others_are_served(front, client, monkeypatch):
    monkeypatch.setattr(server, "BUFFER_LIMIT", 20_000)
    streams = "/".join(f"{s}usdt@{kind}" for s in ("btc", "eth") for kind in ("aggTrade", "bookTicker", "kline_1m"))
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port, limit=1_024)
    key = "x3JJHMbDL1EzLkh9GBhXDw=="
    writer.write(
        f"GET /ws/{streams} HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    (lazy,) = front._links.values()
    # Kernel buffers of a loopback hold megabytes; a frame of that size fills them at once.
    lazy.session.push(b"x" * 16_000_000)
    async with client.ws_connect("/ws/btcusdt@aggTrade") as socket:
        for _ in range(20):
            assert (await next_json(socket))["e"] == "aggTrade"
    assert lazy.session.ending is not None
    assert not front._links
    writer.close()


async def test_stopping_says_goodbye_with_1001(client):
    front = SocketFront(Exchange(SmallMarket()))
    await front.start(listen(0))
    async with aiohttp.ClientSession() as other:
        socket = await other.ws_connect(f"http://127.0.0.1:{front.port}/ws")
        stopping = asyncio.create_task(front.stop())
        message = await socket.receive(DEADLINE)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        await stopping


async def test_a_post_with_a_form_body_is_read(client):
    async with client.post("/fapi/v1/listenKey", data={"a": "b"}, headers={"X-MBX-APIKEY": "short"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, -2014)
