"""REST of what became of orders: allOrders, userTrades, orderAmendment, with their windows, limits and retention."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.answers import refuse
from exchange.simulator.encode import encode_json
from exchange.simulator.routes import flat, signed
from exchange.simulator.trading.order_rows import price_text, quantity_text
from exchange.simulator.trading.order_store import DAY_MS, TRADES_KEPT_MS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeVar

    from exchange.simulator.params import Params
    from exchange.simulator.routes import Routes
    from exchange.simulator.trading.amending import Amendment
    from exchange.simulator.trading.model import Row
    from exchange.simulator.venue import Venue

    T = TypeVar("T")

WINDOW_MS = 7 * DAY_MS
FAR_MS = 10**15


class Window(NamedTuple):
    """A span of time, both ends included; `newest` says that without a start the last rows are meant."""

    start_ms: int
    end_ms: int
    newest: bool

    def cut(self, rows: list[T], limit: int) -> list[T]:
        """Return at most `limit` of ascending rows: the first after a start that was asked for, else the newest."""
        return rows[-limit:] if self.newest else rows[:limit]


def window(params: Params, now_ms: int) -> Window:
    """Return the span asked for, seven days at most. Raises RefusalError -1023 or -4165."""
    start, end = params.span()
    if start is not None and end is not None:
        if end - start > WINDOW_MS:
            raise refuse(-4165, "Invalid time interval")
        return Window(start, end, newest=False)
    if start is not None:
        return Window(start, start + WINDOW_MS, newest=False)
    until = now_ms if end is None else end
    return Window(until - WINDOW_MS, until, newest=True)


def all_orders(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET allOrders: from an order id on, or by time of creation; the symbol may be left out."""
    desk = venue.house.orders
    limit = params.bounded("limit", 500, 1000)
    from_id = params.integer("orderId")
    span = window(params, now_ms)
    orders = desk.store.orders_of(venue.chosen(params), now_ms)
    if from_id is not None:
        kept = [order for order in orders if order.order_id >= from_id][:limit]
    else:
        kept = span.cut([o for o in orders if span.start_ms <= o.created_ms <= span.end_ms], limit)
    return encode_json([desk.rows.queried(order, in_history=True) for order in kept])


def user_trades(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET userTrades: by time, from a trade id on, or of one order. Raises RefusalError -1128 on both."""
    desk = venue.house.orders
    listing = venue.symbol_index(params)
    limit = params.bounded("limit", 500, 1000)
    from_id, order_id = params.integer("fromId"), params.integer("orderId")
    timed = params.text("startTime") is not None or params.text("endTime") is not None
    if from_id is not None and timed:
        raise refuse(-1128, "Combination of optional parameters invalid.")
    span = window(params, now_ms)
    if not timed and (from_id is not None or order_id is not None):
        span = Window(now_ms - TRADES_KEPT_MS, now_ms, newest=False)
    trades = [
        trade
        for trade in desk.store.trades_of(listing, max(span.start_ms, now_ms - TRADES_KEPT_MS))
        if trade.time_ms <= span.end_ms
        and (from_id is None or trade.trade_id >= from_id)
        and (order_id is None or trade.order.order_id == order_id)
    ]
    return encode_json([desk.rows.trade(trade) for trade in span.cut(trades, limit)])


def amendments(venue: Venue, params: Params, now_ms: int) -> bytes:
    """Answer GET orderAmendment: newest first, of one order or of a symbol, three months back."""
    desk = venue.house.orders
    listing = venue.symbol_index(params)
    limit = params.bounded("limit", 50, 100)
    order_id, own_id = params.integer("orderId"), params.text("origClientOrderId")
    start, end = params.span()
    oldest = now_ms - TRADES_KEPT_MS
    entries = [
        entry
        for entry in desk.amendments(listing)
        if max(start or 0, oldest) <= entry.time_ms <= (FAR_MS if end is None else end)
        and (order_id is None or entry.order.order_id == order_id)
        and (order_id is not None or own_id is None or entry.order.client_id == own_id)
    ]
    return encode_json(_amendment_rows(venue, entries[::-1][:limit]))


def _amendment_rows(venue: Venue, entries: Iterable[Amendment]) -> list[Row]:
    rows = []
    for entry in entries:
        order = entry.order
        instrument = venue.house.orders.instrument(order.listing)
        change: Row = {
            "price": _change(*(price_text(instrument, price) for price in entry.price)),
            "origQty": _change(*(quantity_text(instrument, quantity) for quantity in entry.quantity)),
            "count": entry.number,
        }
        if entry.modify_id is not None:
            change["modifyId"] = entry.modify_id
        rows.append(
            {
                "amendmentId": entry.amendment_id,
                "symbol": instrument.symbol,
                "pair": instrument.base + instrument.quote,
                "orderId": order.order_id,
                "clientOrderId": order.client_id,
                "time": entry.time_ms,
                "amendment": change,
            }
        )
    return rows


def _change(before: str, after: str) -> Row:
    return {"before": before, "after": after}


ROUTES: Routes = {
    ("GET", "/fapi/v1/allOrders"): signed(flat(5), all_orders),
    ("GET", "/fapi/v1/userTrades"): signed(flat(5), user_trades, "symbol"),
    ("GET", "/fapi/v1/orderAmendment"): signed(flat(1), amendments, "symbol"),
}
