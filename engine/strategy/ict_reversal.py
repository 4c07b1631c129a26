"""First ICT pattern: liquidity swept, character changed with displacement, entry on the way back.

1h bias -> sweep of the far side on 5m or 15m -> CHoCH or MSS with displacement after it -> entry at a gap's middle, a
block's mean threshold or their overlap with OTE -> in discount -> stop beyond the sweep -> target at an open pool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.compiled import kernel
from engine.analysis.layout import (
    BLOCK_INVALID,
    BLOCKS,
    BOS,
    BREAKS,
    GAP_CE,
    GAPS,
    INTERNAL,
    POOL_OPEN,
    POOLS,
    SWEEPS,
    SWING,
)
from engine.strategy.ict_steps import (
    BAR_5M,
    FAR,
    FOREVER,
    LIFE_BARS,
    MIN_REWARD,
    alive,
    find_targets,
    position_of,
    reference_close,
    score,
    set_stop,
    store_zone,
    to_swing,
)
from engine.strategy.oriented import close_ms, extremes, high_of, low_of, open_ms
from engine.strategy.scores import displacement_score
from engine.strategy.setup import (
    BREAK,
    DEAR,
    DISCOUNT,
    DISPLACEMENT,
    FAILED,
    PASSED,
    SWEEP,
    SWEEP_REVERSAL,
    TARGET,
    ZONE,
    ZONE_BLOCK,
    ZONE_GAP,
)

if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    import numpy.typing as npt

    from engine.analysis.layout import Tables

LOOKBACK_MS = 3 * 3_600_000  # a structure shift older than this is history
SWEEP_LEAD_MS = 4 * 3_600_000  # a sweep may precede the shift by this much
OTE_SHALLOW, OTE_DEEP = 0.62, 0.79
SHIFTS = ((0, INTERNAL), (1, INTERNAL), (1, SWING))  # (frame, layer) whose changes of character count


@kernel
def find_sweep(t: Tables, base: int, sign: int, until: int, row: Any) -> bool:
    """Store the latest sweep of the far side (5m or 15m) whose extreme closed by `until`; return whether one exists."""
    found = False
    best = until - SWEEP_LEAD_MS
    for frame in (0, 1):
        state = t.series[base + frame]
        count = state["sweeps"]
        for k in range(count - 1, max(-1, count - 1 - SWEEPS), -1):
            sweep = t.sweeps[base + frame, k % SWEEPS]
            if close_ms(state, sweep["known"]) < best:
                break
            at = open_ms(state, sweep["at"])
            if sweep["side"] != -sign or close_ms(state, sweep["at"]) > until or at <= best:
                continue
            best = at
            found = True
            row["sweep_frame"] = frame
            row["sweep_kind"] = sweep["kind"]
            row["sweep_at"] = at
            row["sweep_known"] = close_ms(state, sweep["known"])
            row["sweep_level"] = sweep["level"]
            row["sweep_extreme"] = sweep["extreme"]
            row["sweep_depth"] = sweep["depth"]
    return found


@kernel
def _displacement(t: Tables, base: int, sign: int, since: int) -> float:
    """Return the largest displacement body (ATR) among same-side breaks on 5m and 15m known after `since`."""
    largest = 0.0
    for frame in (0, 1):
        state = t.series[base + frame]
        for layer in (INTERNAL, SWING):
            count = state["breaks"][layer]
            for k in range(count - 1, max(-1, count - 1 - BREAKS), -1):
                shift = t.breaks[base + frame, layer, k % BREAKS]
                if close_ms(state, shift["known"]) <= since:
                    break
                if shift["side"] == sign:
                    largest = max(largest, shift["displacement"])
    return largest


@kernel
def _zone_entry(low: float, high: float, ote_low: float, ote_high: float) -> tuple[float, int]:
    """Return (entry, overlaps) of an oriented zone: its middle, moved into the OTE band where the two overlap."""
    middle = 0.5 * (low + high)
    bottom, top = max(low, ote_low), min(high, ote_high)
    if bottom > top:
        return middle, 0
    return min(max(middle, bottom), top), 1


@kernel
def _offer(
    row: Any,
    zone: Any,
    kind: int,
    frame: int,
    at: int,
    known: int,
    quality: float,
    leg: tuple[float, float],
    sign: int,
    best: tuple[int, float],
) -> tuple[int, float]:
    """Store a zone when it is better than the best so far, given and returned as (rank, oriented entry).

    `leg` is the oriented (sweep extreme, top). Overlap with OTE ranks first, gaps before blocks, then nearness.
    """
    extreme, top = leg
    ote_high, ote_low = top - OTE_SHALLOW * (top - extreme), top - OTE_DEEP * (top - extreme)
    low, high = low_of(zone["low"], zone["high"], sign), high_of(zone["low"], zone["high"], sign)
    entry, ote = _zone_entry(low, high, ote_low, ote_high)
    if entry > top or entry <= extreme:
        return best
    rank = 2 * ote + (kind == ZONE_GAP)
    if rank < best[0] or (rank == best[0] and entry <= best[1]):
        return best
    store_zone(row, kind, frame, at, known, zone["low"], zone["high"], quality, ote, sign * entry)
    return rank, entry


@kernel
def _find_gap(
    t: Tables, base: int, frame: int, sign: int, leg: tuple[float, float], row: Any, best: tuple[int, float]
) -> tuple[int, float]:
    """Offer the gaps the leg left on a frame whose middle was not traded before the set-up stood."""
    state = t.series[base + frame]
    count = state["gaps"]
    for k in range(count - 1, max(-1, count - 1 - GAPS), -1):
        gap = t.gaps[base + frame, k % GAPS]
        at = open_ms(state, gap["at"])
        if at < row["sweep_at"]:
            break
        known = close_ms(state, gap["known"])
        if gap["side"] != sign or gap["state"] > GAP_CE or known > row["anchor"] + state["interval"]:
            continue
        if gap["state"] == GAP_CE and close_ms(state, gap["changed"]) <= row["anchor"]:
            continue
        best = _offer(row, gap, ZONE_GAP, frame, at, known, 0.0, leg, sign, best)
    return best


@kernel
def _find_leg_block(
    t: Tables, base: int, frame: int, sign: int, leg: tuple[float, float], row: Any, best: tuple[int, float]
) -> tuple[int, float]:
    """Offer the valid order blocks of a frame that became known with the leg."""
    state = t.series[base + frame]
    count = state["blocks"]
    for k in range(count - 1, max(-1, count - 1 - BLOCKS), -1):
        block = t.blocks[base + frame, k % BLOCKS]
        known = close_ms(state, block["known"])
        if known < row["sweep_at"]:
            break
        if block["side"] != sign or block["state"] >= BLOCK_INVALID or known > row["anchor"] + state["interval"]:
            continue
        at = open_ms(state, block["at"])
        best = _offer(row, block, ZONE_BLOCK, frame, at, known, block["quality"], leg, sign, best)
    return best


@kernel
def _find_zone(t: Tables, base: int, sign: int, row: Any) -> bool:
    """Store the best entry zone of the leg from the sweep's extreme to the top before the set-up stood."""
    extreme = sign * row["sweep_extreme"]
    _, top, _ = extremes(t.series[base], t.bars[base], row["sweep_at"], row["anchor"], sign)
    leg = (extreme, top)
    best = (-1, -1e300)
    for frame in (0, 1):
        best = _find_gap(t, base, frame, sign, leg, row, best)
        best = _find_leg_block(t, base, frame, sign, leg, row, best)
    return best[0] >= 0


