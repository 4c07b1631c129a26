from math import inf

import pytest
from strategy_market import reading

from engine.strategy.candidate import Candidate, Direction, StrategyName
from engine.strategy.costs import CostRules, break_even, costs_in_r, reward_risk_of, risk_of

RULES = CostRules(entry_fee=0.0005, exit_fee=0.0004, slippage=0.0001, holding_hours=16.0)


def test_costs_are_fees_spread_slippage_and_funding_over_the_risk():
    quiet = reading(0, "A", 100.0, spread_bps=3.0, funding_rate=0.0)
    assert costs_in_r(quiet, 1, 0.01, RULES) == pytest.approx((0.0009 + 0.0003 + 0.0002) / 0.01)


def test_funding_costs_the_side_that_pays_and_is_no_discount_for_the_other():
    paid = reading(0, "A", 100.0, spread_bps=0.0, funding_rate=0.0005)
    free = costs_in_r(reading(0, "A", 100.0, spread_bps=0.0, funding_rate=0.0), 1, 0.01, RULES)
    assert costs_in_r(paid, 1, 0.01, RULES) == pytest.approx(free + 0.001 / 0.01)
    assert costs_in_r(paid, -1, 0.01, RULES) == free


def test_a_risk_of_nothing_costs_infinitely_much():
    for risk in (0.0, -1.0, float("nan")):
        assert costs_in_r(reading(0, "A", 100.0), 1, risk, RULES) == inf


@pytest.mark.parametrize(("ratio", "costs", "needed"), [(2.0, 0.0, 1 / 3), (2.0, 0.2, 0.4), (1.0, 0.0, 0.5)])
def test_break_even_pays_exactly_for_itself(ratio, costs, needed):
    p = break_even(ratio, costs)
    assert p == pytest.approx(needed)
    assert p * ratio - (1 - p) - costs == pytest.approx(0.0)


def candidate(direction, entry, stop, targets):
    return Candidate(StrategyName.ICT, "A", direction, "x", entry, stop, targets, 0.5, {}, (), 0)


def test_mirrored_candidates_have_the_same_risk_and_reward():
    long = candidate(Direction.LONG, 100.0, 98.0, (105.0,))
    short = candidate(Direction.SHORT, 1 / 100.0, 1 / 98.0, (1 / 105.0,))
    assert risk_of(short) == pytest.approx(risk_of(long), rel=1e-12)
    assert reward_risk_of(short) == pytest.approx(reward_risk_of(long), rel=1e-12)


def test_without_risk_or_target_there_is_no_reward():
    assert reward_risk_of(candidate(Direction.LONG, 100.0, 100.0, (105.0,))) == 0.0
    assert reward_risk_of(candidate(Direction.LONG, 100.0, 99.0, ())) == 0.0
