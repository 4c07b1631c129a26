"""What happens to an order once it is accepted: fills, endings, and the events of both in the documented sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.trading.model import ZERO, Execution, Expiry, Side, Status, Trade
from exchange.simulator.trading.order_events import Fill, order_update, trade_lite

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from exchange.instrument import Instrument
    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.model import Order, Position, PositionListener, Publisher
    from exchange.simulator.trading.order_store import OrderStore


class Executor:
    """Books fills into store and account and publishes the events: ACCOUNT_UPDATE, TRADE_LITE, ORDER_TRADE_UPDATE."""

    def __init__(
        self, instrument: Callable[[int], Instrument], store: OrderStore, account: AccountBook, publisher: Publisher
    ) -> None:
        """`instrument` returns the present rules of a listing."""
        self._instrument = instrument
        self._store = store
        self._account = account
        self._publisher = publisher
        self.listeners: list[PositionListener] = []

    def accept(self, order: Order, now_ms: int, accepted: Callable[[Order], None] | None = None) -> None:
        """Give a new order its id, keep it and announce it; `accepted` hears of it before everybody else."""
        order.order_id = self._store.next_order_id(order.listing)
        if not order.client_id:
            order.client_id = f"sim{order.order_id:019d}"
        self._store.add(order)
        if accepted is not None:
            accepted(order)
        self.announce(order, "NEW", now_ms)

    def announce(self, order: Order, what: str, now_ms: int, modify_id: int | None = None) -> None:
        """Publish ORDER_TRADE_UPDATE of an order that did not trade."""
        event = order_update(
            order,
            self._instrument(order.listing),
            what,
            now_ms,
            notionals=self._notionals(order.listing),
            modify_id=modify_id,
        )
        self._publisher.publish(event)

    def fill(
        self, order: Order, price: Decimal, quantity: Decimal, now_ms: int, *, maker: bool, what: str = "TRADE"
    ) -> None:
        """Execute a part of an order, then let reduce-only orders and listeners follow the position.

        `what` is the `x` of its event: CALCULATED where the venue closes a position outside the book.
        """
        trade_id = self._store.next_trade_id()
        order.executed += quantity
        order.cumulative_quote += price * quantity
        order.status = Status.PARTIALLY_FILLED if order.remaining else Status.FILLED
        order.updated_ms = now_ms
        if not order.remaining:
            self._store.close(order)
        effect = self._account.fill(Execution(order, price, quantity, maker, trade_id, now_ms))
        self._store.add_trade(
            Trade(
                trade_id,
                order,
                price,
                quantity,
                effect.realized,
                effect.commission,
                maker,
                now_ms,
                order.position_side,
            )
        )
        told = Fill(price, quantity, effect.commission, effect.realized, trade_id, maker)
        instrument = self._instrument(order.listing)
        publish = self._publisher.publish
        publish(self._account.account_update("ORDER", [effect.position], now_ms))
        publish(trade_lite(order, instrument, told, now_ms))
        publish(order_update(order, instrument, what, now_ms, fill=told, notionals=self._notionals(order.listing)))
        self._position_changed(effect.position, now_ms)

    def end(self, order: Order, status: Status, now_ms: int, expiry: Expiry = Expiry.NONE) -> None:
        """End an open order without another fill and announce it."""
        order.status = status
        order.expiry = expiry
        order.updated_ms = now_ms
        self._store.close(order)
        self.announce(order, "CANCELED" if status is Status.CANCELED else "EXPIRED", now_ms)

    def _position_changed(self, position: Position, now_ms: int) -> None:
        self._knock_out(position, now_ms)
        for listener in self.listeners:
            listener.position_changed(position, now_ms)

    def _knock_out(self, position: Position, now_ms: int) -> None:
        """Reduce or expire what rests to reduce more than there is; market orders come first, then the better price."""
        closing = Side.SELL if position.quantity > 0 else Side.BUY
        room = abs(position.quantity)
        reducing = [
            order
            for order in self._store.open_of(position.listing)
            if order.reduce_only and order.position_side is position.side
        ]
        for order in sorted(reducing, key=_priority):
            if order.side is not closing or not room:
                self.end(order, Status.EXPIRED, now_ms, Expiry.KNOCKED_OUT)
            elif order.remaining > room:
                order.quantity = order.executed + room
                order.updated_ms = now_ms
                room = ZERO
                self.announce(order, "AMENDMENT", now_ms)
            else:
                room -= order.remaining

    def _notionals(self, listing: int) -> tuple[Decimal, Decimal]:
        bids = asks = ZERO
        for order in self._store.open_of(listing):
            if order.side is Side.BUY:
                bids += order.price * order.remaining
            else:
                asks += order.price * order.remaining
        return bids, asks


def _priority(order: Order) -> tuple[bool, Decimal, int]:
    return order.price != 0, order.side.sign * -order.price, order.order_id
