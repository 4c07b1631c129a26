"""Plans: what the desk wants of a position, from the decision to enter until the position is closed.

A plan begins with the intent to enter and is journaled with it, so that the position it becomes is protected where the
decision said, also after a crash in between. A position nobody planned is adopted with an emergency stop.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.execution.intents import PositionKey


class Owner(StrEnum):
    """Who a position belongs to."""

    DESK = "desk"
    ADOPTED = "adopted"
    """Opened by hand, by another program, or by a desk whose journal is lost."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One live trade as it was decided. Prices are Decimal in quote units, times UTC milliseconds."""

    trade_id: str
    symbol: str
    side: str
    """Position side: BOTH in one-way mode, else LONG or SHORT."""
    sign: int
    """+1 for a long, -1 for a short."""
    owner: Owner
    stop: Decimal | None
    """None lets the emergency stop stand in."""
    target: Decimal | None
    opened_ms: int
    entry: Decimal = Decimal(0)
    """As decided."""
    quantity: Decimal = Decimal(0)
    """As decided, before any fill."""
    strategy: str = ""
    signal_id: str = ""
    confidence: float = 0.0
    leverage: int = 1
    expires_ms: int = 0
    """When the position is closed whatever it is worth; 0 for never."""
    features: tuple[float, ...] | None = None
    is_moved: bool = False
    """Whether the operator moved the stop."""

    @property
    def key(self) -> PositionKey:
        """Return the position it is for."""
        return PositionKey(self.symbol, self.side)
