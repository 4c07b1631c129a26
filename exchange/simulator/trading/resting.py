"""Resting orders in one market step: filled by trades at and through their price, and by a book that crosses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.trading.matching import step_trades
from exchange.simulator.trading.model import ZERO, Side, Status

if TYPE_CHECKING:
    from decimal import Decimal

    from exchange.simulator.trading.execution import Executor
    from exchange.simulator.trading.matching import StepBook, StepTrades
    from exchange.simulator.trading.model import Order
    from exchange.simulator.trading.order_store import OrderStore
    from exchange.simulator.trading.prices import Prices

YEAR_MS = 365 * 86_400_000
"""How long a good-till-cancelled order rests."""


class RestingOrders:
    """Fills the open orders as the market moves.

    A trade through an order's price has taken everything that stood there, so it fills the order whole. A trade at its
    price first takes the quantity that stood before the order, then the order. A book whose counter side crosses the
    price fills what stands on it, at the order's own price.
    """

    def __init__(self, prices: Prices, store: OrderStore, book: StepBook, executor: Executor) -> None:
        """Match the store's open orders."""
        self._prices = prices
        self._store = store
        self._book = book
        self._executor = executor

    def step(self, now_ms: int) -> None:
        """Follow one step: endings by time first, then fills symbol by symbol, best prices first."""
        for listing in self._store.open_listings():
            orders = self._store.open_of(listing)
            for order in orders:
                if _is_over(order, now_ms):
                    self._executor.end(order, Status.EXPIRED, now_ms)
            trades = step_trades([(t.price, t.quantity, t.buyer_is_maker) for t in self._prices.trades(listing)])
            bid, ask = self._prices.bid(listing), self._prices.ask(listing)
            for order in sorted(orders, key=_priority):
                if order.is_open and _is_touched(order, bid, ask, trades):
                    self._match(order, trades, now_ms)

    def _match(self, order: Order, trades: StepTrades | None, now_ms: int) -> None:
        quantity = min(order.remaining, self._reached(order, trades))
        if quantity:
            self._executor.fill(order, order.price, quantity, now_ms, maker=True)
        while order.is_open:
            level = self._book.best(order.listing, order.side, order.price)
            if level is None:
                return
            quantity = min(level[1], order.remaining)
            self._book.take(order.listing, order.side, quantity)
            self._executor.fill(order, order.price, quantity, now_ms, maker=True)

    @staticmethod
    def _reached(order: Order, trades: StepTrades | None) -> Decimal:
        """Return how much of an order the step's trades fill; what they took before it is remembered."""
        if trades is None:
            return ZERO
        buys = order.side is Side.BUY
        if trades.lowest < order.price if buys else trades.highest > order.price:
            return order.remaining
        arrived = (trades.to_buyers if buys else trades.to_sellers).get(order.price, ZERO)
        if not arrived:
            return ZERO
        before = min(order.queue_ahead, arrived)
        order.queue_ahead -= before
        filled = min(order.remaining, arrived - before)
        # What this order took is gone for the account's next order at the price.
        (trades.to_buyers if buys else trades.to_sellers)[order.price] = arrived - filled
        return filled


def _is_touched(order: Order, bid: Decimal, ask: Decimal, trades: StepTrades | None) -> bool:
    if order.side is Side.BUY:
        return ask <= order.price or (trades is not None and trades.lowest <= order.price)
    return bid >= order.price or (trades is not None and trades.highest >= order.price)


def _is_over(order: Order, now_ms: int) -> bool:
    if not order.is_open:
        return False
    if order.good_till_ms:
        return now_ms >= order.good_till_ms
    return now_ms >= order.created_ms + YEAR_MS


def _priority(order: Order) -> tuple[Decimal, int]:
    return -order.side.sign * order.price, order.order_id
