"""Every file of recorded payloads: each body decodes, or is refused for the reason named here, or is not read."""

import json
import re
from collections import Counter

import pytest
from recorded_bodies import PAYLOADS, bodies, names

from exchange.binance import (
    account_wire,
    algo_wire,
    candles_wire,
    order_wire,
    rules_wire,
    settings_wire,
    statistics_wire,
    wire,
)
from exchange.binance.outcomes import Outcome, classify, error_body
from exchange.binance.streams_wire import FrameDecoder
from exchange.binance.user_wire import UserDecoder
from exchange.errors import DecodeError

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the recorded payloads are not beside the repository"),
]


def plain(decode):
    return lambda body: decode(body, "x")


def of_symbol(decode):
    return lambda body: decode(body, "X", "x")


def by_row(decode):
    def rows(body):
        refused = []
        result = decode(body, "x", refused.append)
        if refused:
            raise refused[0]
        return result

    return rows


def batch(body):
    """Elements with a code are refusals, the others orders; see exchange.binance.batches."""
    for row in json.loads(body):
        raw = json.dumps(row).encode()
        if error_body(raw)[0] is None:
            order_wire.acknowledged(raw, "x")
    return True


def listen_key(body):
    return wire.listen_key(body, "x")


ACK, SUCCESS, CANDLES = plain(order_wire.acknowledged), plain(order_wire.success), plain(candles_wire.candles)
ORDERS, ALGOS = plain(order_wire.orders), plain(algo_wire.algo_orders)
RATIOS = plain(statistics_wire.long_short_ratios)
TRADES = of_symbol(statistics_wire.trades)
DECODERS = {
    "GET /fapi/v1/aggTrades": of_symbol(wire.agg_trades),
    "GET /fapi/v1/depth": of_symbol(wire.depth),
    "GET /fapi/v1/rpiDepth": of_symbol(wire.depth),
    "GET /fapi/v1/exchangeInfo": by_row(rules_wire.instruments),
    "GET /fapi/v1/klines": CANDLES,
    "GET /fapi/v1/continuousKlines": CANDLES,
    "GET /fapi/v1/indexPriceKlines": CANDLES,
    "GET /fapi/v1/markPriceKlines": CANDLES,
    "GET /fapi/v1/premiumIndexKlines": CANDLES,
    "GET /fapi/v1/premiumIndex": by_row(wire.mark_prices),
    "GET /fapi/v1/ticker/24hr": by_row(wire.tickers),
    "GET /fapi/v1/ticker/bookTicker": by_row(wire.book_tops),
    "GET /fapi/v1/time": plain(wire.server_time),
    "GET /fapi/v1/leverageBracket": by_row(rules_wire.leverage_brackets),
    "GET /fapi/v1/fundingRate": plain(statistics_wire.funding_rates),
    "GET /fapi/v1/fundingInfo": plain(statistics_wire.funding_terms),
    "GET /fapi/v1/openInterest": plain(statistics_wire.open_interest),
    "GET /futures/data/openInterestHist": plain(statistics_wire.open_interest_history),
    "GET /futures/data/globalLongShortAccountRatio": RATIOS,
    "GET /futures/data/topLongShortAccountRatio": RATIOS,
    "GET /futures/data/topLongShortPositionRatio": RATIOS,
    "GET /futures/data/takerlongshortRatio": plain(statistics_wire.taker_volumes),
    "GET /futures/data/basis": plain(statistics_wire.basis),
    "GET /fapi/v1/trades": TRADES,
    "GET /fapi/v1/historicalTrades": TRADES,
    "GET /fapi/v2/account": plain(account_wire.account),
    "GET /fapi/v3/account": plain(account_wire.account),
    "GET /fapi/v2/balance": plain(account_wire.balances),
    "GET /fapi/v3/balance": plain(account_wire.balances),
    "GET /fapi/v2/positionRisk": plain(account_wire.positions),
    "GET /fapi/v3/positionRisk": plain(account_wire.positions),
    "GET /fapi/v1/positionSide/dual": plain(account_wire.hedge_mode),
    "GET /fapi/v1/symbolConfig": plain(account_wire.symbol_configs),
    "GET /fapi/v1/accountConfig": plain(settings_wire.account_config),
    "GET /fapi/v1/multiAssetsMargin": plain(settings_wire.multi_assets),
    "GET /fapi/v1/feeBurn": plain(settings_wire.fee_burn),
    "GET /fapi/v1/commissionRate": plain(settings_wire.commission_rate),
    "GET /fapi/v1/income": plain(settings_wire.income),
    "GET /fapi/v1/rateLimit/order": plain(settings_wire.order_limits),
    "GET /fapi/v1/adlQuantile": plain(settings_wire.adl_quantiles),
    "GET /fapi/v1/apiTradingStatus": plain(settings_wire.trading_status),
    "POST /fapi/v1/leverage": plain(settings_wire.leverage_set),
    "POST /fapi/v1/marginType": SUCCESS,
    "POST /fapi/v1/multiAssetsMargin": SUCCESS,
    "POST /fapi/v1/positionSide/dual": SUCCESS,
    "POST /fapi/v1/positionMargin": SUCCESS,
    "POST /fapi/v1/feeBurn": SUCCESS,
    "DELETE /fapi/v1/allOpenOrders": SUCCESS,
    "DELETE /fapi/v1/algoOpenOrders": SUCCESS,
    "POST /fapi/v1/listenKey": listen_key,
    "PUT /fapi/v1/listenKey": listen_key,
    "POST /fapi/v1/order": ACK,
    "POST /fapi/v1/order/test": ACK,
    "PUT /fapi/v1/order": ACK,
    "DELETE /fapi/v1/order": ACK,
    "POST /fapi/v1/batchOrders": batch,
    "PUT /fapi/v1/batchOrders": batch,
    "DELETE /fapi/v1/batchOrders": batch,
    "GET /fapi/v1/order": plain(order_wire.order),
    "GET /fapi/v1/openOrder": plain(order_wire.order),
    "GET /fapi/v1/openOrders": ORDERS,
    "GET /fapi/v1/allOrders": ORDERS,
    "GET /fapi/v1/forceOrders": ORDERS,
    "GET /fapi/v1/userTrades": plain(order_wire.user_trades),
    "GET /fapi/v1/orderAmendment": plain(order_wire.amendments),
    "GET /fapi/v1/positionMargin/history": plain(order_wire.margin_changes),
    "POST /fapi/v1/countdownCancelAll": plain(order_wire.countdown),
    "POST /fapi/v1/algoOrder": plain(algo_wire.algo_order),
    "GET /fapi/v1/algoOrder": plain(algo_wire.algo_order),
    "GET /fapi/v1/openAlgoOrders": ALGOS,
    "GET /fapi/v1/allAlgoOrders": ALGOS,
    "DELETE /fapi/v1/algoOrder": plain(algo_wire.algo_cancelled),
}


