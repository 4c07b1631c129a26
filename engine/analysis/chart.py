"""From the tables to the chart a screen draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.analysis.layout import (
    BREAKS,
    DOWN,
    INTERNAL,
    LABEL_HH,
    LABEL_HL,
    LABEL_LH,
    LABEL_LL,
    POOL_DAY,
    POOL_EQUAL,
    POOL_SESSION,
    POOL_SWING,
    POOL_WEEK,
    UP,
)
from engine.analysis.reading import (
    bar_time,
    last_bars,
    live_blocks,
    live_gaps,
    open_pools,
    recent_breaks,
    recent_sweeps,
    recent_swings,
)
from engine.analysis.tables import row_of
from engine.snapshot import Chart, ChartLevel, ChartMark, ChartZone

if TYPE_CHECKING:
    from engine.analysis.layout import Tables
    from exchange.market_data import KlineUpdate

LABEL_NAMES = {LABEL_HH: "HH", LABEL_LH: "LH", LABEL_HL: "HL", LABEL_LL: "LL"}
BREAK_NAMES = ("BOS", "CHoCH", "MSS")
GAP_NAMES = ("open", "touched", "CE", "filled", "inverted")
BLOCK_NAMES = ("fresh", "tested", "mitigated", "invalid", "breaker")
POOL_NAMES = {
    POOL_EQUAL: ("EQH", "EQL"),
    POOL_SWING: ("swing high", "swing low"),
    POOL_DAY: ("PDH", "PDL"),
    POOL_WEEK: ("PWH", "PWL"),
    POOL_SESSION: ("session high", "session low"),
}
MAX_LEVELS = 12


def ema_series(values: npt.NDArray[np.float64], period: int) -> npt.NDArray[np.float64]:
    """Return the EMA at every place, seeded with the mean of the first `period` values; NaN before."""
    out = np.full(len(values), np.nan)
    if len(values) < period:
        return out
    value = float(values[:period].mean())
    out[period - 1] = value
    weight = 2.0 / (period + 1)
    for i in range(period, len(values)):
        value += (float(values[i]) - value) * weight
        out[i] = value
    return out


def _average(closes: npt.NDArray[np.float64], period: int, limit: int) -> tuple[float, ...]:
    """Return the EMA of logarithms as prices: the line the analysis goes by."""
    return tuple(np.exp(ema_series(np.log(closes), period))[-limit:].tolist())


def _zones(tables: Tables, row: int) -> tuple[ChartZone, ...]:
    blocks = [
        ChartZone("block", b.side, BLOCK_NAMES[b.state], b.low, b.high, bar_time(tables, row, b.at), b.quality)
        for b in live_blocks(tables, row)
    ]
    gaps = [
        ChartZone("gap", g.side, GAP_NAMES[g.state], g.low, g.high, bar_time(tables, row, g.at))
        for g in live_gaps(tables, row)
    ]
    return (*blocks, *gaps)


def _levels(tables: Tables, row: int, last: float) -> tuple[ChartLevel, ...]:
    """Return the pools nearest to the price, half above and half below where there are enough."""
    pools = open_pools(tables, row)
    chosen = []
    for side in (UP, DOWN):
        of_side = sorted((p for p in pools if p.side == side), key=lambda p: abs(math.log(p.level / last)))
        chosen += of_side[: MAX_LEVELS // 2]
    return tuple(ChartLevel("pool", p.level, POOL_NAMES[p.kind][0 if p.side == UP else 1], p.side) for p in chosen)


def _marks(tables: Tables, row: int, first: int) -> tuple[ChartMark, ...]:
    marks: list[ChartMark] = []
    for swing in recent_swings(tables, row, INTERNAL):
        if swing.at >= first and swing.label in LABEL_NAMES:
            kind = LABEL_NAMES[swing.label]
            marks.append(ChartMark(kind, swing.side, bar_time(tables, row, swing.at), swing.level))
    for layer in range(2):
        for broken in recent_breaks(tables, row, layer, BREAKS):
            if broken.known >= first:
                kind, at = BREAK_NAMES[broken.kind], bar_time(tables, row, broken.known)
                marks.append(ChartMark(kind, broken.side, at, broken.level))
    marks.extend(
        ChartMark("sweep", -sweep.side, bar_time(tables, row, sweep.at), sweep.extreme)
        for sweep in recent_sweeps(tables, row)
        if sweep.at >= first
    )
    return tuple(sorted(marks, key=lambda mark: mark.at))


def chart(
    tables: Tables,
    slot: int,
    frame: str,
    *,
    symbol: str,
    decimals: int,
    as_of_ms: int,
    limit: int = 300,
    forming: KlineUpdate | None = None,
    levels: tuple[ChartLevel, ...] = (),
) -> Chart:
    """Return the newest `limit` closed candles of a slot's frame with averages, zones, levels and marks.

    A `forming` bar of the frame, if newer than the last closed one, is appended for drawing only: nothing is computed
    from it but the averages' last point. `levels` (entry, stop, target) are added to the pools. A mark of a sweep
    points where the reversal points: -1 after buy-side liquidity was taken.
    """
    row = row_of(slot, frame)
    held = last_bars(tables, row)
    times = held["t"].tolist()
    columns = [np.exp(held[name]) for name in ("o", "h", "l", "c")] + [held["v"]]
    is_forming = forming is not None and forming.interval == frame and (not times or forming.open_time > times[-1])
    if forming is not None and is_forming:
        times.append(forming.open_time)
        newest = (forming.open, forming.high, forming.low, forming.close, forming.volume)
        columns = [np.append(column, value) for column, value in zip(columns, newest, strict=True)]
    opens, highs, lows, closes, volumes = (tuple(column[-limit:].tolist()) for column in columns)
    n = int(tables.series[row]["n"])
    return Chart(
        symbol=symbol,
        frame=frame,
        decimals=decimals,
        time=tuple(times[-limit:]),
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=volumes,
        ema20=_average(columns[3], 20, limit),
        ema50=_average(columns[3], 50, limit),
        forming=is_forming,
        zones=_zones(tables, row),
        levels=(*levels, *(_levels(tables, row, closes[-1]) if closes else ())),
        marks=_marks(tables, row, max(0, n - limit)),
        as_of_ms=as_of_ms,
    )
