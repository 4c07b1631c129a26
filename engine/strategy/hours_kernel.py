"""What the last hours of a symbol say: regime of the next hour, and how each directional feature has fared.

Both rest on the indicators bar by bar over the newest `HOURS` closed 1h bars and on nothing older, so the same bars
give the same answer on every path. Prices are in x space: mirrored prices negate every feature and leave the regime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.compiled import entry, kernel
from engine.analysis.compiled import source_digest as analysis_digest
from engine.analysis.indicators import advance_indicators
from engine.analysis.layout import BAR, BARS
from engine.analysis.scratch import rows_of
from engine.analysis.step import reset
from engine.analysis.tables import make_tables

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.analysis.layout import Tables

HOURS = 500
"""1h bars looked at; the history every ready symbol has."""
HOUR_MS = 3_600_000
FEATURES = 7
TREND_OF_ADX = (18.0, 38.0)
TREND_OF_EFFICIENCY = (0.20, 0.65)
FLOOR = 0.05
"""Least likelihood of a regime: one bar rules nothing out."""
STAY, MOVE = 8.0, 1.0
"""Transitions taken for granted before any was counted: a regime that stays, and one that changes."""
JUDGED = 240
"""Hours over which a feature's signed returns are judged."""
HOURS_A_YEAR = 8760.0


@kernel
def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


@kernel
def _clip(value: float) -> float:
    return min(max(value, -1.0), 1.0)


@kernel
def _likelihood(s: Any, out: npt.NDArray[np.float64]) -> None:
    """Fill the likelihood of trending, ranging, volatile from ADX, efficiency and width percentile."""
    trend = 0.6 * _ramp(s.adx14, TREND_OF_ADX[0], TREND_OF_ADX[1])
    trend += 0.4 * _ramp(s.er10, TREND_OF_EFFICIENCY[0], TREND_OF_EFFICIENCY[1])
    out[0] = max(trend, FLOOR)
    out[1] = max((1.0 - trend) * (1.0 - s.bb_width_pct), FLOOR)
    out[2] = max((1.0 - trend) * s.bb_width_pct, FLOOR)


@kernel
def _features(s: Any, x: Any, t: int, out: npt.NDArray[np.float64]) -> None:
    """Fill the directional features of bar t, each in [-1, 1]: positive expects a rise."""
    c = x[t & (BARS - 1)].c
    atr = s.atr14
    di = s.plus_di + s.minus_di
    half = 0.5 * (s.bb_upper - s.bb_lower)
    noise = s.rv20 * np.sqrt(20.0)
    out[0] = _clip((c - x[(t - 10) & (BARS - 1)].c) / (3.0 * atr))
    out[1] = _clip(s.adx14 / 50.0) * ((s.plus_di - s.minus_di) / di if di > 0.0 else 0.0)
    out[2] = _clip((s.ema20 - s.ema50) / (2.0 * atr))
    out[3] = -_clip((s.rsi14 - 50.0) / 20.0)
    out[4] = -_clip((c - s.bb_mid) / half) if half > 0.0 else 0.0
    out[5] = _clip((c - x[(t - 1) & (BARS - 1)].c) / atr)
    out[6] = _clip((c - x[(t - 20) & (BARS - 1)].c) / (2.0 * noise)) if noise > 0.0 else 0.0


@kernel
def _predict(likely: npt.NDArray[np.float64], lookback: int, out: npt.NDArray[np.float64]) -> None:
    """Fill the probability of each regime in the next hour: a forward filter over `lookback` bars, one step ahead."""
    count = len(likely)
    moves = np.full((3, 3), MOVE)
    for k in range(3):
        moves[k, k] = STAY
    before = np.argmax(likely[0])
    for i in range(1, count):
        now = np.argmax(likely[i])
        moves[before, now] += 1.0
        before = now
    for k in range(3):
        moves[k] /= moves[k].sum()
    p = np.full(3, 1.0 / 3.0)
    ahead = np.empty(3)
    for i in range(max(0, count - lookback), count):
        total = 0.0
        for k in range(3):
            ahead[k] = p[0] * moves[0, k] + p[1] * moves[1, k] + p[2] * moves[2, k]
            # Neighbouring bars share most of their window: the root keeps one hour from being counted many times.
            ahead[k] *= np.sqrt(likely[i, k])
            total += ahead[k]
        for k in range(3):
            p[k] = ahead[k] / total
    for k in range(3):
        out[k] = p[0] * moves[0, k] + p[1] * moves[1, k] + p[2] * moves[2, k]


@kernel
def _sharpe(values: npt.NDArray[np.float64], closes: npt.NDArray[np.float64]) -> float:
    """Return the yearly Sharpe ratio of holding each hour the side the feature named at the hour before."""
    total = square = 0.0
    count = 0
    for i in range(1, len(values)):
        held = np.sign(values[i - 1]) * (closes[i] - closes[i - 1])
        total += held
        square += held * held
        count += 1
    if count < 2:
        return 0.0
    mean = total / count
    variance = square / count - mean * mean
    return mean / np.sqrt(variance) * np.sqrt(HOURS_A_YEAR) if variance > 1e-18 else 0.0


def _entry(digest: str) -> Any:
    @entry
    def hours_kernel(series: Any, scratch: Any, ring: Any, bars: Any, lookback: int, out: Any) -> int:
        """Fill out: 3 regime probabilities, bars that had a likelihood, then value and Sharpe ratio per feature."""
        s, w, x = series[0], scratch[0], ring[0].x
        count = len(bars)
        likely = np.empty((count, 3))
        values = np.empty((count, FEATURES))
        closes = np.empty(count)
        told = 0
        for t in range(count):
            x[t & (BARS - 1)] = bars[t]
            advance_indicators(s, w, x[t & (BARS - 1)], x[(t - 1) & (BARS - 1)], t)
            s.n = t + 1
            if not (np.isfinite(s.bb_width_pct) and s.atr14 > 0.0):
                continue
            _likelihood(s, likely[told])
            _features(s, x, t, values[told])
            closes[told] = bars[t].c
            told += 1
        out[:] = 0.0
        out[3] = told
        if told > 0:
            _predict(likely[:told], lookback, out)
            first = max(0, told - JUDGED - 1)
            for k in range(FEATURES):
                out[4 + k] = values[told - 1, k]
                out[4 + FEATURES + k] = _sharpe(values[first:told, k], closes[first:told])
        return len(digest)

    return hours_kernel


HOURS_KERNEL = _entry(analysis_digest())


class HourReader:
    """Runs the kernel on scratch tables of its own; belongs to one loop."""

    def __init__(self) -> None:
        """Make room for one series."""
        self._work = make_tables(1)
        self._rows = rows_of(self._work)

    def read(self, bars: npt.NDArray[np.void], lookback: int) -> npt.NDArray[np.float64]:
        """Return the kernel's row for consecutive closed 1h bars (at most BARS), smoothed over `lookback`."""
        reset(self._work, 0, HOUR_MS)
        out = np.zeros(4 + 2 * FEATURES)
        HOURS_KERNEL(
            self._rows.series,
            self._rows.scratch,
            self._rows.bars,
            np.require(bars, BAR, ("C", "A", "W")),
            int(lookback),
            out,
        )
        return out


def hours_of(tables: Tables, slot: int) -> npt.NDArray[np.void]:
    """Return the newest `HOURS` closed 1h bars of a slot, oldest first."""
    row = 3 * slot + 2
    count = int(tables.series[row]["n"])
    bars: npt.NDArray[np.void] = tables.bars[row, np.arange(max(0, count - HOURS), count) % BARS]
    return bars
