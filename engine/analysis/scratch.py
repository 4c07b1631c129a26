"""What only the kernels see: their accumulators, and each table's row as one record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.analysis import layout
from engine.analysis.layout import BARS, WIDTHS

if TYPE_CHECKING:
    from engine.analysis.layout import Tables

WINDOW = 24  # closes and volumes of the last 24 bars, written twice so that the latest k are always contiguous

SCRATCH = np.dtype(
    [
        # Windows.
        ("closes", "f8", 2 * WINDOW),
        ("volumes", "f8", 2 * WINDOW),
        ("widths", "f8", WIDTHS),
        ("displacement", "f8", BARS),  # signed body in ATR14 of a displacement candle, else 0; a ring like the bars
        # Indicators: seeding sums of the first `period` values, then the smoothed value stands in the series row.
        ("ema_sums", "f8", 4),
        ("gain", "f8"),
        ("loss", "f8"),
        ("atr14_sum", "f8"),
        ("atr200_sum", "f8"),
        ("plus_dm", "f8"),
        ("minus_dm", "f8"),
        ("range_sum", "f8"),
        ("dx_sum", "f8"),
        ("adx", "f8"),
        ("fast", "f8"),
        ("slow", "f8"),
        ("fast_sum", "f8"),
        ("slow_sum", "f8"),
        ("signal", "f8"),
        ("signal_sum", "f8"),
        ("vwap_day", "i8"),
        ("vwap_money", "f8"),
        ("vwap_volume", "f8"),
        # Structure: per layer the bar that may yet become a pivot (-1 for none) and its level, then the number of the
        # newest unbroken pivot (-1 for none) and its level. Index 0 holds highs, 1 lows.
        ("hope", "i8", (2, 2)),
        ("hope_level", "f8", (2, 2)),
        ("open", "i8", (2, 2)),
        ("open_level", "f8", (2, 2)),
        # The break of this bar per layer: side (0 for none), pivot bar, first bar of the leg, largest displacement.
        ("leg_side", "i1", 2),
        ("leg_pivot", "i8", 2),
        ("leg_origin", "i8", 2),
        ("leg_displacement", "f8", 2),
        # A table is scanned only when low <= ..._lo or high >= ..._hi: the nearest price at which an object can change.
        # A filled gap changes by a close only, so its level is compared with the close.
        ("gap_lo", "f8"),
        ("gap_hi", "f8"),
        ("gap_shut_lo", "f8"),
        ("gap_shut_hi", "f8"),
        ("block_lo", "f8"),
        ("block_hi", "f8"),
        ("pool_lo", "f8"),
        ("pool_hi", "f8"),
        # Places of the pools that may still change, in order of birth, and of the consumed ones, free for others.
        ("living", "i8"),
        ("alive", "i8", layout.POOLS),
        ("spare", "i8"),
        ("spares", "i8", layout.POOLS),
        # The same of the gaps; a gap that left the ring leaves the list when the next one is born.
        ("gaps_living", "i8"),
        ("gaps_alive", "i8", layout.GAPS),
        # Running extremes of day, week and session; number -1 before the first bar, whole = 1 if seen from its start.
        ("span_id", "i8", 3),
        ("span_whole", "i1", 3),
        ("span_high", "f8", 3),
        ("span_low", "f8", 3),
        ("span_high_at", "i8", 3),
        ("span_low_at", "i8", 3),
        # New York offset in force and the instant it ends.
        ("offset", "i8"),
        ("offset_until", "i8"),
    ],
    align=True,
)


def _row(dtype: np.dtype[np.void], *shape: int) -> np.dtype[np.void]:
    return np.dtype([("x", dtype, shape)], align=True)


BARS_ROW = _row(layout.BAR, BARS)
SWINGS_ROW = _row(layout.SWING_ROW, 2, layout.SWINGS)
BREAKS_ROW = _row(layout.BREAK_ROW, 2, layout.BREAKS)
GAPS_ROW = _row(layout.GAP_ROW, layout.GAPS)
BLOCKS_ROW = _row(layout.BLOCK_ROW, layout.BLOCKS)
POOLS_ROW = _row(layout.POOL_ROW, layout.POOLS)
SWEEPS_ROW = _row(layout.SWEEP_ROW, layout.SWEEPS)


class Rows(NamedTuple):
    """The tables with one record per row, its ring in the field `x`.

    Kernels hand records to each other as bare pointers; an array argument would be reference-counted with atomic
    operations at every call, which cost more than the work itself.
    """

    series: npt.NDArray[np.void]
    scratch: npt.NDArray[np.void]
    bars: npt.NDArray[np.void]
    swings: npt.NDArray[np.void]
    breaks: npt.NDArray[np.void]
    gaps: npt.NDArray[np.void]
    blocks: npt.NDArray[np.void]
    pools: npt.NDArray[np.void]
    sweeps: npt.NDArray[np.void]


def rows_of(tables: Tables) -> Rows:
    """Return views of the same memory, one record per row."""
    rows = len(tables.series)  # built over the buffers: reshaped views take more than twice as long
    return Rows(
        tables.series,
        tables.scratch,
        np.ndarray(rows, BARS_ROW, tables.bars),
        np.ndarray(rows, SWINGS_ROW, tables.swings),
        np.ndarray(rows, BREAKS_ROW, tables.breaks),
        np.ndarray(rows, GAPS_ROW, tables.gaps),
        np.ndarray(rows, BLOCKS_ROW, tables.blocks),
        np.ndarray(rows, POOLS_ROW, tables.pools),
        np.ndarray(rows, SWEEPS_ROW, tables.sweeps),
    )
