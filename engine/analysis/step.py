"""One closed bar through everything, for one row, many rows, or a whole history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from engine.analysis.blocks import age_blocks, find_block
from engine.analysis.changes import NO_LOG, ChangeLog
from engine.analysis.compiled import entry, kernel, source_digest
from engine.analysis.gaps import age_gaps, find_gap
from engine.analysis.indicators import advance_indicators
from engine.analysis.layout import BAR, BARS, LAYER_REACH
from engine.analysis.pools import age_pools, pools_of_spans, pools_of_swings
from engine.analysis.scratch import rows_of
from engine.analysis.structure import confirm_swings, find_breaks, mark_displacement

if TYPE_CHECKING:
    from engine.analysis.layout import Tables

MASK = BARS - 1
# Another memory layout would be another type, compiled anew in the middle of a run.
LAYOUT: tuple[Literal["C"], Literal["A"], Literal["W"]] = ("C", "A", "W")


@kernel
def _clear(tables: Any, row: int, interval: int) -> None:
    s = tables.series[row]
    w = tables.scratch[row]
    s.n = 0
    s.interval = interval
    s.last_open = -1
    s.ema20 = s.ema50 = s.ema100 = s.ema200 = np.nan
    s.rsi14 = s.atr14 = s.atr200 = s.adx14 = s.plus_di = s.minus_di = np.nan
    s.macd = s.macd_signal = s.macd_hist = np.nan
    s.bb_mid = s.bb_upper = s.bb_lower = s.bb_width = s.bb_width_pct = np.nan
    s.vol_mean = s.vol_z = s.vwap = s.er10 = s.rv20 = np.nan
    s.obv = 0.0
    s.gaps = s.blocks = s.pools = s.sweeps = 0
    w.gain = w.loss = w.atr14_sum = w.atr200_sum = 0.0
    w.plus_dm = w.minus_dm = w.range_sum = w.dx_sum = 0.0
    w.adx = w.fast = w.slow = w.signal = np.nan
    w.fast_sum = w.slow_sum = w.signal_sum = 0.0
    w.vwap_day = -1
    w.vwap_money = w.vwap_volume = 0.0
    w.gap_lo = w.block_lo = w.pool_lo = -np.inf
    w.gap_hi = w.block_hi = w.pool_hi = np.inf
    w.gap_shut_lo = -np.inf
    w.gap_shut_hi = np.inf
    w.living = 0
    w.spare = 0
    w.gaps_living = 0
    w.offset = 0
    w.offset_until = 0
    for i in range(4):
        w.ema_sums[i] = 0.0
    for i in range(3):
        w.span_id[i] = -1
        w.span_whole[i] = 0
    for layer in range(2):
        s.swings[layer] = s.breaks[layer] = 0
        s.bias[layer] = 0
        s.last_high[layer] = s.last_low[layer] = -1
        for column in range(2):
            w.hope[layer, column] = -1
            w.open[layer, column] = -1
            w.hope_level[layer, column] = 0.0
            w.open_level[layer, column] = 0.0
        w.leg_side[layer] = 0


@kernel
def _zones(
    s: Any,
    w: Any,
    bars: Any,
    swings: Any,
    breaks: Any,
    gaps: Any,
    blocks: Any,
    pools: Any,
    sweeps: Any,
    log: Any,
    row: int,
    t: int,
) -> None:
    """Structure, gaps, blocks and pools of bar t, in the order in which they rest on each other."""
    b = bars.x[t & MASK]
    p = bars.x[(t - 1) & MASK]
    mark_displacement(s, w, b, t)
    internal = outer = 0
    for layer in range(2):
        internal = outer
        outer = confirm_swings(s, w, bars, swings, log, row, layer, LAYER_REACH[layer], t)
    age_pools(s, w, pools, sweeps, log, row, b, t)
    age_gaps(w, gaps, log, row, b, t)
    find_gap(s, w, bars, gaps, log, row, t)
    age_blocks(s, w, blocks, sweeps, log, row, b, t)
    if t > 0:
        for layer in range(2):
            find_breaks(s, w, bars, swings, breaks, log, row, layer, b.c, p.c, t)
            find_block(s, w, bars, gaps, blocks, sweeps, log, row, layer, t)
    if internal | outer:
        pools_of_swings(s, w, bars, swings, pools, log, row, internal, outer, t)
    pools_of_spans(s, w, pools, log, row, b, t)


@kernel
def _indicators(s: Any, w: Any, bars: Any, bar: Any) -> int:
    """Store a bar in its ring, take it into the indicators and return its number."""
    t = s.n
    b = bars.x[t & MASK]
    b.t = bar.t
    b.o = bar.o
    b.h = bar.h
    b.l = bar.l
    b.c = bar.c
    b.v = bar.v
    advance_indicators(s, w, b, bars.x[(t - 1) & MASK], t)
    s.n = t + 1
    s.last_open = bar.t
    return t  # type: ignore[no-any-return]


def _entries(digest: str) -> tuple[Any, Any, Any]:
    # The tables are unpacked once and rows handed on as records: see `engine.analysis.scratch.Rows`.
    @entry
    def step_kernel(tables: Any, rows: Any, bars: Any, log: Any, zones: bool) -> int:
        series, scratch, ring, swings, breaks, gaps, blocks, pools, sweeps = tables
        g = log[0]
        for k in range(len(rows)):
            r = rows[k]
            t = _indicators(series[r], scratch[r], ring[r], bars[k])
            if zones:
                _zones(
                    series[r],
                    scratch[r],
                    ring[r],
                    swings[r],
                    breaks[r],
                    gaps[r],
                    blocks[r],
                    pools[r],
                    sweeps[r],
                    g,
                    r,
                    t,
                )
        return len(digest)

    @entry
    def run_kernel(tables: Any, row: int, bars: Any, log: Any, zones: bool) -> int:
        series, scratch, ring, swings, breaks, gaps, blocks, pools, sweeps = tables
        g = log[0]
        s, w, x = series[row], scratch[row], ring[row]
        r1, r2, r3, r4, r5, r6 = swings[row], breaks[row], gaps[row], blocks[row], pools[row], sweeps[row]
        for k in range(len(bars)):
            t = _indicators(s, w, x, bars[k])
            if zones:
                _zones(s, w, x, r1, r2, r3, r4, r5, r6, g, row, t)
        return len(digest)

    @entry
    def reset_kernel(tables: Any, row: int, interval: int) -> int:
        _clear(tables, row, interval)
        return len(digest)

    return step_kernel, run_kernel, reset_kernel


STEP, RUN, RESET = _entries(source_digest())


def reset(tables: Tables, row: int, interval_ms: int) -> None:
    """Forget everything a row knows and give it a bar length; needed once before its first bar."""
    RESET(rows_of(tables), int(row), int(interval_ms))


def step_rows(tables: Tables, rows: npt.NDArray[np.int64], bars: npt.NDArray[np.void], log: ChangeLog = NO_LOG) -> None:
    """Take one closed bar per row: bars[k] (BAR, x space) goes to rows[k].

    Bars of a row must come consecutively in time; a row may appear more than once, earlier bars first. Raises
    ValueError when the two lengths differ. Releases the interpreter lock.
    """
    if len(rows) != len(bars):
        raise ValueError(f"{len(rows)} rows but {len(bars)} bars; every row takes exactly one bar")
    STEP(rows_of(tables), np.require(rows, np.int64, LAYOUT), np.require(bars, BAR, LAYOUT), log, True)


def run(tables: Tables, row: int, bars: npt.NDArray[np.void], log: ChangeLog = NO_LOG) -> None:
    """Take consecutive closed bars into one row; equal bit for bit to stepping them one by one."""
    RUN(rows_of(tables), int(row), np.require(bars, BAR, LAYOUT), log, True)
