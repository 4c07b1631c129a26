"""What the protocol remembers of the market between ticks: update ids, books, last trades, mark averages, what moved.

It also knows which contracts are listed and which stand still: a halted or settled contract shows no trade and no
change of its book, whatever the market behind it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from exchange.simulator.encode import Formats
from exchange.simulator.funding_history import HOUR_MS, FundingHistory
from exchange.simulator.price_ratios import PriceRatios

if TYPE_CHECKING:
    import numpy.typing as npt

    from exchange.simulator.market import Columns, DayColumns, Listing, Market

AVERAGE_SECONDS = 60
"""Length of the mark price's moving average; the venue does not publish its own."""
FIRST_UPDATE_ID = 9_000_000_000
WIDE_UPDATE_ID = 8_389_765_739_703_625_592
"""Order of magnitude of ids above 2**53 seen live; one symbol carries such ids to catch clients that read floats."""
SECOND_MS = 1_000
BOOK_LEVELS = 1_000
"""Levels of each side that a book holds: what REST answers at most, and what the streams of differences follow."""

Level = tuple[float, float]
Levels = list[Level]
_STILL = ("last", "bid", "bid_quantity", "ask", "ask_quantity")
"""Columns that do not move while a contract stands still; mark and index price do."""


class Book(NamedTuple):
    """Both sides as (price, quantity), best first."""

    bids: Levels
    asks: Levels


class Standstill(NamedTuple):
    """How a contract looked when it stopped."""

    since_ms: int
    day: tuple[float | int, ...]
    """Its statistics of 24 h, in the order of `DayColumns`."""
    values: tuple[float, ...]
    """One per column of `_STILL`."""
    book: Book


