"""A small market for strategy tests: 5m bars of some symbols, their 15m and 1h frames, and readings at each close."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.layout import BAR
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables
from engine.strategy.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

INTERVALS = (300_000, 900_000, 3_600_000)


def coarser(bars: npt.NDArray[np.void], ratio: int) -> npt.NDArray[np.void]:
    """Return the bars of a frame `ratio` times as long, whole ones only; the first bar must open such a frame."""
    whole = len(bars) // ratio * ratio
    parts = bars[:whole].reshape(-1, ratio)
    out = np.empty(len(parts), BAR)
    out["t"], out["o"], out["c"] = parts["t"][:, 0], parts["o"][:, 0], parts["c"][:, -1]
    out["h"], out["l"], out["v"] = parts["h"].max(axis=1), parts["l"].min(axis=1), parts["v"].sum(axis=1)
    return out


def from_whole_hour(bars: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Drop the bars before the first full hour."""
    return bars[int(np.argmax(bars["t"] % INTERVALS[2] == 0)) :]


def reading(slot: int, symbol: str, price: float, **over: float) -> Reading:
    """Return a plain reading: a liquid symbol with complete data."""
    facts = {
        "spread_bps": 2.0,
        "funding_rate": 0.0001,
        "quote_volume": 5e7,
        "volume_rank": 1 + slot,
        "completeness": 1.0,
        "updated_ms": 0,
    } | over
    return Reading(
        slot=slot, symbol=symbol, price=price, mark=price, bid=price, ask=price, tick=1e-4, decimals=4, **facts
    )


def same_time(series: Sequence[npt.NDArray[np.void]]) -> list[npt.NDArray[np.void]]:
    """Return the series shifted in time so that all begin with the first one; symbols were recorded in other weeks."""
    shifted = [bars.copy() for bars in series]
    for bars in shifted:
        bars["t"] += series[0]["t"][0] - bars["t"][0]
    return shifted


class Market:
    """Symbols whose 5m bars (equal length and times, from a whole hour) are taken one close after the other."""

    def __init__(self, series: Sequence[npt.NDArray[np.void]], first: int) -> None:
        """Analyse the first `first` bars (a multiple of 12) at once."""
        assert all((bars["t"] == series[0]["t"]).all() for bars in series), "series of one market share their times"
        self.tables = make_tables(len(series))
        self._frames = [(bars, coarser(bars, 3), coarser(bars, 12)) for bars in series]
        self.index = first
        for slot, frames in enumerate(self._frames):
            for frame, ratio in enumerate((1, 3, 12)):
                reset(self.tables, slot * 3 + frame, INTERVALS[frame])
                run(self.tables, slot * 3 + frame, frames[frame][: first // ratio])

    def step(self) -> None:
        """Take the next 5m close of every symbol, and the 15m and 1h bars that close with it."""
        self.index += 1
        rows, bars = [], []
        for frame, ratio in enumerate((1, 3, 12)):
            if self.index % ratio == 0:
                for slot, frames in enumerate(self._frames):
                    rows.append(slot * 3 + frame)
                    bars.append(frames[frame][self.index // ratio - 1])
        step_rows(self.tables, np.array(rows, np.int64), np.array(bars, BAR))

    @property
    def now(self) -> int:
        """UTC ms of the last close."""
        return int(self.tables.series[0]["last_open"]) + INTERVALS[0]

    def closes(self) -> npt.NDArray[np.float64]:
        """Return the last 5m close of every symbol in x space."""
        return np.array([frames[0][self.index - 1]["c"] for frames in self._frames])

    def readings(self) -> list[Reading]:
        """Return a reading of every symbol at its last close."""
        return [reading(slot, f"S{slot}USDT", exp(close)) for slot, close in enumerate(self.closes())]
