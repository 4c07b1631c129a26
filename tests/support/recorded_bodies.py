"""Every body and frame recorded beside the repository, with what the client would read it as."""

import gzip
import json
from pathlib import Path

PAYLOADS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "payloads"

FILES = {
    "account_orders": "GET /fapi/v1/allOrders",
    "account_position_side_dual": "GET /fapi/v1/positionSide/dual",
    "account_positions_hedge": "GET /fapi/v2/positionRisk",
    "account_positions_one_way": "GET /fapi/v2/positionRisk",
    "account_symbol_config": "GET /fapi/v1/symbolConfig",
    "account_trades": "GET /fapi/v1/userTrades",
    "market_agg_trades": "GET /fapi/v1/aggTrades",
    "market_asset_index": "GET /fapi/v1/assetIndex",
    "market_blvt_nav_kline": "GET /fapi/v1/lvtKlines",
    "market_book_ticker": "GET /fapi/v1/ticker/bookTicker",
    "market_continuous_klines": "GET /fapi/v1/continuousKlines",
    "market_depth": "GET /fapi/v1/depth",
    "market_exchange_info": "GET /fapi/v1/exchangeInfo",
    "market_funding_rate": "GET /fapi/v1/fundingRate",
    "market_global_long_short_account_ratio": "GET /futures/data/globalLongShortAccountRatio",
    "market_historical_trades": "GET /fapi/v1/historicalTrades",
    "market_index_info": "GET /fapi/v1/indexInfo",
    "market_index_price_klines": "GET /fapi/v1/indexPriceKlines",
    "market_klines": "GET /fapi/v1/klines",
    "market_mark_price_klines": "GET /fapi/v1/markPriceKlines",
    "market_open_interest": "GET /fapi/v1/openInterest",
    "market_open_interest_historical": "GET /futures/data/openInterestHist",
    "market_premium_index": "GET /fapi/v1/premiumIndex",
    "market_taker_long_short_ratio": "GET /futures/data/takerlongshortRatio",
    "market_ticker_24hr": "GET /fapi/v1/ticker/24hr",
    "market_ticker_price": "GET /fapi/v1/ticker/price",
    "market_top_long_short_account_ratio": "GET /futures/data/topLongShortAccountRatio",
    "market_top_long_short_position_ratio": "GET /futures/data/topLongShortPositionRatio",
    "market_trades": "GET /fapi/v1/trades",
    "wallet_commission_rate_btcusdt": "GET /fapi/v1/commissionRate",
    "wallet_commission_rate_btcusdt_quarterly": "GET /fapi/v1/commissionRate",
    "wallet_commission_rate_ethusdt": "GET /fapi/v1/commissionRate",
    "account_info_v2": "GET /fapi/v2/account",
    "balance": "GET /fapi/v2/balance",
    "open_algo_orders": "GET /fapi/v1/openAlgoOrders",
    "order_response": "POST /fapi/v1/order",
    "position_risk": "GET /fapi/v2/positionRisk",
}
"""Single REST bodies by the end of their file's name."""

