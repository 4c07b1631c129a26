"""Every interval's bars of a session: recorded ones, and joins of smaller ones where an interval was not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.bar_columns import bar_columns_of, candles_of, day_of
from exchange.simulator.bar_ring import (
    FIELDS,
    TAKER_BASE,
    VOLUME,
    aggregate,
    merge,
)
from exchange.simulator.market import INTERVALS, MINUTE
from exchange.simulator.recorded.bars import BarSeries, Chunk, joined
from exchange.simulator.recorded.wire import BarSeen

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    from exchange.market_data import Candles
    from exchange.simulator.market import BarColumns, DayColumns
    from exchange.simulator.price_grid import Floats, Grids
    from exchange.simulator.recorded.beginning import Beginning
    from exchange.simulator.recorded.wire import Seen

DAY_MS = 86_400_000
Closings = dict[tuple[str, int], dict[int, tuple[float, ...]]]


class Chart:
    """The bars of all symbols at all intervals.

    An interval with frames of its own shows these; 1m without frames is built from the prices seen; any other follows
    the largest of those that divides it.
    """

    def __init__(
        self,
        beginning: Beginning,
        before: Sequence[Seen],
        index: Mapping[str, int],
        last: Floats,
        grids: Grids,
        now_ms: int,
        live: Collection[str],
        closings: Closings,
    ) -> None:
        """Begin with the recorded history and the bars seen `before`.

        `live` names the intervals that have frames. `closings` holds final bars that were read ahead.
        """
        self._grids = grids
        self._closings = closings
        known: dict[str, list[list[Chunk]]] = {interval: [[] for _ in index] for interval in INTERVALS}
        for (symbol, interval), answers in beginning.candles.items():
            if symbol in index:
                known[interval][index[symbol]] += [_chunk(candles) for candles in answers]
        for seen in before:
            if isinstance(seen, BarSeen):
                bar = np.array(seen.bar)[:, None]
                known[seen.interval][seen.listing].append((np.array([seen.open_ms]), bar))
        ordered = sorted(INTERVALS.items(), key=lambda item: item[1])
        self._series = {
            interval: BarSeries(size, known[interval], last, now_ms, live=interval in live or interval == "1m")
            for interval, size in ordered
        }
        self._base: dict[str, str] = {}
        for interval, series in self._series.items():
            if not series.live:
                bases = [
                    name
                    for name, base in self._series.items()
                    if base.live and base.interval_ms < series.interval_ms and not series.interval_ms % base.interval_ms
                ]
                self._base[interval] = bases[-1]
                series.derive(self._series[bases[-1]])

    @property
    def filled(self) -> int:
        """Return how many bars of the recorded history are missing in it and shown flat."""
        return sum(series.filled for series in self._series.values())

    def see_bar(self, seen: BarSeen) -> bool:
        """Take over a recorded bar; say whether it is the present one."""
        series = self._series[seen.interval]
        if seen.open_ms > seen.at:
            return False
        if seen.open_ms > series.open_ms:
            self.roll(seen.open_ms)
        series.put(seen.listing, seen.open_ms, seen.bar)
        if seen.open_ms < series.open_ms:
            self._closings.pop((seen.interval, seen.open_ms), None)
        return seen.open_ms == series.open_ms

    def see_price(self, listing: int, price: float, quantity: float, count: int, *, bought: bool) -> None:
        """Extend the open minute by a trade, or by a mere price; for a session without minutes of its own."""
        self._series["1m"].observe(listing, price, quantity, count, bought=bought)

    def roll(self, to_ms: int) -> None:
        """Close every bar that ends at or before an instant."""
        minutes = self._series["1m"]
        while minutes.open_ms + MINUTE <= to_ms:
            end = minutes.open_ms + MINUTE
            for interval, series in self._series.items():
                if end % series.interval_ms:
                    continue
                series.close(self._closings.pop((interval, series.open_ms), {}) if series.live else {})
                for follower, base in self._base.items():
                    if base == interval:
                        self._series[follower].take(series.ring.newest())

    @property
    def minute_end_ms(self) -> int:
        """Return when the open minute ends."""
        return self._series["1m"].open_ms + MINUTE

    def _open_bar(self, interval: str) -> Floats:
        """Return the open bar of an interval [FIELDS, symbols]."""
        series = self._series[interval]
        if series.live:
            return series.open.copy()
        return self._on_grid(joined(series.open, self._series[self._base[interval]].open))

    def _on_grid(self, bars: Floats) -> Floats:
        """Put summed volumes back on the lot grid, so that every way of adding up shows the same decimal."""
        lots = self._grids.lot
        for field in (VOLUME, TAKER_BASE):
            bars[field] = lots.value(lots.steps(bars[field]))
        return bars

    def candles(self, index: int, interval: str, start_ms: int | None, end_ms: int | None, limit: int) -> Candles:
        """Return bars as GET klines does, from the symbol's first recorded bar on; the open bar last.

        Raises KeyError for an interval that is not served.
        """
        series = self._series[interval]
        size, ring, open_ms = series.interval_ms, series.ring, series.open_ms
        oldest = max(ring.start_ms, int(min(series.first_ms[index], open_ms)))
        low = oldest if start_ms is None else max(oldest, -(-start_ms // size) * size)
        high = open_ms if end_ms is None else min(open_ms, end_ms // size * size)
        if start_ms is not None:
            high = min(high, low + (limit - 1) * size)
        low = max(low, high - (limit - 1) * size)
        times = np.arange(low, high + size, size, dtype=np.int64)
        bars: Floats = np.empty((FIELDS, len(times)))
        closed = len(times) - int(high == open_ms and len(times) > 0)
        if closed:
            bars[:, :closed] = ring.window(low, low + closed * size, index)
        if closed < len(times):
            bars[:, closed] = self._open_bar(interval)[:, index]
        return candles_of(times, bars)

    def bars(self, interval: str, at_ms: int) -> BarColumns:
        """Return every symbol's bar of `interval` that contains `at_ms`; ValueError when it is not kept."""
        series = self._series[interval]
        begin = at_ms // series.interval_ms * series.interval_ms
        if begin == series.open_ms:
            bar = self._open_bar(interval)
        elif series.ring.start_ms <= begin < series.open_ms:
            bar = series.ring.joined(begin, begin + series.interval_ms)
        else:
            raise ValueError(
                f"no {interval} bar at {at_ms}: kept are {series.ring.start_ms} to {series.open_ms}; "
                "ask for an instant between"
            )
        return bar_columns_of(begin, bar)

    def day(self, last: Floats, last_id: npt.NDArray[np.int64]) -> DayColumns:
        """Return the statistics of the last 24 h from the finest bars that reach so far back, or the longest ones."""
        reaching = [s for s in self._series.values() if s.ring.start_ms <= s.open_ms + s.interval_ms - DAY_MS]
        series = reaching[0] if reaching else min(self._series.values(), key=lambda s: s.ring.start_ms)
        interval = next(name for name, one in self._series.items() if one is series)
        begin = max(series.ring.start_ms, series.open_ms + series.interval_ms - DAY_MS)
        bar = self._open_bar(interval)
        if begin < series.open_ms:
            whole = aggregate(series.ring.span(begin, series.open_ms), (series.open_ms - begin) // series.interval_ms)
            closed = whole[:, :, 0]
            merge(closed, bar)
            bar = closed
        self._on_grid(bar)
        return day_of(bar, last.copy(), last_id)


def _chunk(candles: Candles) -> Chunk:
    columns = (
        candles.open, candles.high, candles.low, candles.close, candles.volume, candles.quote_volume,
        candles.trades.astype(np.float64), candles.taker_base, candles.taker_quote,
    )  # fmt: skip
    return candles.open_time, np.stack(columns)
