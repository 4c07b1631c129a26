"""REST bodies of plain orders and executions.

Sides are refused when unknown, for nothing may guess which way an order trades; statuses, types and the like are kept
as text. One row that cannot be believed refuses the whole list: a list of orders with a hole is no list of orders.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exchange.account import MarginChange
from exchange.binance.json_strict import decode, money, symbol_name
from exchange.binance.row_wire import lenient
from exchange.errors import DecodeError
from exchange.order_reports import Amendment, Countdown, OrderAck, OrderReport, UserTrade

_SIDES = frozenset({"BUY", "SELL"})
_POSITION_SIDES = frozenset({"BOTH", "LONG", "SHORT"})


class _Ack(msgspec.Struct, rename="camel"):
    symbol: str
    order_id: int
    client_order_id: str
    side: str
    position_side: str
    type: str
    status: str
    time_in_force: str
    price: Decimal
    orig_qty: Decimal
    executed_qty: Decimal
    reduce_only: bool
    update_time: int


class _Order(msgspec.Struct, rename="camel"):
    symbol: str
    order_id: int
    client_order_id: str
    side: str
    position_side: str
    type: str
    orig_type: str
    status: str
    time_in_force: str
    price: Decimal
    avg_price: Decimal
    orig_qty: Decimal
    executed_qty: Decimal
    cum_quote: Decimal
    stop_price: Decimal
    reduce_only: bool
    close_position: bool
    time: int
    update_time: int
    good_till_date: int = 0


class _Change(msgspec.Struct):
    before: Decimal
    after: Decimal


class _Changes(msgspec.Struct, rename="camel"):
    price: _Change
    orig_qty: _Change
    count: int
    modify_id: int | None = None


class _Amendment(msgspec.Struct, rename="camel"):
    amendment_id: int
    symbol: str
    order_id: int
    client_order_id: str
    time: int
    amendment: _Changes


class _Countdown(msgspec.Struct, rename="camel"):
    symbol: str
    countdown_time: int


class _Trade(msgspec.Struct, rename="camel"):
    symbol: str
    id: int
    order_id: int
    side: str
    position_side: str
    price: Decimal
    qty: Decimal
    quote_qty: Decimal
    realized_pnl: Decimal
    commission: Decimal
    commission_asset: str
    time: int
    maker: bool


class _MarginChange(msgspec.Struct, rename="camel"):
    symbol: str
    type: int
    amount: Decimal
    asset: str
    time: int
    position_side: str


class _Code(msgspec.Struct):
    code: int


_ACK = lenient(_Ack)
_ORDER = lenient(_Order)
_ORDERS: msgspec.json.Decoder[list[_Order]] = lenient(list[_Order])
_AMENDMENTS: msgspec.json.Decoder[list[_Amendment]] = lenient(list[_Amendment])
_TRADES: msgspec.json.Decoder[list[_Trade]] = lenient(list[_Trade])
_MARGIN_CHANGES: msgspec.json.Decoder[list[_MarginChange]] = lenient(list[_MarginChange])
_COUNTDOWN = lenient(_Countdown)
_CODE = lenient(_Code)
_SUCCESS = 200


def check_sides(side: str, position_side: str, place: str) -> None:
    """Raise DecodeError unless both say which way they trade in words the desk knows."""
    if side not in _SIDES:
        raise DecodeError(place, "side", f"{side[:16]!r} is neither BUY nor SELL")
    if position_side not in _POSITION_SIDES:
        raise DecodeError(place, "positionSide", f"{position_side[:16]!r} is none of BOTH, LONG, SHORT")


def _check_sizes(quantity: Decimal, executed: Decimal, place: str) -> None:
    money(quantity, place, "origQty", minimum=0)
    money(executed, place, "executedQty", minimum=0)
    if executed > quantity > 0:
        raise DecodeError(place, "executedQty", f"{executed} exceeds the order's {quantity}")


def acknowledged(body: bytes, where: str) -> OrderAck:
    """Return what placing, amending or cancelling one order answers."""
    row = decode(_ACK, body, where)
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    check_sides(row.side, row.position_side, place)
    _check_sizes(row.orig_qty, row.executed_qty, place)
    return OrderAck(
        symbol=row.symbol,
        order_id=row.order_id,
        client_id=row.client_order_id,
        side=row.side,
        position_side=row.position_side,
        kind=row.type,
        status=row.status,
        time_in_force=row.time_in_force,
        price=money(row.price, place, "price", minimum=0),
        quantity=row.orig_qty,
        executed=row.executed_qty,
        reduce_only=row.reduce_only,
        update_ms=row.update_time,
    )


def order(body: bytes, where: str) -> OrderReport:
    """Return one queried order."""
    return _report(decode(_ORDER, body, where), where)


def orders(body: bytes, where: str) -> tuple[OrderReport, ...]:
    """Return a list of queried orders, possibly empty."""
    return tuple(_report(row, where) for row in decode(_ORDERS, body, where))


def _report(row: _Order, where: str) -> OrderReport:
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    check_sides(row.side, row.position_side, place)
    _check_sizes(row.orig_qty, row.executed_qty, place)
    return OrderReport(
        symbol=row.symbol,
        order_id=row.order_id,
        client_id=row.client_order_id,
        side=row.side,
        position_side=row.position_side,
        kind=row.type,
        original_kind=row.orig_type,
        status=row.status,
        time_in_force=row.time_in_force,
        price=money(row.price, place, "price", minimum=0),
        average_price=money(row.avg_price, place, "avgPrice", minimum=0),
        quantity=row.orig_qty,
        executed=row.executed_qty,
        executed_quote=money(row.cum_quote, place, "cumQuote", minimum=0),
        stop_price=money(row.stop_price, place, "stopPrice", minimum=0),
        reduce_only=row.reduce_only,
        close_position=row.close_position,
        good_till_ms=row.good_till_date,
        created_ms=row.time,
        update_ms=row.update_time,
    )


def amendments(body: bytes, where: str) -> tuple[Amendment, ...]:
    """Return the changes of an order."""
    return tuple(
        Amendment(
            amendment_id=row.amendment_id,
            symbol=row.symbol,
            order_id=row.order_id,
            client_id=row.client_order_id,
            time_ms=row.time,
            price_before=money(row.amendment.price.before, where, "price.before", minimum=0),
            price_after=money(row.amendment.price.after, where, "price.after", minimum=0),
            quantity_before=money(row.amendment.orig_qty.before, where, "origQty.before", above=0),
            quantity_after=money(row.amendment.orig_qty.after, where, "origQty.after", above=0),
            count=row.amendment.count,
            modify_id=row.amendment.modify_id,
        )
        for row in decode(_AMENDMENTS, body, where)
    )


def countdown(body: bytes, where: str) -> Countdown:
    """Return the dead-man switch as confirmed; the venue spells its time as text."""
    row = decode(_COUNTDOWN, body, where)
    if row.countdown_time < 0:
        raise DecodeError(where, "countdownTime", f"{row.countdown_time} is below 0")
    return Countdown(row.symbol, row.countdown_time)


def user_trades(body: bytes, where: str) -> tuple[UserTrade, ...]:
    """Return executions of ours."""
    return tuple(_trade(row, where) for row in decode(_TRADES, body, where))


def _trade(row: _Trade, where: str) -> UserTrade:
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    check_sides(row.side, row.position_side, place)
    return UserTrade(
        symbol=row.symbol,
        trade_id=row.id,
        order_id=row.order_id,
        side=row.side,
        position_side=row.position_side,
        price=money(row.price, place, "price", above=0),
        quantity=money(row.qty, place, "qty", above=0),
        quote=money(row.quote_qty, place, "quoteQty", minimum=0),
        realized=money(row.realized_pnl, place, "realizedPnl"),
        commission=money(row.commission, place, "commission"),
        commission_asset=row.commission_asset,
        time_ms=row.time,
        maker=row.maker,
    )


def margin_changes(body: bytes, where: str) -> tuple[MarginChange, ...]:
    """Return the changes of isolated margin; type 1 added, 2 took away."""
    changes = []
    for row in decode(_MARGIN_CHANGES, body, where):
        if row.type not in (1, 2):
            raise DecodeError(where, "type", f"{row.type} is neither 1 nor 2")
        amount = money(row.amount, where, "amount")
        changes.append(MarginChange(row.symbol, row.position_side, abs(amount), row.type == 1, row.asset, row.time))
    return tuple(changes)


def success(body: bytes, where: str) -> None:
    """Accept `{"code":200,…}`; anything else leaves what happened unknown."""
    code = decode(_CODE, body, where).code
    if code != _SUCCESS:
        raise DecodeError(where, "code", f"{code} is not {_SUCCESS}")
