"""Binance's own SDK with a key pair in place of a secret: REST and WS-API at the simulated exchange.

By hand: `openssl genpkey -algorithm ed25519 -out key.pem`, then `perpdesk exchange --port 18080 --api-key KEY
--api-secret "$(openssl pkey -in key.pem -pubout)"` with a KEY of 64 letters, and
`python tests/venue/tours/tour_key_pairs.py KEY key.pem http://127.0.0.1:18080`.
"""

import asyncio
import sys

from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketAPI, ConfigurationWebSocketStreams
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures

SYMBOL = "BTCUSDT"
AMOUNT = 0.01


async def tour(key, private, root):
    sockets = root.replace("http:", "ws:")
    sdk = DerivativesTradingUsdsFutures(
        ConfigurationRestAPI(api_key=key, private_key=private, base_path=root, timeout=20_000),
        ConfigurationWebSocketAPI(api_key=key, private_key=private, stream_url=sockets + "/ws-fapi/v1"),
        ConfigurationWebSocketStreams(stream_url=sockets),
    )
    account = (await asyncio.to_thread(sdk.rest_api.account_information_v3)).data()
    print("wallet", account.total_wallet_balance)
    mark = float((await asyncio.to_thread(sdk.rest_api.mark_price, symbol=SYMBOL)).data().actual_instance.mark_price)
    session = await sdk.websocket_api.create_connection()
    try:
        order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": AMOUNT}
        placed = (await session.new_order(**order, price=round(mark * 0.97, 1))).data().result
        cancelled = (await session.cancel_order(symbol=SYMBOL, order_id=placed.order_id)).data().result
        print("order", placed.status, cancelled.status)
        stop = await session.new_algo_order(
            algo_type="CONDITIONAL", symbol=SYMBOL, side="SELL", type="STOP_MARKET", quantity=AMOUNT,
            trigger_price=round(mark * 0.9, 1),
        )  # fmt: skip
        gone = await session.cancel_algo_order(algo_id=stop.data().result.algo_id)
        print("conditional order", stop.data().result.algo_status, gone.data().result.msg)
        for query in ("account_information_v2", "futures_account_balance_v2", "position_information_v2"):
            print(query, (await getattr(session, query)()).data().status)
    finally:
        await session.close_connection(close_session=True)


if __name__ == "__main__":
    asyncio.run(tour(*sys.argv[1:4]))
