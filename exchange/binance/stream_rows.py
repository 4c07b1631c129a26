"""The payload of each market stream, and how it becomes a message.

Field names on the wire are single letters; the structs keep them. Builders refuse numbers that cannot be believed and
return None for rows the desk does not deal in: COIN-M contracts (`st` = 2) and contracts without a funding rate.

Fields that are documented but not always sent have a default that no frame carries, so that a decoded row tells how
many keys it had; the frame decoder needs that count to refuse repeated keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from exchange.binance.depth_rows import DepthRow, depth_change, depth_keys, depth_top
from exchange.binance.json_strict import BEYOND, finite, not_negative, positive, symbol_name
from exchange.binance.wire import COIN_MARGINED, funding_rate
from exchange.errors import DecodeError
from exchange.market_data import (
    AggTrade,
    BookTop,
    ContractStatus,
    KlineUpdate,
    MarketMessage,
    MarkPrice,
    Ticker,
)

ABSENT = -2
"""The value of an integer field that was not sent (-1 is sent: the trade ids of a bar without trades)."""


class BookRow(msgspec.Struct, gc=False):
    """`<symbol>@bookTicker`."""

    e: str
    E: int
    s: str
    b: float
    B: float
    a: float
    A: float
    u: int = ABSENT
    T: int = ABSENT
    ps: str = ""
    st: int = ABSENT


class KlineBar(msgspec.Struct, gc=False):
    """The bar inside a kline event."""

    t: int
    T: int
    s: str
    i: str
    o: float
    c: float
    h: float
    l: float  # noqa: E741 - the venue's name
    v: float
    n: int
    x: bool
    q: float
    V: float
    Q: float
    f: int = ABSENT
    L: int = ABSENT
    B: str = ""


class KlineRow(msgspec.Struct, gc=False):
    """`<symbol>@kline_<interval>`."""

    e: str
    E: int
    s: str
    k: KlineBar
    ps: str = ""
    st: int = ABSENT


class AggTradeRow(msgspec.Struct, gc=False):
    """`<symbol>@aggTrade`."""

    e: str
    E: int
    s: str
    a: int
    p: float
    q: float
    T: int
    m: bool
    nq: str = ""
    f: int = ABSENT
    l: int = ABSENT  # noqa: E741 - the venue's name
    st: int = ABSENT


class MarkRow(msgspec.Struct, gc=False):
    """`<symbol>@markPrice`; `r` is empty for delivery contracts."""

    e: str
    E: int
    s: str
    p: float
    i: float
    r: str
    T: int
    ap: str = ""
    P: str = ""
    ps: str = ""
    st: int = ABSENT


class TickerRow(msgspec.Struct, gc=False):
    """`<symbol>@ticker`."""

    e: str
    E: int
    s: str
    c: float
    P: float
    q: float
    p: str = ""
    w: str = ""
    Q: str = ""
    o: str = ""
    h: str = ""
    l: str = ""  # noqa: E741 - the venue's name
    v: str = ""
    O: int = ABSENT  # noqa: E741 - the venue's name
    C: int = ABSENT
    F: int = ABSENT
    L: int = ABSENT
    n: int = ABSENT
    ps: str = ""
    st: int = ABSENT


class ContractRow(msgspec.Struct, gc=False):
    """`!contractInfo`; brackets come only when they change, and are read over REST."""

    e: str
    E: int
    s: str
    cs: str
    ps: str = ""
    ct: str = ""
    dt: int = ABSENT
    ot: int = ABSENT
    bks: list[dict[str, msgspec.Raw]] | None = None
    st: int = ABSENT


def _book_keys(row: BookRow) -> int:
    return 7 + (row.u != ABSENT) + (row.T != ABSENT) + (row.ps != "") + (row.st != ABSENT)


def _kline_keys(row: KlineRow) -> int:
    bar = row.k
    return (
        18 + (bar.f != ABSENT) + (bar.L != ABSENT) + (bar.B != "") + (row.ps != "") + (row.st != ABSENT)
    )  # fmt: skip


def _agg_trade_keys(row: AggTradeRow) -> int:
    return 8 + (row.nq != "") + (row.f != ABSENT) + (row.l != ABSENT) + (row.st != ABSENT)


def _mark_keys(row: MarkRow) -> int:
    return 7 + (row.ap != "") + (row.P != "") + (row.ps != "") + (row.st != ABSENT)


def _ticker_keys(row: TickerRow) -> int:
    texts = (row.p, row.w, row.Q, row.o, row.h, row.l, row.v, row.ps)
    numbers = (row.O, row.C, row.F, row.L, row.n, row.st)
    return 20 - texts.count("") - numbers.count(ABSENT)


def _contract_keys(row: ContractRow) -> int:
    texts, numbers = (row.ps, row.ct), (row.dt, row.ot, row.st)
    brackets = 0 if row.bks is None else 1 + sum(map(len, row.bks))
    return 9 - texts.count("") - numbers.count(ABSENT) + brackets


def _book(row: BookRow, where: str) -> BookTop | None:
    if row.st == COIN_MARGINED:
        return None
    bid, ask = row.b, row.a
    if not (0.0 < bid < ask < BEYOND and 0.0 <= row.B < BEYOND and 0.0 <= row.A < BEYOND):
        positive(bid, where, "b")
        positive(ask, where, "a")
        not_negative(row.B, where, "B")
        not_negative(row.A, where, "A")
        raise DecodeError(where, "b", f"the book is crossed: bid {bid} is not below ask {ask}")
    return BookTop(row.s if row.s.isalnum() else symbol_name(row.s, where, "s"), bid, row.B, ask, row.A, row.E)


def _kline(row: KlineRow, where: str) -> KlineUpdate | None:
    if row.st == COIN_MARGINED:
        return None
    bar = row.k
    opened, high, low, close = bar.o, bar.h, bar.l, bar.c
    if not (0.0 < low <= opened <= high < BEYOND and low <= close <= high):
        for field, price in (("k.o", opened), ("k.h", high), ("k.l", low), ("k.c", close)):
            positive(price, where, field)
        raise DecodeError(where, "k.h", f"high {high} and low {low} do not span open {opened} and close {close}")
    if not (0.0 <= bar.v < BEYOND and 0.0 <= bar.q < BEYOND and 0.0 <= bar.V < BEYOND and 0.0 <= bar.Q < BEYOND):
        for field, amount in (("k.v", bar.v), ("k.q", bar.q), ("k.V", bar.V), ("k.Q", bar.Q)):
            not_negative(amount, where, field)
    if bar.n < 0 or bar.t >= bar.T:
        raise DecodeError(
            where, "k.n" if bar.n < 0 else "k.T", "a bar has no negative trades and closes after it opens"
        )
    symbol = row.s if row.s.isalnum() else symbol_name(row.s, where, "s")
    return KlineUpdate(
        symbol, bar.i, bar.t, bar.T, opened, high, low, close, bar.v, bar.q, bar.n, bar.V, bar.Q, bar.x, row.E
    )  # fmt: skip


def _agg_trade(row: AggTradeRow, where: str) -> AggTrade | None:
    if row.st == COIN_MARGINED:
        return None
    if not (0.0 < row.p < BEYOND and 0.0 < row.q < BEYOND):
        positive(row.p, where, "p")
        positive(row.q, where, "q")
    return AggTrade(symbol_name(row.s, where, "s"), row.a, row.p, row.q, row.m, row.T, row.E)


def _mark(row: MarkRow, where: str) -> MarkPrice | None:
    if row.st == COIN_MARGINED or not row.r:
        return None
    if not (0.0 < row.p < BEYOND and 0.0 < row.i < BEYOND):
        positive(row.p, where, "p")
        positive(row.i, where, "i")
    symbol = symbol_name(row.s, where, "s")
    return MarkPrice(symbol, row.p, row.i, funding_rate(row.r, where, "r"), row.T, row.E)


def _ticker(row: TickerRow, where: str) -> Ticker | None:
    if row.st == COIN_MARGINED:
        return None
    last = positive(row.c, where, "c")
    symbol = symbol_name(row.s, where, "s")
    return Ticker(symbol, last, finite(row.P, where, "P"), not_negative(row.q, where, "q"), row.E)


def _contract(row: ContractRow, where: str) -> ContractStatus | None:
    if row.st == COIN_MARGINED:
        return None
    if not row.cs:
        raise DecodeError(where, "cs", "the contract's status is empty")
    return ContractStatus(symbol_name(row.s, where, "s"), row.cs, row.E)


class FrameKind(NamedTuple):
    """One kind of payload: its decoders, how many of its keys a row holds, and the builder."""

    event: str
    bare: msgspec.json.Decoder[Any]
    """Decodes the payload itself."""
    wrapped: msgspec.json.Decoder[Any]
    """Decodes `{"stream": …, "data": payload}`; the payload is its `data`."""
    names: frozenset[str]
    """The documented keys of the payload."""
    keys: Callable[[Any], int]
    """Returns how many documented keys the decoded row had; each was there at least once."""
    build: Callable[[Any, str], MarketMessage | None]


def _kind(
    event: str,
    row: type[msgspec.Struct],
    keys: Callable[[Any], int],
    build: Callable[[Any, str], MarketMessage | None],
) -> FrameKind:
    envelope = msgspec.defstruct("Envelope", [("data", row)], gc=False)
    inner = KlineBar.__struct_fields__ if row is KlineRow else ()
    return FrameKind(
        event,
        msgspec.json.Decoder(row, strict=False),
        msgspec.json.Decoder(envelope, strict=False),
        frozenset((*row.__struct_fields__, *inner)),
        keys,
        build,
    )


KINDS: dict[str, FrameKind] = {
    kind.event: kind
    for kind in (
        _kind("bookTicker", BookRow, _book_keys, _book),
        _kind("kline", KlineRow, _kline_keys, _kline),
        _kind("aggTrade", AggTradeRow, _agg_trade_keys, _agg_trade),
        _kind("markPriceUpdate", MarkRow, _mark_keys, _mark),
        _kind("24hrTicker", TickerRow, _ticker_keys, _ticker),
        _kind("depthUpdate", DepthRow, depth_keys, depth_change),
        _kind("contractInfo", ContractRow, _contract_keys, _contract),
    )
}
"""Kinds by event name."""

_TOP_OF_BOOK = _kind("depthUpdate", DepthRow, depth_keys, depth_top)
_TOP_STREAMS = frozenset({"depth5", "depth10", "depth20"})

_EVENTS: dict[str, str] = {
    "bookTicker": "bookTicker",
    "!bookTicker": "bookTicker",
    "kline": "kline",
    "aggTrade": "aggTrade",
    "markPrice": "markPriceUpdate",
    "!markPrice": "markPriceUpdate",
    "ticker": "24hrTicker",
    "!ticker": "24hrTicker",
    "depth": "depthUpdate",
    "!contractInfo": "contractInfo",
}


def kind_of_stream(stream: str) -> FrameKind | None:
    """Return the kind of payload a stream delivers, None for streams the desk does not read."""
    head, _, tail = stream.partition("@")
    name = head if head.startswith("!") else tail.partition("@")[0].partition("_")[0]
    if name in _TOP_STREAMS:
        return _TOP_OF_BOOK
    event = _EVENTS.get(name)
    return KINDS[event] if event else None
