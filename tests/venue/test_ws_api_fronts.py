"""The WS-API through both fronts: the same answers at the same instants, and its events on the user stream at once."""

import asyncio
import json
import random

import aiohttp
import pytest
from small_market import START, SmallMarket

from exchange.ports import StreamClosedError
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET, sign
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.server import SocketFront, listen

DEADLINE = 10.0
KEY = {"X-MBX-APIKEY": DEMO_KEY}
PATH = "/ws-fapi/v1"
STOP = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "triggerPrice": "70000"}
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "79000.00"}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "newOrderRespType": "RESULT"}
CALLS = [
    ("order.place", LIMIT | {"quantity": "0.010", "newClientOrderId": "a"}),
    ("order.place", MARKET | {"quantity": "0.005"}),
    ("order.cancel", {"symbol": "BTCUSDT", "origClientOrderId": "a"}),
    ("order.status", {"symbol": "BTCUSDT", "origClientOrderId": "a"}),
    ("algoOrder.place", STOP | {"quantity": "0.010", "clientAlgoId": "s"}),
    ("algoOrder.cancel", {"clientAlgoId": "s"}),
    ("v2/account.position", {}),
    ("v2/account.balance", {}),
    ("order.eat", {}),
]


class HandClock:
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


def signed(now, params):
    params = params | {"apiKey": DEMO_KEY, "timestamp": now}
    payload = "&".join(f"{name}={params[name]}" for name in sorted(params))
    return params | {"signature": sign(DEMO_SECRET, payload.encode())}


def script(seed):
    chance = random.Random(seed)
    now = START
    steps = []
    for number in range(40):
        now += chance.choice([0, 3, 250, 1_100])
        method, params = chance.choice(CALLS)
        steps.append((now, json.dumps({"id": number, "method": method, "params": signed(now, params)}).encode()))
    return steps


async def converse(steps, clock, send, receive):
    answers = []
    for instant, request in steps:
        clock.now = instant
        await send(request)
        answers.append(await receive())
    return answers


async def in_memory(steps):
    clock = HandClock()
    front = MemoryFront(Exchange(SmallMarket()), clock)
    key = json.loads((await front.rest.send("POST", "/fapi/v1/listenKey", b"", KEY, DEADLINE)).body)["listenKey"]
    user = await front.dialer.connect(f"/private/ws/{key}", DEADLINE)
    api = await front.dialer.connect(PATH, DEADLINE)
    events = []

    async def receive():
        answer = await api.receive()
        events.append(await user.receive_many() if user_has_news(user) else [])
        return answer

    return await converse(steps, clock, api.send, receive), events


async def over_sockets(steps, count):
    clock = HandClock()
    front = SocketFront(Exchange(SmallMarket()), clock)
    await front.start(listen(0))
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{front.port}") as client:
            async with client.post("/fapi/v1/listenKey", headers=KEY) as answer:
                key = (await answer.json())["listenKey"]
            user = await client.ws_connect(f"/private/ws/{key}")
            api = await client.ws_connect(PATH)

            async def receive():
                return (await api.receive(DEADLINE)).data.encode()

            answers = await converse(steps, clock, lambda raw: api.send_str(raw.decode()), receive)
            return answers, [(await user.receive(DEADLINE)).data.encode() for _ in range(count)]
    finally:
        await front.stop()


def user_has_news(user):
    return bool(user._session.outbox)


@pytest.mark.parametrize("seed", [1, 2])
async def test_both_fronts_answer_the_same_and_tell_the_account_at_once(seed):
    steps = script(seed)
    answers, events = await in_memory(steps)
    told = [event for batch in events for event in batch]
    assert await over_sockets(steps, len(told)) == (answers, told)
    decoded = [json.loads(answer) for answer in answers]
    assert [answer["id"] for answer in decoded] == list(range(len(steps)))
    assert {answer["status"] for answer in decoded} == {200, 400}
    placed = [
        batch
        for (_, request), answer, batch in zip(steps, decoded, events, strict=True)
        if b'"order.place' in request and answer["status"] == 200
    ]
    assert placed
    assert all(json.loads(batch[0])["o"]["x"] == "NEW" for batch in placed)


async def test_another_version_has_no_socket():
    front = MemoryFront(Exchange(SmallMarket()), HandClock())
    with pytest.raises(StreamClosedError):
        await front.dialer.connect("/ws-fapi/v2", DEADLINE)
