"""REST bodies of market data and trading rules as the desk's types.

Every function takes a body and where it came from, and raises DecodeError naming the field. Lists over all symbols are
judged row by row: a bad row is left out and handed to `refused`, so that one poisoned symbol does not blind the desk.
Rows of the COIN-M side (`st` = 2) and delivery rows without a funding rate are left out silently.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from exchange.binance.json_strict import as_decode_error, decode, finite, money, not_negative, positive
from exchange.errors import DecodeError
from exchange.instrument import Bracket, Instrument, LotRule
from exchange.market_data import AggTrade, BookTop, DepthSnapshot, MarkPrice, Ticker

Refused = Callable[[DecodeError], None]
W = TypeVar("W")
M = TypeVar("M")

COIN_MARGINED = 2
INFINITE_PRICE = float("inf")


class _Time(msgspec.Struct, rename={"server_time": "serverTime"}):
    server_time: int


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


class _ExchangeInfo(msgspec.Struct):
    symbols: list[msgspec.Raw]


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


class _ListenKey(msgspec.Struct):
    listen_key: str = msgspec.field(name="listenKey")


def _lenient(kind: type[W]) -> msgspec.json.Decoder[W]:
    # Decimal strings are the venue's numbers; the lax mode of msgspec reads exactly JSON numbers inside strings.
    return msgspec.json.Decoder(kind, strict=False)


_TIME = _lenient(_Time)
_INFO = _lenient(_ExchangeInfo)
_SYMBOL = _lenient(_Symbol)
_TICKER = _lenient(_Ticker)
_BOOK_TOP = _lenient(_BookTop)
_PREMIUM = _lenient(_Premium)
_DEPTH = _lenient(_Depth)
_AGG_TRADES: msgspec.json.Decoder[list[_AggTrade]] = msgspec.json.Decoder(list[_AggTrade], strict=False)
_BRACKETS = _lenient(_SymbolBrackets)
_LISTEN_KEY = msgspec.json.Decoder(_ListenKey)
_RAW_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_ANY = msgspec.json.Decoder(dict[str, Any])


def rows(body: bytes, where: str) -> list[msgspec.Raw]:
    """Split an array, or a bare object taken as an array of one, into undecoded rows."""
    if body.lstrip()[:1] == b"{":
        decode(_ANY, body, where)
        return [msgspec.Raw(body)]
    return decode(_RAW_ROWS, body, where)


def typed(decoder: msgspec.json.Decoder[W], raw: bytes | msgspec.Raw, where: str) -> W:
    """Decode one row. Raises DecodeError."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise as_decode_error(error, where, bytes(raw)) from error


def _each(
    raws: list[msgspec.Raw],
    decoder: msgspec.json.Decoder[W],
    build: Callable[[W, str], M | None],
    where: str,
    refused: Refused,
) -> tuple[M, ...]:
    """Build the rows that are sound and hand the others to `refused`; an answer without any sound row is an error."""
    if not raws:
        raise DecodeError(where, "", "an empty list: the data is unavailable")
    built: list[M] = []
    errors: list[DecodeError] = []
    for raw in raws:
        try:
            row = build(typed(decoder, raw, where), where)
        except DecodeError as error:
            errors.append(error)
            continue
        if row is not None:
            built.append(row)
    if len(errors) == len(raws):
        raise errors[0]
    for found in errors:
        refused(found)
    return tuple(built)


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


def instruments(body: bytes, where: str, refused: Refused) -> tuple[Instrument, ...]:
    """Return the contracts of exchangeInfo; a symbol that lacks a filter or holds a senseless rule is refused."""
    info = decode(_INFO, body, where)
    return _each(info.symbols, _SYMBOL, _instrument, where, refused)


def _instrument(row: _Symbol, where: str) -> Instrument:
    place = f"{where} {row.symbol[:32]}"
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
    )


def tickers(body: bytes, where: str, refused: Refused) -> tuple[Ticker, ...]:
    """Return 24 h statistics, one per sound row."""
    return _each(rows(body, where), _TICKER, _ticker, where, refused)


def _ticker(row: _Ticker, where: str) -> Ticker | None:
    if row.st == COIN_MARGINED:
        return None
    place = f"{where} {row.symbol[:32]}"
    return Ticker(
        row.symbol,
        positive(row.last_price, place, "lastPrice"),
        finite(row.price_change_percent, place, "priceChangePercent"),
        not_negative(row.quote_volume, place, "quoteVolume"),
        row.close_time,
    )


def book_tops(body: bytes, where: str, refused: Refused) -> tuple[BookTop, ...]:
    """Return best bid and ask, one per sound row; a crossed or locked book is refused."""
    return _each(rows(body, where), _BOOK_TOP, _book_top, where, refused)


def _book_top(row: _BookTop, where: str) -> BookTop | None:
    if row.st == COIN_MARGINED:
        return None
    place = f"{where} {row.symbol[:32]}"
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
    return _each(rows(body, where), _PREMIUM, _mark_price, where, refused)


def _mark_price(row: _Premium, where: str) -> MarkPrice | None:
    if row.st == COIN_MARGINED or not row.last_funding_rate:
        return None
    place = f"{where} {row.symbol[:32]}"
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


def leverage_brackets(body: bytes, where: str, refused: Refused) -> dict[str, tuple[Bracket, ...]]:
    """Return the brackets by symbol, ascending by notional. The venue sends a bare object or an array."""
    return dict(_each(rows(body, where), _BRACKETS, _symbol_brackets, where, refused))


def _symbol_brackets(row: _SymbolBrackets, where: str) -> tuple[str, tuple[Bracket, ...]]:
    place = f"{where} {row.symbol[:32]}"
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
