"""The account as a venue reports it: money and sizes in Decimal, times in UTC milliseconds."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class AssetBalance(msgspec.Struct, frozen=True):
    """One asset of the futures wallet. `available` is what new positions may still use."""

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    cross_unrealized: Decimal
    available: Decimal


class AccountSummary(msgspec.Struct, frozen=True):
    """The totals of the account (USDT in single-asset mode) with its assets."""

    wallet: Decimal
    unrealized: Decimal
    margin_balance: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    available: Decimal
    assets: tuple[AssetBalance, ...]


class PositionRisk(msgspec.Struct, frozen=True):
    """One position. `quantity` is signed, also for the sides LONG and SHORT of hedge mode."""

    symbol: str
    side: str
    """BOTH in one-way mode, else LONG or SHORT."""
    quantity: Decimal
    entry: Decimal
    mark: Decimal
    unrealized: Decimal
    liquidation: Decimal
    """0 when there is no price at which the position would be liquidated."""
    notional: Decimal
    isolated_margin: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    update_time: int


class SymbolConfig(msgspec.Struct, frozen=True):
    """What the account has set for one symbol."""

    symbol: str
    isolated: bool
    auto_add_margin: bool
    leverage: int
    max_notional: Decimal
