"""Margin calls, liquidation and auto-deleveraging: from the margin ratio to the events and the insurance fund.

Simplified from the venue's procedure as contract section 10 allows: open orders go first (all of a cross account, an
isolated position's own symbol), then the position is closed down to its bankruptcy price, then the liquidation fee is
taken up to what is left, and a deficit is paid by the insurance fund. A cross account closes the position with the
greatest loss first and stops once its margin suffices again.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Protocol

from exchange.simulator.trading.account_events import margin_call
from exchange.simulator.trading.income import INSURANCE_CLEAR
from exchange.simulator.trading.model import ZERO
from exchange.simulator.trading.position_maths import cut, on_tick

if TYPE_CHECKING:
    from collections.abc import Callable

    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.model import Order, Position, PositionSide

LIQUIDATION_PREFIX = "autoclose-"
ADL_ID = "adl_autoclose"
"""Client ids the venue keeps for its own orders."""
CALL_RATIO = Decimal("0.8")
"""Maintenance margin over margin balance from which a margin call is sent; the venue publishes no number."""
KEPT_MS = 90 * 86_400_000
"""How far back forceOrders reaches."""


def is_liquidation(order: Order) -> bool:
    """Say whether the venue placed an order to liquidate a position."""
    return order.by_venue and order.client_id.startswith(LIQUIDATION_PREFIX)


def is_forced(order: Order) -> bool:
    """Say whether the venue placed an order to liquidate or deleverage."""
    return is_liquidation(order) or (order.by_venue and order.client_id == ADL_ID)


class Liquidator(Protocol):
    """The order desk, as liquidation needs it. Each call fills at once and publishes the orders' own events."""

    def cancel_for_liquidation(self, listing: int | None, now_ms: int) -> None:
        """End the open orders of a symbol, or all, with the reason of a liquidation."""

    def place_liquidation(self, position: Position, bankruptcy_price: Decimal, client_id: str, now_ms: int) -> None:
        """Close a position: against the book down to the bankruptcy price, the rest at that price by the fund."""

    def close_at(self, position: Position, quantity: Decimal, price: Decimal, client_id: str, now_ms: int) -> None:
        """Close `quantity` (a magnitude) of a position at a price outside the book."""