@kernel
def _find_setup(t: Tables, base: int, sign: int, price: float, row: Any) -> int:
    """Store sweep, displacement and entry zone around the shift in the row; return the gate that failed, else 0."""
    if not find_sweep(t, base, sign, row["break_known"], row):
        row["distance"] = 1.0
        return SWEEP
    row["anchor"] = max(row["break_known"], row["sweep_known"])
    row["displacement"] = _displacement(t, base, sign, row["sweep_at"])
    if not row["displacement"] > 0.0:
        row["distance"] = 1.5
        return DISPLACEMENT
    extreme = sign * row["sweep_extreme"]
    low, _, _ = extremes(t.series[base], t.bars[base], row["sweep_at"], FOREVER, sign)
    low = min(low, sign * price)
    if low < extreme:
        row["distance"] = (extreme - low) / t.series[base]["atr14"]
        return FAILED
    if not _find_zone(t, base, sign, row):
        row["distance"] = 1.0
        return ZONE
    return 0


@kernel
def _try_reversal(t: Tables, base: int, sign: int, price: float, row: Any) -> int:
    """Carry one structure shift (already in the row) through the remaining steps; return the gate."""
    gate = _find_setup(t, base, sign, price, row)
    if gate != 0:
        return int(gate)
    row["position"] = position_of(row, sign * row["entry"], sign)
    if not row["position"] < 0.5:
        row["distance"] = row["position"] - 0.5
        return DEAR
    set_stop(row, sign * row["sweep_extreme"], t.series[base + row["sweep_frame"]]["atr14"], sign)
    best = find_targets(t, base, sign, row)
    if row["targets"] == 0:
        row["distance"] = MIN_REWARD - best
        return TARGET
    reference = reference_close(t, base, row["anchor"], sign)
    gate = alive(t, base, sign, price, row["anchor"], reference, row)
    if gate == PASSED:
        score(t, base, sign, price, displacement_score(row["displacement"]), row)
    return int(gate)


