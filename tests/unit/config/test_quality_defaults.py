"""The configuration and the decider it feeds must mean the same by default."""

from __future__ import annotations

import pytest

from config.settings import SignalSettings, StrategySettings
from engine.signals.rules import QualityRules, SignalRules


def test_the_default_gates_and_weights_are_those_of_the_decider():
    ours, rules = SignalSettings(), QualityRules()
    same = ("min_reward_risk", "min_regime", "min_atr_percent", "max_atr_percent", "max_volume_rank", "max_spread_bps")
    same += ("min_completeness", "max_reversal_risk")
    assert {name: getattr(ours, name) for name in same} == {name: getattr(rules, name) for name in same}
    assert ours.max_funding_percent / 100 == pytest.approx(rules.max_funding)
    assert ours.hard_gates == rules.hard
    assert tuple(ours.weights.model_dump().items()) == rules.weights
    assert ours.max_side_share == SignalRules().max_side_share
    assert StrategySettings().min_confidence == rules.min_confidence
