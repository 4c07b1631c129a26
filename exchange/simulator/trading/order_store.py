"""Every plain order of the account and every own trade, found by id, by client id and by symbol.

Ids are counters: no order id is used twice on a symbol, and one symbol carries ids above 2**53, as live.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from exchange.simulator.trading.model import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.simulator.trading.model import Order, Trade

FIRST_ORDER_ID = 7_000_000_000
FIRST_TRADE_ID = 9_000_000_000
WIDE_LISTING = 1
WIDE_ORDER_ID = 8_389_765_739_703_625_592
"""Size of order ids above 2**53 seen live, which a client that reads floats cannot tell apart."""
DAY_MS = 86_400_000
UNFILLED_KEPT_MS = 3 * DAY_MS
"""How long after its creation an order that ended without a fill can be asked for."""
ORDERS_KEPT_MS = 90 * DAY_MS
TRADES_KEPT_MS = 90 * DAY_MS
"""userTrades reaches three months back."""


class OrderStore:
    """Orders by symbol and id, the open ones apart; implements OpenOrders."""

    def __init__(self) -> None:
        """Start without orders."""
        self._orders: dict[int, dict[int, Order]] = {}
        self._trades: dict[int, list[Trade]] = {}
        self._open: dict[int, dict[int, Order]] = {}
        self._newest: dict[tuple[int, str], Order] = {}
        self._open_clients: dict[str, Order] = {}
        self._last_order = 0
        self._last_trade = FIRST_TRADE_ID

    def next_order_id(self, listing: int) -> int:
        """Return a fresh order id for a symbol."""
        self._last_order += 1
        return (WIDE_ORDER_ID if listing == WIDE_LISTING else FIRST_ORDER_ID) + self._last_order

    def next_trade_id(self) -> int:
        """Return a fresh id for an own trade."""
        self._last_trade += 1
        return self._last_trade

    def add(self, order: Order) -> None:
        """Keep a new order."""
        self._orders.setdefault(order.listing, {})[order.order_id] = order
        self._newest[order.listing, order.client_id] = order
        if order.status in OPEN:
            self._open.setdefault(order.listing, {})[order.order_id] = order
            self._open_clients[order.client_id] = order

    def close(self, order: Order) -> None:
        """Take an order that has ended out of the open ones; its client id is free again."""
        book = self._open.get(order.listing)
        if book is not None and book.pop(order.order_id, None) is not None:
            if not book:
                del self._open[order.listing]
            if self._open_clients.get(order.client_id) is order:
                del self._open_clients[order.client_id]

    def add_trade(self, trade: Trade) -> None:
        """Keep an own trade."""
        self._trades.setdefault(trade.order.listing, []).append(trade)

    def open_of(self, listing: int) -> Iterable[Order]:
        """Return the open orders of a symbol, oldest first."""
        return tuple(self._open.get(listing, {}).values())

    def open_listings(self) -> Iterable[int]:
        """Return the symbols that have open plain orders, ascending."""
        return sorted(self._open)

    def count_open(self, listing: int) -> int:
        """Return how many open orders a symbol has."""
        return len(self._open.get(listing, {}))

    @property
    def has_open(self) -> bool:
        """Say whether any order is open."""
        return bool(self._open)

    def open_client(self, client_id: str) -> Order | None:
        """Return the open order that bears a client id."""
        return self._open_clients.get(client_id)

    def find(self, listing: int, order_id: int | None, client_id: str | None, now_ms: int) -> Order | None:
        """Return an order that is still kept; the id wins over the client id, which means the newest order of it."""
        if order_id is not None:
            order = self._orders.get(listing, {}).get(order_id)
        else:
            order = self._newest.get((listing, client_id or ""))
            if order is not None and not is_kept(order, now_ms):
                return self._newest_kept(order, now_ms)
        return order if order is not None and is_kept(order, now_ms) else None

    def orders_of(self, listing: int | None, now_ms: int) -> list[Order]:
        """Return the kept orders of a symbol, or of all, in ascending order of creation."""
        books = self._orders.values() if listing is None else [self._orders.get(listing, {})]
        kept = [order for book in books for order in book.values() if is_kept(order, now_ms)]
        return kept if listing is not None else sorted(kept, key=_created)

    def trades_of(self, listing: int, from_ms: int) -> list[Trade]:
        """Return a symbol's own trades since an instant, ascending."""
        trades = self._trades.get(listing, [])
        return trades[bisect_left(trades, from_ms, key=_traded) :]

    def _newest_kept(self, gone: Order, now_ms: int) -> Order | None:
        """Return the newest kept order with the client id of one that is forgotten: filled ones are kept longer."""
        same = [
            order
            for order in self._orders.get(gone.listing, {}).values()
            if order.client_id == gone.client_id and is_kept(order, now_ms)
        ]
        return same[-1] if same else None

    def purge(self, now_ms: int) -> None:
        """Forget what no query can show any more, so that memory stays bounded."""
        for listing, book in self._orders.items():
            gone = [order for order in book.values() if not is_kept(order, now_ms)]
            lost = {order.client_id for order in gone if self._newest[listing, order.client_id] is order}
            for order in gone:
                del book[order.order_id]
            for client_id in lost:
                del self._newest[listing, client_id]
            for order in book.values() if lost else ():  # an older order of the id may be kept longer: it was filled
                if order.client_id in lost:
                    self._newest[listing, order.client_id] = order
        for listing, trades in self._trades.items():
            self._trades[listing] = trades[bisect_left(trades, now_ms - TRADES_KEPT_MS, key=_traded) :]


def is_kept(order: Order, now_ms: int) -> bool:
    """Say whether the venue still knows an order: open, or young enough."""
    if order.is_open:
        return True
    age = now_ms - order.created_ms
    return age < (ORDERS_KEPT_MS if order.executed else UNFILLED_KEPT_MS)


def _created(order: Order) -> tuple[int, int]:
    return order.created_ms, order.order_id


def _traded(trade: Trade) -> int:
    return trade.time_ms
