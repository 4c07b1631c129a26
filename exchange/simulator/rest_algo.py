"""REST of the algo service: from checked parameters to the JSON body (contract 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.answers import invalid, refuse
from exchange.simulator.encode import encode_json
from exchange.simulator.routes import by_symbol, count_order, flat, signed
from exchange.simulator.trading.algo_model import CONDITIONAL
from exchange.simulator.trading.algo_request import parse_terms
from exchange.simulator.trading.algo_rows import cancelled_row, placed_row, queried_row
from exchange.simulator.trading.order_store import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.simulator.params import Params
    from exchange.simulator.routes import Routes
    from exchange.simulator.trading.algo_model import AlgoOrder
    from exchange.simulator.venue import Venue

WEEK_MS = 7 * DAY_MS
ALL_CANCELLED = encode_json({"code": 200, "msg": "The operation of cancel all open order is done."})


def place(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer POST algoOrder."""
    desk = venue.house.algo
    order = desk.place(parse_terms(params, venue.tape.index, now_ms), now_ms)
    return encode_json(placed_row(order, desk.instrument(order.terms.listing)))


def cancel(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer DELETE algoOrder; the symbol some clients send is not looked at."""
    return encode_json(cancelled_row(venue.house.algo.cancel(*_ids(params), now_ms)))


def cancel_all(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer DELETE algoOpenOrders."""
    venue.house.algo.cancel_all(venue.symbol_index(params), now_ms)
    return ALL_CANCELLED


def query(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET algoOrder."""
    desk = venue.house.algo
    order = desk.find(*_ids(params), now_ms)
    return encode_json(queried_row(order, desk.instrument(order.terms.listing)))


def open_orders(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET openAlgoOrders."""
    listing, algo_id = venue.chosen(params), params.integer("algoId")
    if params.text("algoType") not in {None, CONDITIONAL}:
        raise invalid("algoType")
    seen = venue.house.algo.open_orders(listing, now_ms)
    return _rows(venue, (order for order in seen if algo_id is None or order.algo_id == algo_id))


def history(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET allAlgoOrders: ascending; the last seven days where no times are given."""
    listing = venue.symbol_index(params)
    limit = params.bounded("limit", 500, 1000)
    first = params.integer("algoId")
    start, end = params.span()
    if start is None:
        start = (now_ms if end is None else end) - WEEK_MS
    end = start + WEEK_MS if end is None else end
    if end - start > WEEK_MS:
        raise refuse(-4165, "Maximum time interval is 7 days")
    kept = [
        order
        for order in venue.house.algo.store.history(listing, now_ms)
        if start <= order.created_ms <= end and (first is None or order.algo_id >= first)
    ]
    return _rows(venue, kept[:limit] if first is not None else kept[-limit:])


def _ids(params: Params) -> tuple[int | None, str | None]:
    """Return algoId and clientAlgoId. Raises RefusalError -1102 where both are absent."""
    algo_id, client_id = params.integer("algoId"), params.text("clientAlgoId")
    if algo_id is None and client_id is None:
        raise refuse(-1102, "Param 'algoid' or 'clientalgoid' must be sent, but both were empty/null!")
    return algo_id, client_id


def _rows(venue: Venue, orders: Iterable[AlgoOrder]) -> bytes:
    instrument = venue.house.algo.instrument
    return encode_json([queried_row(order, instrument(order.terms.listing)) for order in orders])


ROUTES: Routes = {
    ("POST", "/fapi/v1/algoOrder"): count_order(signed(flat(0), place, "algoType", "symbol", "side", "type")),
    ("DELETE", "/fapi/v1/algoOrder"): signed(flat(1), cancel),
    ("GET", "/fapi/v1/algoOrder"): signed(flat(1), query),
    ("DELETE", "/fapi/v1/algoOpenOrders"): signed(flat(1), cancel_all, "symbol"),
    ("GET", "/fapi/v1/openAlgoOrders"): signed(by_symbol(1, 40), open_orders),
    ("GET", "/fapi/v1/allAlgoOrders"): signed(flat(5), history, "symbol"),
}
