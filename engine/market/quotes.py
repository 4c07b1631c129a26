"""The newest price of everything, as columns by universe slot.

Filled message by message from the streams, drained once per desk tick. `high` and `low` hold every price seen since the
last drain (trades and the extremes of forming bars), so that a trigger is judged on all of them, not on a sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from engine.market.tape import LEAP

if TYPE_CHECKING:
    from exchange.market_data import BookTop, KlineUpdate, MarkPrice, Ticker

STALE_MS = 10_000
"""Specification section 1: a price is stale after 10 s without a mark or book update."""


class Seen(NamedTuple):
    """Prices seen since the previous drain, NaN where none; one entry per slot."""

    high: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]


class Funding(NamedTuple):
    """A funding instant that passed: the rate and mark price in force just before it."""

    slot: int
    rate: float
    mark: float
    time: int


class Leap(NamedTuple):
    """A price that changed its unit from one look to the next; what was seen of it since is in no drain."""

    slot: int
    before: float
    after: float


class _BarCells(NamedTuple):
    """The columns that bars touch, cell by cell; `past` are those of the bar before the newest."""

    open: memoryview[int]
    minute: memoryview[int]
    time: memoryview[int]
    past_open: memoryview[int]
    bar_high: memoryview[float]
    bar_low: memoryview[float]
    past_high: memoryview[float]
    past_low: memoryview[float]
    minute_price: memoryview[float]
    last: memoryview[float]
    high: memoryview[float]
    low: memoryview[float]


def _floats(column: npt.NDArray[np.float64]) -> memoryview[float]:
    """Return a column's cells; numpy asks more than twice as much for a single one."""
    return cast("memoryview[float]", column.data)


def _integers(column: npt.NDArray[np.int64]) -> memoryview[int]:
    return column.data


