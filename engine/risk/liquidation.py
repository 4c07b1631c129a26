"""Liquidation of one linear position: the price, and the leverage that keeps it far enough from the stop.

Formulas of the venue contract, section 10. Maintenance rate and deduction belong to the bracket of the position's
value at the liquidation price, so the price is found bracket by bracket.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.instrument import Bracket

STOP_SHARE = Decimal("0.8")
"""The stop must lie within this share of the way from entry to liquidation."""


def bracket_of(brackets: Sequence[Bracket], notional: Decimal) -> Bracket:
    """Return the bracket of a notional, the last one when it exceeds all. Raises ValueError if none is known."""
    if not brackets:
        raise ValueError("no leverage brackets are known for the symbol; read GET /fapi/v1/leverageBracket first")
    return next((bracket for bracket in brackets if notional <= bracket.cap), brackets[-1])


def liquidation_price(
    wallet: Decimal,
    sign: int,
    quantity: Decimal,
    entry: Decimal,
    brackets: Sequence[Bracket],
    *,
    other_maintenance: Decimal = Decimal(0),
    other_unrealised: Decimal = Decimal(0),
) -> Decimal:
    """Return the mark price at which a one-way position is liquidated, 0 where no price does it.

    `wallet` is the isolated wallet, or the cross wallet together with maintenance margin and unrealised pnl of the
    other cross positions. `sign` is +1 for a long, -1 for a short; `quantity` is positive.
    """
    available = wallet - other_maintenance + other_unrealised
    found = Decimal(0)
    for bracket in brackets:
        slope = quantity * bracket.mmr - sign * quantity
        found = (available + bracket.cum - sign * quantity * entry) / slope
        if found * quantity <= bracket.cap:
            break
    return max(found, Decimal(0))


def isolated_liquidation(
    sign: int, notional: Decimal, entry: Decimal, leverage: Decimal, brackets: Sequence[Bracket]
) -> Decimal:
    """Return the liquidation price of an isolated position that opened with notional / leverage as its wallet."""
    return liquidation_price(notional / leverage, sign, notional / entry, entry, brackets)


def leverage_for_stop(
    sign: int, notional: Decimal, entry: Decimal, stop: Decimal, brackets: Sequence[Bracket]
) -> Decimal | None:
    """Return the largest leverage at which the stop lies within 0.8 of the way to liquidation, None for no bound.

    Solves the isolated liquidation formula for the leverage whose liquidation price is the nearest one allowed.
    """
    nearest = max(entry - sign * abs(entry - stop) / STOP_SHARE, Decimal(0))
    value = notional * nearest / entry
    bracket = bracket_of(brackets, value)
    # Loss on the way there plus the maintenance margin that must still be covered on arrival.
    needed = sign * (notional - value) + value * bracket.mmr - bracket.cum
    return notional / needed if needed > 0 else None
