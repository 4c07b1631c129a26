"""The two fronts of the simulated venue answer the same bytes to the same requests at the same instants."""

import asyncio
import json
import random
from itertools import pairwise
from urllib.parse import urlencode

import aiohttp
import pytest
from small_market import START, SYMBOLS, SmallMarket

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET, sign
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.server import SocketFront, listen
from exchange.simulator.venue import ExchangeOptions

PATHS = [
    "/fapi/v1/time",
    "/fapi/v1/exchangeInfo",
    "/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=5",
    "/fapi/v1/klines?symbol=NOSUCH&interval=1m",
    "/fapi/v1/klines?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&interval=1m&limit=2",
    "/fapi/v1/ticker/24hr",
    "/fapi/v1/ticker/bookTicker?symbol=ETHUSDT",
    "/fapi/v1/premiumIndex",
    "/fapi/v1/depth?symbol=BTCUSDT&limit=3",
    "/fapi/v1/depth?symbol=BTCUSDT&limit=20",
    "/fapi/v1/rpiDepth?symbol=BTCUSDT",
    "/fapi/v1/trades?symbol=BTCUSDT&limit=10",
    "/fapi/v1/markPriceKlines?symbol=BTCUSDT&interval=1m&limit=3",
    "/fapi/v1/fundingRate?symbol=BTCUSDT&limit=3",
    "/futures/data/takerlongshortRatio?symbol=BTCUSDT&period=5m&limit=3",
    "/fapi/v1/aggTrades?symbol=BTCUSDT&limit=10",
    "/fapi/v1/fundingInfo",
    "/fapi/v1/order",
    "/fapi/v1/unheard",
    "/fapi/v1/unheard?of=it",
    "/nowhere?a=b",
]
SIGNED = ["/fapi/v3/account", "/fapi/v2/positionRisk", "/fapi/v1/leverageBracket", "/fapi/v1/positionSide/dual"]
STREAMS = [
    "btcusdt@kline_1m",
    "ethusdt@kline_1m",
    "!markPrice@arr@1s",
    "btcusdt@bookTicker",
    "!ticker@arr",
    "btcusdt@depth",
]
MARKET_PATH = "/stream?streams=" + "/".join(STREAMS)
SEEN_HEADERS = ("content-type", "x-mbx-used-weight-1m", "retry-after", "x-mbx-order-count-10s")
DEADLINE = 10.0
LIFE = "LIFE"
"""Instead of a request: the venue changes a contract."""
LIFE_STREAMS = ["depth@100ms", "trade", "kline_1m", "bookTicker"]
LIFE_PATH = "/stream?streams=!contractInfo/" + "/".join(f"btcusdt@{name}" for name in LIFE_STREAMS)


class HandClock:
    """A clock that a test moves; serves both fronts."""

    def __init__(self):
        self.now = START

    def now_ms(self):
        return self.now

    def until(self, instant_ms):
        return 0.001

    def monotonic(self):
        return self.now / 1000

    async def sleep(self, seconds):
        await asyncio.sleep(0)


def script(seed):
    """Return requests as (instant, method, path, raw query, headers), ascending in time."""
    chance = random.Random(seed)
    now = START
    steps = []
    for _ in range(60):
        now += chance.choice([0, 1, 40, 250, 999, 5_000])
        if chance.random() < 0.35:
            text = f"timestamp={now + chance.choice([0, 0, 0, 1000, -6000])}"
            secret = DEMO_SECRET if chance.random() < 0.8 else "wrong"
            query = f"{text}&signature={sign(secret, text.encode())}"
            steps.append((now, "GET", chance.choice(SIGNED), query, {"X-MBX-APIKEY": DEMO_KEY}))
        elif chance.random() < 0.15:
            key = {"X-MBX-APIKEY": DEMO_KEY} if chance.random() < 0.8 else {}
            steps.append((now, chance.choice(["POST", "PUT", "DELETE"]), "/fapi/v1/listenKey", "", key))
        else:
            path, _, query = chance.choice(PATHS).partition("?")
            steps.append((now, "GET", path, query, {}))
    return steps


