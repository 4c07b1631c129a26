"""REST bodies of market data as the desk's types.

Every function takes a body and where it came from, and raises DecodeError naming the field. In lists
over all symbols a bad row is left out and handed to `refused`.
Rows of the COIN-M side (`st` = 2) and delivery rows without a funding rate are left out silently.
"""

from __future__ import annotations

import msgspec

from exchange.binance.json_strict import decode, finite, not_negative, positive, symbol_name
from exchange.binance.row_wire import Refused, each_row, lenient, rows
from exchange.errors import DecodeError
from exchange.market_data import AggTrade, BookTop, DepthSnapshot, MarkPrice, Ticker

COIN_MARGINED = 2
INFINITE_PRICE = float("inf")


class _Time(msgspec.Struct, rename={"server_time": "serverTime"}):
    server_time: int


class _Ticker(msgspec.Struct, rename="camel"):
    symbol: str
    last_price: float
    price_change_percent: float
    quote_volume: float
    close_time: int
    st: int = 1


class _BookTop(msgspec.Struct, rename="camel"):
    symbol: str
    bid_price: float
    bid_qty: float
    ask_price: float
    ask_qty: float
    time: int
    st: int = 1


class _Premium(msgspec.Struct, rename="camel"):
    symbol: str
    mark_price: float
    index_price: float
    last_funding_rate: str
    next_funding_time: int
    time: int
    st: int = 1


class _Depth(msgspec.Struct):
    last_update_id: int = msgspec.field(name="lastUpdateId")
    event_time: int = msgspec.field(name="E")
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class _AggTrade(msgspec.Struct):
    a: int
    p: float
    q: float
    T: int
    m: bool


class _ListenKey(msgspec.Struct):
    listen_key: str = msgspec.field(name="listenKey")


_TIME = lenient(_Time)
_TICKER = lenient(_Ticker)
_BOOK_TOP = lenient(_BookTop)
_PREMIUM = lenient(_Premium)
_DEPTH = lenient(_Depth)
_AGG_TRADES: msgspec.json.Decoder[list[_AggTrade]] = msgspec.json.Decoder(list[_AggTrade], strict=False)
_LISTEN_KEY = msgspec.json.Decoder(_ListenKey)


def server_time(body: bytes, where: str) -> int:
    """Return the venue's clock in UTC milliseconds."""
    instant = decode(_TIME, body, where).server_time
    if instant <= 0:
        raise DecodeError(where, "serverTime", f"{instant} is no instant")
    return instant


def listen_key(body: bytes, where: str) -> str:
    """Return the listen key."""
    key = decode(_LISTEN_KEY, body, where).listen_key
    if not key:
        raise DecodeError(where, "listenKey", "empty")
    return key


def tickers(body: bytes, where: str, refused: Refused) -> tuple[Ticker, ...]:
    """Return 24 h statistics, one per sound row."""
    return each_row(rows(body, where), _TICKER, _ticker, where, refused)


def _ticker(row: _Ticker, where: str) -> Ticker | None:
    if row.st == COIN_MARGINED:
        return None
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    return Ticker(
        row.symbol,
        positive(row.last_price, place, "lastPrice"),
        finite(row.price_change_percent, place, "priceChangePercent"),
        not_negative(row.quote_volume, place, "quoteVolume"),
        row.close_time,
    )


def book_tops(body: bytes, where: str, refused: Refused) -> tuple[BookTop, ...]:
    """Return best bid and ask, one per sound row; a crossed or locked book is refused."""
    return each_row(rows(body, where), _BOOK_TOP, _book_top, where, refused)


def _book_top(row: _BookTop, where: str) -> BookTop | None:
    if row.st == COIN_MARGINED:
        return None
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    bid = positive(row.bid_price, place, "bidPrice")
    ask = positive(row.ask_price, place, "askPrice")
    if bid >= ask:
        raise DecodeError(place, "bidPrice", f"the book is crossed: bid {bid} is not below ask {ask}")
    return BookTop(
        row.symbol,
        bid,
        not_negative(row.bid_qty, place, "bidQty"),
        ask,
        not_negative(row.ask_qty, place, "askQty"),
        row.time,
    )


def mark_prices(body: bytes, where: str, refused: Refused) -> tuple[MarkPrice, ...]:
    """Return mark prices of the perpetuals, one per sound row."""
    return each_row(rows(body, where), _PREMIUM, _mark_price, where, refused)


def _mark_price(row: _Premium, where: str) -> MarkPrice | None:
    if row.st == COIN_MARGINED or not row.last_funding_rate:
        return None
    place = f"{where} {symbol_name(row.symbol, where, 'symbol')}"
    return MarkPrice(
        row.symbol,
        positive(row.mark_price, place, "markPrice"),
        positive(row.index_price, place, "indexPrice"),
        funding_rate(row.last_funding_rate, place, "lastFundingRate"),
        row.next_funding_time,
        row.time,
    )


_NUMBER = msgspec.json.Decoder(float)


def funding_rate(text: str, where: str, field: str) -> float:
    """Return a funding rate from its decimal string; DecodeError for anything but a finite number."""
    try:
        rate = _NUMBER.decode(text)
    except msgspec.DecodeError as error:
        raise DecodeError(where, field, f"{text[:32]!r} is no number") from error
    return finite(rate, where, field)


def depth(body: bytes, symbol: str, where: str) -> DepthSnapshot:
    """Return the order book; levels must be ordered, best first, and not crossed."""
    row = decode(_DEPTH, body, where)
    for side, levels, sign in (("bids", row.bids, -1.0), ("asks", row.asks, 1.0)):
        last = -INFINITE_PRICE if sign > 0 else INFINITE_PRICE
        for number, (price, quantity) in enumerate(levels):
            positive(price, where, f"{side}[{number}][0]")
            not_negative(quantity, where, f"{side}[{number}][1]")
            if (price - last) * sign <= 0:
                raise DecodeError(
                    where, f"{side}[{number}][0]", f"{price} does not follow {last}: levels are unordered"
                )
            last = price
    if row.bids and row.asks and row.bids[0][0] >= row.asks[0][0]:
        raise DecodeError(where, "bids[0][0]", f"the book is crossed: {row.bids[0][0]} is not below {row.asks[0][0]}")
    return DepthSnapshot(symbol, row.last_update_id, tuple(row.bids), tuple(row.asks), row.event_time)


def agg_trades(body: bytes, symbol: str, where: str) -> tuple[AggTrade, ...]:
    """Return aggregate trades, ascending by id."""
    trades = []
    last = -1
    rows_in_order = decode(_AGG_TRADES, body, where)
    for number, row in enumerate(rows_in_order):
        if row.a <= last:
            raise DecodeError(where, f"[{number}].a", f"{row.a} does not follow {last}")
        last = row.a
        price = positive(row.p, where, f"[{number}].p")
        quantity = positive(row.q, where, f"[{number}].q")
        trades.append(AggTrade(symbol, row.a, price, quantity, row.m, row.T, row.T))
    return tuple(trades)
