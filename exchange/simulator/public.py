"""REST market data: one function per endpoint, from checked parameters to the JSON body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from exchange.simulator import rows
from exchange.simulator.answers import refuse
from exchange.simulator.encode import encode_json
from exchange.simulator.rpi_book import rpi_book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from exchange.simulator.params import Params
    from exchange.simulator.tape import Book
    from exchange.simulator.venue import Venue

DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def ping(_venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET ping."""
    return b"{}"


def server_time(venue: Venue, _params: Params, now_ms: int) -> bytes:
    """Answer GET time."""
    return encode_json({"serverTime": venue.clock_ms(now_ms)})


def exchange_info(venue: Venue, _params: Params, _now_ms: int) -> bytes:
    """Answer GET exchangeInfo; `symbol` is ignored, as live."""
    return venue.life.exchange_info


def _one_or_all(venue: Venue, params: Params, build: Callable[[Iterable[int]], list[dict[str, Any]]]) -> bytes:
    index = venue.chosen(params)
    if index is None:
        return encode_json(build(venue.tape.listed()))
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


def depth(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET depth."""
    index = venue.symbol_index(params)
    limit = params.bounded("limit", 500, 1000)
    if limit not in DEPTH_LIMITS:
        raise refuse(-4021, f"{limit} is not valid depth limit")
    return _book_body(venue, index, venue.tape.book(index), limit, now_ms)


def rpi_depth(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET rpiDepth: the book with retail orders, always whole."""
    index = venue.symbol_index(params)
    limit = params.bounded("limit", 1000, 1000)
    if limit != 1000:
        raise refuse(-4021, f"{limit} is not valid depth limit")
    return _book_body(venue, index, rpi_book(venue.tape, index), limit, now_ms)


def _book_body(venue: Venue, index: int, book: Book, limit: int, now_ms: int) -> bytes:
    formats = venue.tape.formats[index]
    sides = {
        name: [(formats.price % price, formats.quantity % quantity) for price, quantity in levels[:limit]]
        for name, levels in (("bids", book.bids), ("asks", book.asks))
    }
    time = int(venue.tape.book_time[index])
    return encode_json({"lastUpdateId": venue.tape.book_id(index), "E": now_ms, "T": time, **sides})


def funding_rates(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET fundingRate: of one contract, or of all since a day where no symbol is given."""
    chosen = venue.chosen(params)
    limit = params.bounded("limit", 100, 1000)
    start, end = params.span()
    if chosen is None and start is None and end is None:
        start = now_ms - DAY_MS
    found = []
    for index in venue.tape.listed() if chosen is None else (chosen,):
        found += [(funding, index) for funding in venue.tape.fundings.of(index, start, end, limit)]
    found.sort(key=lambda row: (row[0].time_ms, row[1]))
    found = found[:limit] if start is not None else found[max(0, len(found) - limit) :]
    return encode_json(
        [
            {
                "symbol": venue.tape.symbols[index],
                "fundingTime": funding.time_ms,
                "fundingRate": format(funding.rate, ".8f"),
                "markPrice": "" if funding.mark is None else format(funding.mark, ".8f"),
                "rateType": funding.kind,
            }
            for funding, index in found
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
