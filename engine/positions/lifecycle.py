"""The life of a position as events: eleven wire names, one table of allowed moves, and the fold that rebuilds it.

Virtual and live positions speak the same events. A position is nothing but its events: whoever holds them in order can
rebuild it after a restart, and nobody can tell the rebuilt one from the original.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from engine.positions.costs import Costs
from engine.strategy.candidate import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable

APPROACH = 0.20
"""Remaining / total distance at or below which a level counts as near."""
REARM = 0.25
"""Remaining / total distance above which the one-shot approach event may fire again."""
ZERO = Decimal(0)
VIRTUAL, LIVE = "V", "L"
"""How ids of virtual and of live positions begin."""


class EventName(StrEnum):
    """What can happen to a position; the values are the wire names of specification section 5."""

    CREATED = "created"
    PRICE_UPDATED = "price_updated"
    MAX_PNL_UPDATED = "max_pnl_updated"
    MIN_PNL_UPDATED = "min_pnl_updated"
    TP_APPROACHING = "tp_approaching"
    SL_APPROACHING = "sl_approaching"
    TP_TRIGGERED = "tp_triggered"
    SL_TRIGGERED = "sl_triggered"
    EXPIRED = "expired"
    MANUAL_CLOSE = "manual_close"
    CLOSED = "closed"


ENDINGS = frozenset({EventName.TP_TRIGGERED, EventName.SL_TRIGGERED, EventName.EXPIRED, EventName.MANUAL_CLOSE})
"""The four events that end a position; `closed` follows each at once."""


def is_live(position_id: str) -> bool:
    """Say whether an id is one of a live position."""
    return position_id.startswith(LIVE)


class Terms(msgspec.Struct, frozen=True):
    """What a position was opened with: everything the fold cannot learn from later events."""

    direction: Direction
    decimals: int
    """Decimal places of a displayed price."""
    price: float
    """Market price at the opening, before spread and slippage."""
    entry: float
    """Fill price; R is its distance to the stop."""
    stop: float
    target: float
    leverage: float
    """Decided leverage; a fraction below 1 was realised through the notional."""
    quantity: Decimal
    """Base units."""
    notional: Decimal
    """Quantity x entry."""
    margin: Decimal
    """Notional / leverage set at the exchange; pnl in percent refers to it."""
    entry_fee: Decimal
    costs: Costs
    opened_ms: int
    expires_ms: int
    confidence: float = 0.0
    signal_id: str = ""
    features: tuple[float, ...] | None = None
    """The entry's feature row, kept for learning."""
    side: str = ""
    """Position side of a live position, empty for a virtual one."""
    reduced: Decimal = ZERO
    """Base units of a live position that are closed already."""
    booked: Decimal = ZERO
    """What they brought before their fees."""
    exit_fee: Decimal = ZERO
    """What closing them cost."""


