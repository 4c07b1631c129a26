"""What the account's positions and open orders bind, and what is left: contract sections 5.4 and 10.

Exposure of a symbol: in one-way mode the larger of |position + buys| and |position - sells|, so an order that only
reduces needs no margin; in hedge mode each side with the orders that add to it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.answers import refuse
from exchange.simulator.trading.brackets import Leg, liquidation_price, maintenance
from exchange.simulator.trading.model import ZERO, PositionSide, Side
from exchange.simulator.trading.position_maths import break_even, unrealized

if TYPE_CHECKING:
    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.model import Order, Position

SELL_SURCHARGE = Decimal("1.0015")
"""The venue's newer wording prices a short order at no less than 0.15 % above the last trade."""


class SideDemand(NamedTuple):
    """What one position side and the orders on it bind; money, and notionals at the mark or order price."""

    held: Decimal
    """Notional of the position, a magnitude."""
    exposure: Decimal
    """Largest notional the position can have once orders fill; never below `held`."""
    open_loss: Decimal
    """Loss that opening orders would show at once, priced beyond the mark."""
    bids: Decimal
    asks: Decimal

    def initial(self, leverage: int) -> Decimal:
        """Return position and order margin at a leverage, without the open loss."""
        return self.exposure / leverage

    def order_margin(self, leverage: int) -> Decimal:
        """Return what the orders bind beyond the position."""
        return (self.exposure - self.held) / leverage + self.open_loss


NO_DEMAND = SideDemand(ZERO, ZERO, ZERO, ZERO, ZERO)


