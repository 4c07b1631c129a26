"""What a fill does to a position, and what a position is worth: the formulas of the contract's section 10."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.trading.model import ZERO

if TYPE_CHECKING:
    from exchange.simulator.trading.model import Position

PLACES = Decimal("0.00000001")
"""Wallet amounts have eight places."""


def cut(amount: Decimal) -> Decimal:
    """Round an amount of money towards zero to eight places, as fees, profits and funding are booked."""
    return amount.quantize(PLACES, ROUND_DOWN)


def cut_up(amount: Decimal) -> Decimal:
    """Round an amount that is set aside away from zero to eight places."""
    return amount.quantize(PLACES, ROUND_UP)


def on_tick(price: Decimal, tick: Decimal, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """Round a price to a multiple of the tick."""
    return (price / tick).to_integral_value(rounding) * tick


class Parts(NamedTuple):
    """A fill divided by what it does; both magnitudes."""

    closed: Decimal
    opened: Decimal


def divide(held: Decimal, signed: Decimal) -> Parts:
    """Divide a signed fill into what closes a signed holding and what opens or adds."""
    size = abs(signed)
    closed = min(size, abs(held)) if held * signed < 0 else ZERO
    return Parts(closed, size - closed)


def profit(quantity: Decimal, entry: Decimal, price: Decimal) -> Decimal:
    """Return the profit of a signed quantity from its entry to a price."""
    return quantity * (price - entry)


def unrealized(position: Position, mark: Decimal) -> Decimal:
    """Return a position's unrealised profit at a mark price."""
    return profit(position.quantity, position.entry, mark)


def entry_after(held: Decimal, entry: Decimal, opened: Decimal, price: Decimal) -> Decimal:
    """Return the entry price after `opened` was added at `price` to a holding of the same direction or to none."""
    size = abs(held)
    return (size * entry + opened * price) / (size + opened) if size else price


def break_even(position: Position, closing_rate: Decimal = ZERO) -> Decimal:
    """Return the price at which closing pays back the position's fees less what it has realised; 0 when flat.

    The venue does not publish its rule; this is the contract's: (entry x q + dir x (fees - realised)) / q. With a
    `closing_rate` the price also earns the fee of the closing itself.
    """
    size = position.quantity
    return (size * position.entry + position.fees) / (size - abs(size) * closing_rate) if size else ZERO
