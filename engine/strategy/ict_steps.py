"""Steps that every ICT pattern takes: dealing range, stop, targets, what voids a set-up, confidence.

Written for longs in oriented terms (`engine.strategy.oriented`); `row` is a `SETUP` record that collects the reasoning,
`base` the 5m row of the symbol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.compiled import kernel
from engine.analysis.layout import BARS, BREAKS, CHOCH, INTERNAL, POOL_OPEN, POOLS, SWING
from engine.strategy.oriented import close_ms, extremes, low_of, open_ms
from engine.strategy.scores import (
    confidence_of,
    label_score,
    momentum_score,
    place_score,
    trend_score,
    volatility_score,
)
from engine.strategy.setup import EXPIRED, MOVED, OPPOSED, PASSED, REACHED

if TYPE_CHECKING:
    from typing import Any

    from engine.analysis.layout import Tables

BAR_5M = 300_000
LIFE_BARS = 3  # closed 5m bars a set-up lives
MIN_STOP = 0.003  # 0.3 % in x space
STOP_PAD = 0.1  # ATR14 beyond the extreme
MIN_REWARD = 1.5
MAX_DRIFT = 0.5  # R that price may move either way before the set-up is void
FOREVER = 1 << 62
FAR = 10.0  # ATR told where an awaited level is farther away, or not there


@kernel
def find_range(t: Tables, base: int, row: Any) -> bool:
    """Store the dealing range of the last confirmed swing low and high: 15m, else 1h; return whether there is one."""
    for frame in (1, 2):
        state = t.series[base + frame]
        high, low = state["last_high"][SWING], state["last_low"][SWING]
        if high < 0 or low < 0:
            continue
        top = t.swings[base + frame, SWING, high]
        bottom = t.swings[base + frame, SWING, low]
        if top["level"] > bottom["level"]:
            row["range_frame"] = frame
            row["range_low"] = bottom["level"]
            row["range_high"] = top["level"]
            row["range_at"] = open_ms(state, min(top["at"], bottom["at"]))
            row["range_known"] = close_ms(state, max(top["known"], bottom["known"]))
            return True
    return False


@kernel
def to_swing(t: Tables, row: int, layer: int, sign: int, price: float) -> float:
    """Return how far price stands short of the last swing high (as the sign sees it) of a row, in its ATR14."""
    state = t.series[row]
    index = state["last_high"][layer] if sign > 0 else state["last_low"][layer]
    if index < 0:
        return FAR
    return float(min(FAR, max(0.0, sign * (t.swings[row, layer, index]["level"] - price)) / state["atr14"]))


@kernel
def position_of(row: Any, level: float, sign: int) -> float:
    """Return where an oriented level stands in the stored range: 0 at its discount end, 1 at its premium end."""
    low = low_of(row["range_low"], row["range_high"], sign)
    return float((level - low) / (row["range_high"] - row["range_low"]))


@kernel
def store_zone(
    row: Any,
    kind: int,
    frame: int,
    at: int,
    known: int,
    low: float,
    high: float,
    quality: float,
    ote: int,
    entry: float,
) -> None:
    """Store the zone the set-up enters at, and the entry (x space)."""
    row["zone_kind"] = kind
    row["zone_frame"] = frame
    row["zone_at"] = at
    row["zone_known"] = known
    row["zone_low"] = low
    row["zone_high"] = high
    row["zone_quality"] = quality
    row["ote"] = ote
    row["entry"] = entry


@kernel
def set_stop(row: Any, extreme: float, atr: float, sign: int) -> None:
    """Store the stop beyond an oriented extreme, never nearer to the entry than 0.3 %."""
    row["stop"] = sign * min(extreme - STOP_PAD * atr, sign * row["entry"] - MIN_STOP)


@kernel
def find_targets(t: Tables, base: int, sign: int, row: Any) -> float:
    """Store up to three open opposing pools with R:R >= 1.5, nearest first; return the best R:R there is."""
    entry, stop = sign * row["entry"], sign * row["stop"]
    risk = entry - stop
    first = second = third = 1e300
    farthest = 0.0
    for frame in range(3):
        state = t.series[base + frame]
        count = state["pools"]
        for k in range(count - 1, max(-1, count - 1 - POOLS), -1):
            pool = t.pools[base + frame, k % POOLS]
            if pool["side"] != sign or pool["state"] != POOL_OPEN:
                continue
            level = sign * pool["level"]
            farthest = max(farthest, (level - entry) / risk)
            if level - entry < MIN_REWARD * risk:
                continue
            if level < first:
                first, second, third = level, first, second
                row["pool_frame"] = frame
                row["pool_kind"] = pool["kind"]
                row["pool_at"] = open_ms(state, pool["at"])
                row["pool_known"] = close_ms(state, pool["known"])
            elif first < level < second:
                second, third = level, second
            elif second < level < third:
                third = level
    row["targets"] = (first < 1e299) + (second < 1e299) + (third < 1e299)
    row["target"] = sign * first
    row["target2"] = sign * second
    row["target3"] = sign * third
    return farthest


@kernel
def _opposite_shift(t: Tables, base: int, sign: int, since: int) -> bool:
    """Return whether 5m or 15m changed character against the sign after `since`."""
    for frame in (0, 1):
        state = t.series[base + frame]
        count = state["breaks"][INTERNAL]
        for k in range(count - 1, max(-1, count - 1 - BREAKS), -1):
            shift = t.breaks[base + frame, INTERNAL, k % BREAKS]
            if close_ms(state, shift["known"]) <= since:
                break
            if shift["side"] == -sign and shift["kind"] >= CHOCH:
                return True
    return False


@kernel
def alive(t: Tables, base: int, sign: int, price: float, since: int, reference: float, row: Any) -> int:
    """Return the gate that voids a set-up known since `since`, PASSED while it lives; `reference` is its close then.

    The set-up waits between its entry and the reference; half an R outside that corridor, either way, voids it.
    """
    low, high, count = extremes(t.series[base], t.bars[base], since, FOREVER, sign)
    row["expires"] = since + LIFE_BARS * BAR_5M
    entry, risk = sign * row["entry"], abs(row["entry"] - row["stop"])
    if count >= LIFE_BARS:
        row["distance"] = count - LIFE_BARS + 1
        return EXPIRED
    low, high = min(low, sign * price), max(high, sign * price)
    if high >= sign * row["target"]:
        row["distance"] = (high - sign * row["target"]) / risk
        return REACHED
    away = max(entry - low, high - max(reference, entry)) / risk
    if away > MAX_DRIFT:
        row["distance"] = away - MAX_DRIFT
        return MOVED
    if _opposite_shift(t, base, sign, since):
        row["distance"] = 1.0
        return OPPOSED
    return PASSED


@kernel
def reference_close(t: Tables, base: int, since: int, sign: int) -> float:
    """Return the oriented close of the 5m bar that closed at `since`."""
    state = t.series[base]
    back = (state["last_open"] + state["interval"] - since) // state["interval"]
    back = min(max(back, 0), state["n"] - 1)
    return float(sign * t.bars[base, (state["n"] - 1 - back) % BARS]["c"])


@kernel
def score(t: Tables, base: int, sign: int, price: float, shape: float, row: Any) -> None:
    """Store the five sub-scores and the confidence; `shape` is what the pattern itself says about structure."""
    m5, m15, h1 = t.series[base], t.series[base + 1], t.series[base + 2]
    row["trend"] = trend_score(h1, m15, sign)
    row["structure"] = 0.6 * shape + 0.4 * label_score(t.swings[base + 1, SWING], m15, sign)
    row["place"] = place_score(abs(price - row["entry"]) / m15["atr14"])
    row["momentum"] = momentum_score(m5, m15, sign)
    row["volatility"] = volatility_score(m15["bb_width_pct"])
    row["confidence"] = confidence_of(row["trend"], row["structure"], row["place"], row["momentum"], row["volatility"])
