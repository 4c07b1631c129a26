"""Bars and levels as a direction sees them: a short is read as the long of the mirrored market.

In x space a mirrored price is the negated one, so `sign * value` and swapped extremes are all it takes, and a decider
written for longs in these terms obeys the mirror law exactly.
"""

from __future__ import annotations

from typing import Any

from engine.analysis.compiled import kernel
from engine.analysis.layout import BARS

_RING = BARS - 1


@kernel
def open_ms(state: Any, bar: int) -> int:
    """Return the open time of bar number `bar` of a series (its SERIES record)."""
    return int(state["last_open"] - (state["n"] - 1 - bar) * state["interval"])


@kernel
def close_ms(state: Any, bar: int) -> int:
    """Return the time at which bar number `bar` of a series closed."""
    return int(state["last_open"] - (state["n"] - 2 - bar) * state["interval"])


@kernel
def low_of(low: float, high: float, sign: int) -> float:
    """Return the oriented low of a zone or bar."""
    return low if sign > 0 else -high


@kernel
def high_of(low: float, high: float, sign: int) -> float:
    """Return the oriented high of a zone or bar."""
    return high if sign > 0 else -low


@kernel
def extremes(state: Any, bars: Any, since: int, until: int, sign: int) -> tuple[float, float, int]:
    """Return the oriented (lowest low, highest high, count) of closed bars opened at or after `since`.

    Bars that close after `until` are left out. With no bar the lows are +inf and the highs -inf.
    """
    lowest, highest, count = 1e300, -1e300, 0
    n = state["n"]
    interval = state["interval"]
    last = state["last_open"]
    for back in range(min(n, BARS)):
        start = last - back * interval
        if start < since:
            break
        if start + interval > until:
            continue
        bar = bars[(n - 1 - back) & _RING]
        low = low_of(bar["l"], bar["h"], sign)
        high = high_of(bar["l"], bar["h"], sign)
        lowest = min(lowest, low)
        highest = max(highest, high)
        count += 1
    return lowest, highest, count


@kernel
def clamp01(value: float) -> float:
    """Return the value limited to [0, 1]; NaN becomes 0."""
    if not value > 0.0:
        return 0.0
    return min(value, 1.0)
