"""Regime prediction of specification 9: what the next hour is likely to be, and what that is worth to a candidate.

The kernel's probabilities count from a threshold on; below it the regime is *neutral*: it weighs as a market of no
character does and vetoes nothing. Without enough bars the plain ADX and Bollinger width thresholds answer.
"""

from __future__ import annotations

import msgspec

from engine.strategy.facts import Regime, RegimeCall, regime_of

LEAST_BARS = 60
"""Bars with all indicators that a transition matrix needs to mean anything."""
ORDER = (Regime.TRENDING, Regime.RANGING, Regime.VOLATILE)


class RegimeRules(msgspec.Struct, frozen=True):
    """When a prediction counts."""

    threshold: float = 0.70
    lookback: int = 10


def call_regime(
    probabilities: tuple[float, float, float], bars: int, adx: float, width: float, rules: RegimeRules
) -> RegimeCall:
    """Return the regime to act on and where it comes from.

    `probabilities` are those of `ORDER` in the next hour, from `bars` bars; `adx` and `width` (a fraction of price) of
    the newest bar serve the fallback.
    """
    if bars < LEAST_BARS:
        return RegimeCall(regime_of(adx, width), None, f"thresholds: {bars} of {LEAST_BARS} hours to learn from")
    best = max(range(3), key=lambda k: probabilities[k])
    sure = probabilities[best] >= rules.threshold
    return RegimeCall(ORDER[best] if sure else Regime.MIXED, probabilities, "predicted" if sure else "neutral")
