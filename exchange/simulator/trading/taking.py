"""An order that takes: it walks the market's levels and meets the account's own resting orders on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.trading.matching import reaches
from exchange.simulator.trading.model import Expiry, Side, Status

if TYPE_CHECKING:
    from decimal import Decimal

    from exchange.simulator.trading.execution import Executor
    from exchange.simulator.trading.matching import StepBook
    from exchange.simulator.trading.model import Order
    from exchange.simulator.trading.order_store import OrderStore

PREVENTED = frozenset({"GTC", "IOC", "GTD"})
"""Times in force that self-trade prevention covers."""


class Taker:
    """Executes orders against the book of the present step."""

    def __init__(self, store: OrderStore, book: StepBook, executor: Executor) -> None:
        """Take from `book`; own orders come from the store."""
        self._store = store
        self._book = book
        self._executor = executor

    def take(self, order: Order, bound: Decimal, now_ms: int) -> None:
        """Fill an order up to its bound. At equal prices the market's quantity stands first, own orders behind it."""
        while order.is_open:
            level = self._book.best(order.listing, order.side, bound)
            own = self.own_counter(order, bound)
            if own is not None and (level is None or _better(order.side, own.price, level[0])):
                self._meet(order, own, now_ms)
            elif level is not None:
                price, left = level
                quantity = min(left, order.remaining)
                self._book.take(order.listing, order.side, quantity)
                self._executor.fill(order, price, quantity, now_ms, maker=False)
            else:
                return

    def would_take(self, order: Order, bound: Decimal) -> bool:
        """Say whether an order would meet anything at once."""
        market = self._book.best(order.listing, order.side, bound)
        return market is not None or self.own_counter(order, bound) is not None

    def own_counter(self, order: Order, bound: Decimal) -> Order | None:
        """Return the own resting order that a taker meets first, None where none stands within its bound."""
        best: Order | None = None
        for other in self._store.open_of(order.listing):
            if other is order or other.side is order.side or not reaches(order.side, bound, other.price):
                continue
            if best is None or _better(order.side, other.price, best.price):
                best = other
        return best

    def _meet(self, order: Order, own: Order, now_ms: int) -> None:
        """Prevent the self-trade in the taker's mode, or let it happen."""
        mode = order.self_trade_prevention if order.time_in_force in PREVENTED else "NONE"
        end = self._executor.end
        if mode in {"EXPIRE_MAKER", "EXPIRE_BOTH"}:
            end(own, Status.EXPIRED_IN_MATCH, now_ms, Expiry.SELF_TRADE)
        if mode in {"EXPIRE_TAKER", "EXPIRE_BOTH"} and order.is_open:
            reason = Expiry.IOC_SELF_TRADE if order.time_in_force == "IOC" else Expiry.SELF_TRADE
            end(order, Status.EXPIRED_IN_MATCH, now_ms, reason)
        if mode == "NONE":
            quantity, price = min(order.remaining, own.remaining), own.price
            self._executor.fill(order, price, quantity, now_ms, maker=False)
            if own.is_open:
                self._executor.fill(own, price, min(quantity, own.remaining), now_ms, maker=True)


def _better(taker: Side, price: Decimal, other: Decimal) -> bool:
    """Say whether a taker prefers one price to another."""
    return price < other if taker is Side.BUY else price > other