def trading_script(seed):
    """Return signed requests of a trader: orders of both kinds, amendments, cancels, batches, settings and reads."""
    chance = random.Random(seed)
    now = START
    steps = []
    for _ in range(120):
        now += chance.choice([0, 3, 40, 250, 999, 5_000])
        own, way = f"c{chance.randint(0, 9)}", chance.choice(["BUY", "SELL"])
        price, size = f"{80_000 + chance.randint(-30, 30) / 10:.1f}", f"0.0{chance.randint(10, 60)}"
        limit = {"side": way, "type": "LIMIT", "timeInForce": chance.choice(["GTC", "GTC", "IOC", "GTX", "FOK"]),
                 "quantity": size, "price": price, "newClientOrderId": own}  # fmt: skip
        market = {"side": way, "type": "MARKET", "quantity": size, "newOrderRespType": chance.choice(["ACK", "RESULT"])}
        reduces = {"reduceOnly": chance.choice(["true", "false"])}
        stop = {"algoType": "CONDITIONAL", "type": "STOP_MARKET", "side": way, "quantity": size,
                "triggerPrice": f"{float(price) + (-1 if way == 'SELL' else 1):.1f}", "clientAlgoId": own}  # fmt: skip
        batch = {"batchOrders": json.dumps([{"symbol": "BTCUSDT", **limit}, {"symbol": "BTCUSDT", **market}])}
        method, path, params = chance.choice(
            [
                ("POST", "order", limit | reduces),
                ("POST", "order", limit),
                ("POST", "order", market | reduces),
                ("POST", "order", market),
                ("POST", "order/test", limit),
                ("PUT", "order", {"side": way, "quantity": size, "price": price, "origClientOrderId": own}),
                ("DELETE", "order", {"origClientOrderId": own}),
                ("POST", "batchOrders", batch),
                ("DELETE", "batchOrders", {"origClientOrderIdList": json.dumps([own, "c0"])}),
                ("DELETE", "allOpenOrders", {}),
                ("POST", "countdownCancelAll", {"countdownTime": chance.choice([0, 700])}),
                ("POST", "algoOrder", stop),
                ("DELETE", "algoOrder", {"clientAlgoId": own}),
                ("POST", "leverage", {"leverage": chance.randint(1, 125)}),
                ("GET", "order", {"origClientOrderId": own}),
                ("GET", "openOrders", {}),
                ("GET", "allOrders", {}),
                ("GET", "userTrades", {}),
                ("GET", "income", {}),
                ("GET", "orderAmendment", {}),
                ("GET", "openAlgoOrders", {}),
            ]
        )
        text = urlencode({"symbol": "BTCUSDT"} | params | {"timestamp": now})
        query = f"{text}&signature={sign(DEMO_SECRET, text.encode())}"
        steps.append((now, method, f"/fapi/v1/{path}", query, {"X-MBX-APIKEY": DEMO_KEY}))
    return steps


