"""REST bodies of the account as Decimal-based types. An empty or torn body is an error, never a flat account."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exchange.account import AccountSummary, AssetBalance, PositionRisk, SymbolConfig
from exchange.binance.json_strict import decode, money, symbol_name
from exchange.errors import DecodeError


class _Dual(msgspec.Struct):
    dual: bool = msgspec.field(name="dualSidePosition")


class _Asset(msgspec.Struct):
    asset: str
    wallet: Decimal = msgspec.field(name="walletBalance")
    cross_wallet: Decimal = msgspec.field(name="crossWalletBalance")
    cross_unrealized: Decimal = msgspec.field(name="crossUnPnl")
    available: Decimal = msgspec.field(name="availableBalance")


class _Account(msgspec.Struct):
    wallet: Decimal = msgspec.field(name="totalWalletBalance")
    unrealized: Decimal = msgspec.field(name="totalUnrealizedProfit")
    margin_balance: Decimal = msgspec.field(name="totalMarginBalance")
    initial_margin: Decimal = msgspec.field(name="totalInitialMargin")
    maintenance_margin: Decimal = msgspec.field(name="totalMaintMargin")
    available: Decimal = msgspec.field(name="availableBalance")
    assets: list[_Asset]


class _Balance(msgspec.Struct):
    asset: str
    wallet: Decimal = msgspec.field(name="balance")
    cross_wallet: Decimal = msgspec.field(name="crossWalletBalance")
    cross_unrealized: Decimal = msgspec.field(name="crossUnPnl")
    available: Decimal = msgspec.field(name="availableBalance")


class _Position(msgspec.Struct, rename="camel"):
    symbol: str
    position_side: str
    position_amt: Decimal
    entry_price: Decimal
    mark_price: Decimal
    un_realized_profit: Decimal
    liquidation_price: Decimal
    notional: Decimal
    isolated_margin: Decimal
    initial_margin: Decimal
    maint_margin: Decimal
    update_time: int


class _SymbolConfig(msgspec.Struct, rename="camel"):
    symbol: str
    margin_type: str
    is_auto_add_margin: bool
    leverage: int
    max_notional_value: Decimal


_DUAL = msgspec.json.Decoder(_Dual)
_ACCOUNT = msgspec.json.Decoder(_Account, strict=False)
_BALANCES = msgspec.json.Decoder(list[_Balance], strict=False)
_POSITIONS = msgspec.json.Decoder(list[_Position], strict=False)
_SYMBOL_CONFIGS = msgspec.json.Decoder(list[_SymbolConfig], strict=False)
_SIDES = frozenset({"BOTH", "LONG", "SHORT"})
_MARGIN_TYPES = {"CROSSED": False, "ISOLATED": True}


def hedge_mode(body: bytes, where: str) -> bool:
    """Return True for hedge mode, False for one-way mode."""
    return decode(_DUAL, body, where).dual


def account(body: bytes, where: str) -> AccountSummary:
    """Return the totals and assets of GET account, version 2 or 3."""
    row = decode(_ACCOUNT, body, where)
    return AccountSummary(
        wallet=money(row.wallet, where, "totalWalletBalance"),
        unrealized=money(row.unrealized, where, "totalUnrealizedProfit"),
        margin_balance=money(row.margin_balance, where, "totalMarginBalance"),
        initial_margin=money(row.initial_margin, where, "totalInitialMargin", minimum=0),
        maintenance_margin=money(row.maintenance_margin, where, "totalMaintMargin", minimum=0),
        available=money(row.available, where, "availableBalance"),
        assets=tuple(_asset(asset, where) for asset in row.assets),
    )


def _asset(row: _Asset | _Balance, where: str) -> AssetBalance:
    place = f"{where} {symbol_name(row.asset, where, 'asset')}"
    return AssetBalance(
        row.asset,
        money(row.wallet, place, "wallet balance"),
        money(row.cross_wallet, place, "crossWalletBalance"),
        money(row.cross_unrealized, place, "crossUnPnl"),
        money(row.available, place, "availableBalance"),
    )


def balances(body: bytes, where: str) -> tuple[AssetBalance, ...]:
    """Return the wallet of GET balance. The venue lists every asset, so an empty list is an error."""
    rows = decode(_BALANCES, body, where)
    if not rows:
        raise DecodeError(where, "", "no assets at all: the account is unavailable, not empty")
    return tuple(_asset(row, where) for row in rows)


def positions(body: bytes, where: str) -> tuple[PositionRisk, ...]:
    """Return the rows of GET positionRisk version 3: symbols with a position or an open order."""
    return tuple(_position(row, where) for row in decode(_POSITIONS, body, where))


def _position(row: _Position, where: str) -> PositionRisk:
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    if row.position_side not in _SIDES:
        raise DecodeError(place, "positionSide", f"{row.position_side[:16]!r} is none of BOTH, LONG, SHORT")
    quantity = money(row.position_amt, place, "positionAmt")
    if quantity:
        money(row.entry_price, place, "entryPrice", above=0)
        money(row.mark_price, place, "markPrice", above=0)
    return PositionRisk(
        symbol=row.symbol,
        side=row.position_side,
        quantity=quantity,
        entry=money(row.entry_price, place, "entryPrice", minimum=0),
        mark=money(row.mark_price, place, "markPrice", minimum=0),
        unrealized=money(row.un_realized_profit, place, "unRealizedProfit"),
        liquidation=money(row.liquidation_price, place, "liquidationPrice", minimum=0),
        notional=money(row.notional, place, "notional"),
        isolated_margin=money(row.isolated_margin, place, "isolatedMargin"),
        initial_margin=money(row.initial_margin, place, "initialMargin", minimum=0),
        maintenance_margin=money(row.maint_margin, place, "maintMargin", minimum=0),
        update_time=row.update_time,
    )


def symbol_configs(body: bytes, where: str) -> tuple[SymbolConfig, ...]:
    """Return leverage and margin type per symbol."""
    return tuple(_symbol_config(row, where) for row in decode(_SYMBOL_CONFIGS, body, where))


def _symbol_config(row: _SymbolConfig, where: str) -> SymbolConfig:
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    isolated = _MARGIN_TYPES.get(row.margin_type)
    if isolated is None:
        raise DecodeError(place, "marginType", f"{row.margin_type[:16]!r} is neither CROSSED nor ISOLATED")
    if row.leverage < 1:
        raise DecodeError(place, "leverage", f"{row.leverage} is below 1")
    notional = money(row.max_notional_value, place, "maxNotionalValue", minimum=0)
    return SymbolConfig(row.symbol, isolated, row.is_auto_add_margin, row.leverage, notional)
