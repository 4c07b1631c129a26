"""The pass over all positions: triggers on every price seen, looks by the smart schedule.

A trigger is judged on the high and low of everything seen since the previous pass; when one interval spans both levels
the stop is taken. Within the interval of the trigger only the fill counts for the extremes: what the price did after
the fill no longer belongs to the position, and the order within the interval is unknown. A stop fills at its price, or
at the interval's last price when the whole interval lies beyond it (a gap); a target fills at its price.

Looks produce the events that inform (price, extremes, approach). The schedule decides only when these are told, never
whether a trigger is seen.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from engine.positions.columns import FREE
from engine.positions.lifecycle import APPROACH, REARM

if TYPE_CHECKING:
    from engine.positions.columns import Columns, Floats, Shorts

PRICE, MAX, MIN, NEAR_TP, NEAR_SL, STOP, TARGET = 1, 2, 4, 8, 16, 32, 64
"""Bits of a look's outcome."""

NONE_PENDING, STOP_PENDING, TARGET_PENDING = 0, 1, 2

PLAIN_CYCLE_MS = 10_000
"""Looks of all positions at once when smart monitoring is off."""
SPEED_MEMORY_S = 60.0
"""Time constant of the mean speed."""
LONGEST_ETA_S = 345_600.0
"""An estimate beyond the longest life of a position says nothing."""


@njit(cache=True, nogil=True, error_model="numpy")
def interval_of(risk: float) -> int:
    """Return the milliseconds between looks for a risk in [0, 1]; the tiers of specification section 5."""
    if risk > 0.8:
        return 100
    if risk > 0.5:
        return 500
    if risk > 0.2:
        return 2_000
    return 5_000


