"""The paper account: what the account would hold and have made, had it traded the decisions it was sized for.

On paper no order leaves, but margin, risk and losses of what would have been traded must bind the next decision all the
same. An intent is a sized decision; it becomes a trade when the virtual position of its signal opens and follows that
position to its end, at the account's own quantity. Everything comes from journaled decisions and position events, so
replaying both rebuilds the account. Only closed trades move its equity: a running result depends on when one looks, and
a decision must come out the same live, in a replay and after a restart. Live trades will take the place of these when
orders leave.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from engine.positions.costs import cut, exact
from engine.positions.lifecycle import EventName
from engine.risk.row import ACCOUNT
from engine.strategy.candidate import Direction

if TYPE_CHECKING:
    from collections.abc import Collection

    from engine.positions.lifecycle import PositionEvent
    from engine.snapshot import LeverageRow

ZERO = Decimal(0)
KEPT_MS = 345_600_000
"""Intents older than the longest life of a position are forgotten."""


class Exposure(msgspec.Struct, frozen=True):
    """Risk and margin the account carries in one place, in USDT."""

    symbol: str
    sign: int
    risk: Decimal
    margin: Decimal


class Intent(msgspec.Struct, frozen=True):
    """A sized decision of the account."""

    signal_id: str
    time: int
    exposure: Exposure
    quantity: Decimal


def intent_of(row: LeverageRow) -> Intent | None:
    """Return the intent of a decision, None where nothing would be traded for the account.

    The row keeps floats; their shortest text is the Decimal they came from to 15 places, more than results need.
    """
    if row.purpose != ACCOUNT or row.quantity == 0.0:
        return None
    sign = Direction(row.direction).sign
    exposure = Exposure(row.symbol, sign, exact(row.risk), exact(row.margin))
    return Intent(row.signal_id, row.time, exposure, exact(row.quantity))


class _Trade(msgspec.Struct, frozen=True):
    intent: Intent
    per_r: Decimal
    """USDT one R is worth at the account's quantity."""


class PaperAccount:
    """Intents, open trades and the result of the closed ones."""

    def __init__(self) -> None:
        self.realised = ZERO
        """Results of closed trades after costs in USDT."""
        self._intents: dict[str, Intent] = {}
        self._trades: dict[str, _Trade] = {}
        self._standing: frozenset[str] = frozenset()

    def intend(self, intent: Intent) -> None:
        """Take a sized decision; a newer one about the same signal takes the place of the older."""
        self._intents[intent.signal_id] = intent
        self._standing |= {intent.signal_id}
        for old in [name for name, one in self._intents.items() if one.time < intent.time - KEPT_MS]:
            del self._intents[old]

    def stand(self, signal_ids: Collection[str]) -> None:
        """Say which signals stand: intents of the others carry no risk, though their signal may come back."""
        self._standing = frozenset(signal_ids)

    def trades(self, signal_id: str) -> bool:
        """Return whether a trade of this signal is open."""
        return any(trade.intent.signal_id == signal_id for trade in self._trades.values())

    def take(self, event: PositionEvent) -> Decimal | None:
        """Follow a life-cycle event of the virtual book; return the result in USDT where it closes a trade."""
        if event.terms is not None:
            intent = self._intents.pop(event.terms.signal_id, None)
            if intent is not None:
                distance = abs(exact(event.terms.entry) - exact(event.terms.stop))
                self._trades[event.position_id] = _Trade(intent, intent.quantity * distance)
            return None
        if event.event is not EventName.CLOSED:
            return None
        trade = self._trades.pop(event.position_id, None)
        if trade is None:
            return None
        result = cut(exact(event.pnl_r) * trade.per_r)
        self.realised += result
        return result

    def exposures(self, besides: str = "") -> list[Exposure]:
        """Return what is open or intended by a signal that stands, except for signal `besides`."""
        waiting = [one.exposure for name, one in self._intents.items() if name in self._standing and name != besides]
        return [trade.intent.exposure for trade in self._trades.values()] + waiting
