"""Leverage brackets: what a notional may be levered with, and what it needs as maintenance margin. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from exchange.instrument import Bracket


def bracket_of(brackets: Sequence[Bracket], notional: Decimal) -> Bracket | None:
    """Return the bracket a notional falls into, caps included; None beyond the last one, for no position is allowed."""
    return next((bracket for bracket in brackets if notional <= bracket.cap), None)


def leverage_cap(brackets: Sequence[Bracket], notional: Decimal) -> int:
    """Return the largest leverage for a position of that notional; 0 where none is allowed."""
    bracket = bracket_of(brackets, notional)
    return 0 if bracket is None else bracket.max_leverage


def largest_notional(brackets: Sequence[Bracket], leverage: int) -> Decimal | None:
    """Return the largest notional at a leverage: the cap of the highest bracket that allows it, None if none does."""
    caps = [bracket.cap for bracket in brackets if bracket.max_leverage >= leverage]
    return max(caps) if caps else None


def clamp_leverage(brackets: Sequence[Bracket], leverage: int, notional: Decimal) -> int:
    """Return a leverage the venue accepts for the notional, at least 1; 0 where no position of it is allowed."""
    return min(max(1, leverage), leverage_cap(brackets, notional))


def maintenance_margin(brackets: Sequence[Bracket], notional: Decimal) -> Decimal | None:
    """Return notional x ratio - cum of the notional's bracket, None beyond the last one."""
    bracket = bracket_of(brackets, notional)
    return None if bracket is None else notional * bracket.mmr - bracket.cum
