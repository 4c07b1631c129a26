"""What a session recorded before it could be served: rules, prices, funding and candles, by symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from exchange.binance import rules_wire, wire
from exchange.errors import DecodeError
from exchange.market_data import BookTop, Candles, MarkPrice, Ticker
from exchange.recorder.records import READY, Answer, Note
from exchange.simulator.contract_names import FALLBACK_SECTOR, SECTOR_OF
from exchange.simulator.listings import brackets_for
from exchange.simulator.market import Listing
from exchange.simulator.recorded.flow import klines_answer
from exchange.simulator.stepped_market import MarketError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from exchange.binance.row_wire import Refused
    from exchange.instrument import Instrument
    from exchange.recorder.manifest import Manifest
    from exchange.recorder.records import Record

T = TypeVar("T")

EXCHANGE_INFO = "/fapi/v1/exchangeInfo"
TICKERS = "/fapi/v1/ticker/24hr"
BOOK_TOPS = "/fapi/v1/ticker/bookTicker"
PREMIUM = "/fapi/v1/premiumIndex"
FUNDING_INFO = "/fapi/v1/fundingInfo"
USUAL_FUNDING_HOURS = 8
ALWAYS_ESTIMATED = ("leverageBracket", "depth")
"""What a recording never holds: brackets need a key, and depth is worked out from the best prices."""
_CHANNELS = ("bookTicker", "markPrice", "aggTrade")


class _FundingRow(msgspec.Struct, rename="camel"):
    symbol: str
    funding_interval_hours: int


_FUNDING_ROWS = msgspec.json.Decoder(list[_FundingRow])


class Beginning(NamedTuple):
    """Everything the market knows when it opens."""

    listings: tuple[Listing, ...]
    tickers: dict[str, Ticker]
    books: dict[str, BookTop]
    marks: dict[str, MarkPrice]
    candles: dict[tuple[str, str], list[Candles]]
    """By symbol and interval, in the order in which they were read."""
    instant_ms: int
    """An instant of the venue's clock while this was read."""
    notes: tuple[str, ...]


def read_beginning(records: Iterator[Record], manifest: Manifest, folder: Path) -> Beginning:
    """Read a session up to its ready note. Raises MarketError naming what it lacks."""
    answers: dict[str, Answer] = {}
    candles: dict[tuple[str, str], list[Candles]] = {}
    ready = False
    for record in records:
        if isinstance(record, Answer) and record.status == 200:
            answers[record.path] = record
            read = klines_answer(record)
            if read is not None:
                candles.setdefault(read[:2], []).append(read[2])
        elif isinstance(record, Note) and record.what == READY:
            ready = True
            break
    if not ready:
        raise MarketError(
            f"session {folder} ended before its history was complete; record again and let `perpdesk record` run until "
            "it says that the session can be served"
        )
    reader = _Answers(answers, folder)
    listed = {one.symbol: one for one in reader.rows(EXCHANGE_INFO, rules_wire.instruments)}
    tickers = {one.symbol: one for one in reader.rows(TICKERS, wire.tickers)}
    symbols = [symbol for symbol in manifest.symbols if symbol in listed and symbol in tickers]
    if not symbols:
        raise MarketError(
            f"session {folder}: none of its {len(manifest.symbols)} symbols has both rules ({EXCHANGE_INFO}) and a "
            f"price ({TICKERS}); record it again"
        )
    hours = reader.funding_hours()
    books = {one.symbol: one for one in reader.optional(BOOK_TOPS, wire.book_tops)}
    marks = {one.symbol: one for one in reader.optional(PREMIUM, wire.mark_prices)}
    unrecorded = [name for name in _CHANNELS if not any(one.startswith(name) for one in manifest.streams)]
    estimated = (*ALWAYS_ESTIMATED, *unrecorded)
    left_out = [symbol for symbol in manifest.symbols if symbol not in symbols]
    notes = [f"estimated, because a recording does not hold it: {', '.join(estimated)}"]
    if left_out:
        notes.append(f"left out for want of rules or a price: {', '.join(left_out)}")
    return Beginning(
        tuple(_listing(listed[symbol], tickers[symbol], hours, estimated) for symbol in symbols),
        tickers,
        books,
        marks,
        candles,
        max([mark.event_time for mark in marks.values()] or [answers[TICKERS].at_us // 1000]),
        tuple(notes),
    )


def _listing(instrument: Instrument, ticker: Ticker, hours: dict[str, int], estimated: tuple[str, ...]) -> Listing:
    return Listing(
        instrument,
        brackets_for(instrument.base, ticker.quote_volume),
        hours.get(instrument.symbol, USUAL_FUNDING_HOURS),
        SECTOR_OF.get(instrument.base, FALLBACK_SECTOR),
        estimated,
    )


class _Answers:
    """The last answer of every path."""

    def __init__(self, answers: dict[str, Answer], folder: Path) -> None:
        self._answers = answers
        self._folder = folder

    def rows(self, path: str, decode: Callable[[bytes, str, Refused], tuple[T, ...]]) -> tuple[T, ...]:
        """Return the rows of an answer the market cannot do without. Raises MarketError."""
        answer = self._answers.get(path)
        if answer is None:
            raise MarketError(
                f"session {self._folder} holds no answer of GET {path}, without which there is no market; "
                "record it again with `perpdesk record`"
            )
        try:
            return decode(answer.body, path, _ignore)
        except DecodeError as error:
            raise MarketError(f"session {self._folder}: {error}; record it again") from error

    def optional(self, path: str, decode: Callable[[bytes, str, Refused], tuple[T, ...]]) -> tuple[T, ...]:
        """Return the rows of an answer, none where it is missing or cannot be read."""
        answer = self._answers.get(path)
        try:
            return () if answer is None else decode(answer.body, path, _ignore)
        except DecodeError:
            return ()

    def funding_hours(self) -> dict[str, int]:
        """Return the funding interval of the symbols that have an unusual one."""
        answer = self._answers.get(FUNDING_INFO)
        try:
            rows = [] if answer is None else _FUNDING_ROWS.decode(answer.body)
        except msgspec.DecodeError:
            return {}
        return {row.symbol: row.funding_interval_hours for row in rows if row.funding_interval_hours in (1, 2, 4, 8)}


def _ignore(error: DecodeError) -> None:
    del error  # a row that cannot be believed is a symbol without it, which is reported as left out
