"""Settings of the way from candidates to signals."""

from __future__ import annotations

import msgspec

from engine.strategy.costs import CostRules

DIMENSIONS = (
    "confidence",
    "reward_risk",
    "regime",
    "atr",
    "volume_rank",
    "funding",
    "spread",
    "completeness",
    "reversal",
    "session",
)
"""The dimensions of entry quality, in the order they are judged and shown; the session is a bonus beside the mean."""


class QualityRules(msgspec.Struct, frozen=True):
    """Limits, hard gates and soft weights of entry quality.

    Every dimension has a value in [0, 1] and a limit. Missing a limit drops the candidate when the dimension is `hard`,
    else it is shown and only lowers the weighted mean.
    """

    min_confidence: float = 0.35
    min_reward_risk: float = 1.5
    full_reward_risk: float = 3.0
    """R:R at which the value is 1."""
    max_reward_risk: float = 8.0
    """A target farther away says that no pool stands nearer, not that it will be reached; EV would believe it."""
    min_regime: float = 0.25
    min_atr_percent: float = 0.5
    max_atr_percent: float = 5.0
    max_volume_rank: int = 230
    max_funding: float = 0.001
    max_spread_bps: float = 10.0
    min_completeness: float = 0.99
    max_reversal_risk: float = 0.75
    session_bonus: float = 0.02
    """Added to the weighted mean in the best trading hours; never a gate."""
    hard: tuple[str, ...] = ("confidence", "reward_risk", "atr", "funding", "spread", "completeness", "reversal")
    weights: tuple[tuple[str, float], ...] = (
        ("confidence", 0.25),
        ("reward_risk", 0.15),
        ("regime", 0.15),
        ("atr", 0.10),
        ("volume_rank", 0.05),
        ("funding", 0.05),
        ("spread", 0.10),
        ("completeness", 0.05),
        ("reversal", 0.10),
    )

    def __post_init__(self) -> None:
        """Raise ValueError where a dimension is unknown or the weights carry nothing."""
        for name in (*self.hard, *(name for name, _ in self.weights)):
            if name not in DIMENSIONS:
                raise ValueError(f"quality dimension {name!r} is unknown; known are {', '.join(DIMENSIONS)}")
        if "session" in self.hard:
            raise ValueError("quality dimension 'session' is a small bonus and never a gate; take it out of `hard`")
        if any(weight < 0.0 for _, weight in self.weights) or not sum(weight for _, weight in self.weights) > 0.0:
            raise ValueError("quality weights must not be negative, and one of them must be positive")


class SignalRules(msgspec.Struct, frozen=True):
    """How many signals a cycle accepts, how they are balanced, and what they must be worth."""

    max_signals: int = 10
    execute_rank: int = 3
    max_side_share: float = 0.70
    min_expected_r: float = 0.0
    """An accepted signal expects more than this many R after costs."""
    quality: QualityRules = QualityRules()
    costs: CostRules = CostRules()