@kernel
def _to_far_pool(t: Tables, base: int, sign: int, price: float) -> float:
    """Return how far the nearest open pool of the far side (5m or 15m) lies ahead, in 15m ATR, `FAR` at most."""
    nearest = FAR
    atr = t.series[base + 1]["atr14"]
    for frame in (0, 1):
        count = t.series[base + frame]["pools"]
        for k in range(max(0, count - POOLS), count):
            pool = t.pools[base + frame, k % POOLS]
            if pool["side"] == -sign and pool["state"] == POOL_OPEN:
                nearest = min(nearest, max(0.0, sign * (price - pool["level"])) / atr)
    return float(nearest)


@kernel
def _last_shift(t: Tables, base: int, sign: int) -> int:
    """Return when the newest change of character in the direction became known, 0 where none counts any more."""
    newest = 0
    oldest = close_ms(t.series[base], t.series[base]["n"] - 1) - LOOKBACK_MS
    for frame, layer in SHIFTS:
        state = t.series[base + frame]
        count = state["breaks"][layer]
        for k in range(count - 1, max(-1, count - 1 - BREAKS), -1):
            shift = t.breaks[base + frame, layer, k % BREAKS]
            known = close_ms(state, shift["known"])
            if known < oldest:
                break
            if shift["side"] == sign and shift["kind"] != BOS:
                newest = max(newest, known)
                break
    return newest


@kernel
def _swept_since(t: Tables, base: int, sign: int, since: int) -> bool:
    """Return whether a sweep of the far side became known after `since`."""
    for frame in (0, 1):
        state = t.series[base + frame]
        count = state["sweeps"]
        for k in range(count - 1, max(-1, count - 1 - SWEEPS), -1):
            sweep = t.sweeps[base + frame, k % SWEEPS]
            if close_ms(state, sweep["known"]) <= since:
                break
            if sweep["side"] == -sign:
                return True
    return False


@kernel
def lately(t: Tables, base: int, sign: int) -> bool:
    """Return whether a change of character, or a sweep while one still counts, is younger than a set-up lives.

    No reversal is alive without: its anchor is the later of the two.
    """
    shifted = _last_shift(t, base, sign)
    born = close_ms(t.series[base], t.series[base]["n"] - 1) - LIFE_BARS * BAR_5M
    return bool(shifted > born or (shifted > 0 and _swept_since(t, base, sign, born)))


@kernel
def reversal(
    t: Tables, base: int, sign: int, price: float, work: npt.NDArray[np.void], out: npt.NDArray[np.void], i: int
) -> None:
    """Try every recent change of character in the direction; leave the one that got furthest in `out[i]`.

    `work` is one SETUP row of scratch that already holds bias and dealing range, as `out[i]` does.
    """
    row, best = work[0], out[i]
    now = close_ms(t.series[base], t.series[base]["n"] - 1)
    for frame, layer in SHIFTS:
        state = t.series[base + frame]
        count = state["breaks"][layer]
        for k in range(count - 1, max(-1, count - 1 - BREAKS), -1):
            shift = t.breaks[base + frame, layer, k % BREAKS]
            known = close_ms(state, shift["known"])
            if known < now - LOOKBACK_MS:
                break
            if shift["side"] != sign or shift["kind"] == BOS:
                continue
            row["break_frame"] = frame
            row["break_layer"] = layer
            row["break_kind"] = shift["kind"]
            row["break_at"] = open_ms(state, shift["at"])
            row["break_known"] = known
            row["break_level"] = shift["level"]
            row["pattern"] = SWEEP_REVERSAL
            gate = _try_reversal(t, base, sign, price, row)
            row["gate"] = gate
            if gate > best["gate"]:
                out[i] = row
            if gate == PASSED:
                return
    if best["gate"] >= BREAK:
        return
    position = position_of(row, sign * price, sign)
    if not position < 0.5:
        best["gate"], best["distance"], best["position"] = DISCOUNT, position - 0.5, position
    elif find_sweep(t, base, sign, now, best):
        best["gate"], best["distance"] = BREAK, to_swing(t, base, INTERNAL, sign, price)
    else:
        best["gate"], best["distance"] = SWEEP, _to_far_pool(t, base, sign, price)
