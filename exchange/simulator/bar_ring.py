"""Closed bars of all symbols at one interval: a bounded ring, or a given series revealed bar by bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.simulator.price_grid import Floats

OPEN, HIGH, LOW, CLOSE, VOLUME, QUOTE, TRADES, TAKER_BASE, TAKER_QUOTE = range(9)
FIELDS = 9
"""Rows of a bar matrix [FIELDS, symbols]: everything of a kline that is not its time."""


def merge(whole: Floats, part: Floats) -> None:
    """Extend the bars `whole` in place by the bars `part` that follow them."""
    np.maximum(whole[HIGH], part[HIGH], out=whole[HIGH])
    np.minimum(whole[LOW], part[LOW], out=whole[LOW])
    whole[CLOSE] = part[CLOSE]
    whole[VOLUME:] += part[VOLUME:]


def aggregate(bars: Floats, per: int) -> Floats:
    """Join every `per` consecutive bars of [FIELDS, ..., n]; n is a multiple of `per`."""
    groups = bars.reshape(*bars.shape[:-1], -1, per)
    joined: Floats = np.empty(groups.shape[:-1])
    joined[OPEN] = groups[OPEN, ..., 0]
    joined[HIGH] = groups[HIGH].max(axis=-1)
    joined[LOW] = groups[LOW].min(axis=-1)
    joined[CLOSE] = groups[CLOSE, ..., -1]
    joined[VOLUME:] = groups[VOLUME:].sum(axis=-1)
    return joined


class BarRing:
    """Consecutive closed bars [FIELDS, symbols, capacity] of `interval_ms`; the oldest give way to the newest.

    With `series` (a matrix [FIELDS, symbols, n] that starts at `origin_ms`) the bars are already there and `close`
    only reveals the next one: a replay never holds its columns twice.
    """

    def __init__(self, interval_ms: int, origin_ms: int, symbols: int, capacity: int) -> None:
        self.interval_ms = interval_ms
        self._origin_ms = origin_ms
        self._bars: Floats = np.zeros((FIELDS, symbols, capacity))
        self._capacity = capacity
        self._count = 0
        self._given = False

    @classmethod
    def revealing(cls, interval_ms: int, origin_ms: int, series: Floats, revealed: int) -> BarRing:
        """Serve the first `revealed` bars of a given series and one more with every close."""
        ring = cls(interval_ms, origin_ms, 0, 0)
        ring._bars = series
        ring._capacity = series.shape[2]
        ring._count = revealed
        ring._given = True
        return ring

    @property
    def end_ms(self) -> int:
        """Return the open time of the bar that is not closed yet."""
        return self._origin_ms + self._count * self.interval_ms

    @property
    def start_ms(self) -> int:
        """Return the open time of the oldest bar kept."""
        return self.end_ms - min(self._count, self._capacity) * self.interval_ms

    def close(self, bar: Floats) -> Floats:
        """Append the closed bar [FIELDS, symbols] and return the bar as kept (the given one in a replay)."""
        slot = self._count % self._capacity
        if not self._given:
            self._bars[:, :, slot] = bar
        self._count += 1
        kept: Floats = self._bars[:, :, slot]
        return kept

    def extend(self, bars: Floats) -> None:
        """Append closed bars [FIELDS, symbols, n] in order."""
        slots = (self._count + np.arange(bars.shape[2])) % self._capacity
        self._bars[:, :, slots] = bars
        self._count += bars.shape[2]

    def newest(self) -> Floats:
        """Return the bar closed last [FIELDS, symbols]."""
        newest: Floats = self._bars[:, :, (self._count - 1) % self._capacity]
        return newest

    def amend(self, open_ms: int, index: int, bar: Sequence[float]) -> None:
        """Replace the closed bar of one symbol that opened at `open_ms`; it must be kept."""
        self._bars[:, index, (open_ms - self._origin_ms) // self.interval_ms % self._capacity] = bar

    def _views(self, start_ms: int, end_ms: int, rows: slice) -> list[Floats]:
        """Return the bars of a kept span as one or two views of the ring."""
        slot = (start_ms - self._origin_ms) // self.interval_ms % self._capacity
        size = (end_ms - start_ms) // self.interval_ms
        head: Floats = self._bars[:, rows, slot : slot + size]
        missing = size - head.shape[2]
        return [head] if missing == 0 else [head, self._bars[:, rows, :missing]]

    def joined(self, start_ms: int, end_ms: int) -> Floats:
        """Return the bars of a kept, non-empty span joined to one bar per symbol [FIELDS, symbols]."""
        whole, *rest = (aggregate(view, view.shape[2])[:, :, 0] for view in self._views(start_ms, end_ms, slice(None)))
        for part in rest:
            merge(whole, part)
        return whole

    def span(self, start_ms: int, end_ms: int) -> Floats:
        """Return the bars of all symbols with start <= open time < end [FIELDS, symbols, n]; the span must be kept."""
        views = self._views(start_ms, end_ms, slice(None))
        return views[0] if len(views) == 1 else np.concatenate(views, axis=2)

    def window(self, start_ms: int, end_ms: int, index: int) -> Floats:
        """Return the bars of one symbol with start <= open time < end [FIELDS, n]; the span must be kept."""
        views = self._views(start_ms, end_ms, slice(index, index + 1))
        bars = views[0] if len(views) == 1 else np.concatenate(views, axis=2)
        return bars[:, 0]
