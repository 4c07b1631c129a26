"""REST bodies of the account's settings, limits, fees and ledger."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exchange.account import (
    AccountConfig,
    AdlQuantile,
    CommissionRate,
    IncomeRow,
    KeyRights,
    LeverageSet,
    OrderLimit,
    TradingIndicator,
)
from exchange.binance.json_strict import decode, money, symbol_name
from exchange.binance.row_wire import lenient
from exchange.errors import DecodeError

_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}


class _AccountConfig(msgspec.Struct, rename="camel"):
    fee_tier: int
    can_trade: bool
    can_deposit: bool
    can_withdraw: bool
    dual_side_position: bool
    multi_assets_margin: bool


class _KeyRights(msgspec.Struct, rename="camel"):
    ip_restrict: bool
    create_time: int
    enable_reading: bool
    enable_futures: bool
    enable_withdrawals: bool
    enable_internal_transfer: bool
    permits_universal_transfer: bool
    trading_authority_expiration_time: int = 0


class _MultiAssets(msgspec.Struct, rename="camel"):
    multi_assets_margin: bool


class _FeeBurn(msgspec.Struct, rename="camel"):
    fee_burn: bool


class _Commission(msgspec.Struct, rename="camel"):
    symbol: str
    maker_commission_rate: Decimal
    taker_commission_rate: Decimal


class _Leverage(msgspec.Struct, rename="camel"):
    symbol: str
    leverage: int
    max_notional_value: Decimal


class _Income(msgspec.Struct, rename="camel"):
    symbol: str
    income_type: str
    income: Decimal
    asset: str
    info: str
    time: int
    tran_id: int
    trade_id: str | int


class _Limit(msgspec.Struct, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class _Adl(msgspec.Struct, rename="camel"):
    symbol: str
    adl_quantile: dict[str, int]


class _Indicator(msgspec.Struct, rename="camel"):
    indicator: str
    value: Decimal
    trigger_value: Decimal
    is_locked: bool
    planned_recover_time: int


class _TradingStatus(msgspec.Struct):
    indicators: dict[str, list[_Indicator]]


_ACCOUNT_CONFIG = lenient(_AccountConfig)
_KEY_RIGHTS = lenient(_KeyRights)
_MULTI_ASSETS = lenient(_MultiAssets)
_FEE_BURN = lenient(_FeeBurn)
_COMMISSION = lenient(_Commission)
_LEVERAGE = lenient(_Leverage)
_INCOME: msgspec.json.Decoder[list[_Income]] = lenient(list[_Income])
_LIMITS: msgspec.json.Decoder[list[_Limit]] = lenient(list[_Limit])
_ADL: msgspec.json.Decoder[list[_Adl]] = lenient(list[_Adl])
_TRADING_STATUS = lenient(_TradingStatus)


def account_config(body: bytes, where: str) -> AccountConfig:
    """Return what the account is set to and may do."""
    row = decode(_ACCOUNT_CONFIG, body, where)
    return AccountConfig(
        row.fee_tier,
        row.can_trade,
        row.can_deposit,
        row.can_withdraw,
        row.dual_side_position,
        row.multi_assets_margin,
    )


def key_rights(body: bytes, where: str) -> KeyRights:
    """Return what the key may do; a right the answer does not name is no right that may be assumed absent."""
    row = decode(_KEY_RIGHTS, body, where)
    return KeyRights(
        ip_restricted=row.ip_restrict,
        reads=row.enable_reading,
        futures=row.enable_futures,
        withdraws=row.enable_withdrawals,
        transfers=row.enable_internal_transfer or row.permits_universal_transfer,
        created_ms=row.create_time,
        expires_ms=row.trading_authority_expiration_time,
    )


def multi_assets(body: bytes, where: str) -> bool:
    """Return whether several assets back the margin."""
    return decode(_MULTI_ASSETS, body, where).multi_assets_margin


def fee_burn(body: bytes, where: str) -> bool:
    """Return whether fees are paid in BNB where possible."""
    return decode(_FEE_BURN, body, where).fee_burn


def commission_rate(body: bytes, where: str) -> CommissionRate:
    """Return the fees of one symbol. A maker's may be negative: a rebate."""
    row = decode(_COMMISSION, body, where)
    maker = money(row.maker_commission_rate, where, "makerCommissionRate")
    return CommissionRate(row.symbol, maker, money(row.taker_commission_rate, where, "takerCommissionRate"))


def leverage_set(body: bytes, where: str) -> LeverageSet:
    """Return the leverage the venue confirmed."""
    row = decode(_LEVERAGE, body, where)
    symbol_name(row.symbol, where, "symbol")
    if row.leverage < 1:
        raise DecodeError(where, "leverage", f"{row.leverage} is below 1")
    return LeverageSet(row.symbol, row.leverage, money(row.max_notional_value, where, "maxNotionalValue", minimum=0))


def income(body: bytes, where: str) -> tuple[IncomeRow, ...]:
    """Return bookings of the wallet, as the venue orders them."""
    return tuple(
        IncomeRow(
            kind=row.income_type,
            income=money(row.income, where, "income"),
            asset=symbol_name(row.asset, where, "asset"),
            symbol=row.symbol and symbol_name(row.symbol, where, "symbol"),
            transaction_id=row.tran_id,
            trade_id=_trade_id(row.trade_id, where),
            info=row.info,
            time_ms=row.time,
        )
        for row in decode(_INCOME, body, where)
    )


def _trade_id(given: str | int, where: str) -> int | None:
    text = str(given)
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise DecodeError(where, "tradeId", f"{text[:32]!r} is no trade id")
    return int(text)


def order_limits(body: bytes, where: str) -> tuple[OrderLimit, ...]:
    """Return the account's order limits; rows of other kinds are left out."""
    limits = []
    for row in decode(_LIMITS, body, where):
        if row.rate_limit_type != "ORDERS":
            continue
        seconds = _SECONDS.get(row.interval)
        if seconds is None or row.interval_num < 1 or row.limit < 1:
            raise DecodeError(where, "interval", f"{row.limit} in {row.interval_num} {row.interval[:16]} is no limit")
        limits.append(OrderLimit(seconds * row.interval_num, row.limit))
    return tuple(limits)


def adl_quantiles(body: bytes, where: str) -> tuple[AdlQuantile, ...]:
    """Return the places in the queue of auto-deleveraging."""
    return tuple(
        AdlQuantile(symbol_name(row.symbol, where, "symbol"), row.adl_quantile) for row in decode(_ADL, body, where)
    )


def trading_status(body: bytes, where: str) -> tuple[TradingIndicator, ...]:
    """Return the indicators of the quantitative rules; the symbol `ACCOUNT` is the account as a whole."""
    return tuple(
        TradingIndicator(
            symbol_name(symbol, where, "indicators"),
            row.indicator,
            money(row.value, where, "value"),
            money(row.trigger_value, where, "triggerValue"),
            row.is_locked,
            row.planned_recover_time,
        )
        for symbol, rows in decode(_TRADING_STATUS, body, where).indicators.items()
        for row in rows
    )