class PositionEvent(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One event. Percent is of margin and pnl is after all costs, as if the position were closed at `price` now.

    Not tracked by the cyclic collector: an event is a tree of immutable values and cannot be part of a cycle.
    """

    event: EventName
    position_id: str
    symbol: str
    strategy: str
    time: int
    """UTC milliseconds."""
    price: float
    pnl_percent: float
    pnl_r: float
    max_percent: float
    min_percent: float
    eta_s: float | None
    """Seconds to the nearer level at the recent mean speed; None when it moves away or stands still."""
    reason: str
    funding: Decimal = ZERO
    """Funding so far: received positive, paid negative."""
    funded_ms: int = 0
    """Funding instant up to which funding was charged, 0 for none."""
    terms: Terms | None = None
    """On `created`, and on whatever tells that a fill changed those of a live position."""
    net: Decimal | None = None
    """On `closed` only: money after entry and exit fee, spread, slippage and funding."""
    exit_fee: Decimal | None = None
    """On `closed` only."""


class Stage(StrEnum):
    """Where a position stands in its life."""

    UNBORN = "unborn"
    OPEN = "open"
    ENDING = "ending"
    CLOSED = "closed"


TRANSITIONS: dict[tuple[Stage, EventName], Stage] = {
    (Stage.UNBORN, EventName.CREATED): Stage.OPEN,
    (Stage.OPEN, EventName.PRICE_UPDATED): Stage.OPEN,
    (Stage.OPEN, EventName.MAX_PNL_UPDATED): Stage.OPEN,
    (Stage.OPEN, EventName.MIN_PNL_UPDATED): Stage.OPEN,
    (Stage.OPEN, EventName.TP_APPROACHING): Stage.OPEN,
    (Stage.OPEN, EventName.SL_APPROACHING): Stage.OPEN,
    (Stage.OPEN, EventName.TP_TRIGGERED): Stage.ENDING,
    (Stage.OPEN, EventName.SL_TRIGGERED): Stage.ENDING,
    (Stage.OPEN, EventName.EXPIRED): Stage.ENDING,
    (Stage.OPEN, EventName.MANUAL_CLOSE): Stage.ENDING,
    (Stage.ENDING, EventName.CLOSED): Stage.CLOSED,
}
"""Every allowed move; anything else is a LifecycleError."""


class LifecycleError(Exception):
    """The events cannot be the life of one position; the text names position, event and stage."""


class PositionState(msgspec.Struct, frozen=True):
    """A position as its events tell it."""

    position_id: str
    symbol: str
    strategy: str
    terms: Terms
    stage: Stage
    price: float
    pnl_percent: float
    pnl_r: float
    max_percent: float
    min_percent: float
    tp_armed: bool
    sl_armed: bool
    funding: Decimal
    funded_ms: int
    last_event: EventName
    last_event_ms: int
    cause: EventName | None = None
    """The ending, once there is one."""
    reason: str = ""
    """Reason of the ending."""
    net: Decimal | None = None


def remaining(price: float, entry: float, level: float) -> float:
    """Return the share of the way from entry to the level that is left: 1 at entry, 0 at the level, negative beyond."""
    return (level - price) / (level - entry)


def advance(state: PositionState | None, event: PositionEvent) -> PositionState:
    """Apply one event. Raises LifecycleError for a move that the table does not allow."""
    stage = Stage.UNBORN if state is None else state.stage
    following = TRANSITIONS.get((stage, event.event))
    if following is None:
        raise LifecycleError(f"position {event.position_id}: {event.event.value} cannot follow stage {stage.value}")
    if state is None:
        return _born(event)
    if event.position_id != state.position_id:
        raise LifecycleError(f"position {state.position_id}: got an event of {event.position_id}")
    terms = event.terms if event.terms is not None else state.terms
    tp_left = remaining(event.price, terms.entry, terms.target)
    sl_left = remaining(event.price, terms.entry, terms.stop)
    ending = event.event in ENDINGS
    return PositionState(
        state.position_id,
        state.symbol,
        state.strategy,
        terms,
        following,
        event.price,
        event.pnl_percent,
        event.pnl_r,
        event.max_percent,
        event.min_percent,
        event.event is not EventName.TP_APPROACHING and (state.tp_armed or tp_left > REARM),
        event.event is not EventName.SL_APPROACHING and (state.sl_armed or sl_left > REARM),
        event.funding,
        event.funded_ms,
        event.event,
        event.time,
        event.event if ending else state.cause,
        event.reason if ending else state.reason,
        event.net,
    )


def _born(event: PositionEvent) -> PositionState:
    if event.terms is None:
        raise LifecycleError(f"position {event.position_id}: created carries no terms")
    return PositionState(
        event.position_id,
        event.symbol,
        event.strategy,
        event.terms,
        Stage.OPEN,
        event.price,
        event.pnl_percent,
        event.pnl_r,
        event.max_percent,
        event.min_percent,
        tp_armed=True,
        sl_armed=True,
        funding=event.funding,
        funded_ms=event.funded_ms,
        last_event=event.event,
        last_event_ms=event.time,
    )


def fold(events: Iterable[PositionEvent]) -> PositionState:
    """Rebuild one position from its events in order. Raises LifecycleError when they are not one position's life."""
    state: PositionState | None = None
    for event in events:
        state = advance(state, event)
    if state is None:
        raise LifecycleError("no events: there is no position to rebuild")
    return state


def fold_all(events: Iterable[PositionEvent]) -> dict[str, PositionState]:
    """Rebuild many positions from one mixed sequence, in order of creation."""
    states: dict[str, PositionState] = {}
    for event in events:
        states[event.position_id] = advance(states.get(event.position_id), event)
    return states
