"""Reading the tables: small immutable views with prices instead of logarithms, newest object first.

Bars are indices; `bar_time` gives their open time, `close_time` the instant at which they became known.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.analysis.blocks import MAX_TESTS, block_weight
from engine.analysis.layout import (
    BARS,
    BLOCK_BREAKER,
    BLOCK_TESTED,
    BLOCKS,
    BREAKS,
    GAP_CE,
    GAP_INVERTED,
    GAPS,
    POOL_DAY,
    POOL_EQUAL,
    POOL_OPEN,
    POOL_SESSION,
    POOL_SWING,
    POOL_WEEK,
    POOLS,
    SWEEPS,
    SWING,
    SWINGS,
)
from engine.analysis.ranges import DealingRange, Zone, dealing_range, ote_zone, premium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.analysis.layout import Tables

__all__ = [
    "INDICATORS",
    "BlockView",
    "BreakView",
    "DealingRange",
    "GapView",
    "PoolView",
    "SweepView",
    "SwingView",
    "Zone",
    "bar_time",
    "breaker_blocks",
    "close_time",
    "dealing_range",
    "indicators",
    "inverted_gaps",
    "last_bars",
    "live_blocks",
    "live_gaps",
    "open_pools",
    "ote_zone",
    "pool_strength",
    "premium",
    "recent_breaks",
    "recent_sweeps",
    "recent_swings",
]


class SwingView(NamedTuple):
    """A confirmed pivot."""

    side: int
    label: int
    at: int
    known: int
    level: float
    broken: int


class BreakView(NamedTuple):
    """A break of structure; `displacement` in ATR14, 0 where the leg held none."""

    kind: int
    side: int
    at: int
    known: int
    level: float
    displacement: float


class GapView(NamedTuple):
    """A fair value gap; `mid` is its consequent encroachment. An inverted gap works against its `side`."""

    side: int
    state: int
    at: int
    known: int
    low: float
    mid: float
    high: float
    changed: int


class BlockView(NamedTuple):
    """An order block; `mid` is its mean threshold, `weight` what age left of it."""

    side: int
    state: int
    tests: int
    swept_before: bool
    at: int
    known: int
    low: float
    mid: float
    high: float
    refined: float
    quality: float
    weight: float


class PoolView(NamedTuple):
    """A pool of liquidity; `strength` in [0, 1] from kind, touches, layer and age."""

    side: int
    kind: int
    layer: int
    touches: int
    at: int
    known: int
    level: float
    strength: float


class SweepView(NamedTuple):
    """A swept pool; `depth` in ATR14."""

    side: int
    kind: int
    at: int
    known: int
    level: float
    extreme: float
    depth: float


INDICATORS = (
    "ema20",
    "ema50",
    "ema100",
    "ema200",
    "rsi14",
    "atr14",
    "atr200",
    "adx14",
    "plus_di",
    "minus_di",
    "macd",
    "macd_signal",
    "macd_hist",
    "bb_mid",
    "bb_upper",
    "bb_lower",
    "bb_width",
    "bb_width_pct",
    "vol_mean",
    "vol_z",
    "vwap",
    "obv",
    "er10",
    "rv20",
)
_LEVELS = frozenset({"ema20", "ema50", "ema100", "ema200", "bb_mid", "bb_upper", "bb_lower", "vwap"})

_POOL_WORTH = {POOL_SWING: 0.3, POOL_EQUAL: 0.5, POOL_SESSION: 0.5, POOL_DAY: 0.7, POOL_WEEK: 0.9}


def indicators(tables: Tables, row: int) -> dict[str, float]:
    """Return every indicator; levels as prices, differences (ATR, MACD, widths) relative, NaN until warmed up."""
    series = tables.series[row]
    return {name: math.exp(series[name]) if name in _LEVELS else float(series[name]) for name in INDICATORS}


def bar_time(tables: Tables, row: int, index: int) -> int:
    """Return the open time (UTC ms) of bar `index`, also of one the ring has dropped: bars are consecutive."""
    series = tables.series[row]
    return int(series["last_open"]) - (int(series["n"]) - 1 - index) * int(series["interval"])


def close_time(tables: Tables, row: int, index: int) -> int:
    """Return the instant (UTC ms) at which bar `index` closed: the first at which it is known."""
    return bar_time(tables, row, index) + int(tables.series[row]["interval"])


def last_bars(tables: Tables, row: int, limit: int = BARS) -> npt.NDArray[np.void]:
    """Return copies of the newest bars (BAR, x space), oldest first."""
    n = int(tables.series[row]["n"])
    held: npt.NDArray[np.void] = tables.bars[row, np.arange(max(0, n - min(limit, BARS)), n) % BARS]
    return held


def _newest(ring: npt.NDArray[np.void], count: int, size: int) -> Iterator[np.void]:
    """Iterate over the objects of a ring, newest first; cheap because rows are decoded only when asked for."""
    for number in range(count - 1, max(0, count - size) - 1, -1):
        yield ring[number % size]


def recent_swings(tables: Tables, row: int, layer: int = SWING, limit: int = SWINGS) -> list[SwingView]:
    """Return confirmed pivots of a layer."""
    found: list[SwingView] = []
    for r in _newest(tables.swings[row, layer], int(tables.series[row]["swings"][layer]), SWINGS):
        if len(found) == limit:
            break
        side, label, at, known, level, broken = r.item()
        found.append(SwingView(side, label, at, known, math.exp(level), broken))
    return found


def recent_breaks(tables: Tables, row: int, layer: int = SWING, limit: int = BREAKS) -> list[BreakView]:
    """Return breaks of structure of a layer."""
    found: list[BreakView] = []
    for r in _newest(tables.breaks[row, layer], int(tables.series[row]["breaks"][layer]), BREAKS):
        if len(found) == limit:
            break
        kind, side, at, known, level, displacement = r.item()
        found.append(BreakView(kind, side, at, known, math.exp(level), displacement))
    return found


def _gaps(tables: Tables, row: int, first: int, last: int) -> list[GapView]:
    found: list[GapView] = []
    for r in _newest(tables.gaps[row], int(tables.series[row]["gaps"]), GAPS):
        side, state, at, known, low, high, changed = r.item()
        if first <= state <= last:
            found.append(
                GapView(side, state, at, known, math.exp(low), math.exp(0.5 * (low + high)), math.exp(high), changed)
            )
    return found


def live_gaps(tables: Tables, row: int) -> list[GapView]:
    """Return gaps that are not yet filled: open, touched or traded to the midpoint."""
    return _gaps(tables, row, 0, GAP_CE)


def inverted_gaps(tables: Tables, row: int) -> list[GapView]:
    """Return gaps closed through; they now work against their side."""
    return _gaps(tables, row, GAP_INVERTED, GAP_INVERTED)


def _blocks(tables: Tables, row: int, *, breakers: bool) -> list[BlockView]:
    found: list[BlockView] = []
    series = tables.series[row]
    last, interval = int(series["n"]) - 1, int(series["interval"])
    for r in _newest(tables.blocks[row], int(series["blocks"]), BLOCKS):
        side, state, tests, _, swept, at, known, low, high, refined, quality, changed = r.item()
        if breakers:
            if state != BLOCK_BREAKER:
                continue
            weight = block_weight((last - changed) * interval)
        else:
            if state > BLOCK_TESTED or tests >= MAX_TESTS:
                continue
            weight = block_weight((last - known) * interval)
        if weight > 0.0:
            found.append(
                BlockView(
                    side,
                    state,
                    tests,
                    bool(swept),
                    at,
                    known,
                    math.exp(low),
                    math.exp(0.5 * (low + high)),
                    math.exp(high),
                    math.exp(refined),
                    quality,
                    weight,
                )
            )
    return found


def live_blocks(tables: Tables, row: int) -> list[BlockView]:
    """Return blocks that may still be traded: fresh or tested less than 3 times, younger than 72 h."""
    return _blocks(tables, row, breakers=False)


def breaker_blocks(tables: Tables, row: int) -> list[BlockView]:
    """Return breakers younger than 72 h since they broke; they work against their side."""
    return _blocks(tables, row, breakers=True)


def pool_strength(kind: int, touches: int, layer: int, age_ms: float) -> float:
    """Return the strength of a pool in [0, 1]: worth of its kind, 0.15 per further touch, 0.2 for the swing layer.

    Age adds up to 0.1 over a day: what stood longer gathered more orders behind it.
    """
    worth = _POOL_WORTH[kind] + 0.15 * (touches - 1) + 0.2 * layer + 0.1 * min(1.0, age_ms / 86_400_000)
    return min(1.0, worth)


def open_pools(tables: Tables, row: int) -> list[PoolView]:
    """Return pools that are not consumed and not pierced."""
    series = tables.series[row]
    last, interval = int(series["n"]) - 1, int(series["interval"])
    held = tables.pools[row, : min(int(series["pools"]), POOLS)]
    found: list[tuple[int, PoolView]] = []
    for r in held[held["state"] == POOL_OPEN]:
        side, kind, _, layer, touches, at, known, level = r.item()[:8]
        strength = pool_strength(kind, touches, layer, (last - at) * interval)
        view = PoolView(side, kind, layer, touches, at, known, math.exp(level), strength)
        found.append((int(r["number"]), view))
    return [view for _, view in sorted(found, reverse=True)]


def recent_sweeps(tables: Tables, row: int, limit: int = SWEEPS) -> list[SweepView]:
    """Return swept pools."""
    found: list[SweepView] = []
    for r in _newest(tables.sweeps[row], int(tables.series[row]["sweeps"]), SWEEPS):
        if len(found) == limit:
            break
        side, kind, at, known, level, extreme, depth = r.item()
        found.append(SweepView(side, kind, at, known, math.exp(level), math.exp(extreme), depth))
    return found