class MarginReader:
    """Reads margins off an account book; nothing is kept, so every answer fits the present prices."""

    def __init__(self, book: AccountBook) -> None:
        """Read from a book."""
        self._book = book

    def demand(self, listing: int, side: PositionSide, extra: tuple[Order, Decimal] | None = None) -> SideDemand:
        """Return what a position side binds; `extra` is an order on its way in with its price, replacing itself."""
        book = self._book
        mark = book.prices.mark(listing)
        held = book.position(listing, side).quantity
        buying = buys = buy_loss = selling = sells = sell_loss = ZERO
        floor = ZERO
        if book.questions.short_orders_at_last:
            floor = max(book.prices.last(listing) * SELL_SURCHARGE, mark)
        for order in self._binding(listing, side, extra):
            size = order.remaining
            price = order.price if extra is None or order is not extra[0] else extra[1]
            if order.side is Side.BUY:
                buying += size
                buys += size * price
                if price > mark:
                    buy_loss += size * (price - mark)
            else:
                price = max(price, floor)
                selling += size
                sells += size * price
                if price < mark:
                    sell_loss += size * (mark - price)
        notional = held * mark
        if side is PositionSide.LONG:
            return SideDemand(notional, notional + buys, buy_loss, buys, sells)
        if side is PositionSide.SHORT:
            return SideDemand(-notional, sells - notional, sell_loss, buys, sells)
        exposure = max(abs(notional), abs(notional + buys), abs(notional - sells))
        loss = buy_loss * _opening(buying, -held) + sell_loss * _opening(selling, held)
        return SideDemand(abs(notional), exposure, loss, buys, sells)

    def _binding(self, listing: int, side: PositionSide, extra: tuple[Order, Decimal] | None) -> list[Order]:
        """Return the orders of a side that may open; `extra` takes the place of the open order of its id."""
        replaced = -1 if extra is None else extra[0].order_id
        binding = [
            order
            for order in self._book.orders.open_of(listing)
            if order.position_side is side
            and not order.reduce_only
            and not order.close_position
            and order.order_id != replaced
        ]
        return binding if extra is None else [*binding, extra[0]]

    def demands(self, listing: int, extra: tuple[Order, Decimal] | None = None) -> dict[PositionSide, SideDemand]:
        """Return the demand of every side of the present position mode."""
        return {
            side: self.demand(listing, side, extra if extra is not None and extra[0].position_side is side else None)
            for side in self._book.sides
        }

    def order_margin(self, listing: int) -> Decimal:
        """Return what a symbol's open orders bind."""
        leverage = self._book.leverage(listing)
        return sum((d.order_margin(leverage) for d in self.demands(listing).values()), ZERO)

    def all_order_margin(self) -> Decimal:
        """Return what all open orders bind."""
        return sum((self.order_margin(listing) for listing in self._book.orders.open_listings()), ZERO)

    def check_room(self, order: Order, worst_price: Decimal) -> None:
        """Raise RefusalError -2027 or -2019 where bracket or margin has no room for an order valued at a price."""
        book, listing, side = self._book, order.listing, order.position_side
        before = self.demand(listing, side)
        after = self.demand(listing, side, (order, worst_price))
        if after.exposure > before.exposure and after.exposure > book.max_notional(listing):
            raise refuse(-2027, "Exceeded the maximum allowable position at current leverage.")
        leverage = book.leverage(listing)
        cost = after.order_margin(leverage) - before.order_margin(leverage)
        if cost > 0 and book.questions.taker_fee_reserved:
            cost += (after.exposure - before.exposure) * book.taker_fee
        # Unrealised profit can carry cross positions, but it cannot be moved into an isolated wallet.
        limit = self.withdrawable() if book.isolated(listing) else self.available()
        if cost > 0 and cost > limit:
            raise refuse(-2019, "Margin is insufficient.")

    def notional(self, position: Position) -> Decimal:
        """Return a position's signed notional at the mark price."""
        return position.quantity * self._book.prices.mark(position.listing)

    def initial(self, position: Position) -> Decimal:
        """Return a position's initial margin at the mark price."""
        return abs(self.notional(position)) / self._book.leverage(position.listing)

    def maintenance(self, position: Position) -> Decimal:
        """Return a position's maintenance margin at the mark price."""
        return maintenance(self._book.listings[position.listing].brackets, abs(self.notional(position)))

    def unrealized(self, position: Position) -> Decimal:
        """Return a position's unrealised profit at the mark price."""
        return unrealized(position, self._book.prices.mark(position.listing))

    def break_even(self, position: Position) -> Decimal:
        """Return a position's break-even price, by the rule the open question chooses."""
        closing = self._book.taker_fee if self._book.questions.break_even_with_closing_fee else ZERO
        return break_even(position, closing)

    def cross_positions(self) -> list[Position]:
        """Return the open positions that share the cross wallet."""
        return [position for position in self._book.open_positions() if not self._book.isolated(position.listing)]

    def cross_unrealized(self) -> Decimal:
        """Return the unrealised profit of all cross positions."""
        return sum((self.unrealized(position) for position in self.cross_positions()), ZERO)

    def cross_balance(self) -> Decimal:
        """Return the margin balance of the cross wallet."""
        return self._book.cross_wallet + self.cross_unrealized()

    def cross_maintenance(self) -> Decimal:
        """Return the maintenance margin of all cross positions."""
        return sum((self.maintenance(position) for position in self.cross_positions()), ZERO)

    def free(self) -> Decimal:
        """Return what is left of the cross wallet; negative where positions have lost what their margin needs."""
        bound = sum((self.initial(position) for position in self.cross_positions()), ZERO)
        return self.cross_balance() - bound - self.all_order_margin()

    def available(self) -> Decimal:
        """Return the available balance: what new orders may use."""
        return max(ZERO, self.free())

    def withdrawable(self) -> Decimal:
        """Return what may leave the account: as available, but unrealised profit cannot be taken out."""
        return max(ZERO, min(self._book.cross_wallet, self.free() - max(ZERO, self.cross_unrealized())))

    def liquidation_price(self, position: Position) -> Decimal:
        """Return the price at which a position's margin is used up, 0 for none; a hedged cross symbol shares one."""
        book, listing = self._book, position.listing
        if not position.quantity:
            return ZERO
        if book.isolated(listing):
            wallet, legs = position.isolated_wallet, [position]
        else:
            legs = [other for other in self.cross_positions() if other.listing == listing]
            others = [other for other in self.cross_positions() if other.listing != listing]
            wallet = book.cross_wallet + sum((self.unrealized(o) - self.maintenance(o) for o in others), ZERO)
        return liquidation_price(
            book.listings[listing].brackets,
            wallet,
            [Leg(leg.quantity, leg.entry) for leg in legs],
            book.prices.mark(listing),
        )


def _opening(ordered: Decimal, closable: Decimal) -> Decimal:
    """Return the share of a side's orders that opens rather than closes a holding of `closable` (if positive)."""
    return max(ZERO, ordered - max(ZERO, closable)) / ordered if ordered else ZERO
