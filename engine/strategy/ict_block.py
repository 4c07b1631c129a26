"""Second ICT pattern: 1h and 15m agree, 5m does not object, price stands at a fresh block of their side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.compiled import kernel
from engine.analysis.layout import BLOCK_FRESH, BLOCKS, INTERNAL, SWING
from engine.strategy.ict_steps import (
    BAR_5M,
    LIFE_BARS,
    MIN_REWARD,
    alive,
    find_targets,
    position_of,
    reference_close,
    score,
    set_stop,
    store_zone,
)
from engine.strategy.oriented import clamp01, close_ms, extremes, high_of, low_of, open_ms
from engine.strategy.setup import BIAS, PASSED, TARGET, TREND_BLOCK, ZONE_BLOCK

if TYPE_CHECKING:
    from typing import Any

    from engine.analysis.layout import Tables

BLOCK_REACH = 0.5  # ATR14 (15m) between price and a block that still count as being at it
FULL_MS = 48 * 3_600_000  # age up to which a block has its full weight
END_MS = 72 * 3_600_000  # age at which it has none


@kernel
def bias_of(state: Any) -> int:
    """Return the structure bias of a frame: the swing layer, or the internal one while that has none."""
    swing = state["bias"][SWING]
    return int(swing if swing != 0 else state["bias"][INTERNAL])


@kernel
def _find_block(t: Tables, base: int, sign: int, price: float, row: Any) -> float:
    """Store the fresh same-side block nearest to price; return its distance in 15m ATR, above reach for none."""
    now = close_ms(t.series[base], t.series[base]["n"] - 1)
    atr = t.series[base + 1]["atr14"]
    best = 1e9
    for frame in range(3):
        state = t.series[base + frame]
        count = state["blocks"]
        for k in range(count - 1, max(-1, count - 1 - BLOCKS), -1):
            block = t.blocks[base + frame, k % BLOCKS]
            known = close_ms(state, block["known"])
            if now - known >= END_MS:
                break
            if block["side"] != sign or block["state"] != BLOCK_FRESH:
                continue
            low, high = low_of(block["low"], block["high"], sign), high_of(block["low"], block["high"], sign)
            if sign * price < low:
                continue
            distance = max(0.0, sign * price - high) / atr
            if distance < best:
                best = distance
                weight = clamp01((END_MS - (now - known)) / (END_MS - FULL_MS))
                at = open_ms(state, block["at"])
                quality = block["quality"] * weight
                store_zone(row, ZONE_BLOCK, frame, at, known, block["low"], block["high"], quality, 0, sign * high)
    return best


@kernel
def _arrival(t: Tables, base: int, sign: int, row: Any) -> int:
    """Return the close time of the last 5m bar before price came within reach of the stored block.

    Looks back a little further than a set-up lives; an older arrival has expired anyway.
    """
    edge = sign * row["entry"] + BLOCK_REACH * t.series[base + 1]["atr14"]
    end = close_ms(t.series[base], t.series[base]["n"] - 1)
    since = end
    for _ in range(LIFE_BARS + 1):
        low, _, count = extremes(t.series[base], t.bars[base], since - BAR_5M, since, sign)
        if count == 0 or low > edge or since <= row["zone_known"]:
            break
        since -= BAR_5M
    return int(since)


@kernel
def at_block(t: Tables, base: int, sign: int, price: float, row: Any) -> bool:
    """Return whether 15m agrees, 5m does not object, and price stands at a fresh block, which is stored in `row`."""
    if bias_of(t.series[base + 1]) != sign or sign * t.series[base]["bias"][INTERNAL] < 0:
        return False
    return bool(_find_block(t, base, sign, price, row) <= BLOCK_REACH)


@kernel
def trend_block(t: Tables, base: int, sign: int, price: float, row: Any) -> int:
    """Carry the pattern through its steps into `row`; return the gate that stopped it, or PASSED."""
    row["pattern"] = TREND_BLOCK
    if not at_block(t, base, sign, price, row):
        return BIAS
    row["anchor"] = row["zone_known"]
    row["position"] = 0.5
    if row["range_high"] > row["range_low"]:  # this pattern needs no dealing range
        row["position"] = position_of(row, sign * row["entry"], sign)
    low = low_of(row["zone_low"], row["zone_high"], sign)
    set_stop(row, low, t.series[base + row["zone_frame"]]["atr14"], sign)
    best = find_targets(t, base, sign, row)
    if row["targets"] == 0:
        row["distance"] = MIN_REWARD - best
        return TARGET
    since = _arrival(t, base, sign, row)
    gate = alive(t, base, sign, price, since, reference_close(t, base, since, sign), row)
    if gate == PASSED:
        score(t, base, sign, price, row["zone_quality"], row)
    return int(gate)