class Quotes:
    """Columns of the newest quotes. Unknown values are NaN, unknown times 0."""

    def __init__(self, slots: int) -> None:
        """Make room for that many symbols."""
        self.slots = slots
        self._prices = np.full((10, slots), np.nan)
        self.bid, self.ask, self.mark, self.last, self.funding_rate = self._prices[:5]
        self.change_24h, self.quote_volume, self.high, self.low, self._before = self._prices[5:]
        self._times = np.zeros((7, slots), dtype=np.int64)
        self.book_time, self.mark_time, self.next_funding, self._bar_open, self._minute = self._times[:5]
        self._bar_time, self._past_open = self._times[5:]
        self._bars = np.full((5, slots), np.nan)
        self._bar_high, self._bar_low, self._past_high, self._past_low, self._minute_price = self._bars
        self._bid, self._ask, self._book_time = _floats(self.bid), _floats(self.ask), _integers(self.book_time)
        self._bar_cells = _BarCells(
            _integers(self._bar_open),
            _integers(self._minute),
            _integers(self._bar_time),
            _integers(self._past_open),
            *map(_floats, (self._bar_high, self._bar_low, self._past_high, self._past_low)),
            *map(_floats, (self._minute_price, self.last, self.high, self.low)),
        )
        self.dirty = False
        self.late = 0
        """Marks and bars that came after newer ones of their symbol: they move no price."""
        self.fundings: list[Funding] = []
        self._leaps: list[Leap] = []

    def clear(self, slot: int) -> None:
        """Forget a slot that another symbol takes over."""
        self._prices[:, slot] = np.nan
        self._times[:, slot] = 0
        self._bars[:, slot] = np.nan

    def on_book(self, slot: int, top: BookTop) -> None:
        """Take the best bid and ask; an older event is ignored."""
        event_time = top.event_time
        if event_time >= self._book_time[slot]:
            self._bid[slot], self._ask[slot], self._book_time[slot] = top.bid, top.ask, event_time

    def on_mark(self, slot: int, mark: MarkPrice) -> None:
        """Take mark price and funding, unless newer ones are there; notes when a funding time has passed."""
        if mark.event_time < self.mark_time[slot]:
            self.late += 1
            return
        due = int(self.next_funding[slot])
        if due and mark.next_funding > due and mark.event_time >= due:
            self.fundings.append(Funding(slot, float(self.funding_rate[slot]), float(self.mark[slot]), due))
        self.mark[slot], self.mark_time[slot] = mark.mark, mark.event_time
        self.funding_rate[slot], self.next_funding[slot] = mark.funding_rate, mark.next_funding

    def on_bar(self, slot: int, bar: KlineUpdate) -> None:
        """Take a bar's close as the last trade, and the extremes that are new since the previous frame.

        A frame that comes after a newer one moves no price; the last frame of the bar before may still bring extremes
        that nobody saw.
        """
        cells = self._bar_cells
        opened = cells.open[slot]
        if bar.event_time < cells.time[slot] or bar.open_time < opened:
            self._late_bar(slot, bar)
            return
        cells.time[slot] = bar.event_time
        price = bar.close
        high = low = price
        if bar.open_time == opened:
            if bar.high > cells.bar_high[slot]:
                high = bar.high
            if bar.low < cells.bar_low[slot]:
                low = bar.low
        elif opened:
            high, low = bar.high, bar.low  # everything in a new bar happened after the previous frame
            cells.past_open[slot] = opened
            cells.past_high[slot], cells.past_low[slot] = cells.bar_high[slot], cells.bar_low[slot]
        cells.open[slot], cells.bar_high[slot], cells.bar_low[slot] = bar.open_time, bar.high, bar.low
        minute = bar.event_time // 60_000
        if minute != cells.minute[slot]:
            cells.minute[slot], cells.minute_price[slot] = minute, cells.last[slot]
        cells.last[slot] = price
        self._see(slot, high, low)

    def _late_bar(self, slot: int, bar: KlineUpdate) -> None:
        self.late += 1
        cells = self._bar_cells
        if bar.open_time != cells.past_open[slot]:
            return
        high = low = cells.last[slot]
        if bar.high > cells.past_high[slot]:
            cells.past_high[slot] = bar.high
            high = max(high, bar.high)
        if bar.low < cells.past_low[slot]:
            cells.past_low[slot] = bar.low
            low = min(low, bar.low)
        if low < high:
            self._see(slot, high, low)

    def _see(self, slot: int, high: float, low: float) -> None:
        cells = self._bar_cells
        if not high <= cells.high[slot]:  # true for NaN: nothing was seen yet
            cells.high[slot] = high
        if not low >= cells.low[slot]:
            cells.low[slot] = low
        self.dirty = True

    def on_ticker(self, slot: int, ticker: Ticker) -> None:
        """Take the 24 h statistics."""
        self.change_24h[slot], self.quote_volume[slot] = ticker.change_percent, ticker.quote_volume

    def drain(self) -> Seen:
        """Return what was seen since the previous drain and start a new interval.

        A price that changed its unit since the previous drain is left out; `take_leaps` tells of it.
        """
        seen = Seen(self.high.copy(), self.low.copy(), self.last.copy())
        unseen = np.isnan(seen.high)
        seen.last[unseen] = np.nan
        leapt = (seen.last > LEAP * self._before) | (seen.last * LEAP < self._before)
        for slot in np.flatnonzero(leapt).tolist():
            self._leaps.append(Leap(slot, float(self._before[slot]), float(seen.last[slot])))
        np.copyto(self._before, seen.last, where=~unseen)
        if leapt.any():
            for column in seen:
                column[leapt] = np.nan
        self.high[:] = np.nan
        self.low[:] = np.nan
        self.dirty = False
        return seen

    def take_leaps(self) -> list[Leap]:
        """Return the changes of a price's unit noted since the last call."""
        taken, self._leaps = self._leaps, []
        return taken

    def take_fundings(self) -> list[Funding]:
        """Return the funding instants noted since the last call."""
        taken, self.fundings = self.fundings, []
        return taken

    def change_1m(self) -> npt.NDArray[np.float64]:
        """Return the change in percent against the last price of the previous minute."""
        change: npt.NDArray[np.float64] = (self.last / self._minute_price - 1.0) * 100.0
        return change

    def prices(self) -> list[list[float]]:
        """Return per slot: last (else mid), 24 h change, quote volume, funding, spread, 1m change, updated."""
        last = np.where(np.isnan(self.last), (self.bid + self.ask) / 2, self.last)
        columns = (
            last,
            self.change_24h,
            self.quote_volume,
            self.funding_rate,
            self.spread_bps(),
            self.change_1m(),
            self.updated(),
        )
        rows: list[list[float]] = np.column_stack(columns).tolist()
        return rows

    def updated(self) -> npt.NDArray[np.int64]:
        """Return the newest event time of book and mark per slot."""
        newest: npt.NDArray[np.int64] = np.maximum(self.book_time, self.mark_time)
        return newest

    def spread_bps(self) -> npt.NDArray[np.float64]:
        """Return the spread in basis points of the mid price."""
        spread: npt.NDArray[np.float64] = (self.ask - self.bid) / (self.ask + self.bid) * 2e4
        return spread

    def spread_of(self, slot: int) -> float:
        """Return the same of one slot, NaN where nothing was quoted yet."""
        ask, bid = float(self.ask[slot]), float(self.bid[slot])
        return (ask - bid) / (ask + bid) * 2e4 if ask + bid > 0 else float("nan")
