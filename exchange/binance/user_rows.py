"""The payloads of the private stream as they stand on the wire, and how each becomes an event.

Field names on the wire are single letters; the structs keep them. Unknown enumeration values are kept as text, except
where the direction of a position or trade hangs on them: an unknown side is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import msgspec

from exchange.account_events import (
    AccountEvent,
    AccountUpdate,
    AlgoUpdate,
    BalanceChange,
    CalledPosition,
    KeyExpired,
    LeverageChange,
    MarginCall,
    MultiAssetsChange,
    OrderUpdate,
    PositionChange,
    TradeHint,
    TriggerReject,
)
from exchange.binance.json_strict import money, symbol_name
from exchange.errors import DecodeError

ZERO = Decimal(0)
_SIDES = frozenset({"BUY", "SELL"})
_POSITION_SIDES = frozenset({"BOTH", "LONG", "SHORT"})
_MARGIN_TYPES = {"cross": False, "crossed": False, "isolated": True}


class _Order(msgspec.Struct):
    s: str
    c: str
    S: str
    o: str
    f: str
    q: Decimal
    p: Decimal
    ap: Decimal
    x: str
    X: str
    i: int
    l: Decimal  # noqa: E741 - the venue's name
    z: Decimal
    L: Decimal
    T: int
    t: int
    m: bool
    R: bool
    ps: str
    rp: Decimal
    sp: Decimal | None = None
    N: str | None = None
    n: Decimal | None = None
    wt: str = ""
    ot: str = ""
    cp: bool = False
    AP: Decimal | None = None
    cr: Decimal | None = None
    V: str | None = None
    pm: str | None = None
    gtd: int = 0
    er: str | int | None = None
    M: str | int | None = None


class _OrderFrame(msgspec.Struct):
    E: int
    T: int
    o: _Order


class _Balance(msgspec.Struct):
    a: str
    wb: Decimal
    cw: Decimal
    bc: Decimal = ZERO


class _Position(msgspec.Struct):
    s: str
    pa: Decimal
    ep: Decimal
    cr: Decimal
    up: Decimal
    mt: str
    iw: Decimal
    ps: str
    bep: Decimal | None = None


class _Account(msgspec.Struct):
    m: str
    B: list[_Balance] = []
    P: list[_Position] = []
    S: str = ""


class _AccountFrame(msgspec.Struct):
    E: int
    T: int
    a: _Account


class _TradeLite(msgspec.Struct):
    E: int
    T: int
    s: str
    q: Decimal
    p: Decimal
    m: bool
    c: str
    S: str
    L: Decimal
    l: Decimal  # noqa: E741 - the venue's name
    t: int
    i: int


class _Algo(msgspec.Struct):
    caid: str
    aid: int
    at: str
    o: str
    s: str
    S: str
    ps: str
    f: str
    X: str
    R: bool
    cp: bool
    q: str = ""
    tp: str = ""
    p: str = ""
    ai: str = ""
    ap: str = ""
    aq: str = ""
    act: str = ""
    V: str = ""
    wt: str = ""
    pm: str = ""
    pP: bool = False  # noqa: N815 - the venue's name
    tt: int = 0
    gtd: int = 0
    rm: str = ""
    ia: bool | None = None


class _AlgoFrame(msgspec.Struct):
    E: int
    T: int
    o: _Algo


class _Leverage(msgspec.Struct):
    s: str
    l: int  # noqa: E741 - the venue's name


class _MultiAssets(msgspec.Struct):
    j: bool


class _ConfigFrame(msgspec.Struct):
    E: int
    T: int
    ac: _Leverage | None = None
    ai: _MultiAssets | None = None


class _Called(msgspec.Struct):
    s: str
    ps: str
    pa: Decimal
    mt: str
    mp: Decimal
    up: Decimal
    mm: Decimal
    iw: Decimal | None = None


class _MarginFrame(msgspec.Struct):
    E: int
    p: list[_Called]
    cw: Decimal | None = None


class _Reject(msgspec.Struct):
    s: str
    i: int
    r: str


class _RejectFrame(msgspec.Struct):
    E: int
    T: int
    reject: _Reject = msgspec.field(name="or")


class _ExpiredFrame(msgspec.Struct):
    E: int


def _one_of(value: str, allowed: frozenset[str], where: str, field: str) -> str:
    if value not in allowed:
        raise DecodeError(where, field, f"{value[:16]!r} is none of {', '.join(sorted(allowed))}")
    return value


def _isolated(value: str, where: str, field: str) -> bool:
    found = _MARGIN_TYPES.get(value.lower())
    if found is None:
        raise DecodeError(where, field, f"{value[:16]!r} is neither cross nor isolated")
    return found


def _instant(value: int, where: str, field: str) -> int:
    if value <= 0:
        raise DecodeError(where, field, f"{value} is no instant")
    return value


def _order(frame: _OrderFrame, where: str) -> OrderUpdate:
    row = frame.o
    symbol = symbol_name(row.s, where, "o.s")

    def amount(field: str) -> Decimal:
        return money(getattr(row, field), where, f"o.{field}", minimum=0)

    def optional(field: str) -> Decimal | None:
        value = getattr(row, field)
        return None if value is None else money(value, where, f"o.{field}", minimum=0)

    last, filled, quantity = amount("l"), amount("z"), amount("q")
    if row.t and last and not amount("L"):
        raise DecodeError(where, "o.L", "a trade without a price")
    if last > filled:
        raise DecodeError(where, "o.z", f"{filled} filled in all is less than the last fill of {last}")
    return OrderUpdate(
        event_time=_instant(frame.E, where, "E"),
        transaction_time=_instant(frame.T, where, "T"),
        symbol=symbol,
        order_id=row.i,
        client_id=row.c,
        side=_one_of(row.S, _SIDES, where, "o.S"),
        position_side=_one_of(row.ps, _POSITION_SIDES, where, "o.ps"),
        kind=row.o,
        original_kind=row.ot or row.o,
        time_in_force=row.f,
        execution=row.x,
        status=row.X,
        quantity=quantity,
        price=amount("p"),
        average=amount("ap"),
        stop=optional("sp"),
        last_quantity=last,
        filled=filled,
        last_price=amount("L"),
        trade_id=row.t,
        trade_time=row.T,
        maker=row.m,
        commission=ZERO if row.n is None else money(row.n, where, "o.n"),
        commission_asset=row.N or "",
        realised=money(row.rp, where, "o.rp"),
        reduce_only=row.R,
        close_position=row.cp,
        working_type=row.wt,
        activation=optional("AP"),
        callback=optional("cr"),
        stp_mode=row.V or "",
        price_match=row.pm or "",
        good_till=row.gtd,
        expiry_reason=str(row.er if row.er is not None else "0"),
        modify_id="" if row.M is None else str(row.M),
    )


def _account(frame: _AccountFrame, where: str) -> AccountUpdate:
    row = frame.a
    return AccountUpdate(
        event_time=_instant(frame.E, where, "E"),
        transaction_time=_instant(frame.T, where, "T"),
        reason=row.m,
        balances=tuple(
            BalanceChange(
                symbol_name(item.a, where, f"a.B[{n}].a"),
                money(item.wb, where, f"a.B[{n}].wb"),
                money(item.cw, where, f"a.B[{n}].cw"),
                money(item.bc, where, f"a.B[{n}].bc"),
            )
            for n, item in enumerate(row.B)
        ),
        positions=tuple(_position(item, where, f"a.P[{n}]") for n, item in enumerate(row.P)),
        symbol=symbol_name(row.S, where, "a.S") if row.S else "",
    )


def _position(row: _Position, where: str, field: str) -> PositionChange:
    quantity = money(row.pa, where, f"{field}.pa")
    entry = money(row.ep, where, f"{field}.ep", minimum=0)
    if quantity and not entry:
        raise DecodeError(where, f"{field}.ep", "an open position has an entry price above zero")
    return PositionChange(
        symbol=symbol_name(row.s, where, f"{field}.s"),
        side=_one_of(row.ps, _POSITION_SIDES, where, f"{field}.ps"),
        quantity=quantity,
        entry=entry,
        break_even=None if row.bep is None else money(row.bep, where, f"{field}.bep"),
        realised=money(row.cr, where, f"{field}.cr"),
        unrealised=money(row.up, where, f"{field}.up"),
        isolated=_isolated(row.mt, where, f"{field}.mt"),
        isolated_wallet=money(row.iw, where, f"{field}.iw"),
    )


def _trade_lite(row: _TradeLite, where: str) -> TradeHint:
    return TradeHint(
        event_time=_instant(row.E, where, "E"),
        transaction_time=_instant(row.T, where, "T"),
        symbol=symbol_name(row.s, where, "s"),
        order_id=row.i,
        client_id=row.c,
        side=_one_of(row.S, _SIDES, where, "S"),
        quantity=money(row.q, where, "q", minimum=0),
        price=money(row.p, where, "p", minimum=0),
        last_quantity=money(row.l, where, "l", above=0),
        last_price=money(row.L, where, "L", above=0),
        trade_id=row.t,
        maker=row.m,
    )


def _algo(frame: _AlgoFrame, where: str) -> AlgoUpdate:
    row = frame.o
    if row.ai and not (row.ai.isascii() and row.ai.isdigit()):
        raise DecodeError(where, "o.ai", f"{row.ai[:24]!r} is no order id")

    def amount(text: str, field: str) -> Decimal:
        # Empty where it does not apply: the quantity of a closePosition stop, the trigger of a trailing one.
        try:
            return money(Decimal(text or "0"), where, field, minimum=0)
        except InvalidOperation as error:
            raise DecodeError(where, field, f"{text[:24]!r} is no number") from error

    return AlgoUpdate(
        event_time=_instant(frame.E, where, "E"),
        transaction_time=_instant(frame.T, where, "T"),
        symbol=symbol_name(row.s, where, "o.s"),
        algo_id=row.aid,
        client_id=row.caid,
        algo_kind=row.at,
        kind=row.o,
        side=_one_of(row.S, _SIDES, where, "o.S"),
        position_side=_one_of(row.ps, _POSITION_SIDES, where, "o.ps"),
        time_in_force=row.f,
        status=row.X,
        quantity=amount(row.q, "o.q"),
        trigger=amount(row.tp, "o.tp"),
        price=amount(row.p, "o.p"),
        order_id=int(row.ai) if row.ai else None,
        filled=amount(row.aq, "o.aq") if row.aq else None,
        average=amount(row.ap, "o.ap") if row.ap else None,
        order_kind=row.act,
        working_type=row.wt,
        stp_mode=row.V,
        price_match=row.pm,
        close_position=row.cp,
        price_protect=row.pP,
        reduce_only=row.R,
        trigger_time=row.tt,
        good_till=row.gtd,
        reason=row.rm,
        activated=row.ia,
    )


def _config(frame: _ConfigFrame, where: str) -> LeverageChange | MultiAssetsChange:
    event_time, transaction_time = _instant(frame.E, where, "E"), _instant(frame.T, where, "T")
    if frame.ac is not None:
        if frame.ac.l < 1:
            raise DecodeError(where, "ac.l", f"a leverage of {frame.ac.l} is below 1")
        return LeverageChange(event_time, transaction_time, symbol_name(frame.ac.s, where, "ac.s"), frame.ac.l)
    if frame.ai is not None:
        return MultiAssetsChange(event_time, transaction_time, frame.ai.j)
    raise DecodeError(where, "ac", "neither a leverage (ac) nor a multi-assets mode (ai)")


def _margin_call(frame: _MarginFrame, where: str) -> MarginCall:
    return MarginCall(
        event_time=_instant(frame.E, where, "E"),
        cross_wallet=None if frame.cw is None else money(frame.cw, where, "cw"),
        positions=tuple(
            CalledPosition(
                symbol=symbol_name(row.s, where, f"p[{n}].s"),
                side=_one_of(row.ps, _POSITION_SIDES, where, f"p[{n}].ps"),
                quantity=money(row.pa, where, f"p[{n}].pa"),
                isolated=_isolated(row.mt, where, f"p[{n}].mt"),
                isolated_wallet=None if row.iw is None else money(row.iw, where, f"p[{n}].iw"),
                mark=money(row.mp, where, f"p[{n}].mp", above=0),
                unrealised=money(row.up, where, f"p[{n}].up"),
                maintenance_margin=money(row.mm, where, f"p[{n}].mm", minimum=0),
            )
            for n, row in enumerate(frame.p)
        ),
    )


def _reject(frame: _RejectFrame, where: str) -> TriggerReject:
    row = frame.reject
    symbol = symbol_name(row.s, where, "or.s")
    return TriggerReject(_instant(frame.E, where, "E"), _instant(frame.T, where, "T"), symbol, row.i, row.r)


def _expired(frame: _ExpiredFrame, where: str) -> KeyExpired:
    return KeyExpired(_instant(frame.E, where, "E"))


class UserKind(NamedTuple):
    """How one event is decoded and built."""

    decoder: msgspec.json.Decoder[Any]
    build: Callable[[Any, str], AccountEvent | KeyExpired]


def _kind(frame: type[msgspec.Struct], build: Callable[[Any, str], AccountEvent | KeyExpired]) -> UserKind:
    return UserKind(msgspec.json.Decoder(frame, strict=False), build)


USER_KINDS: dict[str, UserKind] = {
    "ORDER_TRADE_UPDATE": _kind(_OrderFrame, _order),
    "ACCOUNT_UPDATE": _kind(_AccountFrame, _account),
    "TRADE_LITE": _kind(_TradeLite, _trade_lite),
    "ALGO_UPDATE": _kind(_AlgoFrame, _algo),
    "ACCOUNT_CONFIG_UPDATE": _kind(_ConfigFrame, _config),
    "MARGIN_CALL": _kind(_MarginFrame, _margin_call),
    "CONDITIONAL_ORDER_TRIGGER_REJECT": _kind(_RejectFrame, _reject),
    "listenKeyExpired": _kind(_ExpiredFrame, _expired),
}
"""Events by name; every other event is counted and ignored."""
