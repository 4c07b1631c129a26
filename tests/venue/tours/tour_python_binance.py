"""python-binance's AsyncClient, unchanged, on a tour of the simulated exchange.

By hand: `perpdesk exchange --port 18080`, then `python tests/venue/tours/tour_python_binance.py http://127.0.0.1:18080`.
"""

import asyncio
import sys

import pytest
from binance import AsyncClient, BinanceSocketManager
from binance.enums import FuturesType
from binance.exceptions import BinanceAPIException

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET

SYMBOL = "BTCUSDT"
AMOUNT = "0.010"
PATIENCE_S = 20


async def client(root):
    AsyncClient.API_URL = root + "/api"
    AsyncClient.FUTURES_URL = root + "/fapi"
    AsyncClient.FUTURES_DATA_URL = root + "/futures/data"
    BinanceSocketManager.FSTREAM_URL = root.replace("http:", "ws:") + "/"
    return await AsyncClient.create(DEMO_KEY, DEMO_SECRET)


async def heard(socket, wanted):
    """Return the first message for which `wanted` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = await socket.recv()
            if wanted(message):
                return message


def order_event(order_id, status):
    return lambda message: (
        message.get("e") == "ORDER_TRADE_UPDATE" and message["o"]["i"] == order_id and message["o"]["X"] == status
    )


async def watch_the_market(sockets, say):
    names = ["btcusdt@kline_1m", "btcusdt@aggTrade"]
    async with sockets.futures_multiplex_socket(names, FuturesType.USD_M) as market:
        await heard(market, lambda message: message["data"]["e"] == "kline")
        await heard(market, lambda message: message["data"]["e"] == "aggTrade")
    async with sockets.futures_depth_socket(SYMBOL, depth="10") as depth:
        await heard(depth, lambda message: message.get("data", message)["e"] == "depthUpdate")
    say("heard candles, trades and depth")


async def rest_and_cancel(binance, account, long, mark, say):
    order = {"symbol": SYMBOL, "side": "BUY", "quantity": AMOUNT}
    resting = await binance.futures_create_order(
        **order, type="LIMIT", timeInForce="GTC", price=f"{mark * 0.97:.1f}", **long
    )
    await heard(account, order_event(resting["orderId"], "NEW"))
    await binance.futures_modify_order(**order, orderId=resting["orderId"], price=f"{mark * 0.98:.1f}")
    await heard(account, lambda message: message.get("o", {}).get("x") == "AMENDMENT")
    await binance.futures_cancel_order(symbol=SYMBOL, orderId=resting["orderId"])
    await heard(account, order_event(resting["orderId"], "CANCELED"))
    say("placed, amended and cancelled a limit order")


async def enter_protect_and_leave(binance, account, long, out, mark, say):
    entry = await binance.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=AMOUNT, **long)
    await heard(account, order_event(entry["orderId"], "FILLED"))
    rows = await binance.futures_position_information(symbol=SYMBOL)
    assert [row["positionAmt"] for row in rows if float(row["positionAmt"])] == [AMOUNT]
    close = {"symbol": SYMBOL, "side": "SELL", "quantity": AMOUNT, **out}
    stop = await binance.futures_create_order(
        **close, type="STOP_MARKET", triggerPrice=f"{mark * 0.95:.1f}", workingType="MARK_PRICE"
    )
    await heard(account, lambda message: message["e"] == "ALGO_UPDATE" and message["o"]["X"] == "NEW")
    rows = await binance.futures_get_open_algo_orders(symbol=SYMBOL)
    assert [row["algoId"] for row in rows] == [stop["algoId"]]
    await binance.futures_cancel_algo_order(algoId=stop["algoId"])
    leave = await binance.futures_create_order(**close, type="MARKET")
    await heard(account, order_event(leave["orderId"], "FILLED"))
    trades = await binance.futures_account_trades(symbol=SYMBOL)
    assert {row["orderId"] for row in trades} >= {entry["orderId"], leave["orderId"]}
    say("bought, protected by a conditional order, closed")


async def refusals(binance, long, mark, say):
    limit = {"type": "LIMIT", "timeInForce": "GTC", "quantity": AMOUNT, "price": f"{mark:.1f}5"}
    for what, code, order in (
        ("a price off the tick", (-1111, -4014), limit),
        ("too much", (-2019, -2027), {"type": "MARKET", "quantity": "50.000"}),
    ):
        with pytest.raises(BinanceAPIException) as refusal:
            await binance.futures_create_order(symbol=SYMBOL, side="BUY", **order, **long)
        assert refusal.value.code in code
        say(f"refused as it must be, {what}: {refusal.value.code} {refusal.value.message}")
    with pytest.raises(BinanceAPIException) as refusal:
        await binance.futures_get_order(symbol=SYMBOL, orderId=1)
    assert refusal.value.code == -2013
    say(f"refused as it must be, an unknown order: {refusal.value.code} {refusal.value.message}")


async def tour(root, *, hedge, say=print):
    """Walk through the account in one position mode."""
    binance = await client(root)
    sockets = BinanceSocketManager(binance)
    try:
        info = await binance.futures_exchange_info()
        bars = await binance.futures_klines(symbol=SYMBOL, interval="5m")
        say(f"loaded {len(info['symbols'])} symbols and {len(bars)} bars")
        if (await binance.futures_get_position_mode())["dualSidePosition"] is not hedge:
            await binance.futures_change_position_mode(dualSidePosition=str(hedge).lower())
        await binance.futures_change_leverage(symbol=SYMBOL, leverage=10)
        long = {"positionSide": "LONG"} if hedge else {}
        mark = float((await binance.futures_mark_price(symbol=SYMBOL))["markPrice"])
        await watch_the_market(sockets, say)
        async with sockets.futures_user_socket() as account:
            await rest_and_cancel(binance, account, long, mark, say)
            await enter_protect_and_leave(binance, account, long, long or {"reduceOnly": "true"}, mark, say)
        await refusals(binance, long, mark, say)
    finally:
        await binance.close_connection()


if __name__ == "__main__":
    for mode in (False, True):
        print("hedge mode" if mode else "one-way mode")
        asyncio.run(tour(sys.argv[1], hedge=mode, say=lambda text: print("  " + text)))
