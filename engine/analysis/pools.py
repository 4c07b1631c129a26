"""Pools of liquidity, sweeps and runs (specification 3.7 and 3.8)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.analysis.changes import BORN, OF_POOL, OF_SWEEP, PROMOTED, note
from engine.analysis.compiled import kernel
from engine.analysis.layout import (
    BARS,
    DOWN,
    INTERNAL,
    LAYER_REACH,
    POOL_DAY,
    POOL_EQUAL,
    POOL_MERGED,
    POOL_OPEN,
    POOL_PIERCED,
    POOL_RUN,
    POOL_SWEPT,
    POOL_SWING,
    POOL_WEEK,
    POOLS,
    SWEEPS,
    SWING,
    UP,
)
from engine.analysis.sessions import DAY_MS, MONDAY_MS, NO_SESSION, WEEK_MS, new_york_offset, session_at
from engine.analysis.structure import high_first

RECLAIM_BARS = 3
SPAN_DAY, SPAN_SESSION = 0, 2  # week 1 between them: in the order of the pool kinds from POOL_DAY on
MASK = BARS - 1


@kernel
def _watch(w: Any, pool: Any) -> None:
    if pool.state == POOL_OPEN:
        if pool.side == UP:
            w.pool_hi = min(w.pool_hi, pool.level)
        else:
            w.pool_lo = max(w.pool_lo, pool.level)
    elif pool.state == POOL_PIERCED:
        w.pool_hi = -np.inf


@kernel
def _set_state(pool: Any, log: Any, row: int, state: int, t: int) -> None:
    pool.state = state
    pool.changed = t
    note(log, row, OF_POOL, 0, state, pool.side, pool.kind, pool.number, pool.at, t, pool.level, pool.extreme, 0.0)


@kernel
def _push_sweep(s: Any, sweeps: Any, log: Any, row: int, pool: Any, depth: float, t: int) -> None:
    number = s.sweeps
    sweep = sweeps.x[number % SWEEPS]
    sweep.side = pool.side
    sweep.kind = pool.kind
    sweep.at = pool.deepest
    sweep.known = t
    sweep.level = pool.level
    sweep.extreme = pool.extreme
    sweep.depth = depth
    s.sweeps = number + 1
    note(log, row, OF_SWEEP, 0, BORN, pool.side, pool.kind, number, pool.deepest, t, pool.level, pool.extreme, depth)


@kernel
def _age(s: Any, sweeps: Any, log: Any, row: int, pool: Any, b: Any, t: int) -> None:
    reached = b.h if pool.side == UP else b.l
    if pool.state == POOL_OPEN:
        if not pool.side * (reached - pool.level) > 0.05 * s.atr14:
            return
        pool.pierced = t
        pool.extreme = reached
        pool.deepest = t
        _set_state(pool, log, row, POOL_PIERCED, t)
    elif pool.side * (reached - pool.extreme) > 0.0:
        pool.extreme = reached
        pool.deepest = t
    depth = abs(pool.extreme - pool.level) / s.atr14
    if depth > 1.0:
        _set_state(pool, log, row, POOL_RUN, t)
    elif pool.side * (b.c - pool.level) < 0.0:
        _set_state(pool, log, row, POOL_SWEPT, t)
        _push_sweep(s, sweeps, log, row, pool, depth, t)
    elif t - pool.pierced >= RECLAIM_BARS:
        _set_state(pool, log, row, POOL_RUN, t)


@kernel
def age_pools(s: Any, w: Any, pools: Any, sweeps: Any, log: Any, row: int, b: Any, t: int) -> None:
    """Move every pool along its life by bar t: pierced, then swept on a close back inside, or run."""
    if b.l > w.pool_lo and b.h < w.pool_hi:
        return
    w.pool_lo = -np.inf
    w.pool_hi = np.inf
    kept = 0
    for k in range(w.living):
        place = w.alive[k]
        pool = pools.x[place]
        _age(s, sweeps, log, row, pool, b, t)
        if pool.state <= POOL_PIERCED:
            _watch(w, pool)
            w.alive[kept] = place
            kept += 1
        else:
            w.spares[w.spare] = place
            w.spare += 1
    w.living = kept


@kernel
def _strike(w: Any, k: int) -> int:
    """Take entry k off the living and return its place."""
    place: int = w.alive[k]
    for j in range(k + 1, w.living):
        w.alive[j - 1] = w.alive[j]
    w.living -= 1
    return place


@kernel
def _free_place(s: Any, w: Any, pools: Any, t: int) -> int:
    """Return a place for a new pool: never used, or of a consumed pool, or of the oldest living one.

    The extremes of the previous week are spared until the next roll.
    """
    if s.pools < POOLS:
        return s.pools  # type: ignore[no-any-return]
    if w.spare > 0:
        w.spare -= 1
        return w.spares[w.spare]  # type: ignore[no-any-return]
    for k in range(w.living):
        pool = pools.x[w.alive[k]]
        if pool.kind != POOL_WEEK or (t - pool.known) * s.interval >= WEEK_MS:
            return _strike(w, k)  # type: ignore[no-any-return]
    return _strike(w, 0)  # type: ignore[no-any-return]


@kernel
def _push_pool(
    s: Any, w: Any, pools: Any, log: Any, row: int, side: int, kind: int, touches: int, at: int, level: float, t: int
) -> None:
    place = _free_place(s, w, pools, t)
    pool = pools.x[place]
    pool.side = side
    pool.kind = kind
    pool.state = POOL_OPEN
    pool.layer = INTERNAL
    pool.touches = touches
    pool.at = at
    pool.known = t
    pool.level = level
    pool.pierced = -1
    pool.extreme = level
    pool.deepest = -1
    pool.changed = t
    pool.number = s.pools
    w.alive[w.living] = place
    w.living += 1
    s.pools += 1
    _watch(w, pool)
    note(log, row, OF_POOL, 0, BORN, side, kind, pool.number, at, t, level, float(touches), 0.0)


@kernel
def _pool_at_pivot(s: Any, w: Any, pools: Any, log: Any, row: int, side: int, at: int, level: float, t: int) -> None:
    """Open a pool at an internal pivot; with an open pivot pool within 0.1 ATR200 it becomes one of equal extremes."""
    for k in range(w.living - 1, -1, -1):
        pool = pools.x[w.alive[k]]
        if pool.side != side or pool.state != POOL_OPEN or pool.kind > POOL_SWING:
            continue
        if abs(pool.level - level) <= 0.1 * s.atr200:
            _set_state(pool, log, row, POOL_MERGED, t)
            outer = max(pool.level, level) if side == UP else min(pool.level, level)
            touches = pool.touches + 1
            w.spares[w.spare] = _strike(w, k)
            w.spare += 1
            _push_pool(s, w, pools, log, row, side, POOL_EQUAL, touches, at, outer, t)
            return
    _push_pool(s, w, pools, log, row, side, POOL_SWING, 1, at, level, t)


@kernel
def _promote(w: Any, pools: Any, log: Any, row: int, side: int, at: int, t: int) -> None:
    for k in range(w.living - 1, -1, -1):
        pool = pools.x[w.alive[k]]
        if pool.side == side and pool.at == at and pool.kind <= POOL_SWING:
            pool.layer = SWING
            pool.changed = t
            note(log, row, OF_POOL, SWING, PROMOTED, side, pool.kind, pool.number, at, t, pool.level, 0.0, 0.0)
            return


@kernel
def pools_of_swings(
    s: Any, w: Any, bars: Any, swings: Any, pools: Any, log: Any, row: int, internal: int, outer: int, t: int
) -> None:
    """Open pools at the internal pivots confirmed at t, and mark those the swing layer confirmed at t.

    `internal` and `outer` are what `confirm_swings` returned for the two layers.
    """
    if internal > 0:
        side = UP if high_first(bars.x[(t - LAYER_REACH[0]) & MASK]) else DOWN
        for _ in range(2):
            if (side == UP and internal & 1) or (side == DOWN and internal & 2):
                swing = swings.x[INTERNAL, s.last_high[INTERNAL] if side == UP else s.last_low[INTERNAL]]
                _pool_at_pivot(s, w, pools, log, row, side, swing.at, swing.level, t)
            side = -side
    for side in (UP, DOWN):
        if (side == UP and outer & 1) or (side == DOWN and outer & 2):
            _promote(w, pools, log, row, side, t - LAYER_REACH[1], t)


@kernel
def _span(
    s: Any,
    w: Any,
    pools: Any,
    log: Any,
    row: int,
    b: Any,
    span: int,
    number: int,
    begins: bool,
    ends: bool,
    t: int,
) -> None:
    """Track the extremes of one day, week or session; at its last bar open its two pools if it was seen whole."""
    if w.span_id[span] != number:
        w.span_id[span] = number
        w.span_whole[span] = 1 if begins else 0
        w.span_high[span] = b.h
        w.span_low[span] = b.l
        w.span_high_at[span] = t
        w.span_low_at[span] = t
    else:
        if b.h > w.span_high[span]:
            w.span_high[span] = b.h
            w.span_high_at[span] = t
        if b.l < w.span_low[span]:
            w.span_low[span] = b.l
            w.span_low_at[span] = t
    if not (ends and w.span_whole[span] == 1):
        return
    high_at, low_at = w.span_high_at[span], w.span_low_at[span]
    # The earlier extreme comes first; if one bar made both, the one nearer to the present close.
    up_first = high_at < low_at or (high_at == low_at and w.span_high[span] - b.c <= b.c - w.span_low[span])
    side = UP if up_first else DOWN
    for _ in range(2):
        at = high_at if side == UP else low_at
        level = w.span_high[span] if side == UP else w.span_low[span]
        _push_pool(s, w, pools, log, row, side, POOL_DAY + span, 1, at, level, t)
        side = -side


@kernel
def _session(s: Any, w: Any, time: int, t: int) -> tuple[int, bool, bool]:
    """Return the number of the bar's session (-1 for none), and whether the bar is its first and its last."""
    # The clock may change at either edge of the bar, so its neighbours are read with their own offsets.
    before = w.offset
    if t == 0:
        before, w.offset_until = new_york_offset(time - s.interval)
        w.offset = before
    if time >= w.offset_until:
        w.offset, w.offset_until = new_york_offset(time)
    session = session_at(time, w.offset)
    if session == NO_SESSION:
        return -1, False, False
    after = w.offset
    if time + s.interval >= w.offset_until:
        after, _ = new_york_offset(time + s.interval)
    # A session lies within one New York day, so day and code together number it.
    number = ((time + w.offset) // DAY_MS) * 8 + session
    begins = session_at(time - s.interval, before) != session
    return number, begins, session_at(time + s.interval, after) != session


@kernel
def pools_of_spans(s: Any, w: Any, pools: Any, log: Any, row: int, b: Any, t: int) -> None:
    """Open pools at the extremes of the UTC day, the UTC week (from Monday) and the session that end with bar t.

    They are known at the close of the span's last bar, which is the roll itself.
    """
    for span in range(3):
        if span == SPAN_SESSION:
            number, begins, ends = _session(s, w, b.t, t)
            if number < 0:
                continue
        else:
            length = DAY_MS if span == SPAN_DAY else WEEK_MS
            since = b.t if span == SPAN_DAY else b.t - MONDAY_MS
            number = since // length
            begins = since == number * length
            ends = since + s.interval >= (number + 1) * length
        _span(s, w, pools, log, row, b, span, number, begins, ends, t)
