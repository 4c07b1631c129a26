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


class AccountConfig(msgspec.Struct, frozen=True):
    """What the account is set to and may do."""

    fee_tier: int
    can_trade: bool
    can_deposit: bool
    can_withdraw: bool
    hedge: bool
    """True in hedge mode, False in one-way mode."""
    multi_assets: bool


class KeyRights(msgspec.Struct, frozen=True):
    """What the API key itself may do, whatever the account may."""

    ip_restricted: bool
    """Whether only listed addresses may use it."""
    reads: bool
    futures: bool
    withdraws: bool
    transfers: bool
    """Whether it moves money to other accounts or wallets."""
    created_ms: int
    expires_ms: int
    """When its trading right ends, UTC milliseconds; 0 where the venue names no end."""


class CommissionRate(msgspec.Struct, frozen=True):
    """Fees of one symbol as shares of the notional."""

    symbol: str
    maker: Decimal
    taker: Decimal


class LeverageSet(msgspec.Struct, frozen=True):
    """The leverage the venue confirmed, with the largest notional it allows."""

    symbol: str
    leverage: int
    max_notional: Decimal


class MarginChange(msgspec.Struct, frozen=True):
    """One change of an isolated position's margin."""

    symbol: str
    side: str
    amount: Decimal
    added: bool
    asset: str
    time_ms: int


class IncomeRow(msgspec.Struct, frozen=True):
    """One booking of the wallet. Dedupe by (kind, transaction_id, asset); unknown kinds are kept under their name."""

    kind: str
    income: Decimal
    """Signed: positive came in."""
    asset: str
    symbol: str
    """Empty where the booking belongs to no symbol."""
    transaction_id: int
    trade_id: int | None
    info: str
    time_ms: int


class OrderLimit(msgspec.Struct, frozen=True):
    """At most `limit` orders in `interval_s` seconds."""

    interval_s: int
    limit: int


class AdlQuantile(msgspec.Struct, frozen=True):
    """Place in the queue of auto-deleveraging by position side, 0 (last) to 4 (first)."""

    symbol: str
    quantiles: dict[str, int]


class TradingIndicator(msgspec.Struct, frozen=True):
    """One indicator of the quantitative trading rules; `locked` while orders of its symbol are refused for it."""

    symbol: str
    indicator: str
    value: Decimal
    trigger: Decimal
    locked: bool
    recover_ms: int
