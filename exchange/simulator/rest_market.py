"""Routes and weights of all market data, and of the order limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator import public, rest_klines, rest_reference, rest_statistics, rest_trades
from exchange.simulator.encode import encode_json
from exchange.simulator.frames import stray
from exchange.simulator.routes import Access, Endpoint, Routes, by_symbol, flat, opened, signed

if TYPE_CHECKING:
    from exchange.simulator.params import Params
    from exchange.simulator.routes import Answer
    from exchange.simulator.venue import Venue


def _klines_weight(params: Params) -> int:
    limit = params.loose("limit", 500)
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10


def _depth_weight(params: Params) -> int:
    limit = params.loose("limit", 500)
    return 2 if limit <= 50 else 5 if limit <= 100 else 10 if limit <= 500 else 20


def _funding(answer: Answer) -> Endpoint:
    return Endpoint(Access.FUNDING, flat(0), answer)


def _statistics(answer: Answer) -> Endpoint:
    return Endpoint(Access.STATISTICS, flat(0), answer)


def _odd(path: str, endpoint: Endpoint) -> Endpoint:
    """Let the last object of an endpoint's answer end with a field that no document names, as may happen any day."""
    field = b',"%s":"%s"' % tuple(text.encode() for text in stray(path))

    def answer(venue: Venue, params: Params, now_ms: int) -> bytes:
        body = endpoint.answer(venue, params, now_ms)
        closing = 2 if body.endswith(b"}]") else 1
        if len(body) <= 2 or not body.endswith((b"}", b"}]")):
            return body  # rows of bars, and answers that hold nothing
        return body[:-closing] + field + body[-closing:]

    return endpoint._replace(answer=answer)


def order_limits(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET rateLimit/order."""
    return encode_json(venue.order_counts.limits())


_ROUTES: Routes = {
    ("GET", "/fapi/v1/ping"): opened(flat(1), public.ping),
    ("GET", "/fapi/v1/time"): opened(flat(1), public.server_time),
    ("GET", "/api/v3/ping"): opened(flat(1), public.ping),
    ("GET", "/api/v3/time"): opened(flat(1), public.server_time),
    ("GET", "/fapi/v1/exchangeInfo"): opened(flat(1), public.exchange_info),
    ("GET", "/fapi/v1/depth"): opened(_depth_weight, public.depth),
    ("GET", "/fapi/v1/rpiDepth"): opened(flat(20), public.rpi_depth),
    ("GET", "/fapi/v1/trades"): opened(flat(5), rest_trades.trades),
    ("GET", "/fapi/v1/historicalTrades"): Endpoint(Access.KEY, flat(200), rest_trades.historical_trades),
    ("GET", "/fapi/v1/aggTrades"): opened(flat(20), rest_trades.aggregate_trades),
    ("GET", "/fapi/v1/klines"): opened(_klines_weight, rest_klines.klines),
    ("GET", "/fapi/v1/continuousKlines"): opened(_klines_weight, rest_klines.continuous_klines),
    ("GET", "/fapi/v1/indexPriceKlines"): opened(_klines_weight, rest_klines.index_price_klines),
    ("GET", "/fapi/v1/markPriceKlines"): opened(_klines_weight, rest_klines.mark_price_klines),
    ("GET", "/fapi/v1/premiumIndexKlines"): opened(_klines_weight, rest_klines.premium_index_klines),
    ("GET", "/fapi/v1/premiumIndex"): opened(by_symbol(1, 10), public.premium_index),
    ("GET", "/fapi/v1/fundingRate"): _funding(public.funding_rates),
    ("GET", "/fapi/v1/fundingInfo"): _funding(public.funding_info),
    ("GET", "/fapi/v1/ticker/24hr"): opened(by_symbol(1, 40), public.ticker_day),
    ("GET", "/fapi/v1/ticker/price"): opened(by_symbol(1, 2), public.ticker_price),
    ("GET", "/fapi/v2/ticker/price"): opened(by_symbol(1, 2), public.ticker_price),
    ("GET", "/fapi/v1/ticker/bookTicker"): opened(by_symbol(2, 5), public.book_ticker),
    ("GET", "/fapi/v1/openInterest"): opened(flat(1), rest_statistics.open_interest),
    ("GET", "/futures/data/openInterestHist"): _statistics(rest_statistics.open_interest_history),
    ("GET", "/futures/data/globalLongShortAccountRatio"): _statistics(rest_statistics.global_accounts),
    ("GET", "/futures/data/topLongShortAccountRatio"): _statistics(rest_statistics.top_accounts),
    ("GET", "/futures/data/topLongShortPositionRatio"): _statistics(rest_statistics.top_positions),
    ("GET", "/futures/data/takerlongshortRatio"): _statistics(rest_statistics.taker_volumes),
    ("GET", "/futures/data/basis"): _statistics(rest_statistics.basis),
    ("GET", "/fapi/v1/indexInfo"): opened(flat(1), rest_reference.index_info),
    ("GET", "/fapi/v1/constituents"): opened(flat(2), rest_reference.constituents),
    ("GET", "/fapi/v1/assetIndex"): opened(by_symbol(1, 10), rest_reference.asset_index),
    ("GET", "/fapi/v1/insuranceBalance"): opened(flat(1), rest_reference.insurance_balance),
    ("GET", "/fapi/v1/symbolAdlRisk"): opened(flat(1), rest_reference.adl_risk),
    ("GET", "/fapi/v1/tradingSchedule"): opened(flat(5), rest_reference.trading_schedule),
}

ROUTES: Routes = {
    route: endpoint if route[1].endswith("/time") else _odd(route[1], endpoint) for route, endpoint in _ROUTES.items()
} | {("GET", "/fapi/v1/rateLimit/order"): signed(flat(1), order_limits)}