METHODS = {
    "account_information_v2": "GET /fapi/v2/account",
    "account_information_v3": "GET /fapi/v3/account",
    "account_trade_list": "GET /fapi/v1/userTrades",
    "all_orders": "GET /fapi/v1/allOrders",
    "asset_index": "GET /fapi/v1/assetIndex",
    "auto_cancel_all_open_orders": "POST /fapi/v1/countdownCancelAll",
    "basis": "GET /futures/data/basis",
    "cancel_algo_order": "DELETE /fapi/v1/algoOrder",
    "cancel_all_algo_open_orders": "DELETE /fapi/v1/algoOpenOrders",
    "cancel_all_open_orders": "DELETE /fapi/v1/allOpenOrders",
    "cancel_multiple_orders": "DELETE /fapi/v1/batchOrders",
    "cancel_order": "DELETE /fapi/v1/order",
    "change_initial_leverage": "POST /fapi/v1/leverage",
    "change_margin_type": "POST /fapi/v1/marginType",
    "change_multi_assets_mode": "POST /fapi/v1/multiAssetsMargin",
    "change_position_mode": "POST /fapi/v1/positionSide/dual",
    "check_server_time": "GET /fapi/v1/time",
    "composite_index_symbol_information": "GET /fapi/v1/indexInfo",
    "compressed_aggregate_trades_list": "GET /fapi/v1/aggTrades",
    "continuous_contract_kline_candlestick_data": "GET /fapi/v1/continuousKlines",
    "current_all_algo_open_orders": "GET /fapi/v1/openAlgoOrders",
    "current_all_open_orders": "GET /fapi/v1/openOrders",
    "exchange_information": "GET /fapi/v1/exchangeInfo",
    "futures_account_balance_v2": "GET /fapi/v2/balance",
    "futures_account_balance_v3": "GET /fapi/v3/balance",
    "futures_account_configuration": "GET /fapi/v1/accountConfig",
    "futures_tradfi_perps_contract": "POST /fapi/v1/stock/contract",
    "futures_trading_quantitative_rules_indicators": "GET /fapi/v1/apiTradingStatus",
    "get_bnb_burn_status": "GET /fapi/v1/feeBurn",
    "get_current_multi_assets_mode": "GET /fapi/v1/multiAssetsMargin",
    "get_current_position_mode": "GET /fapi/v1/positionSide/dual",
    "get_funding_rate_history": "GET /fapi/v1/fundingRate",
    "get_funding_rate_info": "GET /fapi/v1/fundingInfo",
    "get_income_history": "GET /fapi/v1/income",
    "get_order_modify_history": "GET /fapi/v1/orderAmendment",
    "get_position_margin_change_history": "GET /fapi/v1/positionMargin/history",
    "index_price_kline_candlestick_data": "GET /fapi/v1/indexPriceKlines",
    "keepalive_user_data_stream": "PUT /fapi/v1/listenKey",
    "kline_candlestick_data": "GET /fapi/v1/klines",
    "long_short_ratio": "GET /futures/data/globalLongShortAccountRatio",
    "mark_price": "GET /fapi/v1/premiumIndex",
    "mark_price_kline_candlestick_data": "GET /fapi/v1/markPriceKlines",
    "modify_isolated_position_margin": "POST /fapi/v1/positionMargin",
    "modify_multiple_orders": "PUT /fapi/v1/batchOrders",
    "modify_order": "PUT /fapi/v1/order",
    "new_algo_order": "POST /fapi/v1/algoOrder",
    "new_order": "POST /fapi/v1/order",
    "notional_and_leverage_brackets": "GET /fapi/v1/leverageBracket",
    "old_trades_lookup": "GET /fapi/v1/historicalTrades",
    "open_interest": "GET /fapi/v1/openInterest",
    "open_interest_statistics": "GET /futures/data/openInterestHist",
    "order_book": "GET /fapi/v1/depth",
    "place_multiple_orders": "POST /fapi/v1/batchOrders",
    "position_adl_quantile_estimation": "GET /fapi/v1/adlQuantile",
    "position_information_v2": "GET /fapi/v2/positionRisk",
    "position_information_v3": "GET /fapi/v3/positionRisk",
    "premium_index_kline_data": "GET /fapi/v1/premiumIndexKlines",
    "query_algo_order": "GET /fapi/v1/algoOrder",
    "query_all_algo_orders": "GET /fapi/v1/allAlgoOrders",
    "query_current_open_order": "GET /fapi/v1/openOrder",
    "query_order": "GET /fapi/v1/order",
    "query_user_rate_limit": "GET /fapi/v1/rateLimit/order",
    "recent_trades_list": "GET /fapi/v1/trades",
    "rpi_order_book": "GET /fapi/v1/rpiDepth",
    "start_user_data_stream": "POST /fapi/v1/listenKey",
    "symbol_configuration": "GET /fapi/v1/symbolConfig",
    "symbol_order_book_ticker": "GET /fapi/v1/ticker/bookTicker",
    "symbol_price_ticker": "GET /fapi/v1/ticker/price",
    "symbol_price_ticker_v2": "GET /fapi/v2/ticker/price",
    "taker_buy_sell_volume": "GET /futures/data/takerlongshortRatio",
    "test_order": "POST /fapi/v1/order/test",
    "ticker24hr_price_change_statistics": "GET /fapi/v1/ticker/24hr",
    "toggle_bnb_burn_on_futures_trade": "POST /fapi/v1/feeBurn",
    "top_trader_long_short_ratio_accounts": "GET /futures/data/topLongShortAccountRatio",
    "top_trader_long_short_ratio_positions": "GET /futures/data/topLongShortPositionRatio",
    "user_commission_rate": "GET /fapi/v1/commissionRate",
    "users_force_orders": "GET /fapi/v1/forceOrders",
}
"""Documented REST bodies by the official library's method; every other method is of no use to the desk."""

