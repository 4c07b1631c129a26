"""REST of plain orders: from checked parameters to the row that REST and the WS-API answer (contract 3.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from exchange.simulator.answers import RefusalError, invalid, refuse
from exchange.simulator.encode import encode_json
from exchange.simulator.order_counts import BATCH
from exchange.simulator.params import Params
from exchange.simulator.routes import by_symbol, count_order, flat, signed
from exchange.simulator.trading.amending import order_names, parse_amendment
from exchange.simulator.trading.order_request import parse_order

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.simulator.routes import Answer, Routes
    from exchange.simulator.trading.model import Row
    from exchange.simulator.venue import Venue

    RowAnswer = Callable[[Venue, Params, int], Row]

MOST_IN_BATCH = 5
MOST_CANCELLED = 10
ALL_CANCELLED: Row = {"code": 200, "msg": "The operation of cancel all open order is done."}


def place_order(venue: Venue, params: Params, now_ms: int, *, self_trade: str = "EXPIRE_MAKER") -> Row:
    """Answer POST order: as it stood before matching, or with RESULT as matching left it."""
    desk = venue.house.orders
    request = parse_order(params, venue.tape.index, now_ms, default_self_trade=self_trade)
    order = desk.place(request, now_ms)
    return desk.rows.placed(order, acknowledged=not request.wants_result)


def check_order(venue: Venue, params: Params, now_ms: int) -> Row:
    """Answer POST order/test: every check, no order; the conditional types pass and the answer has its old shape."""
    desk = venue.house.orders
    order = desk.place(parse_order(params, venue.tape.index, now_ms, conditional=True), now_ms, check_only=True)
    order.client_id = order.client_id or "simulatedOrderTest"
    return desk.rows.placed(order, acknowledged=True, old_shape=True)


def modify_order(venue: Venue, params: Params, now_ms: int) -> Row:
    """Answer PUT order."""
    desk = venue.house.orders
    request = parse_amendment(params, venue.tape.index)
    return desk.rows.modified(desk.modify(request, now_ms), request.modify_id)


def cancel_order(venue: Venue, params: Params, now_ms: int) -> Row:
    """Answer DELETE order."""
    listing = venue.symbol_index(params)
    desk = venue.house.orders
    return desk.rows.cancelled(desk.cancel(listing, *order_names(params), now_ms))


def query_order(venue: Venue, params: Params, now_ms: int) -> Row:
    """Answer GET order: open or ended, the newest of a client id."""
    listing = venue.symbol_index(params)
    desk = venue.house.orders
    return desk.rows.queried(desk.find(listing, *order_names(params), now_ms))


def open_order(venue: Venue, params: Params, now_ms: int) -> Row:
    """Answer GET openOrder. Raises RefusalError -2013 once the order has ended."""
    listing = venue.symbol_index(params)
    desk = venue.house.orders
    order = desk.find(listing, *order_names(params), now_ms)
    if not order.is_open:
        raise refuse(-2013, "Order does not exist.")
    return desk.rows.queried(order)


def open_orders(venue: Venue, params: Params, _now_ms: int) -> bytes:
    """Answer GET openOrders; conditional orders are not among them."""
    desk = venue.house.orders
    chosen = venue.chosen(params)
    listings = desk.open_listings() if chosen is None else [chosen]
    return encode_json([desk.rows.queried(order) for listing in listings for order in desk.open_of(listing)])


def cancel_all(venue: Venue, params: Params, now_ms: int) -> Row:
    """Answer DELETE allOpenOrders; conditional orders stay (see OpenQuestions)."""
    listing = venue.symbol_index(params)
    venue.house.orders.cancel_all(listing, now_ms)
    if venue.options.questions.cancel_all_cancels_algo:
        venue.house.algo.cancel_all(listing, now_ms)
    return ALL_CANCELLED


def countdown(venue: Venue, params: Params, now_ms: int) -> Row:
    """Answer POST countdownCancelAll."""
    listing = venue.symbol_index(params)
    duration = params.required_integer("countdownTime")
    venue.house.orders.countdown(listing, duration, now_ms)
    return {"symbol": venue.tape.symbols[listing], "countdownTime": str(duration)}


def place_batch(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer POST batchOrders: each element is placed or refused on its own."""
    default = venue.options.questions.batch_self_trade_prevention
    return _each(batch_elements(params), lambda element: place_order(venue, element, now_ms, self_trade=default))


