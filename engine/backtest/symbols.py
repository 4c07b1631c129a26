"""One symbol of a replay: where it stands in its history, and what the desk has been shown of it."""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.bars import bars_of
from engine.analysis.compiled import entry
from engine.analysis.layout import FRAMES
from engine.analysis.step import reset, run
from engine.backtest.history import BAR_MS
from engine.market.tape import build_frame
from exchange.market_data import FRAME_MS
from exchange.simulator.listings import brackets_for, make_instrument
from exchange.simulator.replay_rules import infer_step

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.analysis.layout import Tables
    from engine.backtest.history import Series, Stretch
    from exchange.instrument import Bracket, Instrument
    from exchange.market_data import Candles

RULE_BARS = 2_000
"""Trading rules are inferred from the first bars of a symbol, long before its first signal."""
QUARTER, HOUR = FRAME_MS["15m"], FRAME_MS["1h"]


def rules_of(series: Series) -> tuple[Instrument, tuple[Bracket, ...]]:
    """Return the trading rules and brackets that the first bars of a symbol suggest."""
    part = slice(0, RULE_BARS)
    prices = np.concatenate([series.open[part], series.high[part], series.low[part], series.close[part]])
    price = float(series.close[part][-1])
    daily = max(1.0, float(series.quote[part].mean()) * 288)
    base = series.symbol.removesuffix("USDT")
    instrument = make_instrument(
        base,
        price=price,
        daily_quote=daily,
        tick=infer_step(prices, coarsest=Decimal(1).scaleb(floor(log10(price)) - 1)),
        lot=infer_step(series.volume[part], coarsest=Decimal(1)),
        onboard_ms=int(series.open_time[0]),
    )
    return instrument, brackets_for(base, daily)


def frames_of(series: Series, stretch: Stretch) -> tuple[npt.NDArray[np.void], ...]:
    """Return the 5m, 15m and 1h bars of a stretch in x space; incomplete longer bars are left out."""
    candles = series.candles(stretch.first, stretch.end)
    return bars_of(candles), *(bars_of(build_frame(candles, "5m", frame)) for frame in FRAMES[1:])


@entry
def first_beyond(
    high: npt.NDArray[np.float64], low: npt.NDArray[np.float64], start: int, end: int, ceiling: float, floor: float
) -> int:
    """Return the first bar in [start, end) that trades at or beyond one of two levels, `end` where none does."""
    for i in range(start, end):
        if low[i] <= floor or high[i] >= ceiling:
            return i
    return end


class ReplaySymbol:
    """The cursor of one symbol. Bar numbers count over the whole series."""

    def __init__(self, series: Series, slot: int) -> None:
        self.series = series
        self.slot = slot
        self.symbol = series.symbol
        self.stretches = series.stretches()
        self._begins = [int(series.open_time[one.first]) for one in self.stretches]
        self.seen = -1
        """Last bar the book has judged."""
        self._stretch: Stretch | None = None
        self._frames: tuple[npt.NDArray[np.void], ...] = ()
        self._done = [0, 0, 0]

    def bar_closing(self, time_ms: int) -> int:
        """Return the bar that closes at this instant, -1 where there is none."""
        opened = time_ms - BAR_MS
        place = bisect_right(self._begins, opened) - 1
        if place < 0:
            return -1
        stretch = self.stretches[place]
        number = stretch.first + (opened - self._begins[place]) // BAR_MS
        return number if number < stretch.end else -1

    def last_closed(self, time_ms: int) -> int:
        """Return the newest bar that has closed by this instant, -1 where there is none."""
        return int(np.searchsorted(self.series.open_time, time_ms - BAR_MS, side="right")) - 1

    def stretch_of(self, bar: int) -> Stretch:
        """Return the stretch that holds a bar."""
        return self.stretches[bisect_right(self._begins, int(self.series.open_time[bar])) - 1]

    def past(self, bar: int, limit: int) -> Candles:
        """Return the newest bars of the stretch up to this one."""
        first = max(self.stretch_of(bar).first, bar + 1 - limit) if bar >= 0 else 0
        return self.series.candles(first, bar + 1)

    def bring(self, tables: Tables, bar: int) -> None:
        """Take the analysis of all frames up to the close of a bar."""
        stretch = self.stretch_of(bar)
        if stretch is not self._stretch:
            self._stretch, self._frames, self._done = stretch, frames_of(self.series, stretch), [0, 0, 0]
            for number, frame in enumerate(FRAMES):
                reset(tables, self.slot * 3 + number, FRAME_MS[frame])
        end = int(self.series.open_time[bar]) + BAR_MS
        wanted = [bar + 1 - stretch.first]
        for bars, step in zip(self._frames[1:], (QUARTER, HOUR), strict=True):
            wanted.append(max(0, min(len(bars), (end - int(bars[0]["t"])) // step)) if len(bars) else 0)
        for number, count in enumerate(wanted):
            if count > self._done[number]:
                run(tables, self.slot * 3 + number, self._frames[number][self._done[number] : count])
                self._done[number] = count

    def leave(self) -> None:
        """Forget the bars in x space; they are made anew when they are needed."""
        self._stretch, self._frames = None, ()