class Tape:
    """Per-symbol memory, one array entry per listing; `tick` is called once per market step."""

    def __init__(self, market: Market) -> None:
        """Read the market's present state as the starting point."""
        count = len(market.listings)
        self.market = market
        self.listings: list[Listing] = list(market.listings)
        """Changed in place when the venue changes a contract, so that everybody who holds the list sees it."""
        self.symbols: list[str] = [listing.instrument.symbol for listing in self.listings]
        self.index: dict[str, int] = {symbol: i for i, symbol in enumerate(self.symbols)}
        """The listed contracts; one that is not listed yet or any more is absent."""
        self.lower: dict[str, int] = {symbol.lower(): i for symbol, i in self.index.items()}
        """Lower-case names for streams, whether listed or not."""
        self.formats: list[Formats] = [Formats(listing.instrument) for listing in self.listings]
        self._id_base = np.full(count, FIRST_UPDATE_ID, np.int64)
        if count > 1:
            self._id_base[1] = WIDE_UPDATE_ID
        self._steps = 0
        self.update_id: npt.NDArray[np.int64] = self._id_base + np.arange(count)
        self.book_time: npt.NDArray[np.int64] = np.full(count, market.now_ms, np.int64)
        day = market.day()
        self.last_trade_id: npt.NDArray[np.int64] = np.array(day.last_id, np.int64)
        self.last_quantity: npt.NDArray[np.float64] = np.zeros(count)
        for i in range(count):
            rows = market.recent_trades(i, None, None, 1)
            if len(rows):
                self.last_quantity[i] = rows["quantity"][-1]
        self._marks = np.tile(np.array(market.columns.mark, np.float64), (AVERAGE_SECONDS, 1))
        self._second = market.now_ms // SECOND_MS
        self._now_ms = market.now_ms
        self.ratios = PriceRatios(count, market.now_ms)
        self.fundings = FundingHistory(self.listings, market.now_ms)
        self._still: dict[int, Standstill] = {}
        self._hours: dict[int, int] = {}
        self._books: dict[int, Book] = {}
        self.columns: Columns = market.columns
        self.trades: npt.NDArray[np.void] = market.trades()[:0]

    def tick(self, now_ms: int) -> None:
        """Take over what the market's last step brought."""
        columns, trades = self.market.columns, self.market.trades()
        if self._still:
            columns, trades = self._without_still(columns, trades)
        if self._hours:
            due = columns.next_funding.copy()
            for index, hours in self._hours.items():
                due[index] = (now_ms // (hours * HOUR_MS) + 1) * hours * HOUR_MS
            columns = columns._replace(next_funding=due)
        self._steps += 1
        self._books.clear()
        moved = columns.changed
        count = len(self.symbols)
        fresh = self._id_base + (self._steps * count + np.arange(count))
        np.copyto(self.update_id, fresh, where=moved)
        self.book_time[moved] = now_ms
        if len(trades):
            # The rows ascend in time, so the last assignment to a repeated index is the newest trade.
            self.last_trade_id[trades["symbol"]] = trades["last"]
            self.last_quantity[trades["symbol"]] = trades["quantity"]
        second = now_ms // SECOND_MS
        if second != self._second:
            self._marks[second % AVERAGE_SECONDS] = columns.mark
            self._second = second
        self.ratios.tick(now_ms, columns)
        self.fundings.tick(self._now_ms, now_ms, columns)
        self._now_ms = now_ms
        self.columns = columns
        self.trades = trades

    def _without_still(self, columns: Columns, trades: npt.NDArray[np.void]) -> tuple[Columns, npt.NDArray[np.void]]:
        indices = list(self._still)
        changed = columns.changed.copy()
        changed[indices] = False
        kept = {name: getattr(columns, name).copy() for name in _STILL}
        for i, still in self._still.items():
            for name, value in zip(_STILL, still.values, strict=True):
                kept[name][i] = value
        return columns._replace(**kept, changed=changed), trades[~np.isin(trades["symbol"], indices)]

    def average_mark(self) -> npt.NDArray[np.float64]:
        """Return the moving average of the mark price over the last minute of one-second samples."""
        average: npt.NDArray[np.float64] = self._marks.mean(axis=0)
        return average

    def listed(self) -> list[int]:
        """Return the indices of the listed contracts, ascending."""
        return sorted(self.index.values())

    def book(self, index: int) -> Book:
        """Return the present book of BOOK_LEVELS levels a side; one that stands still keeps the one it stopped with."""
        still = self._still.get(index)
        if still is not None:
            return still.book
        book = self._books.get(index)
        if book is None:
            book = self._books[index] = Book(*self.market.depth(index, BOOK_LEVELS))
        return book

    def near_book(self, index: int, limit: int) -> Book:
        """Return the first `limit` levels a side of the present book: a few cost a tenth of the whole."""
        if index in self._still or index in self._books or limit >= BOOK_LEVELS:
            bids, asks = self.book(index)
            return Book(bids[:limit], asks[:limit])
        return Book(*self.market.depth(index, limit))

    def book_id(self, index: int) -> int:
        """Return the update id of the present book. All contracts count on one counter, so a contract's ids jump."""
        return self.book_id_after(index, 0)

    def book_id_after(self, index: int, steps: int) -> int:
        """Return the update id that the contract's book has `steps` market steps from now (negative: had)."""
        return int(self._id_base[index]) + (self._steps + steps) * len(self.symbols) + index

    def stop(self, index: int, now_ms: int) -> None:
        """Let a contract stand still from now on; one that does so already stays as it is."""
        if index not in self._still:
            values = tuple(float(getattr(self.columns, name)[index]) for name in _STILL)
            day = tuple(column[index].item() for column in self.market.day())
            self._still[index] = Standstill(now_ms, day, values, self.book(index))

    def resume(self, index: int) -> None:
        """Let a contract move with the market again from the next step on."""
        self._still.pop(index, None)

    def day(self) -> DayColumns:
        """Return the rolling 24 h statistics; those of a contract that stands still stay as they were."""
        day = self.market.day()
        if not self._still:
            return day
        copied = day._replace(**{name: getattr(day, name).copy() for name in day._fields})
        for index, still in self._still.items():
            for column, value in zip(copied, still.day, strict=True):
                column[index] = value
        return copied

    def set_funding(self, index: int, hours: int) -> None:
        """Let the next funding of a contract be due at another interval than the market's."""
        self._hours[index] = hours

    def stopped_ms(self, index: int) -> int | None:
        """Return since when a contract stands still, None while it moves."""
        still = self._still.get(index)
        return None if still is None else still.since_ms
