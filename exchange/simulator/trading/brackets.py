"""Notional brackets and the margin maths that hangs on them: maintenance margin, leverage caps, liquidation price.

Source: sections 3.3 and 10 of the contract. Everything here is pure and in Decimal.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.trading.model import ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.instrument import Bracket


class Leg(NamedTuple):
    """One side of a symbol's position, or all of it in one-way mode; `quantity` is signed."""

    quantity: Decimal
    entry: Decimal


def bracket_of(brackets: Sequence[Bracket], notional: Decimal) -> Bracket:
    """Return the bracket a notional falls into; above the last cap the last one goes on."""
    for bracket in brackets:
        if notional <= bracket.cap:
            return bracket
    return brackets[-1]


def maintenance(brackets: Sequence[Bracket], notional: Decimal) -> Decimal:
    """Return the maintenance margin of a notional: notional x mmr - cum of its bracket."""
    bracket = bracket_of(brackets, notional)
    return notional * bracket.mmr - bracket.cum


def max_leverage(brackets: Sequence[Bracket]) -> int:
    """Return the highest leverage a symbol allows, that of its first bracket."""
    return max(bracket.max_leverage for bracket in brackets)


def notional_cap(brackets: Sequence[Bracket], leverage: int) -> Decimal:
    """Return the largest notional at a leverage: the cap of the highest bracket that still allows it."""
    return max(bracket.cap for bracket in brackets if bracket.max_leverage >= leverage)


def liquidation_price(brackets: Sequence[Bracket], wallet: Decimal, legs: Sequence[Leg], mark: Decimal) -> Decimal:
    """Return the price at which margin balance equals maintenance margin, 0 where no price above 0 does.

    `wallet` is the collateral of these legs: the isolated wallet, or the cross wallet plus the unrealised profit less
    the maintenance margin of all other cross positions. Between the prices at which a leg changes its bracket the
    surplus is a straight line, so each piece is solved exactly; both legs of a hedged symbol share one price. Of two
    solutions (a hedged symbol can have one on either side) the one nearer to the mark price counts.
    """
    held = [leg for leg in legs if leg.quantity]
    borders = sorted({b.cap / abs(leg.quantity) for leg in held for b in brackets[:-1]})
    found: list[Decimal] = []
    low = ZERO
    for high in [*borders, None]:
        inside = (low + high) / 2 if high is not None else low + 1
        slope, level = ZERO, wallet
        for leg in held:
            size = abs(leg.quantity)
            bracket = bracket_of(brackets, size * inside)
            slope += leg.quantity - size * bracket.mmr
            level += bracket.cum - leg.quantity * leg.entry
        if slope:
            price = -level / slope
            if price > low and (high is None or price <= high):
                found.append(price)
        if high is not None:
            low = high
    return min(found, key=lambda price: abs(price - mark)) if found else ZERO
