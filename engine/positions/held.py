"""What the book keeps of a position beside its columns, and the bounded history of its life."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from engine.positions.lifecycle import ZERO, EventName
from engine.snapshot import LifeEvent, PositionDetail

if TYPE_CHECKING:
    from decimal import Decimal

    from engine.positions.lifecycle import PositionEvent, Terms

HISTORY = 200
"""Events kept per position; runs of price updates collapse to their newest."""

# Bound once: reading a member off an Enum class costs more than the rest of the comparison, on the path of every event.
_PRICE = EventName.PRICE_UPDATED


class Held:
    """One position of the book. Mutable on purpose: it lives and dies with its row."""

    __slots__ = (
        "funded_ms",
        "funding",
        "history",
        "last_event",
        "last_event_ms",
        "looks",
        "position_id",
        "row",
        "strategy",
        "symbol",
        "terms",
    )

    def __init__(self, position_id: str, symbol: str, strategy: str, terms: Terms) -> None:
        self.position_id = position_id
        self.symbol = symbol
        self.strategy = strategy
        self.terms = terms
        self.row = -1
        self.funding: Decimal = ZERO
        self.funded_ms = 0
        self.last_event = EventName.CREATED
        self.last_event_ms = terms.opened_ms
        self.looks = 0
        self.history: deque[PositionEvent] = deque(maxlen=HISTORY)

    def note(self, event: PositionEvent) -> None:
        """Append to the history; of consecutive price updates only the newest stays."""
        history = self.history
        name = event.event
        if name is _PRICE and history and history[-1].event is _PRICE:
            history.pop()
        history.append(event)
        self.last_event = name
        self.last_event_ms = event.time

    def detail(self, looks: int) -> PositionDetail:
        """Return the answer to a question about this position."""
        terms = self.terms
        return PositionDetail(
            self.position_id,
            self.symbol,
            self.strategy,
            terms.direction.value,
            terms.decimals,
            terms.entry,
            terms.stop,
            terms.target,
            tuple(_life(event) for event in self.history),
            looks,
        )


def _life(event: PositionEvent) -> LifeEvent:
    return LifeEvent(
        event.event.value,
        event.time,
        event.price,
        event.pnl_percent,
        event.pnl_r,
        event.max_percent,
        event.min_percent,
        math.nan if event.eta_s is None else event.eta_s,
        event.reason,
    )
