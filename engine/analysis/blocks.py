"""Order blocks and breakers (specification 3.6)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.analysis.changes import BORN, OF_BLOCK, TEST, note
from engine.analysis.compiled import kernel
from engine.analysis.layout import (
    BARS,
    BLOCK_BREAKER,
    BLOCK_FRESH,
    BLOCK_INVALID,
    BLOCK_MITIGATED,
    BLOCK_TESTED,
    BLOCKS,
    GAPS,
    SWEEPS,
    UP,
)

MASK = BARS - 1
MAX_TESTS = 3
FULL_WEIGHT_MS = 48 * 3_600_000
NO_WEIGHT_MS = 72 * 3_600_000


def block_weight(age_ms: float) -> float:
    """Return the weight of a block by age since `known`: 1 up to 48 h, falling linearly to 0 at 72 h."""
    return min(1.0, max(0.0, (NO_WEIGHT_MS - age_ms) / (NO_WEIGHT_MS - FULL_WEIGHT_MS)))


@kernel
def _swept_since(s: Any, sweeps: Any, side: int, bar: int) -> bool:
    """Tell whether a pool of that side was swept with its deepest trade at or after a bar."""
    for number in range(s.sweeps - 1, max(0, s.sweeps - SWEEPS) - 1, -1):
        sweep = sweeps.x[number % SWEEPS]
        if sweep.known < bar:
            return False
        if sweep.side == side and sweep.at >= bar:
            return True
    return False


@kernel
def _left_gap(s: Any, gaps: Any, side: int, origin: int) -> bool:
    for number in range(s.gaps - 1, max(0, s.gaps - GAPS) - 1, -1):
        gap = gaps.x[number % GAPS]
        if gap.at < origin:
            return False
        if gap.side == side:
            return True
    return False


@kernel
def _volume_ratio(s: Any, bars: Any, origin: int, t: int) -> float:
    """Return mean volume of the leg over the 20-bar mean, 1 while that is unknown or zero."""
    if not s.vol_mean > 0.0:
        return 1.0
    total = 0.0
    for i in range(origin, t + 1):
        total += bars.x[i & MASK].v
    mean: float = total / (t - origin + 1)
    return mean / float(s.vol_mean)


@kernel
def _opposing_candle(s: Any, bars: Any, pivot: int, origin: int, side: int, t: int) -> int:
    """Return the last candle against the leg at or before its first bar, not before the pivot; -1 for none.

    A candle as tall as 2 ATR200 is passed over (none is before ATR200 exists).
    """
    for i in range(origin, max(pivot, t - BARS + 1) - 1, -1):
        bar = bars.x[i & MASK]
        if side * (bar.c - bar.o) < 0.0 and not bar.h - bar.l >= 2.0 * s.atr200:
            return i
    return -1


@kernel
def _watch(w: Any, block: Any) -> None:
    """Lower the scan thresholds to the price at which this block can change next."""
    if block.state >= BLOCK_INVALID:
        return
    up = block.side == UP
    if block.state == BLOCK_MITIGATED:
        level = block.low if up else block.high
    elif block.tests >= MAX_TESTS:
        level = 0.5 * (block.low + block.high)
    elif block.inside == 1:
        level = np.inf if up else -np.inf
    else:
        level = block.high if up else block.low
    if up:
        w.block_lo = max(w.block_lo, level)
    else:
        w.block_hi = min(w.block_hi, level)


@kernel
def _age(s: Any, block: Any, sweeps: Any, log: Any, row: int, b: Any, number: int, t: int) -> None:
    up = block.side == UP
    if (up and b.c < block.low) or (not up and b.c > block.high):
        block.state = BLOCK_BREAKER if _swept_since(s, sweeps, block.side, block.at) else BLOCK_INVALID
        block.changed = t
        note(log, row, OF_BLOCK, 0, block.state, block.side, 0, number, block.at, t, block.low, block.high, 0.0)
        return
    if block.state == BLOCK_MITIGATED:
        return
    touched = b.l <= block.high if up else b.h >= block.low
    if block.tests < MAX_TESTS:
        if touched and block.inside == 0:
            block.tests += 1
            block.state = BLOCK_TESTED
            block.changed = t
            note(log, row, OF_BLOCK, 0, TEST, block.side, block.tests, number, block.at, t, block.low, block.high, 0.0)
        block.inside = 1 if touched else 0
    mid = 0.5 * (block.low + block.high)
    if (up and b.l <= mid) or (not up and b.h >= mid):
        block.state = BLOCK_MITIGATED
        block.changed = t
        note(log, row, OF_BLOCK, 0, BLOCK_MITIGATED, block.side, 0, number, block.at, t, block.low, block.high, 0.0)


@kernel
def age_blocks(s: Any, w: Any, blocks: Any, sweeps: Any, log: Any, row: int, b: Any, t: int) -> None:
    """Move every block along its life by bar t."""
    if b.l > w.block_lo and b.h < w.block_hi:
        return
    w.block_lo = -np.inf
    w.block_hi = np.inf
    for number in range(max(0, s.blocks - BLOCKS), s.blocks):
        block = blocks.x[number % BLOCKS]
        if block.state < BLOCK_INVALID:
            _age(s, block, sweeps, log, row, b, number, t)
            _watch(w, block)


@kernel
def find_block(
    s: Any, w: Any, bars: Any, gaps: Any, blocks: Any, sweeps: Any, log: Any, row: int, layer: int, t: int
) -> None:
    """Tie a block to the layer's break of bar t; one candle makes one block, whichever layer broke first.

    Quality = 0.35 displacement (full at 3 ATR14) + 0.25 volume of the leg (full at twice the mean) + 0.20 gap left in
    the leg + 0.20 opposite pool swept since the pivot.
    """
    side = w.leg_side[layer]
    if side == 0:
        return
    pivot = w.leg_pivot[layer]
    origin = w.leg_origin[layer]
    at = _opposing_candle(s, bars, pivot, origin, side, t)
    if at < 0:
        return
    for known_number in range(max(0, s.blocks - BLOCKS), s.blocks):
        known_block = blocks.x[known_number % BLOCKS]
        if known_block.at == at and known_block.side == side:
            return
    swept = _swept_since(s, sweeps, -side, pivot)
    quality = 0.35 * min(1.0, w.leg_displacement[layer] / 3.0)
    quality += 0.25 * min(1.0, max(0.0, _volume_ratio(s, bars, origin, t) - 1.0))
    quality += 0.2 if _left_gap(s, gaps, side, origin) else 0.0
    quality += 0.2 if swept else 0.0
    candle = bars.x[at & MASK]
    number = s.blocks
    block = blocks.x[number % BLOCKS]
    block.side = side
    block.state = BLOCK_FRESH
    block.tests = 0
    block.inside = 0
    block.swept_before = 1 if swept else 0
    block.at = at
    block.known = t
    block.low = candle.l
    block.high = candle.h
    block.refined = candle.o
    block.quality = quality
    block.changed = t
    s.blocks = number + 1
    _watch(w, block)
    note(log, row, OF_BLOCK, layer, BORN, side, 0, number, at, t, candle.l, candle.h, quality)
