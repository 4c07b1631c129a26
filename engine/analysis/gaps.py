"""Fair value gaps and their life (specification 3.5)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.analysis.changes import BORN, OF_GAP, note
from engine.analysis.compiled import kernel
from engine.analysis.layout import (
    BARS,
    DOWN,
    GAP_CE,
    GAP_FILLED,
    GAP_INVERTED,
    GAP_OPEN,
    GAP_TOUCHED,
    GAPS,
    UP,
)

MASK = BARS - 1


@kernel
def _depth(gap: Any, b: Any) -> int:
    """Return the state this bar alone would put the gap into."""
    mid = 0.5 * (gap.low + gap.high)
    state = GAP_OPEN
    if gap.side == UP:
        if b.c < gap.low:
            state = GAP_INVERTED
        elif b.l <= gap.low:
            state = GAP_FILLED
        elif b.l <= mid:
            state = GAP_CE
        elif b.l <= gap.high:
            state = GAP_TOUCHED
    elif b.c > gap.high:
        state = GAP_INVERTED
    elif b.h >= gap.high:
        state = GAP_FILLED
    elif b.h >= mid:
        state = GAP_CE
    elif b.h >= gap.low:
        state = GAP_TOUCHED
    return state


@kernel
def _watch(w: Any, gap: Any) -> None:
    """Lower the scan thresholds to the price at which this gap can change next."""
    if gap.state == GAP_OPEN:
        level = gap.high if gap.side == UP else gap.low
    elif gap.state == GAP_TOUCHED:
        level = 0.5 * (gap.low + gap.high)
    elif gap.state == GAP_CE:
        level = gap.low if gap.side == UP else gap.high
    else:
        if gap.side == UP:
            w.gap_shut_lo = max(w.gap_shut_lo, gap.low)
        else:
            w.gap_shut_hi = min(w.gap_shut_hi, gap.high)
        return
    if gap.side == UP:
        w.gap_lo = max(w.gap_lo, level)
    else:
        w.gap_hi = min(w.gap_hi, level)


@kernel
def age_gaps(w: Any, gaps: Any, log: Any, row: int, b: Any, t: int) -> None:
    """Move every gap along its life by bar t. Gaps born at t are not yet in the table: the creating bar is no test."""
    if b.l > w.gap_lo and b.h < w.gap_hi and b.c >= w.gap_shut_lo and b.c <= w.gap_shut_hi:
        return
    w.gap_lo = w.gap_shut_lo = -np.inf
    w.gap_hi = w.gap_shut_hi = np.inf
    kept = 0
    for k in range(w.gaps_living):
        number = w.gaps_alive[k]
        gap = gaps.x[number % GAPS]
        state = _depth(gap, b)
        if state > gap.state:
            gap.state = state
            gap.changed = t
            note(log, row, OF_GAP, 0, state, gap.side, 0, number, gap.at, t, gap.low, gap.high, 0.0)
        if gap.state < GAP_INVERTED:
            _watch(w, gap)
            w.gaps_alive[kept] = number
            kept += 1
    w.gaps_living = kept


@kernel
def _enlist(w: Any, number: int) -> None:
    """Add a gap to the living; the one whose place in the ring it takes is the oldest, if it still lives."""
    first = 1 if w.gaps_living > 0 and w.gaps_alive[0] <= number - GAPS else 0
    if first == 1:
        for k in range(1, w.gaps_living):
            w.gaps_alive[k - 1] = w.gaps_alive[k]
    w.gaps_living -= first
    w.gaps_alive[w.gaps_living] = number
    w.gaps_living += 1


@kernel
def find_gap(s: Any, w: Any, bars: Any, gaps: Any, log: Any, row: int, t: int) -> None:
    """Open a gap between bars t-2 and t when it is wide enough; none before ATR14 exists."""
    if t < 2:
        return
    first = bars.x[(t - 2) & MASK]
    last = bars.x[t & MASK]
    if last.l > first.h:
        side = UP
        low = first.h
        high = last.l
    elif last.h < first.l:
        side = DOWN
        low = last.h
        high = first.l
    else:
        return
    width = high - low
    if not (width >= 0.001 and width >= 0.15 * s.atr14):
        return
    number = s.gaps
    _enlist(w, number)
    gap = gaps.x[number % GAPS]
    gap.side = side
    gap.state = GAP_OPEN
    gap.at = t - 1
    gap.known = t
    gap.low = low
    gap.high = high
    gap.changed = t
    s.gaps = number + 1
    _watch(w, gap)
    note(log, row, OF_GAP, 0, BORN, side, 0, number, t - 1, t, low, high, 0.0)
