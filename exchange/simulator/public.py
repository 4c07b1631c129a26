"""REST market data: one function per endpoint, from checked parameters to the JSON body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchange.simulator import rows
from exchange.simulator.answers import invalid, refuse
from exchange.simulator.encode import candle_rows, encode_json
from exchange.simulator.market import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exchange.simulator.params import Params
    from exchange.simulator.venue import Venue

DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
HOUR_MS = 3_600_000
LOOK_BACK_MS = 48 * HOUR_MS
KEPT_TRADES = 100_000


def ping(_venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET ping."""
    return b"{}"


def server_time(venue: Venue, _params: Params, now_ms: int) -> bytes:
    """Answer GET time."""
    return encode_json({"serverTime": venue.clock_ms(now_ms)})


def exchange_info(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET exchangeInfo; `symbol` is ignored, as live."""
    return venue.exchange_info


def _one_or_all(venue: Venue, params: Params, build: Callable[[Iterable[int]], list[dict[str, Any]]]) -> bytes:
    index = venue.chosen(params)
    if index is None:
        return encode_json(build(range(len(venue.tape.symbols))))
    return encode_json(build((index,))[0])


def ticker_day(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET ticker/24hr."""
    return _one_or_all(venue, params, lambda chosen: rows.ticker_rows(venue.tape, chosen, now_ms))


def ticker_price(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET ticker/price."""
    return _one_or_all(venue, params, lambda chosen: rows.price_rows(venue.tape, chosen))


def book_ticker(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET ticker/bookTicker."""
    return _one_or_all(venue, params, lambda chosen: rows.book_rows(venue.tape, chosen))


def premium_index(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET premiumIndex."""
    return _one_or_all(venue, params, lambda chosen: rows.premium_rows(venue.tape, chosen, now_ms))


def funding_info(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET fundingInfo."""
    return encode_json(rows.funding_info_rows(venue.tape))


def _span(params: Params) -> tuple[int | None, int | None]:
    start, end = params.integer("startTime"), params.integer("endTime")
    if start is not None and end is not None and start > end:
        raise refuse(-1023, "Start time is greater than end time.")
    return start, end


def klines(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET klines."""
    index = venue.symbol_index(params)
    interval = params.required("interval")
    length = INTERVALS.get(interval)
    if length is None:
        raise refuse(-1120, "Invalid interval.")
    limit = params.bounded("limit", 500, 1500)
    start, end = _span(params)
    candles = venue.market.candles(index, interval, start, end, limit)
    return candle_rows(candles, length, venue.tape.formats[index])


def depth(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET depth."""
    index = venue.symbol_index(params)
    limit = params.bounded("limit", 500, 1000)
    if limit not in DEPTH_LIMITS:
        raise refuse(-4021, f"{limit} is not valid depth limit")
    bids, asks = venue.market.depth(index, limit)
    formats = venue.tape.formats[index]
    return encode_json(
        {
            "lastUpdateId": int(venue.tape.update_id[index]),
            "E": now_ms,
            "T": int(venue.tape.book_time[index]),
            "bids": [(formats.price % price, formats.quantity % quantity) for price, quantity in bids],
            "asks": [(formats.price % price, formats.quantity % quantity) for price, quantity in asks],
        }
    )


def aggregate_trades(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET aggTrades. An aggregate's id is the id of its first trade: unique and ascending per symbol."""
    index = venue.symbol_index(params)
    limit = params.bounded("limit", 500, 1000)
    from_id = params.integer("fromId")
    start, end = _span(params)
    if from_id is not None and (start is not None or end is not None):
        raise refuse(-1128, "Combination of optional parameters invalid.")
    if start is not None and end is not None and end - start > HOUR_MS:
        raise refuse(-1127, "More than 1 hours between startTime and endTime.")
    if start is not None and start < now_ms - LOOK_BACK_MS:
        raise invalid("startTime")
    if from_id is None:
        trades = venue.market.recent_trades(index, start, end, limit)
    else:
        kept = venue.market.recent_trades(index, None, None, KEPT_TRADES)
        trades = kept[kept["first"] >= from_id][:limit]
    formats = venue.tape.formats[index]
    return encode_json(
        [
            {
                "a": int(trade["first"]),
                "p": formats.price % trade["price"],
                "q": formats.quantity % trade["quantity"],
                "nq": formats.quantity % trade["quantity"],
                "f": int(trade["first"]),
                "l": int(trade["last"]),
                "T": int(trade["time"]),
                "m": bool(trade["buyer_is_maker"]),
            }
            for trade in trades
        ]
    )


def run_clock(venue: Venue, _params: Params, now_ms: int) -> bytes:
    """Answer GET /sim/clock, which no real venue has: simulated time and what is being simulated."""
    return encode_json(
        {
            "now": now_ms,
            "speed": venue.options.speed,
            "start": venue.start_ms,
            "market": venue.options.market_name,
            "symbols": len(venue.tape.symbols),
            # A synthetic market never ends; only a replayed one says so.
            "exhausted": bool(getattr(venue.market, "exhausted", False)),
        }
    )