def judge(what, body):
    """Return (`decoded`, `refused`, `error` or `not read`, reason)."""
    if what.startswith("not read"):
        return "not read", what.removeprefix("not read: ")
    if what.startswith("error "):
        return "error", classify(int(what.removeprefix("error ")), body).outcome.value
    decode, why_not = {
        "frame": (market_frame, "a stream of no use to the desk"),
        "user frame": (UserDecoder().decode, "an event of no use to the desk"),
    }.get(what, (DECODERS.get(what, lambda _: None), "the client does not ask for it"))
    try:
        result = decode(body)
    except DecodeError as error:
        return "refused", str(error)
    return ("not read", why_not) if result is None and decode is not SUCCESS else ("decoded", "")


def market_frame(body):
    decoder = FrameDecoder()
    result = decoder.decode(body)
    if decoder.last_refused_row is not None:
        raise decoder.last_refused_row
    return result


GCT = "recorded_rest_gct/fapi_public.json.gz"
REST = "official_examples/rest.json"
STREAMS = "official_examples/ws_stream.json"
SHORT = r"Expected `array` of length 12"
PAIR = r"required field `symbol`"
REFUSED = {
    # A rule of zero: an order could be of any size.
    ("exchangeInfo/testnet_2025-12-24.json.gz", ""): r"TUSDT: filters\.LOT_SIZE\.min_qty: 0 must be above 0",
    # The second version of positionRisk and bodies older than its third one.
    ("nautilus/http/http_futures_account_positions_hedge.json", ""): r"required field `notional`",
    ("nautilus/http/http_futures_account_positions_one_way.json", ""): r"required field `notional`",
    ("nautilus/rust_http/position_risk.json", ""): r"required field `initialMargin`",
    (REST, "position_information_v2"): r"required field `initialMargin`",
    # A fixture that uses the request's name of a field.
    ("nautilus/rust_http/open_algo_orders.json", ""): r"required field `orderType`",
    # Invented values that contradict themselves, and examples cut short by their documentation.
    ("nautilus/rust_market/kline_stream_open.json", ""): r"low 0\.0015 do not span open 0\.001",
    (STREAMS, "kline_candlestick_streams"): r"low 0\.0015 do not span open 0\.001",
    (STREAMS, "partial_book_depth_streams"): r"Expected `array` of length 2",
    (REST, "continuous_contract_kline_candlestick_data"): SHORT,
    (REST, "index_price_kline_candlestick_data"): SHORT,
    (REST, "kline_candlestick_data"): SHORT,
    (REST, "mark_price_kline_candlestick_data"): SHORT,
    (REST, "premium_index_kline_data"): SHORT,
    (REST, "exchange_information"): r"filters\.MAX_NUM_ORDERS: the filter is missing",
    (REST, "notional_and_leverage_brackets"): r"ETHUSDT: brackets: empty",
    # Answers that were errors, or of the coin-margined side, which names a pair.
    (GCT, "9 /fapi/v1/fundingRate"): r"got `null`",
    (GCT, "10 /fapi/v1/fundingRate"): r"got `null`",
    (GCT, "12 /fapi/v1/fundingRate"): r"got `null`",
    (GCT, "28 /fapi/v1/ticker/24hr"): r"required field `symbol`",
    (GCT, "43 /futures/data/globalLongShortAccountRatio"): PAIR,
    (GCT, "44 /futures/data/globalLongShortAccountRatio"): PAIR,
    (GCT, "50 /futures/data/openInterestHist"): PAIR,
    (GCT, "51 /futures/data/openInterestHist"): PAIR,
    (GCT, "58 /futures/data/topLongShortAccountRatio"): PAIR,
    (GCT, "59 /futures/data/topLongShortAccountRatio"): PAIR,
    (GCT, "61 /futures/data/topLongShortPositionRatio"): PAIR,
    (GCT, "62 /futures/data/topLongShortPositionRatio"): PAIR,
}
NOT_READ = {
    "no use to the desk",  # Convert, portfolio margin, downloads, delivery prices, reference data
    "the client does not ask for it",  # ticker/price, indexInfo, assetIndex, takerBuySellVol, lvtKlines, stocks
    "the desk sends orders over REST",  # the WS-API
    "a stream of no use to the desk",  # liquidations, trades, mini tickers, indices, contract information
}


def test_the_table_names_only_files_that_are_there():
    assert {name for name, _ in REFUSED} <= set(names())


@pytest.mark.parametrize("name", names() or ["nothing recorded"])
def test_every_body_of_the_file_decodes_or_is_refused_for_its_reason(name):
    outcomes = Counter()
    for key, what, body in bodies(name):
        outcome, reason = judge(what, body)
        outcomes[outcome] += 1
        expected = REFUSED.get((name, key))
        if expected is not None:
            assert outcome == "refused", f"{key} decodes now: take it out of the table"
            assert re.search(expected, reason), f"{key}: {reason}"
        else:
            assert outcome != "refused", f"{key} ({what}): {reason}"
        if outcome == "error":
            assert reason == Outcome.REFUSED.value
        if outcome == "not read":
            assert reason in NOT_READ
    assert outcomes.total() > 0, "the file holds nothing the test knows to read"


def test_most_of_what_is_recorded_decodes():
    outcomes = Counter(judge(what, body)[0] for name in names() for _, what, body in bodies(name))
    assert outcomes["decoded"] >= 1744
    assert outcomes["refused"] == len(REFUSED)
