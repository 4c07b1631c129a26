"""What protects a position at the exchange. Pure.

Working is a stop of status NEW, on the side that reduces, of the position's own side, with its trigger on the right
side of the mark price, that closes the position or can only reduce it. A stop that is triggering, rejected, expired or
cancelled protects nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from engine.execution.book import BookAlgo
from exchange.account_events import ALGO_WORKING
from exchange.conditional_orders import ConditionalKind
from exchange.orders import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.execution.book import BookPosition

STOPS = frozenset({ConditionalKind.STOP_MARKET, ConditionalKind.STOP, ConditionalKind.TRAILING_STOP_MARKET})
SURE_STOPS = frozenset({ConditionalKind.STOP_MARKET})
"""Kinds that count as protection: a limit may stay unfilled, a trailing stop may not be active yet."""
TARGETS = frozenset({ConditionalKind.TAKE_PROFIT_MARKET, ConditionalKind.TAKE_PROFIT})
TRIGGERING = frozenset({"TRIGGERING", "TRIGGERED"})
ZERO = Decimal(0)


class Coverage(NamedTuple):
    """How far a position is protected now."""

    size: Decimal
    """Of the position, unsigned."""
    covered: Decimal
    """What working stops would close, at most the size."""
    stops: tuple[BookAlgo, ...]
    """The working stops, the one that triggers first leading."""
    targets: tuple[BookAlgo, ...]
    """Take-profit orders that wait."""
    triggering: tuple[BookAlgo, ...]
    """Stops and targets whose price was reached and whose order has not ended."""
    breached: tuple[BookAlgo, ...]
    """Stops that wait although the mark is beyond their trigger."""

    @property
    def is_protected(self) -> bool:
        """Say whether working stops cover the whole size."""
        return self.covered >= self.size


def closing_side(position: BookPosition) -> Side:
    """Return the side of an order that reduces the position."""
    return Side.SELL if position.sign > 0 else Side.BUY


def coverage_of(position: BookPosition, algos: Iterable[BookAlgo], mark: Decimal | None) -> Coverage:
    """Return what protects a position, given the conditional orders of its symbol and side.

    Without a mark price the trigger's side cannot be judged and is believed: the exchange refused a wrong one.
    """
    size = abs(position.quantity)
    reducing = [one for one in algos if one.side == closing_side(position) and _only_reduces(one)]
    waiting = [one for one in reducing if one.status in ALGO_WORKING]
    sure = [one for one in waiting if one.kind in SURE_STOPS]
    stops = sorted(
        (one for one in sure if not is_breached(position.sign, one.trigger, mark)),
        key=lambda one: (-position.sign * one.trigger, one.algo_id),
    )
    covered = size if any(one.close_position for one in stops) else sum((one.quantity for one in stops), ZERO)
    return Coverage(
        size,
        min(size, covered),
        tuple(stops),
        tuple(one for one in waiting if one.kind in TARGETS),
        tuple(one for one in reducing if one.status in TRIGGERING),
        tuple(one for one in sure if is_breached(position.sign, one.trigger, mark)),
    )


def is_breached(sign: int, trigger: Decimal, mark: Decimal | None) -> bool:
    """Say whether the mark price lies at or beyond a stop's trigger. `sign` is +1 for a long position."""
    return mark is not None and sign * (mark - trigger) <= 0


def _only_reduces(algo: BookAlgo) -> bool:
    """In hedge mode the position side makes an order reduce; in one-way mode its flags do."""
    return algo.close_position or algo.reduce_only or algo.position_side != "BOTH"
