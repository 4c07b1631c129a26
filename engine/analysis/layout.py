"""Columns of the analysis: what a series knows after its last closed bar.

One row per (symbol, frame) on the first axis of every table. Prices are natural logarithms throughout ("x space"):
mirrored prices are then exact negations and a scale factor is a constant, so the mirror and scale laws hold by
construction, and distances, ATR and gaps are relative measures (0.01 is about one percent). `exp` leads back to money.

Bars are addressed by their index since the series began (`Series.n` bars so far, last index n - 1); bar i stands in
ring position `i & (BARS - 1)`. Object tables are rings too: object k stands at `k % len`, the count so far in `Series`.
Pools are the exception, since some stand for weeks while most are consumed within hours: once the table is full, a new
pool takes the place of a consumed one, and of the oldest only when none is consumed.
Every object carries `at` (the bar it is drawn on) and `known` (the bar at whose close it first exists).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FRAMES = ("5m", "15m", "1h")
FRAME_5M, FRAME_15M, FRAME_1H = 0, 1, 2

BARS = 512  # power of two; the specification asks for 500
WIDTHS = 168  # Bollinger width percentile window
SWINGS = 48
BREAKS = 32
GAPS = 96  # with less, one that is still open could leave within the 500 bars looked at
BLOCKS = 64  # on 5m the 72 hours of a block are 864 bars
POOLS = 96
SWEEPS = 32

INTERNAL, SWING = 0, 1  # swing layers (5, 5) and (20, 20)
LAYER_REACH = (5, 20)

UP, DOWN = 1, -1

# Swing labels.
LABEL_NONE, LABEL_HH, LABEL_LH, LABEL_HL, LABEL_LL = 0, 1, 2, 3, 4
# Break kinds.
BOS, CHOCH, MSS = 0, 1, 2
# Fair value gap life.
GAP_OPEN, GAP_TOUCHED, GAP_CE, GAP_FILLED, GAP_INVERTED = 0, 1, 2, 3, 4
# Order block life.
BLOCK_FRESH, BLOCK_TESTED, BLOCK_MITIGATED, BLOCK_INVALID, BLOCK_BREAKER = 0, 1, 2, 3, 4
# Pool kinds and life.
POOL_EQUAL, POOL_SWING, POOL_DAY, POOL_WEEK, POOL_SESSION = 0, 1, 2, 3, 4
POOL_OPEN, POOL_PIERCED, POOL_SWEPT, POOL_RUN, POOL_MERGED = 0, 1, 2, 3, 4  # merged into a pool of equal extremes

SERIES = np.dtype(
    [
        ("n", "i8"),  # closed bars so far
        ("interval", "i8"),  # milliseconds
        ("last_open", "i8"),  # open time of the last closed bar
        # Trend indicators; NaN until warmed up as the textbook says.
        ("ema20", "f8"),
        ("ema50", "f8"),
        ("ema100", "f8"),
        ("ema200", "f8"),
        ("rsi14", "f8"),
        ("atr14", "f8"),
        ("atr200", "f8"),
        ("adx14", "f8"),
        ("plus_di", "f8"),
        ("minus_di", "f8"),
        ("macd", "f8"),
        ("macd_signal", "f8"),
        ("macd_hist", "f8"),
        ("bb_mid", "f8"),
        ("bb_upper", "f8"),
        ("bb_lower", "f8"),
        ("bb_width", "f8"),  # upper - lower in x space
        ("bb_width_pct", "f8"),  # share of the last 168 widths at or below the present one, in [0, 1]
        ("vol_mean", "f8"),
        ("vol_z", "f8"),
        ("vwap", "f8"),
        ("obv", "f8"),
        ("er10", "f8"),
        ("rv20", "f8"),
        # Counters of the object rings.
        ("swings", "i8", 2),  # per layer
        ("breaks", "i8", 2),
        ("gaps", "i8"),
        ("blocks", "i8"),
        ("pools", "i8"),
        ("sweeps", "i8"),
        # Structure per layer: bias, last confirmed pivots (ring index into `swings`, -1 for none yet).
        ("bias", "i1", 2),
        ("last_high", "i8", 2),
        ("last_low", "i8", 2),
    ],
    align=True,
)

BAR = np.dtype(
    [("t", "i8"), ("o", "f8"), ("h", "f8"), ("l", "f8"), ("c", "f8"), ("v", "f8")],
    align=True,
)  # open time in UTC ms; prices in x space; volume in base units

SWING_ROW = np.dtype(
    [
        ("side", "i1"),  # UP for a high, DOWN for a low
        ("label", "i1"),
        ("at", "i8"),
        ("known", "i8"),
        ("level", "f8"),
        ("broken", "i8"),  # bar of the close beyond it, -1 while unbroken
    ],
    align=True,
)

BREAK_ROW = np.dtype(
    [
        ("kind", "i1"),
        ("side", "i1"),
        ("at", "i8"),  # the pivot's bar
        ("known", "i8"),  # the breaking close
        ("level", "f8"),
        ("displacement", "f8"),  # largest displacement body of the leg in ATR14, 0 for none
    ],
    align=True,
)

GAP_ROW = np.dtype(
    [
        ("side", "i1"),
        ("state", "i1"),
        ("at", "i8"),
        ("known", "i8"),
        ("low", "f8"),
        ("high", "f8"),
        ("changed", "i8"),  # bar of the last change of state
    ],
    align=True,
)

BLOCK_ROW = np.dtype(
    [
        ("side", "i1"),  # UP: a demand block, support for longs
        ("state", "i1"),
        ("tests", "i1"),  # at most 3
        ("inside", "i1"),  # 1 while price still stands in the zone since the last test; kept while tests are counted
        ("swept_before", "i1"),
        ("at", "i8"),
        ("known", "i8"),
        ("low", "f8"),
        ("high", "f8"),
        ("refined", "f8"),  # the open: inner edge of the refined zone
        ("quality", "f8"),
        ("changed", "i8"),
    ],
    align=True,
)

POOL_ROW = np.dtype(
    [
        ("side", "i1"),  # UP: buy-side liquidity above highs; DOWN: sell-side below lows
        ("kind", "i1"),
        ("state", "i1"),
        ("layer", "i1"),  # SWING once the (20, 20) layer confirmed its extreme
        ("touches", "i2"),
        ("at", "i8"),
        ("known", "i8"),
        ("level", "f8"),
        ("pierced", "i8"),  # first bar that traded beyond, -1
        ("extreme", "f8"),  # deepest trade beyond since then
        ("deepest", "i8"),  # bar of that trade
        ("changed", "i8"),
        ("number", "i8"),  # how many pools were born before it
    ],
    align=True,
)

SWEEP_ROW = np.dtype(
    [
        ("side", "i1"),  # side of the pool: DOWN = sell-side was swept, which favours longs
        ("kind", "i1"),  # pool kind
        ("at", "i8"),  # bar of the deepest trade beyond the pool
        ("known", "i8"),  # the reclaiming close
        ("level", "f8"),
        ("extreme", "f8"),
        ("depth", "f8"),  # in ATR14
    ],
    align=True,
)


class Tables(NamedTuple):
    """All columns of all series; the first axis is the row. `scratch` is private to the kernels."""

    series: npt.NDArray[np.void]  # [rows] SERIES
    bars: npt.NDArray[np.void]  # [rows, BARS] BAR
    swings: npt.NDArray[np.void]  # [rows, 2, SWINGS]
    breaks: npt.NDArray[np.void]  # [rows, 2, BREAKS]
    gaps: npt.NDArray[np.void]  # [rows, GAPS]
    blocks: npt.NDArray[np.void]  # [rows, BLOCKS]
    pools: npt.NDArray[np.void]  # [rows, POOLS]
    sweeps: npt.NDArray[np.void]  # [rows, SWEEPS]
    scratch: npt.NDArray[np.void]  # [rows] accumulators, dtype owned by `engine.analysis.scratch`
