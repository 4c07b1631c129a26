"""exchangeInfo and leverageBracket as the trading rules of `exchange.instrument`."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exchange.binance.json_strict import decode, money, symbol_name
from exchange.binance.row_wire import Refused, each_row, lenient, rows
from exchange.errors import DecodeError
from exchange.instrument import Bracket, Instrument, LotRule


class _Filter(msgspec.Struct, rename="camel"):
    filter_type: str
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    tick_size: Decimal | None = None
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    step_size: Decimal | None = None
    limit: int | None = None
    notional: Decimal | None = None
    multiplier_up: Decimal | None = None
    multiplier_down: Decimal | None = None
    position_control_side: str | None = None


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    base_asset: str
    quote_asset: str
    contract_type: str
    status: str
    price_precision: int
    quantity_precision: int
    liquidation_fee: Decimal
    market_take_bound: Decimal
    onboard_date: int
    filters: list[_Filter]
    trigger_protect: Decimal = Decimal(0)


class _ExchangeInfo(msgspec.Struct):
    symbols: list[msgspec.Raw]


class _Bracket(msgspec.Struct, rename="camel"):
    bracket: int
    initial_leverage: int
    notional_cap: Decimal
    notional_floor: Decimal
    maint_margin_ratio: Decimal
    cum: Decimal


class _SymbolBrackets(msgspec.Struct):
    symbol: str
    brackets: list[_Bracket]


_INFO = lenient(_ExchangeInfo)
_SYMBOL = lenient(_Symbol)
_BRACKETS = lenient(_SymbolBrackets)


def instruments(body: bytes, where: str, refused: Refused) -> tuple[Instrument, ...]:
    """Return the contracts of exchangeInfo; a symbol that lacks a filter or holds a senseless rule is refused."""
    info = decode(_INFO, body, where)
    return each_row(info.symbols, _SYMBOL, _instrument, where, refused)


def _instrument(row: _Symbol, where: str) -> Instrument:
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    by_type = {rule.filter_type: rule for rule in row.filters}

    def rule(kind: str) -> _Filter:
        found = by_type.get(kind)
        if found is None:
            raise DecodeError(place, f"filters.{kind}", "the filter is missing")
        return found

    def number(kind: str, field: str, *, above: int = 0) -> Decimal:
        value = getattr(rule(kind), field)
        if value is None:
            raise DecodeError(place, f"filters.{kind}.{field}", "missing")
        return money(value, place, f"filters.{kind}.{field}", above=above)

    def lots(kind: str) -> LotRule:
        return LotRule(number(kind, "min_qty"), number(kind, "max_qty"), number(kind, "step_size"))

    orders = rule("MAX_NUM_ORDERS").limit
    if orders is None:
        raise DecodeError(place, "filters.MAX_NUM_ORDERS.limit", "missing")
    return Instrument(
        symbol=row.symbol,
        base=row.base_asset,
        quote=row.quote_asset,
        contract_type=row.contract_type,
        status=row.status,
        price_precision=row.price_precision,
        quantity_precision=row.quantity_precision,
        tick=number("PRICE_FILTER", "tick_size"),
        min_price=number("PRICE_FILTER", "min_price"),
        max_price=number("PRICE_FILTER", "max_price"),
        lot=lots("LOT_SIZE"),
        market_lot=lots("MARKET_LOT_SIZE"),
        min_notional=number("MIN_NOTIONAL", "notional"),
        multiplier_up=number("PERCENT_PRICE", "multiplier_up"),
        multiplier_down=number("PERCENT_PRICE", "multiplier_down"),
        max_orders=orders,
        liquidation_fee=money(row.liquidation_fee, place, "liquidationFee", minimum=0),
        market_take_bound=money(row.market_take_bound, place, "marketTakeBound", minimum=0),
        onboard_ms=row.onboard_date,
        trigger_protect=money(row.trigger_protect, place, "triggerProtect", minimum=0),
        position_control=_position_control(by_type.get("POSITION_RISK_CONTROL"), place),
    )


def _position_control(rule: _Filter | None, place: str) -> str:
    """Return the restricted side. The filter may be absent; present without its field it is no rule one could keep."""
    if rule is None:
        return "NONE"
    if rule.position_control_side is None:
        raise DecodeError(place, "filters.POSITION_RISK_CONTROL.position_control_side", "missing")
    return rule.position_control_side


def leverage_brackets(body: bytes, where: str, refused: Refused) -> dict[str, tuple[Bracket, ...]]:
    """Return the brackets by symbol, ascending by notional. The venue sends a bare object or an array."""
    return dict(each_row(rows(body, where), _BRACKETS, _symbol_brackets, where, refused))


def _symbol_brackets(row: _SymbolBrackets, where: str) -> tuple[str, tuple[Bracket, ...]]:
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    brackets: list[Bracket] = []
    for item in sorted(row.brackets, key=lambda entry: entry.bracket):
        floor = money(item.notional_floor, place, "notionalFloor", minimum=0)
        cap = money(item.notional_cap, place, "notionalCap")
        ratio = money(item.maint_margin_ratio, place, "maintMarginRatio", above=0)
        if cap <= floor or item.initial_leverage < 1 or (brackets and floor != brackets[-1].cap):
            raise DecodeError(place, f"brackets[{item.bracket}]", "brackets must adjoin, ascend and allow leverage 1")
        cum = money(item.cum, place, "cum", minimum=0)
        brackets.append(Bracket(floor, cap, item.initial_leverage, ratio, cum))
    if not brackets:
        raise DecodeError(place, "brackets", "empty")
    return row.symbol, tuple(brackets)
