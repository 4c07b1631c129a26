"""The income ledger: every booking that changed the wallet. Opening balance plus all rows is the wallet, exactly."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from decimal import Decimal
from typing import NamedTuple

from exchange.simulator.trading.model import ZERO

TRANSFER = "TRANSFER"
REALIZED_PNL = "REALIZED_PNL"
COMMISSION = "COMMISSION"
FUNDING_FEE = "FUNDING_FEE"
SPECIAL_FUNDING_FEE = "SPECIAL_FUNDING_FEE"
INSURANCE_CLEAR = "INSURANCE_CLEAR"
"""The fee of a liquidation (negative), and the insurance fund's gift of a deficit (positive)."""

DAY_MS = 86_400_000
KEPT_MS = 92 * DAY_MS
"""Three months can be asked for."""
DEFAULT_MS = 7 * DAY_MS
FIRST_TRANSACTION = 4_600_000_000


class IncomeRow(NamedTuple):
    """One booking; `listing` and `trade_id` are None where it belongs to no symbol or trade."""

    kind: str
    amount: Decimal
    time_ms: int
    transaction: int
    listing: int | None = None
    trade_id: int | None = None


class IncomeLedger:
    """Bookings in time order. `total` counts every booking ever made, also those too old to be shown."""

    def __init__(self) -> None:
        """Start empty."""
        self.total = ZERO
        self._rows: list[IncomeRow] = []
        self._transaction = FIRST_TRANSACTION

    def next_transaction(self) -> int:
        """Return a fresh transaction id; bookings of one fill share it, their types tell them apart."""
        self._transaction += 1
        return self._transaction

    def book(
        self,
        kind: str,
        amount: Decimal,
        now_ms: int,
        transaction: int,
        *,
        listing: int | None = None,
        trade_id: int | None = None,
    ) -> None:
        """Add a booking; an amount of nothing leaves no row."""
        if not amount:
            return
        self.total += amount
        self._rows.append(IncomeRow(kind, amount, now_ms, transaction, listing, trade_id))
        if self._rows[0].time_ms < now_ms - KEPT_MS - DAY_MS:  # once a day, so that a cut costs little per row
            del self._rows[: bisect_left(self._rows, now_ms - KEPT_MS, key=_time)]

    def rows(
        self,
        now_ms: int,
        *,
        listing: int | None = None,
        kind: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 100,
    ) -> list[IncomeRow]:
        """Return bookings, ascending: from `start_ms` the first `limit`, else the newest of the last seven days."""
        end = now_ms if end_ms is None else end_ms
        first = start_ms if start_ms is not None else end - DEFAULT_MS
        first = max(first, now_ms - KEPT_MS)
        chosen = [
            row
            for row in self._rows[bisect_left(self._rows, first, key=_time) : bisect_right(self._rows, end, key=_time)]
            if (kind is None or row.kind == kind) and (listing is None or row.listing == listing)
        ]
        return chosen[:limit] if start_ms is not None else chosen[-limit:]


def _time(row: IncomeRow) -> int:
    return row.time_ms
