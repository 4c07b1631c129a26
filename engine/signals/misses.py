"""By how much a candidate misses the limits of entry quality, in the units of `engine.signals.gates`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.strategy.costs import reward_risk_of

if TYPE_CHECKING:
    from engine.signals.quality import Dimension
    from engine.signals.rules import QualityRules
    from engine.strategy.candidate import Candidate
    from engine.strategy.facts import Facts
    from engine.strategy.reading import Reading


def miss(dimension: Dimension, candidate: Candidate, facts: Facts, reading: Reading, rules: QualityRules) -> float:
    """Return the distance between a measured value and its limit, 0 where the limit is met."""
    return 0.0 if dimension.passed else _distance(dimension, candidate, facts, reading, rules)


def _distance(d: Dimension, candidate: Candidate, facts: Facts, reading: Reading, rules: QualityRules) -> float:
    ratio, percent = reward_risk_of(candidate), 100.0 * facts.atr
    risk = facts.reversal_long if candidate.direction.sign > 0 else facts.reversal_short
    return {
        "confidence": rules.min_confidence - candidate.confidence,
        "reward_risk": max(rules.min_reward_risk - ratio, ratio - rules.max_reward_risk),
        "regime": rules.min_regime - d.value,
        "atr": max(rules.min_atr_percent - percent, percent - rules.max_atr_percent),
        "volume_rank": float(reading.volume_rank - rules.max_volume_rank),
        "funding": 100.0 * (abs(reading.funding_rate) - rules.max_funding),
        "spread": reading.spread_bps - rules.max_spread_bps,
        "completeness": 100.0 * (rules.min_completeness - reading.completeness),
        "reversal": risk - rules.max_reversal_risk,
    }.get(d.name, 1.0 - d.value)  # a dimension without a limit of its own counts what is missing to its full value