def modify_batch(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer PUT batchOrders."""
    return _each(batch_elements(params), lambda element: modify_order(venue, element, now_ms))


def cancel_batch(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer DELETE batchOrders; one known client spells the lists' names in lower case."""
    listing = venue.symbol_index(params)
    ids = _list(params, "orderIdList")
    names: list[tuple[int | None, str | None]]
    if ids is not None:
        names = [(_whole(value, "orderIdList"), None) for value in ids]
    else:
        own = _list(params, "origClientOrderIdList")
        if own is None:
            raise refuse(
                -1102, "Param 'origClientOrderIdList' or 'orderIdList' must be sent, but both were empty/null!"
            )
        names = [(None, str(value)) for value in own]
    if not 1 <= len(names) <= MOST_CANCELLED:
        raise invalid("orderIdList" if ids is not None else "origClientOrderIdList")
    desk = venue.house.orders
    rows = []
    for order_id, own_id in names:
        try:
            rows.append(desk.rows.cancelled(desk.cancel(listing, order_id, own_id, now_ms)))
        except RefusalError as refusal:
            rows.append(_refused(refusal))
    return encode_json(rows)


def _each(elements: list[Params], answer: Callable[[Params], Row]) -> bytes:
    rows = []
    for element in elements:
        try:
            rows.append(answer(element))
        except RefusalError as refusal:
            rows.append(_refused(refusal))
    return encode_json(rows)


def _refused(refusal: RefusalError) -> Row:
    return {"code": refusal.code, "msg": refusal.text}


def batch_elements(params: Params) -> list[Params]:
    """Return the elements of batchOrders. Raises RefusalError -1102, -1130 or -4082."""
    items = _json_list(params.required("batchOrders"), "batchOrders")
    if not 1 <= len(items) <= MOST_IN_BATCH:
        raise refuse(-4082, f"Invalid number of batch place orders: {len(items)}")
    return [Params.of(_texts(item)) for item in items]


def _texts(item: Any) -> dict[str, str]:
    """Return an element's values as a query would carry them: clients send numbers and booleans, too."""
    if not isinstance(item, dict):
        raise invalid("batchOrders")
    return {str(name): _text(value) for name, value in item.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)


def _json_list(text: str, name: str) -> list[Any]:
    try:
        items = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise invalid(name) from None
    if not isinstance(items, list):
        raise invalid(name)
    return items


def _list(params: Params, name: str) -> list[Any] | None:
    text = params.text(name) or params.text(name.lower())
    return None if text is None else _json_list(text, name)


def _whole(value: Any, name: str) -> int:
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit():
        raise invalid(name)
    return int(text)


def _body(answer: RowAnswer) -> Answer:
    return lambda venue, params, now_ms: encode_json(answer(venue, params, now_ms))


ROUTES: Routes = {
    ("POST", "/fapi/v1/order"): count_order(signed(flat(0), _body(place_order), "symbol", "side", "type")),
    ("POST", "/fapi/v1/order/test"): signed(flat(0), _body(check_order), "symbol", "side", "type"),
    ("PUT", "/fapi/v1/order"): count_order(signed(flat(0), _body(modify_order), "symbol", "side", "quantity")),
    ("GET", "/fapi/v1/order"): signed(flat(1), _body(query_order), "symbol"),
    ("DELETE", "/fapi/v1/order"): signed(flat(1), _body(cancel_order), "symbol"),
    ("POST", "/fapi/v1/batchOrders"): count_order(signed(flat(5), place_batch, "batchOrders"), BATCH),
    ("PUT", "/fapi/v1/batchOrders"): count_order(signed(flat(5), modify_batch, "batchOrders"), BATCH),
    ("DELETE", "/fapi/v1/batchOrders"): signed(flat(1), cancel_batch, "symbol"),
    ("GET", "/fapi/v1/openOrder"): signed(flat(1), _body(open_order), "symbol"),
    ("GET", "/fapi/v1/openOrders"): signed(by_symbol(1, 40), open_orders),
    ("DELETE", "/fapi/v1/allOpenOrders"): signed(flat(1), _body(cancel_all), "symbol"),
    ("POST", "/fapi/v1/countdownCancelAll"): signed(flat(10), _body(countdown), "symbol", "countdownTime"),
}