class Liquidation:
    """Watches a book's margin; `running` is true while positions are being taken over."""

    def __init__(self, book: AccountBook) -> None:
        """Watch a book."""
        self._book = book
        self.running = False
        """While set, orders are refused with -2023; faults may set it, too."""
        self.tell: Callable[[Order], None] = lambda _order: None
        """Hears of every liquidation order once it has ended; the venue shows it to everybody."""
        self._called: set[tuple[int, PositionSide] | None] = set()
        self._count = 0
        self._liquidated = ZERO

    def note(self, order: Order, notional: Decimal) -> None:
        """Hear of a fill of the venue's own order."""
        forced = self._book.forced
        if not forced or forced[-1] is not order:
            forced.append(order)
            while forced[0].created_ms < order.created_ms - KEPT_MS:
                del forced[0]
        self._liquidated += notional

    def forget(self, position: Position) -> None:
        """Hear that a position is gone: what is opened next is called anew, in cross margin once all are gone."""
        self._called.discard((position.listing, position.side))
        if not self._book.margin.cross_positions():
            self._called.discard(None)

    def check(self, now_ms: int) -> None:
        """Send margin calls and liquidate what no longer covers its maintenance margin."""
        book = self._book
        margin = book.margin
        for position in book.open_positions():
            if book.isolated(position.listing):
                balance = position.isolated_wallet + margin.unrealized(position)
                key = (position.listing, position.side)
                if self._judge(key, balance, margin.maintenance(position), [position], now_ms):
                    self._take_over(position.listing, [position], now_ms)
        crossed = margin.cross_positions()
        if crossed and self._judge(None, margin.cross_balance(), margin.cross_maintenance(), crossed, now_ms):
            self._take_over(None, sorted(crossed, key=margin.unrealized), now_ms)

    def _judge(
        self,
        key: tuple[int, PositionSide] | None,
        balance: Decimal,
        maintenance: Decimal,
        positions: list[Position],
        now_ms: int,
    ) -> bool:
        """Say whether a pocket is to be liquidated; on the way there it is called once."""
        if maintenance < balance * CALL_RATIO:
            self._called.discard(key)
            return False
        if key not in self._called:
            self._called.add(key)
            self._book.publish.publish(margin_call(self._book, positions, now_ms, crossed=key is None))
        return balance <= maintenance

    def _take_over(self, listing: int | None, positions: list[Position], now_ms: int) -> None:
        book = self._book
        liquidator = book.liquidator
        if liquidator is None:
            return
        before, self.running = self.running, True
        try:
            liquidator.cancel_for_liquidation(listing, now_ms)
            for position in positions:
                if listing is None and book.margin.cross_balance() > book.margin.cross_maintenance():
                    break
                self._count += 1
                client_id = f"{LIQUIDATION_PREFIX}{now_ms}{self._count:06d}"
                self._liquidated = ZERO
                liquidator.place_liquidation(position, self.bankruptcy_price(position), client_id, now_ms)
                self._settle(position, now_ms)
                if book.forced and book.forced[-1].client_id == client_id:
                    self.tell(book.forced[-1])
        finally:
            self.running = before

    def take_over(self, position: Position, now_ms: int) -> None:
        """Control: liquidate one position whatever its margin."""
        self._take_over(position.listing, [position], now_ms)

    def bankruptcy_price(self, position: Position) -> Decimal:
        """Return the price at which a position has used up its collateral, on the tick that loses no more."""
        book = self._book
        if book.isolated(position.listing):
            wallet = position.isolated_wallet
        else:
            wallet = book.margin.cross_balance() - book.margin.unrealized(position)
        tick = book.listings[position.listing].instrument.tick
        rounding = ROUND_CEILING if position.quantity > 0 else ROUND_FLOOR
        return max(tick, on_tick(position.entry - wallet / position.quantity, tick, rounding))

    def _settle(self, position: Position, now_ms: int) -> None:
        """Take the liquidation fee, release or clear what is left of the pocket, and publish the change."""
        book = self._book
        isolated = book.isolated(position.listing)
        left = position.isolated_wallet if isolated else book.margin.cross_balance()
        rate = book.listings[position.listing].instrument.liquidation_fee
        change = -min(cut(self._liquidated * rate), cut(max(ZERO, left)))
        pocket = position if isolated else None
        book.book_other(INSURANCE_CLEAR, change, now_ms, listing=position.listing, pocket=pocket)
        deficit = ZERO
        if isolated and not position.quantity:
            deficit = max(ZERO, -position.isolated_wallet)
            book.book_other(INSURANCE_CLEAR, deficit, now_ms, listing=position.listing, pocket=position)
            book.release(position)
        elif not isolated and not book.margin.cross_positions():
            deficit = max(ZERO, -book.cross_wallet)
            book.book_other(INSURANCE_CLEAR, deficit, now_ms, listing=position.listing)
        rows = [position] if isolated else []
        if change or deficit:
            book.publish.publish(book.account_update(INSURANCE_CLEAR, rows, now_ms, change + deficit))

    def auto_deleverage(self, listing: int, side: PositionSide, quantity: Decimal, now_ms: int) -> None:
        """Close up to `quantity` of a position at the mark price against a bankrupt counterparty's; orders go first."""
        book = self._book
        position = book.position(listing, side)
        size = min(quantity, abs(position.quantity))
        if book.liquidator is None or size <= 0:
            return
        price = on_tick(book.prices.mark(listing), book.listings[listing].instrument.tick)
        book.liquidator.cancel_for_liquidation(listing, now_ms)
        book.liquidator.close_at(position, size, price, ADL_ID, now_ms)
