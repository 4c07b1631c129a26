"""REST bodies of the algo service.

Its objects grow fields from month to month and leave out what does not apply, so only what identifies an order and
says whether it protects is demanded.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exchange.binance.json_strict import decode, money, symbol_name
from exchange.binance.order_wire import check_sides
from exchange.binance.row_wire import lenient
from exchange.conditional_orders import AlgoReport
from exchange.errors import DecodeError

_ZERO = Decimal(0)


class _Algo(msgspec.Struct, rename="camel"):
    algo_id: int
    client_algo_id: str
    symbol: str
    side: str
    position_side: str
    order_type: str
    algo_status: str
    trigger_price: str | None
    close_position: bool
    reduce_only: bool
    create_time: int
    update_time: int
    quantity: str | None = None
    price: str | None = None
    working_type: str = "CONTRACT_PRICE"
    trigger_time: int = 0
    actual_order_id: str | int | None = None
    actual_price: str | None = None
    actual_qty: str | None = None


class _Cancelled(msgspec.Struct, rename="camel"):
    algo_id: int
    client_algo_id: str
    code: int


_ALGO = lenient(_Algo)
_ALGOS: msgspec.json.Decoder[list[_Algo]] = lenient(list[_Algo])
_CANCELLED = lenient(_Cancelled)
_SUCCESS = 200


def algo_order(body: bytes, where: str) -> AlgoReport:
    """Return one conditional order, as placed or as queried."""
    return _report(decode(_ALGO, body, where), where)


def algo_orders(body: bytes, where: str) -> tuple[AlgoReport, ...]:
    """Return a list of conditional orders, possibly empty. One bad row refuses the list."""
    return tuple(_report(row, where) for row in decode(_ALGOS, body, where))


def _report(row: _Algo, where: str) -> AlgoReport:
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    check_sides(row.side, row.position_side, place)
    child = _child(row.actual_order_id, place)
    return AlgoReport(
        algo_id=row.algo_id,
        client_id=row.client_algo_id,
        symbol=row.symbol,
        side=row.side,
        position_side=row.position_side,
        kind=row.order_type,
        status=row.algo_status,
        quantity=_amount(row.quantity, place, "quantity") or _ZERO,
        trigger_price=_amount(row.trigger_price, place, "triggerPrice") or _ZERO,
        price=_amount(row.price, place, "price") or _ZERO,
        working=row.working_type,
        close_position=row.close_position,
        reduce_only=row.reduce_only,
        created_ms=row.create_time,
        update_ms=row.update_time,
        trigger_ms=row.trigger_time,
        child_order_id=child,
        child_price=None if child is None else _amount(row.actual_price, place, "actualPrice"),
        child_quantity=None if child is None else _amount(row.actual_qty, place, "actualQty"),
    )


def _amount(text: str | None, place: str, field: str) -> Decimal | None:
    """Return an amount, None where the service leaves it out or empty."""
    if not text:
        return None
    try:
        value = Decimal(text)
    except ArithmeticError as error:
        raise DecodeError(place, field, f"{text[:32]!r} is no number") from error
    return money(value, place, field, minimum=0)


def _child(given: str | int | None, place: str) -> int | None:
    if given is None or given in ("", "0", 0):
        return None
    text = str(given)
    if not (text.isascii() and text.isdigit()):
        raise DecodeError(place, "actualOrderId", f"{text[:32]!r} is no order id")
    return int(text)


def algo_cancelled(body: bytes, where: str) -> tuple[int, str]:
    """Return algo id and client id of a cancelled conditional order; the venue spells the code as text here."""
    row = decode(_CANCELLED, body, where)
    if row.code != _SUCCESS:
        raise DecodeError(where, "code", f"{row.code} is not {_SUCCESS}")
    return row.algo_id, row.client_algo_id
