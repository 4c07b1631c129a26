"""The terms of a live position as its fills change them, and what it brought in the end. Exact in Decimal, pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.positions.costs import HUNDRED, exact
from engine.positions.lifecycle import Terms
from engine.strategy.candidate import Direction

if TYPE_CHECKING:
    from engine.execution.fills import Fill
    from engine.execution.plans import Plan
    from engine.positions.costs import Costs

ADOPTED = "adopted"
"""Strategy of a position nobody here planned."""
FAR = Decimal(100)
"""A position without a target has it this many times away, where nothing approaches it."""
NO_EXPIRY_MS = 253_402_300_799_999
"""Last millisecond of the year 9999."""


def has_target(terms: Terms) -> bool:
    """Say whether a target was named; else one stands in that nothing approaches."""
    return max(terms.target / terms.entry, terms.entry / terms.target) < float(FAR) / 2


class Result(NamedTuple):
    """Money of a closed position, in percent of its margin, and in R."""

    net: Decimal
    percent: float
    r: float


def fresh_terms(
    one: Fill, quantity: Decimal, paid: Decimal, plan: Plan | None, emergency: Decimal, costs: Costs, decimals: int
) -> Terms:
    """Return the terms of a position that a fill opens with `quantity` at a fee of `paid`."""
    leverage = plan.leverage if plan is not None else 1
    stop, target = _levels(
        one.price, one.sign, plan.stop if plan is not None else None, plan.target if plan is not None else None,
        emergency,
    )  # fmt: skip
    notional = quantity * one.price
    return Terms(
        direction=Direction.LONG if one.sign > 0 else Direction.SHORT,
        decimals=decimals,
        price=float(one.price),
        entry=float(one.price),
        stop=float(stop),
        target=float(target),
        leverage=float(leverage),
        quantity=quantity,
        notional=notional,
        margin=notional / leverage,
        entry_fee=paid,
        costs=costs,
        opened_ms=one.at_ms,
        expires_ms=plan.expires_ms if plan is not None and plan.expires_ms else NO_EXPIRY_MS,
        confidence=plan.confidence if plan is not None else 0.0,
        signal_id=plan.signal_id if plan is not None else "",
        features=plan.features if plan is not None else None,
        side=one.key.side,
    )


def grown(terms: Terms, one: Fill, emergency: Decimal) -> Terms:
    """Return the terms after a fill enlarged the position: the entry is the mean of what is open."""
    sign = terms.direction.sign
    standing = terms.quantity - terms.reduced
    entry = (standing * exact(terms.entry) + one.quantity * one.price) / (standing + one.quantity)
    stop, target = _levels(entry, sign, exact(terms.stop), exact(terms.target), emergency)
    notional = one.quantity * one.price
    return msgspec.structs.replace(
        terms,
        entry=float(entry),
        stop=float(stop),
        target=float(target),
        quantity=terms.quantity + one.quantity,
        notional=terms.notional + notional,
        margin=terms.margin + notional / exact(terms.leverage),
        entry_fee=terms.entry_fee + one.fee,
    )


def reduced(terms: Terms, quantity: Decimal, realised: Decimal, paid: Decimal) -> Terms:
    """Return the terms after a part was closed."""
    return msgspec.structs.replace(
        terms,
        reduced=terms.reduced + quantity,
        booked=terms.booked + realised,
        exit_fee=terms.exit_fee + paid,
    )


def is_over(terms: Terms) -> bool:
    """Say whether nothing is open any more."""
    return terms.reduced >= terms.quantity


def result(terms: Terms, funding: Decimal) -> Result:
    """Return what a closed position brought: results of its fills, all fees, and funding."""
    net = terms.booked - terms.entry_fee - terms.exit_fee + funding
    risk = terms.quantity * abs(exact(terms.entry) - exact(terms.stop))
    return Result(net, float(net * HUNDRED / terms.margin), float(net / risk))


def _levels(
    entry: Decimal, sign: int, stop: Decimal | None, target: Decimal | None, emergency: Decimal
) -> tuple[Decimal, Decimal]:
    """Return stop and target on their sides of the entry; what lies on the wrong side or is missing is stood in for."""
    if stop is None or sign * (entry - stop) <= 0:
        stop = entry * (1 - sign * emergency)
    if target is None or sign * (target - entry) <= 0:
        target = entry * FAR if sign > 0 else entry / FAR
    return stop, target
