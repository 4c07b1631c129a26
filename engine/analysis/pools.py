"""Pools of liquidity, sweeps and runs (specification 3.7 and 3.8)."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.analysis.changes import BORN, OF_POOL, OF_SWEEP, PROMOTED, note
from engine.analysis.compiled import kernel
from engine.analysis.layout import (
    DOWN,
    INTERNAL,
    POOL_DAY,
    POOL_EQUAL,
    POOL_MERGED,
    POOL_OPEN,
    POOL_PIERCED,
    POOL_RUN,
    POOL_SESSION,
    POOL_SWEPT,
    POOL_SWING,
    POOL_WEEK,
    POOLS,
    SWEEPS,
    SWING,
    UP,
)
from engine.analysis.sessions import DAY_MS, MONDAY_MS, NO_SESSION, WEEK_MS, new_york_offset, session_at

RECLAIM_BARS = 3
SPAN_DAY, SPAN_WEEK, SPAN_SESSION = 0, 1, 2


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
def _set_state(pool: Any, log: Any, row: int, state: int, number: int, t: int) -> None:
    pool.state = state
    pool.changed = t
    note(log, row, OF_POOL, 0, state, pool.side, pool.kind, number, pool.at, t, pool.level, pool.extreme, 0.0)


@kernel
def _push_sweep(s: Any, sweeps: Any, log: Any, row: int, pool: Any, depth: float, t: int) -> None:
    number = s.sweeps
    sweep = sweeps[number % SWEEPS]
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
def _age(s: Any, sweeps: Any, log: Any, row: int, pool: Any, number: int, b: Any, t: int) -> None:
    reached = b.h if pool.side == UP else b.l
    if pool.state == POOL_OPEN:
        if not pool.side * (reached - pool.level) > 0.05 * s.atr14:
            return
        pool.pierced = t
        pool.extreme = reached
        pool.deepest = t
        _set_state(pool, log, row, POOL_PIERCED, number, t)
    elif pool.side * (reached - pool.extreme) > 0.0:
        pool.extreme = reached
        pool.deepest = t
    depth = abs(pool.extreme - pool.level) / s.atr14
    if depth > 1.0:
        _set_state(pool, log, row, POOL_RUN, number, t)
    elif pool.side * (b.c - pool.level) < 0.0:
        _set_state(pool, log, row, POOL_SWEPT, number, t)
        _push_sweep(s, sweeps, log, row, pool, depth, t)
    elif t - pool.pierced >= RECLAIM_BARS:
        _set_state(pool, log, row, POOL_RUN, number, t)


@kernel
def age_pools(s: Any, w: Any, pools: Any, sweeps: Any, log: Any, row: int, b: Any, t: int) -> None:
    """Move every pool along its life by bar t: pierced, then swept on a close back inside, or run."""
    if b.l > w.pool_lo and b.h < w.pool_hi:
        return
    w.pool_lo = -np.inf
    w.pool_hi = np.inf
    for number in range(max(0, s.pools - POOLS), s.pools):
        pool = pools[number % POOLS]
        if pool.state <= POOL_PIERCED:
            _age(s, sweeps, log, row, pool, number, b, t)
            _watch(w, pool)


@kernel
def _push_pool(
    s: Any, w: Any, pools: Any, log: Any, row: int, side: int, kind: int, touches: int, at: int, level: float, t: int
) -> None:
    number = s.pools
    pool = pools[number % POOLS]
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
    s.pools = number + 1
    _watch(w, pool)
    note(log, row, OF_POOL, 0, BORN, side, kind, number, at, t, level, float(touches), 0.0)


@kernel
def _pool_at_pivot(s: Any, w: Any, pools: Any, log: Any, row: int, side: int, at: int, level: float, t: int) -> None:
    """Open a pool at an internal pivot; with an open pivot pool within 0.1 ATR200 it becomes one of equal extremes."""
    for number in range(s.pools - 1, max(0, s.pools - POOLS) - 1, -1):
        pool = pools[number % POOLS]
        if pool.side != side or pool.state != POOL_OPEN or pool.kind > POOL_SWING:
            continue
        if abs(pool.level - level) <= 0.1 * s.atr200:
            _set_state(pool, log, row, POOL_MERGED, number, t)
            outer = max(pool.level, level) if side == UP else min(pool.level, level)
            _push_pool(s, w, pools, log, row, side, POOL_EQUAL, pool.touches + 1, at, outer, t)
            return
    _push_pool(s, w, pools, log, row, side, POOL_SWING, 1, at, level, t)


@kernel
def _promote(s: Any, pools: Any, log: Any, row: int, side: int, at: int, t: int) -> None:
    for number in range(s.pools - 1, max(0, s.pools - POOLS) - 1, -1):
        pool = pools[number % POOLS]
        if pool.side == side and pool.at == at and pool.kind <= POOL_SWING and pool.state <= POOL_PIERCED:
            pool.layer = SWING
            pool.changed = t
            note(log, row, OF_POOL, SWING, PROMOTED, side, pool.kind, number, at, t, pool.level, 0.0, 0.0)
            return


@kernel
def pools_of_swings(
    s: Any, w: Any, swings: Any, pools: Any, log: Any, row: int, internal: int, outer: int, t: int
) -> None:
    """Open pools at the internal pivots confirmed at t, and mark those the swing layer confirmed at t.

    `internal` and `outer` are what `confirm_swings` returned for the two layers.
    """
    if internal & 1:
        swing = swings[INTERNAL, s.last_high[INTERNAL]]
        _pool_at_pivot(s, w, pools, log, row, UP, swing.at, swing.level, t)
    if internal & 2:
        swing = swings[INTERNAL, s.last_low[INTERNAL]]
        _pool_at_pivot(s, w, pools, log, row, DOWN, swing.at, swing.level, t)
    if outer & 1:
        _promote(s, pools, log, row, UP, swings[SWING, s.last_high[SWING]].at, t)
    if outer & 2:
        _promote(s, pools, log, row, DOWN, swings[SWING, s.last_low[SWING]].at, t)


@kernel
def _span(
    s: Any,
    w: Any,
    pools: Any,
    log: Any,
    row: int,
    b: Any,
    span: int,
    kind: int,
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
    if ends and w.span_whole[span] == 1:
        _push_pool(s, w, pools, log, row, UP, kind, 1, w.span_high_at[span], w.span_high[span], t)
        _push_pool(s, w, pools, log, row, DOWN, kind, 1, w.span_low_at[span], w.span_low[span], t)


@kernel
def pools_of_spans(s: Any, w: Any, pools: Any, log: Any, row: int, b: Any, t: int) -> None:
    """Open pools at the extremes of the UTC day, the UTC week (from Monday) and the session that end with bar t.

    They are known at the close of the span's last bar, which is the roll itself.
    """
    end = b.t + s.interval
    day = b.t // DAY_MS
    _span(s, w, pools, log, row, b, SPAN_DAY, POOL_DAY, day, b.t % DAY_MS == 0, end % DAY_MS == 0, t)
    since = b.t - MONDAY_MS
    week = since // WEEK_MS
    roll = (since + s.interval) % WEEK_MS == 0
    _span(s, w, pools, log, row, b, SPAN_WEEK, POOL_WEEK, week, since % WEEK_MS == 0, roll, t)
    if end >= w.offset_until or t == 0:
        w.offset, w.offset_until = new_york_offset(b.t)
    session = session_at(b.t, w.offset)
    if session == NO_SESSION:
        return
    # A session lies within one New York day, so day and code together number it.
    number = ((b.t + w.offset) // DAY_MS) * 8 + session
    begins = session_at(b.t - s.interval, w.offset) != session
    ends = session_at(end, w.offset) != session
    _span(s, w, pools, log, row, b, SPAN_SESSION, POOL_SESSION, number, begins, ends, t)