LIVE = {
    "demo algo service, POST algoOrder ACK": "POST /fapi/v1/algoOrder",
    "demo algo service, GET openAlgoOrders": "GET /fapi/v1/openAlgoOrders",
    "demo algo service, DELETE algoOrder": "DELETE /fapi/v1/algoOrder",
}


def read(name):
    path = PAYLOADS / name
    return gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()


def names():
    """Return the files, as paths below the folder."""
    return sorted(
        path.relative_to(PAYLOADS).as_posix()
        for path in PAYLOADS.rglob("*")
        if path.is_file() and path.name != "README.md"
    )


def _dump(body):
    return json.dumps(body, separators=(",", ":")).encode()


def bodies(name):
    """Yield (key, what it is, bytes) of one file: `REST path`, `frame`, `user frame`, `error` or `not read: why`."""
    folder, _, rest = name.partition("/")
    yield from _BY_FOLDER[folder](name, rest)


def _single(what):
    return lambda name, _: [("", what, read(name))]


def _live(name, rest):
    document = json.loads(read(name))
    if rest.startswith("errors"):
        for number, row in enumerate(document):
            yield str(number), f"error {row['http']}", _dump(row["body"])
        return
    for key, body in document.items():
        if key == "_about":
            continue
        if rest.startswith("ws"):
            yield key, "frame", _dump(body)
        elif key.startswith("GET "):
            yield key, "GET " + key.removeprefix("GET ").split("?")[0].split(" ")[0], _dump(body)
        else:
            yield key, next(what for start, what in LIVE.items() if key.startswith(start)), _dump(body)


def _official(name, rest):
    for key, body in json.loads(read(name)).items():
        if rest == "rest.json":
            yield key, METHODS.get(key, "not read: no use to the desk"), _dump(body)
        elif rest == "ws_api.json":
            yield key, "not read: the desk sends orders over REST", _dump(body)
        else:
            yield key, "frame", _dump(body)


def _nautilus(name, rest):
    folder, _, file = rest.partition("/")
    stem = file.removesuffix(".json").removeprefix("http_futures_")
    if folder in ("http", "rust_http"):
        yield "", FILES[stem], read(name)
    else:
        is_user = folder == "rust_user" or any(part in stem for part in ("order_update", "algo_update", "trade_lite"))
        yield "", "user frame" if is_user else "frame", read(name)


def _recorded_ws(name, rest):
    if rest.startswith("frames"):
        for number, line in enumerate(read(name).splitlines()[1:]):
            yield str(number), "frame", _dump(json.loads(line)["msg"])
        return
    for row in json.loads(read(name)):
        path = row["url"].partition("binance.com")[2].partition("?")[0]
        yield row["url"], f"GET {path}", _dump(row["body"])


def _recorded_rest(name, _):
    for number, row in enumerate(json.loads(read(name))):
        yield f"{number} {row['path']}", f"GET {row['path']}", _dump(row["body"])


_BY_FOLDER = {
    "exchangeInfo": _single("GET /fapi/v1/exchangeInfo"),
    "leverageBracket": _single("GET /fapi/v1/leverageBracket"),
    "live_2026-09": _live,
    "official_examples": _official,
    "nautilus": _nautilus,
    "recorded_2021_ws": _recorded_ws,
    "recorded_rest_gct": _recorded_rest,
}
