"""Binance's own SDK for USDS futures, unchanged, on a tour of the simulated exchange: REST, streams and WS-API.

By hand: `perpdesk exchange --port 18080`, then `python tests/venue/tours/tour_official_sdk.py http://127.0.0.1:18080`.
"""

import asyncio
import sys

import pytest
from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET

SYMBOL = "BTCUSDT"
AMOUNT = 0.01
PATIENCE_S = 20


def client(root):
    sockets = root.replace("http:", "ws:")
    return DerivativesTradingUsdsFutures(
        ConfigurationRestAPI(api_key=DEMO_KEY, api_secret=DEMO_SECRET, base_path=root, timeout=20_000),
        ConfigurationWebSocketAPI(api_key=DEMO_KEY, api_secret=DEMO_SECRET, stream_url=sockets + "/ws-fapi/v1"),
        ConfigurationWebSocketStreams(stream_url=sockets),
    )


async def listen(handle):
    """Return a queue of what arrives on a stream."""
    news = asyncio.Queue()
    handle.on("message", news.put_nowait)
    return news


async def heard(news, wanted):
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = await news.get()
            message = getattr(message, "actual_instance", None) or message
            if wanted(message):
                return message


def order_event(order_id, status):
    def wanted(message):
        order = getattr(message, "o", None)
        return getattr(order, "i", None) == order_id and getattr(order, "X", None) == status

    return wanted


class Rest:
    """The SDK's REST calls, each in a thread, since they block."""

    def __init__(self, rest):
        self._rest = rest

    def __getattr__(self, name):
        async def call(**arguments):
            return (await asyncio.to_thread(getattr(self._rest, name), **arguments)).data()

        return call


async def watch_the_market(streams, say):
    bars = await listen(await streams.kline_candlestick_streams(symbol=SYMBOL.lower(), interval="1m"))
    tops = await listen(await streams.individual_symbol_book_ticker_streams(symbol=SYMBOL.lower()))
    await heard(bars, lambda message: message.e == "kline")
    await heard(tops, lambda message: message.e == "bookTicker")
    say("heard candles and the best prices")


async def rest_and_cancel(rest, account, long, mark, say):
    order = {"symbol": SYMBOL, "side": "BUY", "quantity": AMOUNT}
    resting = await rest.new_order(**order, type="LIMIT", time_in_force="GTC", price=round(mark * 0.97, 1), **long)
    await heard(account, order_event(resting.order_id, "NEW"))
    await rest.modify_order(**order, order_id=resting.order_id, price=round(mark * 0.98, 1))
    await rest.cancel_order(symbol=SYMBOL, order_id=resting.order_id)
    await heard(account, order_event(resting.order_id, "CANCELED"))
    say("placed, amended and cancelled a limit order")


async def held(rest):
    rows = await rest.position_information_v3(symbol=SYMBOL)
    return [float(row.position_amt) for row in rows if float(row.position_amt)]


async def enter_protect_and_leave(rest, account, long, out, mark, say):
    entry = await rest.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=AMOUNT, **long)
    await heard(account, order_event(entry.order_id, "FILLED"))
    assert await held(rest) == [AMOUNT]
    close = {"symbol": SYMBOL, "side": "SELL", "quantity": AMOUNT, **out}
    stop = await rest.new_algo_order(
        algo_type="CONDITIONAL", type="STOP_MARKET", trigger_price=round(mark * 0.95, 1), working_type="MARK_PRICE",
        **close,
    )  # fmt: skip
    assert [row.algo_id for row in await rest.current_all_algo_open_orders(symbol=SYMBOL)] == [stop.algo_id]
    await rest.cancel_algo_order(algo_id=stop.algo_id)
    leave = await rest.new_order(**close, type="MARKET")
    await heard(account, order_event(leave.order_id, "FILLED"))
    assert await held(rest) == []
    say("bought, protected by a conditional order, closed")


async def over_the_socket(sdk, mark, long, say):
    """Place and cancel through the WS-API."""
    session = await sdk.websocket_api.create_connection()
    try:
        placed = await session.new_order(
            symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=AMOUNT, price=round(mark * 0.97, 1),
            **long,
        )  # fmt: skip
        order = placed.data().result
        cancelled = await session.cancel_order(symbol=SYMBOL, order_id=order.order_id)
        assert cancelled.data().result.status == "CANCELED"
        say("placed and cancelled an order over the WS-API")
    finally:
        await session.close_connection(close_session=True)


async def tour(root, *, hedge, say=print):
    """Walk through the account in one position mode."""
    sdk = client(root)
    rest = Rest(sdk.rest_api)
    say(f"loaded {len((await rest.exchange_information()).symbols)} symbols")
    if (await rest.get_current_position_mode()).dual_side_position is not hedge:
        await rest.change_position_mode(dual_side_position=str(hedge).lower())
    await rest.change_initial_leverage(symbol=SYMBOL, leverage=10)
    long = {"position_side": "LONG"} if hedge else {}
    mark = float((await rest.mark_price(symbol=SYMBOL)).actual_instance.mark_price)
    streams = await sdk.websocket_streams.create_connection()
    try:
        await watch_the_market(streams, say)
        account = await listen(await streams.user_data((await rest.start_user_data_stream()).listen_key))
        await rest_and_cancel(rest, account, long, mark, say)
        await enter_protect_and_leave(rest, account, long, long or {"reduce_only": "true"}, mark, say)
        await over_the_socket(sdk, mark, long, say)
        with pytest.raises(BadRequestError) as refusal:
            await rest.query_order(symbol=SYMBOL, order_id=1)
        say(f"refused as it must be, an unknown order: {refusal.value}")
    finally:
        await streams.close_connection(close_session=True)


if __name__ == "__main__":
    for mode in (False, True):
        print("hedge mode" if mode else "one-way mode")
        asyncio.run(tour(sys.argv[1], hedge=mode, say=lambda text: print("  " + text)))
