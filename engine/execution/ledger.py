"""The account's books: wallet now = wallet then + everything the exchange booked since, exactly, in Decimal. Pure.

The exchange's own list of bookings is the source: realised results, fees, funding, transfers and whatever it names
besides. Each booking counts once, however often it is read. An unknown kind is booked under its own name and told. A
difference stands as it is found, to the last digit; it is never explained away.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from engine.snapshot import LedgerView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.account import IncomeRow

ZERO = Decimal(0)
REALISED, FEES, FUNDING, TRANSFERS, OTHER = "realised", "fees", "funding", "transfers", "other"
KINDS = {
    "REALIZED_PNL": REALISED,
    "COMMISSION": FEES,
    "FUNDING_FEE": FUNDING,
    "SPECIAL_FUNDING_FEE": FUNDING,
    "TRANSFER": TRANSFERS,
    "INTERNAL_TRANSFER": TRANSFERS,
    "CROSS_COLLATERAL_TRANSFER": TRANSFERS,
    "COIN_SWAP_DEPOSIT": TRANSFERS,
    "COIN_SWAP_WITHDRAW": TRANSFERS,
    "STRATEGY_UMFUTURES_TRANSFER": TRANSFERS,
}
"""Bookings by their kind; what is not here is OTHER, and unknown unless it is in KNOWN_OTHER."""
KNOWN_OTHER = frozenset({
    "WELCOME_BONUS", "INSURANCE_CLEAR", "REFERRAL_KICKBACK", "COMMISSION_REBATE", "API_REBATE", "CONTEST_REWARD",
    "OPTIONS_PREMIUM_FEE", "OPTIONS_SETTLE_PROFIT", "AUTO_EXCHANGE", "DELIVERED_SETTELMENT",
    "POSITION_LIMIT_INCREASE_FEE", "FEE_RETURN", "BFUSD_REWARD", "LIQUIDATION_FEE", "ADL",
})  # fmt: skip


class Book(msgspec.Struct):
    """The bookings of one asset since its anchor."""

    start: Decimal
    sums: dict[str, Decimal] = msgspec.field(default_factory=dict)

    @property
    def expected(self) -> Decimal:
        """Return what the wallet must be."""
        return self.start + sum(self.sums.values(), ZERO)


class Ledger:
    """The books of one account since an instant at which its wallet was known."""

    def __init__(self) -> None:
        """Start without an anchor: nothing can be checked yet."""
        self.since_ms = 0
        """Instant of the anchor; bookings after it count. 0 before there is one."""
        self.read_ms = 0
        """Time of the newest booking that was taken."""
        self.checked_ms = 0
        self.unknown: dict[str, None] = {}
        """Kinds nobody knows, in order of their first appearance."""
        self.differences: dict[str, Decimal] = {}
        self._books: dict[str, Book] = {}
        self._seen: dict[tuple[str, int, str], None] = {}

    def anchor(self, wallets: dict[str, Decimal], now_ms: int) -> None:
        """Begin with these wallets, by asset, as of an instant of the exchange's clock."""
        self.since_ms = self.read_ms = now_ms
        self._books = {asset: Book(amount) for asset, amount in wallets.items()}

    def take(self, rows: Iterable[IncomeRow]) -> list[str]:
        """Take bookings, in any order and as often as one likes; return kinds met for the first time and not known."""
        strange = []
        for row in rows:
            key = (row.kind, row.transaction_id, row.asset)
            if row.time_ms <= self.since_ms or key in self._seen:
                continue
            self._seen[key] = None
            self.read_ms = max(self.read_ms, row.time_ms)
            name = KINDS.get(row.kind, OTHER)
            if name == OTHER and row.kind not in KNOWN_OTHER and row.kind not in self.unknown:
                self.unknown[row.kind] = None
                strange.append(row.kind)
            book = self._books.setdefault(row.asset, Book(ZERO))
            book.sums[name] = book.sums.get(name, ZERO) + row.income
        return strange

    def check(self, wallets: dict[str, Decimal], now_ms: int) -> dict[str, Decimal]:
        """Compare with the wallets of a moment up to which all bookings were taken; return what differs, by asset."""
        self.checked_ms = now_ms
        assets = wallets.keys() | self._books.keys()
        found = {one: wallets.get(one, ZERO) - self._books.get(one, Book(ZERO)).expected for one in sorted(assets)}
        self.differences = {asset: amount for asset, amount in found.items() if amount}
        return self.differences

    def view(self, asset: str, wallet: Decimal) -> LedgerView | None:
        """Return the picture of one asset, None before there is an anchor."""
        book = self._books.get(asset)
        if book is None:
            return None
        part = {name: float(book.sums.get(name, ZERO)) for name in (REALISED, FEES, FUNDING, TRANSFERS, OTHER)}
        return LedgerView(
            asset=asset,
            start=float(book.start),
            realised=part[REALISED],
            fees=-part[FEES],
            funding=part[FUNDING],
            transfers=part[TRANSFERS],
            other=part[OTHER],
            expected=float(book.expected),
            wallet=float(wallet),
            difference=f"{self.differences.get(asset, ZERO):f}",
            checked_ms=self.checked_ms,
            unknown=tuple(self.unknown),
        )
