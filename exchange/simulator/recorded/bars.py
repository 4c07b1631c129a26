"""Bars of one interval for all symbols of a session: recorded history, then what the frames say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.bar_ring import (
    CLOSE,
    FIELDS,
    HIGH,
    LOW,
    QUOTE,
    TAKER_BASE,
    TAKER_QUOTE,
    TRADES,
    VOLUME,
    BarRing,
    aggregate,
    merge,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from exchange.simulator.price_grid import Floats

HISTORY = 1000
"""Most bars of history kept at the start."""
SPARE = 500
"""Bars kept beyond them while the session runs."""
WEEK_MS = 7 * 86_400_000
UNKNOWN_MS = 2**62


def flat(level: Floats) -> Floats:
    """Return bars without volume at these prices [FIELDS, symbols]."""
    bar: Floats = np.zeros((FIELDS, len(level)))
    bar[: CLOSE + 1] = level
    return bar


Chunk = tuple["npt.NDArray[np.int64]", "Floats"]
"""Open times and bars [FIELDS, n] of one symbol."""


class BarSeries:
    """The closed bars of one interval and the open one [FIELDS, symbols].

    With `live` the open bar is what frames (or observed trades) made it; else it is `part`, the closed smaller bars
    of the base interval, and the base's own open bar must be added.
    """

    def __init__(
        self,
        interval_ms: int,
        history: Sequence[Sequence[Chunk]],
        last: Floats,
        now_ms: int,
        *,
        live: bool,
    ) -> None:
        """Put the bars known at `now_ms` on the grid; gaps become flat bars at the close before them.

        `history` holds pieces of each symbol's bars, of which later ones count where they overlap; `last` is the price
        where no bar is known.
        """
        self.interval_ms = interval_ms
        self.live = live
        self.open_ms = now_ms // interval_ms * interval_ms
        oldest = [int(times[0]) for chunks in history for times, _ in chunks if len(times)]
        begin = max(min([*oldest, self.open_ms]), self.open_ms - HISTORY * interval_ms)
        count = (self.open_ms - begin) // interval_ms + 1
        table: Floats = np.full((FIELDS, len(history), count), np.nan)
        for index, chunks in enumerate(history):
            for opened, bars in chunks:
                kept = (opened >= begin) & (opened <= self.open_ms) & (opened % interval_ms == 0)
                table[:, index, (opened[kept] - begin) // interval_ms] = bars[:, kept]
        present = ~np.isnan(table[CLOSE])
        self.first_ms: npt.NDArray[np.int64] = np.where(
            present.any(axis=1), begin + present.argmax(axis=1) * interval_ms, UNKNOWN_MS
        )
        """Open time of every symbol's first known bar."""
        times = begin + np.arange(count) * interval_ms
        self.filled = int(np.count_nonzero(~present & (times >= self.first_ms[:, None])))
        """Bars since a symbol's first one that the session does not hold."""
        _fill(table, present, last)
        spare = max(16, min(SPARE, WEEK_MS // interval_ms))
        self.ring = BarRing(interval_ms, begin, len(history), count + spare)
        self.ring.extend(table[:, :, :-1])
        self.open: Floats = table[:, :, -1].copy()

    def put(self, index: int, open_ms: int, bar: Sequence[float]) -> None:
        """Take over a symbol's bar: the open one, or a correction of one that is closed and still kept."""
        if open_ms == self.open_ms and self.live:
            self.open[:, index] = bar
            self.first_ms[index] = min(self.first_ms[index], open_ms)
        elif self.ring.start_ms <= open_ms < self.open_ms:
            self.ring.amend(open_ms, index, bar)
            self.first_ms[index] = min(self.first_ms[index], open_ms)

    def observe(self, index: int, price: float, quantity: float, count: int, *, bought: bool) -> None:
        """Extend a symbol's open bar by a trade; by a mere price where `count` is 0."""
        bar = self.open[:, index]
        if bar[VOLUME] == 0 and count:
            bar[: CLOSE + 1] = price  # the first trade of the bar opens it
        bar[HIGH] = max(bar[HIGH], price)
        bar[LOW] = min(bar[LOW], price)
        bar[CLOSE] = price
        bar[VOLUME] += quantity
        bar[QUOTE] += quantity * price
        bar[TRADES] += count
        if bought:
            bar[TAKER_BASE] += quantity
            bar[TAKER_QUOTE] += quantity * price
        self.first_ms[index] = min(self.first_ms[index], self.open_ms)

    def close(self, finals: Mapping[int, Sequence[float]]) -> None:
        """Close the open bar, with the final bars of the symbols that have one, and begin the next."""
        for index, bar in finals.items():
            self.open[:, index] = bar
        self.ring.close(self.open)
        self.open_ms += self.interval_ms
        self.open = flat(self.open[CLOSE]) if self.live else _nothing(self.open)

    def derive(self, base: BarSeries) -> None:
        """Begin as the join of a smaller series: the open bar, and all closed ones where none were recorded."""
        size = self.interval_ms
        if (self.first_ms == UNKNOWN_MS).all():
            low, high = -(-base.ring.start_ms // size) * size, min(self.open_ms, base.ring.end_ms // size * size)
            count = max(0, (high - low) // size)
            spare = max(16, min(SPARE, WEEK_MS // size))
            self.ring = BarRing(size, self.open_ms - count * size, len(self.first_ms), count + spare)
            if count:
                whole = base.ring.span(low, low + count * size)
                self.ring.extend(aggregate(whole, size // base.interval_ms))
            self.first_ms = np.where(base.first_ms == UNKNOWN_MS, UNKNOWN_MS, np.maximum(base.first_ms, low))
        if base.ring.start_ms <= self.open_ms < base.ring.end_ms:
            self.open = base.ring.joined(self.open_ms, base.ring.end_ms)
        elif self.open_ms >= base.ring.end_ms:
            self.open = _nothing(base.open)

    def take(self, closed: Floats) -> None:
        """Add a closed bar of the base series to the open bar."""
        self.open = joined(self.open, closed)


def _nothing(like: Floats) -> Floats:
    """Return bars to which nothing has been added yet."""
    empty: Floats = np.zeros_like(like)
    empty[: CLOSE + 1] = np.nan
    return empty


def joined(part: Floats, more: Floats) -> Floats:
    """Return bars extended by the bars that follow them; a bar that has not begun is what follows."""
    begun = ~np.isnan(part[CLOSE])
    whole = part.copy()
    merge(whole, more)
    whole[:, ~begun] = more[:, ~begun]
    return whole


def _fill(table: Floats, present: npt.NDArray[np.bool_], last: Floats) -> None:
    """Make every missing bar flat: at the close before it, before the first one at its open, else at `last`."""
    count = present.shape[1]
    rows = np.maximum.accumulate(np.where(present, np.arange(count), -1), axis=1)
    closes = np.take_along_axis(table[CLOSE], np.maximum(rows, 0), axis=1)
    first = np.where(present.any(axis=1), table[0, np.arange(len(present)), present.argmax(axis=1)], last)
    level = np.where(rows >= 0, closes, first[:, None])
    missing = ~present
    for field in range(FIELDS):
        table[field][missing] = level[missing] if field <= CLOSE else 0.0
