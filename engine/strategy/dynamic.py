"""Dynamic features of specification 9: the score rests on the features that suit the regime and have earned it.

A trending market is read by momentum, ADX and trend strength, a ranging one by the deviation of RSI and the place in
the Bollinger band, a volatile one by the last move in ATR and the drift in units of volatility. Each names a side; it
is kept while the yearly Sharpe ratio of following it over the last 240 hours passes. Where none does, or the market has
no character, the fixed feature set answers.
"""

from __future__ import annotations

import msgspec

from engine.strategy.facts import Regime

NAMES = ("momentum", "adx", "trend strength", "rsi deviation", "bollinger position", "atr", "volatility")
GROUPS = {Regime.TRENDING: (0, 1, 2), Regime.RANGING: (3, 4), Regime.VOLATILE: (5, 6), Regime.MIXED: ()}


class DynamicRules(msgspec.Struct, frozen=True):
    """What a feature must have earned, and how many may stay."""

    min_sharpe: float = 1.0
    max_count: int = 20


class DynamicScore(msgspec.Struct, frozen=True):
    """The lean of the kept features, or why the fixed set answers."""

    score: float
    """Mean of the kept features in [-1, 1], NaN where none is kept."""
    kept: tuple[tuple[str, float], ...]
    """(feature, Sharpe ratio), best first."""
    rung: str
    """`trending`, ..., or which fixed set answered and why, in a few words."""
    text: str


def choose_features(
    values: tuple[float, ...], sharpes: tuple[float, ...], regime: Regime, rules: DynamicRules
) -> DynamicScore:
    """Return the score of the features of a regime that pass, best Sharpe ratio first, at most the maximum count."""
    group = GROUPS[regime]
    if not group:
        return DynamicScore(float("nan"), (), f"fixed: {regime} market", f"fixed features: the market is {regime}")
    passing = sorted((k for k in group if sharpes[k] >= rules.min_sharpe), key=lambda k: -sharpes[k])[: rules.max_count]
    if not passing:
        best = max(group, key=lambda k: sharpes[k])
        text = (
            f"fixed features: none of the {regime} set has a Sharpe ratio of {rules.min_sharpe:g}, "
            f"the best is {NAMES[best]} with {sharpes[best]:.1f}"
        )
        return DynamicScore(float("nan"), (), f"fixed: no {regime} feature passes", text)
    kept = tuple((NAMES[k], sharpes[k]) for k in passing)
    names = ", ".join(f"{name} ({sharpe:.1f})" for name, sharpe in kept)
    score = sum(values[k] for k in passing) / len(passing)
    return DynamicScore(score, kept, f"{regime} features", f"features of a {regime} market: {names}")