def life_script():
    """Return a contract's life at the venue with a trader's requests in between."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010"}
    now, steps = START, []
    changes = ("halt", "resume", "cancel_only", "resume", "settle", "close", "delist", "list_symbol")
    for round_, change in enumerate(changes):
        for method, path, params in (
            ("POST", "order", order | {"price": "79000.0"}),
            ("POST", "order", order | {"price": "81000.0"}),
            ("GET", "openOrders", {}),
            ("DELETE", "order", {"symbol": "BTCUSDT", "orderId": round_ + 1}),
            ("GET", "exchangeInfo", {}),
            ("GET", "depth", {"symbol": "BTCUSDT", "limit": "5"}),
        ):
            now += 400
            text = urlencode(params | {"timestamp": now})
            query = f"{text}&signature={sign(DEMO_SECRET, text.encode())}"
            steps.append((now, method, f"/fapi/v1/{path}", query, {"X-MBX-APIKEY": DEMO_KEY}))
        now += 100
        steps.append((now, LIFE, change, "", {}))
    return steps


def live(exchange, change, instant):
    exchange.advance(instant)
    getattr(exchange.venue.life, change)("BTCUSDT", instant)


def venue():
    return Exchange(SmallMarket(), options=ExchangeOptions(weight_limit=150))


def trading_venue():
    """Return a venue with a listen key, and the path of its user stream."""
    exchange = Exchange(SmallMarket())
    answer = exchange.request("POST", "/fapi/v1/listenKey", b"", b"", {"x-mbx-apikey": DEMO_KEY}, START)
    return exchange, f"/private/ws?listenKey={json.loads(answer.body)['listenKey']}"


async def in_memory(steps, exchange, stream_path=MARKET_PATH):
    clock = HandClock()
    front = MemoryFront(exchange, clock)
    stream = await front.dialer.connect(stream_path, DEADLINE)
    answers = []
    for instant, method, path, query, headers in steps:
        clock.now = instant
        if method == LIFE:
            live(exchange, path, instant)
            continue
        answer = await front.rest.send(method, path, query.encode(), headers, DEADLINE)
        seen = {name: answer.headers[name] for name in SEEN_HEADERS if name in answer.headers}
        answers.append((answer.status, seen, answer.body))
    return answers, await frames_until_silence(stream.receive)


async def over_sockets(steps, count, exchange, stream_path=MARKET_PATH):
    clock = HandClock()
    front = SocketFront(exchange, clock)
    await front.start(listen(0))
    root = f"http://127.0.0.1:{front.port}"
    answers = []
    try:
        async with aiohttp.ClientSession() as client:
            socket = await client.ws_connect(root + stream_path)
            for instant, method, path, query, headers in steps:
                clock.now = instant
                if method == LIFE:
                    live(exchange, path, instant)
                    continue
                # The path is given as already encoded, so that the bytes sent are the bytes meant.
                url = aiohttp.client.URL(f"{root}{path}?{query}" if query else root + path, encoded=True)
                async with client.request(method, url, headers=headers) as answer:
                    seen = {name: answer.headers[name] for name in SEEN_HEADERS if name in answer.headers}
                    answers.append((answer.status, seen, await answer.read()))
            frames = [(await socket.receive(DEADLINE)).data.encode() for _ in range(count)]
            await socket.close()
    finally:
        await front.stop()
    return answers, frames


async def frames_until_silence(receive):
    frames = []
    while True:
        try:
            async with asyncio.timeout(0.05):
                frames.append(await receive())
        except TimeoutError:
            return frames


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_both_fronts_tell_the_same(seed):
    steps = script(seed)
    assert all(before[0] <= after[0] for before, after in pairwise(steps))
    answers, frames = await in_memory(steps, venue())
    socket_answers, socket_frames = await over_sockets(steps, len(frames), venue())
    assert socket_answers == answers
    assert socket_frames == frames
    assert len(frames) > len(SYMBOLS)
    assert {status for status, _, _ in answers} >= {200, 400, 404, 429}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_both_fronts_trade_the_same(seed):
    steps = trading_script(seed)
    answers, frames = await in_memory(steps, *trading_venue())
    socket_answers, socket_frames = await over_sockets(steps, len(frames), *trading_venue())
    assert socket_answers == answers
    assert socket_frames == frames
    assert {status for status, _, _ in answers} == {200, 400}
    assert {json.loads(frame)["e"] for frame in frames} >= {"ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE", "TRADE_LITE"}


async def test_both_fronts_tell_the_same_life_of_a_contract():
    steps = life_script()
    answers, frames = await in_memory(steps, Exchange(SmallMarket()), LIFE_PATH)
    socket_answers, socket_frames = await over_sockets(steps, len(frames), Exchange(SmallMarket()), LIFE_PATH)
    assert socket_answers == answers
    assert socket_frames == frames
    codes = {json.loads(body).get("code") for status, _, body in answers if status == 400}
    assert codes >= {-4140, -4141, -1121}
    told = [json.loads(frame)["data"] for frame in frames]
    assert {event["e"] for event in told} == {"contractInfo", "depthUpdate", "trade", "kline", "bookTicker"}
    assert [event["cs"] for event in told if event["e"] == "contractInfo"] == [
        "TRADING_HALT", "TRADING", "TRADING_CANCEL_ONLY", "TRADING", "SETTLING", "CLOSE", "TRADING",
    ]  # fmt: skip
