"""What of the market's book is still there within one step: levels, less what own orders took of them already."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.trading.model import ZERO, Side

if TYPE_CHECKING:
    from exchange.simulator.trading.prices import Level, Prices

NEAR = 20
"""Levels read first: they serve nearly every order, and reading a thousand costs a hundred times more."""
FAR = 1_000


class StepTrades(NamedTuple):
    """The market's own trades of one symbol in the last step, as resting orders feel them."""

    to_buyers: dict[Decimal, Decimal]
    """Quantity that sellers brought to resting buy orders, by price."""
    to_sellers: dict[Decimal, Decimal]
    lowest: Decimal
    highest: Decimal


class _SideOfBook:
    """One side of one symbol: `levels` best first, each with what is left of it."""

    __slots__ = ("complete", "levels", "position")

    def __init__(self) -> None:
        self.levels: list[list[Decimal]] = []
        self.position = 0
        self.complete = False


class StepBook:
    """The market's book as own takers find it until the next step restores it."""

    def __init__(self, prices: Prices) -> None:
        """Read from the market's prices."""
        self._prices = prices
        self._sides: dict[tuple[int, Side], _SideOfBook] = {}

    def reset(self) -> None:
        """Forget what was taken: the market has made its next step."""
        if self._sides:
            self._sides.clear()

    def best(self, listing: int, taker: Side, bound: Decimal) -> Level | None:
        """Return the best level with something left that a taker meets, None where it is worse than `bound`."""
        side = self._side(listing, taker)
        while True:
            while side.position < len(side.levels):
                price, left = side.levels[side.position]
                if left > 0:
                    return (price, left) if reaches(taker, bound, price) else None
                side.position += 1
            if side.complete:
                return None
            self._read_far(listing, taker, side)

    def take(self, listing: int, taker: Side, quantity: Decimal) -> None:
        """Take a quantity from the level that `best` returned."""
        side = self._side(listing, taker)
        side.levels[side.position][1] -= quantity

    def available(self, listing: int, taker: Side, bound: Decimal, enough: Decimal) -> Decimal:
        """Return how much a taker finds up to `bound`; counting ends at `enough`."""
        side = self._side(listing, taker)
        found, place = ZERO, side.position
        while found < enough:
            if place == len(side.levels):
                if side.complete:
                    break
                self._read_far(listing, taker, side)
                continue
            price, left = side.levels[place]
            if not reaches(taker, bound, price):
                break
            found += left
            place += 1
        return found

    def rank(self, listing: int, taker: Side, number: int) -> Decimal | None:
        """Return the price of the level with that number, counted from 1, None where the book ends before it."""
        side = self._side(listing, taker)
        if number > len(side.levels) and not side.complete:
            self._read_far(listing, taker, side)
        return side.levels[number - 1][0] if number <= len(side.levels) else None

    def standing(self, listing: int, side: Side, price: Decimal) -> Decimal:
        """Return the quantity that stands before a new order of `side` at its price.

        Behind the levels read first the farthest of them speaks for the price: levels live for seconds, and by the
        time the market reaches it another quantity stands there.
        """
        book = self._side(listing, side.opposite)
        last = ZERO
        for level, left in book.levels:
            if level == price:
                return left
            if reaches(side.opposite, price, level):
                last = left
            else:
                return ZERO
        return ZERO if book.complete else last

    def _side(self, listing: int, taker: Side) -> _SideOfBook:
        side = self._sides.get((listing, taker))
        if side is None:
            side = self._sides[listing, taker] = _SideOfBook()
            side.levels = [list(level) for level in self._prices.levels(listing, taker, NEAR)]
            side.complete = len(side.levels) < NEAR
        return side

    def _read_far(self, listing: int, taker: Side, side: _SideOfBook) -> None:
        """Read the rest of the book behind the levels known."""
        farther = self._prices.levels(listing, taker, FAR)[len(side.levels) :]
        side.levels += [list(level) for level in farther]
        side.complete = True


def reaches(taker: Side, bound: Decimal, price: Decimal) -> bool:
    """Say whether a taker with that bound pays that price."""
    return price <= bound if taker is Side.BUY else price >= bound


def step_trades(rows: list[tuple[Decimal, Decimal, bool]]) -> StepTrades | None:
    """Sum up a symbol's trades (price, quantity, buyer is maker) of one step, None where it had none."""
    if not rows:
        return None
    to_buyers: dict[Decimal, Decimal] = {}
    to_sellers: dict[Decimal, Decimal] = {}
    for price, quantity, buyer_is_maker in rows:
        bucket = to_buyers if buyer_is_maker else to_sellers
        bucket[price] = bucket.get(price, ZERO) + quantity
    every = [row[0] for row in rows]
    return StepTrades(to_buyers, to_sellers, min(every), max(every))
