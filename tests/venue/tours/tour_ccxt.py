"""ccxt, unchanged, on a tour of the simulated exchange: load, stream, place, amend, protect, close, be refused.

By hand: `perpdesk exchange --port 18080`, then `python tests/venue/tours/tour_ccxt.py http://127.0.0.1:18080`.
"""

import asyncio
import sys
from decimal import Decimal

import ccxt.pro as ccxt
import pytest

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET

SYMBOL = "BTC/USDT:USDT"
AMOUNT = 0.01
PATIENCE_S = 20
OPENING_BALANCE = 10_000


def client(root, secret=DEMO_SECRET):
    exchange = ccxt.binanceusdm({"apiKey": DEMO_KEY, "secret": secret, "timeout": 20_000})
    for name, path in {
        "fapiPublic": "/fapi/v1",
        "fapiPublicV2": "/fapi/v2",
        "fapiPublicV3": "/fapi/v3",
        "fapiPrivate": "/fapi/v1",
        "fapiPrivateV2": "/fapi/v2",
        "fapiPrivateV3": "/fapi/v3",
        "fapiData": "/futures/data",
        "sapi": "/sapi/v1",
        "sapiV2": "/sapi/v2",
        "sapiV3": "/sapi/v3",
        "public": "/api/v3",
        "private": "/api/v3",
    }.items():
        exchange.urls["api"][name] = root + path
    sockets = exchange.urls["api"]["ws"]
    sockets["linear"] = root.replace("http:", "ws:") + "/ws"
    sockets["ws-api"]["linear"] = root.replace("http:", "ws:") + "/ws-fapi/v1"
    return exchange


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, PATIENCE_S)


async def watch_the_market(exchange, say):
    ticker = await soon(exchange.watch_ticker(SYMBOL))
    book = await soon(exchange.watch_order_book(SYMBOL))
    trades = await soon(exchange.watch_trades(SYMBOL))
    bars = await soon(exchange.watch_ohlcv(SYMBOL, "1m"))
    mark = await soon(exchange.watch_mark_price(SYMBOL))
    assert ticker["last"] > 0
    assert book["bids"][0][0] < book["asks"][0][0]
    assert trades
    assert bars
    assert mark["markPrice"] > 0
    say("watched ticker, order book, trades, candles and mark price")


class Orders:
    """Keeps watching, since ccxt wakes only those who wait when an event comes."""

    def __init__(self, exchange):
        self._exchange = exchange
        self._seen = {}
        self._news = asyncio.Event()

    async def watch(self):
        while True:
            for order in await self._exchange.watch_orders(SYMBOL):
                self._seen[order["id"], order["status"]] = order
            self._news.set()

    async def heard(self, order_id, status):
        async with asyncio.timeout(PATIENCE_S):
            while (order_id, status) not in self._seen:
                self._news.clear()
                await self._news.wait()
        return self._seen[order_id, status]


async def rest_and_cancel(exchange, orders, long, last, say):
    far, nearer = (float(exchange.price_to_precision(SYMBOL, last * share)) for share in (0.97, 0.98))
    resting = await exchange.create_order(SYMBOL, "limit", "buy", AMOUNT, far, {**long, "postOnly": True})
    await orders.heard(resting["id"], "open")
    amended = await exchange.edit_order(resting["id"], SYMBOL, "limit", "buy", AMOUNT, nearer, long)
    assert amended["id"] == resting["id"]
    assert (await exchange.fetch_order(resting["id"], SYMBOL))["price"] == nearer
    assert [order["id"] for order in await exchange.fetch_open_orders(SYMBOL)] == [resting["id"]]
    await exchange.cancel_order(resting["id"], SYMBOL)
    await orders.heard(resting["id"], "canceled")
    assert await exchange.fetch_open_orders(SYMBOL) == []
    say("placed a post-only order, amended it, cancelled it and heard of all three")


async def enter_protect_and_leave(exchange, orders, long, out, last, say):
    before = (await exchange.fetch_balance())["USDT"]["total"]
    entry = await exchange.create_order(SYMBOL, "market", "buy", AMOUNT, None, long)
    filled = await orders.heard(entry["id"], "closed")
    assert filled["filled"] == AMOUNT
    (position,) = await exchange.fetch_positions([SYMBOL])
    assert (position["side"], position["contracts"]) == ("long", AMOUNT)
    say(f"bought {AMOUNT} at {filled['average']}")

    below = float(exchange.price_to_precision(SYMBOL, last * 0.95))
    wish = {**out, "stopPrice": below, "workingType": "MARK_PRICE"}
    stop = await exchange.create_order(SYMBOL, "STOP_MARKET", "sell", AMOUNT, None, wish)
    conditional = await exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert [order["id"] for order in conditional] == [stop["id"]]
    await exchange.cancel_order(stop["id"], SYMBOL, {"trigger": True})
    assert await exchange.fetch_open_orders(SYMBOL, params={"trigger": True}) == []
    say("protected the position with a conditional order and took it back")

    leave = await exchange.create_order(SYMBOL, "market", "sell", AMOUNT, None, out)
    await orders.heard(leave["id"], "closed")
    assert await exchange.fetch_positions([SYMBOL]) == []
    after = (await exchange.fetch_balance())["USDT"]["total"]
    booked = sum(Decimal(row["info"]["income"]) for row in await exchange.fetch_ledger("USDT", limit=1000))
    assert abs(Decimal(str(after)) - OPENING_BALANCE - booked) < Decimal("1e-6")
    assert after < before + 100
    say(f"closed it; the wallet went from {before} to {after}, as the income ledger says")


async def refusals(exchange, long, last, say):
    for what, attempt in (
        ("too small a notional", ("limit", "buy", 0.001, round(last * 0.1, 1), long)),
        ("more than the margin allows", ("market", "buy", 50.0, None, long)),
    ):
        with pytest.raises(ccxt.ExchangeError) as refusal:
            await exchange.create_order(SYMBOL, *attempt)
        say(f"refused as it must be, {what}: {str(refusal.value)[:90]}")
    with pytest.raises(ccxt.BaseError) as refusal:
        await exchange.cancel_order("1", SYMBOL)
    say(f"refused as it must be, an unknown order: {str(refusal.value)[:90]}")


async def tour(root, *, hedge, say=print):
    """Walk through the account in one position mode; every assertion is what an owner of an account would expect."""
    exchange = client(root)
    try:
        await exchange.load_markets()
        say(f"loaded {len(exchange.markets)} markets")
        if (await exchange.fetch_position_mode())["hedged"] is not hedge:
            await exchange.set_position_mode(hedge)
        await exchange.set_leverage(10, SYMBOL)
        long = {"positionSide": "LONG"} if hedge else {}
        last = (await exchange.fetch_ticker(SYMBOL))["last"]
        await watch_the_market(exchange, say)
        orders = Orders(exchange)
        watching = asyncio.create_task(orders.watch())
        await asyncio.sleep(1)  # the user stream is up once its listen key is connected
        await rest_and_cancel(exchange, orders, long, last, say)
        await enter_protect_and_leave(exchange, orders, long, long or {"reduceOnly": True}, last, say)
        await refusals(exchange, long, last, say)
        watching.cancel()
    finally:
        await exchange.close()


if __name__ == "__main__":
    for mode in (False, True):
        print("hedge mode" if mode else "one-way mode")
        asyncio.run(tour(sys.argv[1], hedge=mode, say=lambda text: print("  " + text)))
