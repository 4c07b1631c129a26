"""Every conditional order of the account, found by id, by client id and by symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.trading.order_store import ORDERS_KEPT_MS, UNFILLED_KEPT_MS

if TYPE_CHECKING:
    from exchange.simulator.trading.algo_model import AlgoOrder

FIRST_ALGO_ID = 1_000_000_230_000_000
"""A number space of its own, far from that of order ids."""


class AlgoStore:
    """Keeps orders as long as the venue's queries reach; those that are waiting are kept apart."""

    def __init__(self) -> None:
        """Start without orders."""
        self._orders: dict[int, AlgoOrder] = {}
        self._newest: dict[str, AlgoOrder] = {}
        self._waiting: dict[int, AlgoOrder] = {}
        self._left: dict[int, AlgoOrder] = {}
        self._last_id = FIRST_ALGO_ID

    def next_id(self) -> int:
        """Return a fresh algo id."""
        self._last_id += 1
        return self._last_id

    @property
    def waiting(self) -> list[AlgoOrder]:
        """Return the orders without a child that can still get one, oldest first."""
        return list(self._waiting.values())

    def waiting_of(self, listing: int) -> list[AlgoOrder]:
        """Return the waiting orders of a symbol, oldest first."""
        return [order for order in self._waiting.values() if order.terms.listing == listing]

    def add(self, order: AlgoOrder) -> None:
        """Keep a new order, which waits."""
        self._orders[order.algo_id] = order
        self._newest[order.client_id] = order
        self._waiting[order.algo_id] = order

    def leave(self, order: AlgoOrder) -> None:
        """Take an order that has a child or has ended out of the waiting ones."""
        if self._waiting.pop(order.algo_id, None) is not None:
            self._left[order.algo_id] = order

    def count_waiting(self) -> int:
        """Return how many orders wait, over all symbols."""
        return len(self._waiting)

    def waiting_client(self, client_id: str) -> AlgoOrder | None:
        """Return the waiting order that bears a client id."""
        order = self._newest.get(client_id)
        return order if order is not None and order.is_waiting else None

    def find(self, algo_id: int | None, client_id: str | None, now_ms: int) -> AlgoOrder | None:
        """Return an order that is still kept; the id wins over the client id, which means the newest order of it."""
        order = self._orders.get(algo_id) if algo_id is not None else self._newest.get(client_id or "")
        if order is None or is_kept(order, now_ms):
            return order
        if algo_id is not None:
            return None
        older = [o for o in self._orders.values() if o.client_id == client_id and is_kept(o, now_ms)]
        return older[-1] if older else None

    def listed(self, lag_ms: int, now_ms: int) -> list[AlgoOrder]:
        """Return the waiting orders as a list that lags behind shows them: as they were then, oldest first."""
        if not lag_ms:
            return self.waiting
        then = now_ms - lag_ms
        gone = [order for order in self._left.values() if order.left_ms > then]
        self._left = {order.algo_id: order for order in gone}
        seen = [order for order in (*self._waiting.values(), *gone) if order.created_ms <= then]
        return sorted(seen, key=_by_id)

    def history(self, listing: int, now_ms: int) -> list[AlgoOrder]:
        """Return the kept orders of a symbol, ascending."""
        return [order for order in self._orders.values() if order.terms.listing == listing and is_kept(order, now_ms)]

    def purge(self, now_ms: int) -> None:
        """Forget what no query can show any more."""
        gone = [order for order in self._orders.values() if not is_kept(order, now_ms)]
        lost = {order.client_id for order in gone if self._newest[order.client_id] is order}
        for order in gone:
            del self._orders[order.algo_id]
            self._left.pop(order.algo_id, None)
        for client_id in lost:
            del self._newest[client_id]
        for order in self._orders.values() if lost else ():  # an older order of the id may be kept longer
            if order.client_id in lost:
                self._newest[order.client_id] = order


def is_kept(order: AlgoOrder, now_ms: int) -> bool:
    """Say whether the venue still knows an order: waiting, with an open child, or young enough."""
    child = order.child
    if order.is_waiting or (child is not None and child.is_open):
        return True
    age = now_ms - order.created_ms
    return age < (ORDERS_KEPT_MS if child is not None and child.executed else UNFILLED_KEPT_MS)


def _by_id(order: AlgoOrder) -> int:
    return order.algo_id