@njit(cache=True, nogil=True, error_model="numpy")
def schedule(c: Columns, i: int, now: int, smart: bool) -> None:
    """Set row i's risk tier, its next look and the prices that bring the look forward."""
    price = c.looked[i]
    tp_left = (c.target[i] - price) / (c.target[i] - c.entry[i])
    sl_left = (c.stop[i] - price) / (c.stop[i] - c.entry[i])
    c.tier[i] = interval_of(min(max(1.0 - tp_left, 1.0 - sl_left, 0.0), 1.0))
    if smart:
        c.due[i] = now + c.tier[i]
        c.jump_low[i] = price - c.half_r[i]
        c.jump_high[i] = price + c.half_r[i]
    else:
        c.due[i] = (now // PLAIN_CYCLE_MS + 1) * PLAIN_CYCLE_MS
        c.jump_low[i] = -np.inf
        c.jump_high[i] = np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _measure_speed(c: Columns, i: int, now: int) -> None:
    price = c.price[i]
    seconds = (now - c.looked_ms[i]) / 1000.0
    if seconds > 0.0:
        weight = 1.0 - math.exp(-seconds / SPEED_MEMORY_S)
        c.speed[i] += weight * ((price - c.looked[i]) / seconds - c.speed[i])
    to_target = c.target[i] - price
    to_stop = c.stop[i] - price
    nearer = to_target if abs(to_target) < abs(to_stop) else to_stop
    c.eta[i] = np.nan
    if nearer * c.speed[i] > 0.0:
        eta = nearer / c.speed[i]
        if eta <= LONGEST_ETA_S:
            c.eta[i] = eta


@njit(cache=True, nogil=True, error_model="numpy")
def look(c: Columns, i: int, now: int, smart: bool, ending: bool) -> int:
    """Observe row i at its newest price and return the bits of what is new. An ending look tells no approach."""
    price = c.price[i]
    bits = 0
    if price != c.looked[i]:
        bits |= PRICE
    _measure_speed(c, i, now)
    high = max(c.seen_high[i], price)
    low = min(c.seen_low[i], price)
    at_high = c.slope[i] * high + c.offset[i]
    at_low = c.slope[i] * low + c.offset[i]
    best = max(at_high, at_low)
    worst = min(at_high, at_low)
    if best > c.best[i]:
        c.best[i] = best
        bits |= MAX
    if worst < c.worst[i]:
        c.worst[i] = worst
        bits |= MIN
    c.percent[i] = c.slope[i] * price + c.offset[i]
    c.looked[i] = price
    c.looked_ms[i] = now
    c.looks[i] += 1
    c.seen_high[i] = -np.inf
    c.seen_low[i] = np.inf
    tp_left = (c.target[i] - price) / (c.target[i] - c.entry[i])
    sl_left = (c.stop[i] - price) / (c.stop[i] - c.entry[i])
    if tp_left > REARM:
        c.tp_armed[i] = 1
    elif c.tp_armed[i] == 1 and 0.0 < tp_left <= APPROACH and not ending:
        c.tp_armed[i] = 0
        bits |= NEAR_TP
    if sl_left > REARM:
        c.sl_armed[i] = 1
    elif c.sl_armed[i] == 1 and 0.0 < sl_left <= APPROACH and not ending:
        c.sl_armed[i] = 0
        bits |= NEAR_SL
    schedule(c, i, now, smart)
    return bits


@njit(cache=True, nogil=True, error_model="numpy")
def _note_trigger(c: Columns, i: int, high: float, low: float, last: float) -> None:
    stop = c.stop[i]
    if c.sign[i] > 0:
        stopped, gapped, reached = low <= stop, high < stop, high >= c.target[i]
    else:
        stopped, gapped, reached = high >= stop, low > stop, low <= c.target[i]
    if stopped:
        if c.pending[i] != STOP_PENDING:
            c.pending[i] = STOP_PENDING
            c.fill[i] = last if gapped else stop
    elif reached and c.pending[i] == NONE_PENDING:
        c.pending[i] = TARGET_PENDING
        c.fill[i] = c.target[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _see(c: Columns, i: int, high: float, low: float, last: float) -> None:
    if not 0.0 < low <= last <= high < np.inf:
        return
    if low <= c.floor[i] or high >= c.ceiling[i]:
        _note_trigger(c, i, high, low, last)
    if c.pending[i] == NONE_PENDING:
        c.price[i] = last
        c.seen_high[i] = max(c.seen_high[i], high)
        c.seen_low[i] = min(c.seen_low[i], low)


@njit(cache=True, nogil=True, error_model="numpy")
def trigger(c: Columns, i: int, now: int, smart: bool) -> int:
    """Look at row i's pending fill and return the bits with STOP or TARGET."""
    c.price[i] = c.fill[i]
    return look(c, i, now, smart, True) | (STOP if c.pending[i] == STOP_PENDING else TARGET)


@njit(cache=True, nogil=True, error_model="numpy")
def _turn(c: Columns, i: int, now: int, smart: bool) -> int:
    """Look at row i where its trigger or the schedule asks for it; return the bits."""
    if c.pending[i] != NONE_PENDING:
        if smart or now >= c.due[i]:
            return trigger(c, i, now, smart)
    elif now >= c.due[i] or not c.jump_low[i] <= c.price[i] <= c.jump_high[i]:
        if c.seen_high[i] >= c.seen_low[i]:
            return look(c, i, now, smart, False)
        schedule(c, i, now, smart)
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def scan(
    c: Columns,
    rows: int,
    now: int,
    high: Floats,
    low: Floats,
    last: Floats,
    smart: bool,
    out_row: Shorts,
    out_bits: Shorts,
    out_best: Floats,
    out_worst: Floats,
) -> int:
    """Pass over the first `rows` rows; return how many have news, written to the out arrays.

    `high`, `low`, `last` hold per slot what was seen since the previous pass. A slot counts as seen only when
    0 < low <= last <= high < inf, so NaN, zero and contradictory triples are no observation. `out_best` and `out_worst`
    keep the extremes from before the look.
    """
    found = 0
    slots = len(high)
    for i in range(rows):
        slot = c.slot[i]
        if slot == FREE:
            continue
        if 0 <= slot < slots:
            _see(c, i, high[slot], low[slot], last[slot])
        best, worst = c.best[i], c.worst[i]
        bits = _turn(c, i, now, smart)
        if bits != 0:
            out_row[found] = i
            out_bits[found] = bits
            out_best[found] = best
            out_worst[found] = worst
            found += 1
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def scan_slot(
    c: Columns,
    rows: int,
    slot: int,
    seen: Floats,
    smart: bool,
    out_row: Shorts,
    out_bits: Shorts,
    out_best: Floats,
    out_worst: Floats,
) -> tuple[int, int]:
    """Pass over the rows of one slot once per line of `seen` (now, high, low, last), up to the first with a trigger.

    Returns how many lines were passed and how many rows have a trigger, which are written to the out arrays as `scan`
    does; other news is not.
    """
    found = 0
    for k in range(len(seen)):
        now = int(seen[k, 0])
        for i in range(rows):
            if c.slot[i] != slot:
                continue
            _see(c, i, seen[k, 1], seen[k, 2], seen[k, 3])
            best, worst = c.best[i], c.worst[i]
            bits = _turn(c, i, now, smart)
            if bits & (STOP | TARGET):
                out_row[found] = i
                out_bits[found] = bits
                out_best[found] = best
                out_worst[found] = worst
                found += 1
        if found:
            return k + 1, found
    return len(seen), 0
