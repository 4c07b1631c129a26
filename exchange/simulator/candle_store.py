"""Candles of all symbols at all intervals from two base rings, with the bar that is still open.

Bars up to 3m stand on the 1m ring, all others on the 5m ring; higher bars are joined on demand. A bar without a trade
is flat at the close before it and counts as a bar like any other, so every interval is the plain join of the smaller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.bar_columns import bar_columns_of, candles_of, day_of
from exchange.simulator.bar_ring import (
    CLOSE,
    FIELDS,
    TAKER_BASE,
    VOLUME,
    BarRing,
    aggregate,
    merge,
)
from exchange.simulator.market import INTERVALS, MINUTE

if TYPE_CHECKING:
    import numpy.typing as npt

    from exchange.market_data import Candles
    from exchange.simulator.market import BarColumns, DayColumns
    from exchange.simulator.price_grid import Floats, Grid

FIVE = INTERVALS["5m"]
MINUTES_KEPT = 1600
FIVES_KEPT = 6048
"""500 hours and a half day of 5m bars: at least 500 complete 1h bars at any instant."""
DAY_MINUTES = 1440


class _Growing:
    """The closed part of one interval's open bar, and the bar closed last."""

    def __init__(self, symbols: int) -> None:
        self.part: Floats = np.zeros((FIELDS, symbols))
        self.begun = False
        self.closed: Floats = np.zeros((FIELDS, symbols))
        self.closed_ms = -1

    def add(self, bar: Floats) -> None:
        """Add a closed smaller bar."""
        if self.begun:
            merge(self.part, bar)
        else:
            self.part[:] = bar
            self.begun = True

    def close(self, open_ms: int) -> None:
        """Finish the open bar."""
        self.part, self.closed = self.closed, self.part
        self.closed_ms = open_ms
        self.begun = False


class CandleStore:
    """Closed bars in rings plus the parts of every open bar; `minutes` and `fives` must end at the same minute.

    `fives.end_ms` is the 5m bar that contains `minutes.end_ms`.
    """

    def __init__(self, minutes: BarRing, fives: BarRing, lots: Grid) -> None:
        self._minutes = minutes
        self._fives = fives
        self._lots = lots
        self._symbols = len(lots.units)
        self._growing = {interval: _Growing(self._symbols) for interval in INTERVALS.values()}
        self._day: tuple[int, Floats | None] | None = None
        self._rebuild()

    def _rebuild(self) -> None:
        """Fill the closed parts of the open bars from the rings."""
        now = self._minutes.end_ms
        for interval, growing in self._growing.items():
            ring = self._minutes if interval <= FIVE else self._fives
            begin = max(now // interval * interval, ring.start_ms)
            if interval > MINUTE and begin < ring.end_ms:
                growing.add(ring.joined(begin, ring.end_ms))

    @property
    def end_ms(self) -> int:
        """Return the open time of the minute that is not closed yet."""
        return self._minutes.end_ms

    def close_minute(self, bar: Floats) -> None:
        """Close the open minute with this bar [FIELDS, symbols] and every interval that ends with it."""
        open_ms = self._minutes.end_ms
        kept = self._minutes.close(bar)
        end_ms = open_ms + MINUTE
        for interval in (MINUTE, INTERVALS["3m"], FIVE):
            self._growing[interval].add(kept)
            if interval != FIVE and end_ms % interval == 0:
                self._growing[interval].close(end_ms - interval)
        if end_ms % FIVE == 0:
            self._close_five(end_ms)

    def _close_five(self, end_ms: int) -> None:
        five = self._growing[FIVE]
        five.part[:] = self._fives.close(five.part)
        for interval, growing in self._growing.items():
            if interval > FIVE:
                growing.add(five.part)
                if end_ms % interval == 0:
                    growing.close(end_ms - interval)
        five.close(end_ms - FIVE)

    def _open_bar(self, interval: int, minute: Floats) -> Floats:
        """Return the open bar [FIELDS, symbols] of an interval; `minute` is the open minute so far."""
        levels = [self._growing[interval]] if interval > MINUTE else []
        if interval > FIVE:
            levels.append(self._growing[FIVE])
        parts = [level.part for level in levels if level.begun] + [minute]
        bar = parts[0].copy()
        for part in parts[1:]:
            merge(bar, part)
        return bar

    def _quantities(self, bars: Floats, index: int | None) -> None:
        """Put summed volumes back on the lot grid, so that every way of adding up shows the same decimal."""
        lots = self._lots
        for field in (VOLUME, TAKER_BASE):
            if index is None:
                bars[field] = lots.value(lots.steps(bars[field]))
            else:
                unit, scale = lots.units[index], lots.scale[index]
                bars[field] = np.rint(bars[field] * scale / unit) * unit / scale

    def candles(
        self, index: int, interval: str, start_ms: int | None, end_ms: int | None, limit: int, minute: Floats
    ) -> Candles:
        """Return bars as GET klines does; `minute` is the open minute [FIELDS, symbols] so far."""
        size = INTERVALS[interval]
        ring = self._minutes if size < FIVE else self._fives
        open_ms = self._minutes.end_ms // size * size
        oldest = -(-ring.start_ms // size) * size
        low = oldest if start_ms is None else max(oldest, -(-start_ms // size) * size)
        high = open_ms if end_ms is None else min(open_ms, end_ms // size * size)
        if start_ms is not None:
            high = min(high, low + (limit - 1) * size)
        low = max(low, high - (limit - 1) * size)
        times = np.arange(low, high + size, size, dtype=np.int64)
        bars: Floats = np.empty((FIELDS, len(times)))
        closed = len(times) - int(high == open_ms and len(times) > 0)
        if closed:
            window = ring.window(low, low + closed * size, index)
            bars[:, :closed] = aggregate(window, size // ring.interval_ms)
        if closed < len(times):
            bars[:, closed] = self._open_bar(size, minute)[:, index]
        self._quantities(bars, index)
        return candles_of(times, bars)

    def bars(self, interval: str, at_ms: int, minute: Floats) -> BarColumns:
        """Return every symbol's bar that contains `at_ms`; ValueError when it is not kept or lies ahead."""
        size = INTERVALS[interval]
        begin = at_ms // size * size
        open_ms = self._minutes.end_ms // size * size
        growing = self._growing[size]
        if begin == open_ms:
            bar = self._open_bar(size, minute)
        elif begin == growing.closed_ms:
            bar = growing.closed.copy()
        else:
            ring = self._minutes if size < FIVE else self._fives
            if begin > open_ms or begin < ring.start_ms:
                raise ValueError(
                    f"no {interval} bar at {at_ms}: kept are {ring.start_ms} to {open_ms}; ask for an instant between"
                )
            bar = ring.joined(begin, begin + size)
        self._quantities(bar, None)
        return bar_columns_of(begin, bar)

    def day(self, minute: Floats, last_id: npt.NDArray[np.int64]) -> DayColumns:
        """Return the statistics of the last 24 h (to the minute); `last_id` is every symbol's newest trade id."""
        end = self._minutes.end_ms
        if self._day is None or self._day[0] != end:
            begin = max(self._minutes.start_ms, end - (DAY_MINUTES - 1) * MINUTE)
            self._day = (end, self._minutes.joined(begin, end) if begin < end else None)
        closed = self._day[1]
        bar = minute.copy() if closed is None else closed.copy()
        if closed is not None:
            merge(bar, minute)
        self._quantities(bar, None)
        return day_of(bar, bar[CLOSE], last_id)
