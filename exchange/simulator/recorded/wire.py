"""Recorded frames as what they say about the market, checked; anything else is counted and left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from exchange.simulator.market import INTERVALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchange.market_data import Candles

Bar = tuple[float, ...]
"""open, high, low, close, volume, quote volume, trades, taker base, taker quote: FIELDS of `bar_ring`."""
INFINITY = float("inf")
LARGEST = 2**62
"""Bound of instants and ids: what lies beyond is damage and would not fit a column."""


class BookSeen(NamedTuple):
    """Best bid and ask of a symbol; `at` is the venue's event time, as everywhere here."""

    at: int
    listing: int
    bid: float
    bid_quantity: float
    ask: float
    ask_quantity: float


class MarkSeen(NamedTuple):
    """Mark and index price, the funding estimate and when it is due."""

    at: int
    listing: int
    mark: float
    index_price: float
    rate: float
    due: int


class TradeSeen(NamedTuple):
    """One aggregate trade, with the numbering of TRADE_ROW: `first` is the aggregate's id."""

    at: int
    listing: int
    time: int
    price: float
    quantity: float
    buyer_is_maker: bool
    first: int
    last: int


class BarSeen(NamedTuple):
    """One bar of a symbol as it stood."""

    at: int
    listing: int
    interval: str
    open_ms: int
    bar: Bar
    closed: bool


Seen = BookSeen | MarkSeen | TradeSeen | BarSeen


class _Book(msgspec.Struct, tag_field="e", tag="bookTicker"):
    E: int
    s: str
    b: float
    B: float
    a: float
    A: float


class _Mark(msgspec.Struct, tag_field="e", tag="markPriceUpdate"):
    E: int
    s: str
    p: float
    i: float
    r: str
    T: int


class _Trade(msgspec.Struct, tag_field="e", tag="aggTrade"):
    E: int
    s: str
    a: int
    p: float
    q: float
    f: int
    l: int  # noqa: E741 - the venue's name
    T: int
    m: bool


class _Bar(msgspec.Struct):
    t: int
    i: str
    o: float
    h: float
    l: float  # noqa: E741 - the venue's name
    c: float
    v: float
    q: float
    n: int
    V: float
    Q: float
    x: bool


class _Kline(msgspec.Struct, tag_field="e", tag="kline"):
    E: int
    s: str
    k: _Bar


_Row = _Book | _Mark | _Trade | _Kline


class _Envelope(msgspec.Struct):
    data: _Row | list[_Row]


_ENVELOPE = msgspec.json.Decoder(_Envelope, strict=False)
_WRAPPED = b'{"stream"'


class FrameReader:
    """Reads combined frames of the symbols it is given."""

    def __init__(self, index: Mapping[str, int]) -> None:
        """Take the number of every symbol of the market."""
        self._index = index
        self.left_out = 0
        """Frames that are damaged, impossible or of a kind no market is made of."""

    def read(self, data: bytes) -> list[Seen]:
        """Return what a frame says; nothing for control answers, other symbols and what cannot be believed."""
        if not data.startswith(_WRAPPED):
            return []
        try:
            rows = _ENVELOPE.decode(data).data
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.left_out += 1
            return []
        seen: list[Seen] = []
        for row in rows if isinstance(rows, list) else (rows,):
            index = self._index.get(row.s)
            if index is None:
                continue
            one = _seen(row, index)
            if one is None:
                self.left_out += 1
            else:
                seen.append(one)
        return seen


def _seen(row: _Row, index: int) -> Seen | None:
    if isinstance(row, _Book):
        sound = 0.0 < row.b < row.a < INFINITY and 0.0 <= row.B < INFINITY and 0.0 <= row.A < INFINITY
        return BookSeen(row.E, index, row.b, row.B, row.a, row.A) if sound else None
    if isinstance(row, _Trade):
        sound = (
            0.0 < row.p < INFINITY and 0.0 < row.q < INFINITY and _whole(row.a, row.f, row.l, row.T) and row.l >= row.f
        )
        last = row.a + row.l - row.f
        return TradeSeen(row.E, index, row.T, row.p, row.q, row.m, row.a, last) if sound else None
    if isinstance(row, _Mark):
        try:
            rate = float(row.r)
        except ValueError:
            return None
        sound = 0.0 < row.p < INFINITY and 0.0 < row.i < INFINITY and abs(rate) < 1.0 and _whole(row.T)
        return MarkSeen(row.E, index, row.p, row.i, rate, row.T) if sound else None
    return _bar(row, index)


def _whole(*numbers: int) -> bool:
    return all(0 <= number < LARGEST for number in numbers)


def _bar(row: _Kline, index: int) -> BarSeen | None:
    bar = row.k
    length = INTERVALS.get(bar.i)
    prices = 0.0 < bar.l <= bar.o <= bar.h < INFINITY and bar.l <= bar.c <= bar.h
    amounts = all(0.0 <= amount < INFINITY for amount in (bar.v, bar.q, bar.V, bar.Q)) and _whole(bar.n, bar.t)
    if length is None or bar.t % length or not prices or not amounts:
        return None
    values = (bar.o, bar.h, bar.l, bar.c, bar.v, bar.q, float(bar.n), bar.V, bar.Q)
    return BarSeen(row.E, index, bar.i, bar.t, values, bar.x)


def bars_of(candles: Candles, at: int, index: int, interval: str) -> list[BarSeen]:
    """Return the rows of a klines answer as bars seen at `at`; all but the last are closed."""
    columns = (
        candles.open, candles.high, candles.low, candles.close, candles.volume, candles.quote_volume,
        candles.trades.astype(float), candles.taker_base, candles.taker_quote,
    )  # fmt: skip
    rows = zip(*(column.tolist() for column in columns), strict=True)
    length = INTERVALS[interval]
    return [
        BarSeen(at, index, interval, opened, bar, closed=opened + length <= at)
        for opened, bar in zip(candles.open_time.tolist(), rows, strict=True)
    ]
