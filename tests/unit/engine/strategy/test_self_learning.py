from math import exp

import numpy as np
import pytest
from strategy_market import reading

from engine.strategy import self_learning as sl
from engine.strategy.candidate import Candidate, Direction, NoCandidate
from engine.strategy.costs import CostRules, reward_risk_of
from engine.strategy.facts import Facts, Regime
from ml.schema import INDEX, MARKET_FEATURES

FACTS = Facts(True, 1_000, 3_600_000, 4.6, 0.01, Regime.MIXED, 3.0, 3.0, 0.0, 0.0, 0, 0, 0)
RULES, COSTS = sl.SelfLearningRules(), CostRules()
SIGNED = np.array([feature.signed for feature in MARKET_FEATURES])


def market(**values):
    row = np.zeros((1, len(MARKET_FEATURES)))
    row[0, INDEX["width_1h"]] = 0.5
    for name, value in values.items():
        row[0, INDEX[name]] = value
    return row


def outlook(head=None, **values):
    row = market(**values)
    reason = "no trained head" if head is None else head.ready()
    return sl.outlooks(row, np.array([True]), reason, head.probabilities(row) if head and reason is None else None)[0]


STRONG = {"trend_1h": 3.0, "trend_15m": 3.0, "stack_1h": 6.0, "rsi_15m": 0.5, "macd_5m": 0.4, "directional_1h": 0.7}


def test_a_walk_without_drift_wins_one_time_in_three():
    assert sl.barrier_probability(0.0) == pytest.approx(1 / 3)
    assert sl.barrier_probability(1e-10) == pytest.approx(1 / 3)


def test_the_barrier_formula_agrees_with_a_simulated_walk():
    rng = np.random.default_rng(7)
    drift, step = 0.2, 0.1
    # A walk of +-step with P(up) = 1 / (1 + exp(-2 drift step)) has exactly this drift over variance.
    up = 1.0 / (1.0 + exp(-2.0 * drift * step))
    wins, walks = 0, 3_000
    place, alive = np.zeros(walks), np.ones(walks, bool)
    while alive.any():
        place[alive] += np.where(rng.random(alive.sum()) < up, step, -step)
        wins += int((alive & (place >= 3.0 - 1e-9)).sum())
        alive &= (place < 3.0 - 1e-9) & (place > -1.5 + 1e-9)
    assert wins / walks == pytest.approx(float(sl.barrier_probability(drift)), abs=0.03)


def test_mirrored_columns_swap_the_two_probabilities_exactly():
    rng = np.random.default_rng(3)
    rows = rng.uniform(-1, 1, (50, len(MARKET_FEATURES)))
    rows[:, [INDEX["width_1h"], INDEX["efficiency_1h"]]] = rng.uniform(0, 1, (50, 2))
    ready = np.ones(50, bool)
    here = sl.outlooks(rows, ready, "no trained head", None)
    there = sl.outlooks(np.where(SIGNED, -rows, rows), ready, "no trained head", None)
    for a, b in zip(here, there, strict=True):
        assert (a.p_long, a.p_short, a.score, a.volatility) == (b.p_short, b.p_long, -b.score, b.volatility)


def test_every_part_reaches_both_ends():
    up = outlook(**STRONG, extension_15m=-5.0, band_1h=-3.0, vwap=-9.0, liquidity_skew=1.0, sweep=1.0)
    down = outlook(
        **{name: -value for name, value in STRONG.items()},
        extension_15m=5.0,
        band_1h=3.0,
        vwap=9.0,
        liquidity_skew=-1.0,
        sweep=-1.0,
    )
    assert up.parts == pytest.approx((1.0, 1.0, 1.0, 1.0))
    assert down.parts == pytest.approx((-1.0, -1.0, -1.0, -1.0))
    assert up.score == pytest.approx(1.0)
    assert outlook(width_1h=1.0).volatility == 0.0
    assert outlook(width_1h=0.5).volatility == 1.0


def test_a_strong_lean_becomes_a_candidate_with_barriers_in_atr_of_1h():
    view = sl.view(outlook(**STRONG), FACTS, reading(0, "A", 100.0), RULES, COSTS)
    assert isinstance(view, Candidate)
    assert view.direction is Direction.LONG
    assert view.stop == pytest.approx(100.0 * exp(-0.015))
    assert view.targets == pytest.approx((100.0 * exp(0.03),))
    assert reward_risk_of(view) == pytest.approx(2.0)
    assert (view.anchor, view.expires, view.limit) == (3_600_000, 7_200_000, False)
    assert all(0.0 <= score <= 1.0 for score in view.sub_scores.values())
    assert 0.0 < view.confidence < 1.0


def test_the_mirrored_lean_becomes_the_mirrored_candidate():
    long = sl.view(outlook(**STRONG), FACTS, reading(0, "A", 100.0, funding_rate=0.0001), RULES, COSTS)
    down = outlook(**{name: -value for name, value in STRONG.items()})
    short = sl.view(down, FACTS, reading(0, "A", 0.01, funding_rate=-0.0001), RULES, COSTS)
    assert isinstance(long, Candidate)
    assert isinstance(short, Candidate)
    assert short.direction is Direction.SHORT
    assert short.confidence == long.confidence
    assert short.sub_scores == long.sub_scores
    assert short.stop * long.stop == pytest.approx(1.0)


def test_the_provenance_says_first_that_the_statistical_fallback_answered_and_why():
    view = sl.view(outlook(**STRONG), FACTS, reading(0, "A", 100.0), RULES, COSTS)
    assert "statistical fallback" in view.provenance[0].text
    assert "no trained head" in view.provenance[0].text
    assert "not calibrated" in view.provenance[0].text


def test_a_weak_lean_is_told_by_how_much_it_misses_break_even():
    view = sl.view(outlook(), FACTS, reading(0, "A", 100.0), RULES, COSTS)
    assert isinstance(view, NoCandidate)
    assert view.gate == "break-even"
    costs = (0.001 + 0.0002 + 0.0004 + 0.0001 * 1.5) / 0.015
    assert view.distance == pytest.approx((1 + costs) / 3 + 0.02 - 1 / 3)


def test_costs_can_turn_a_signal_into_none():
    good = outlook(**STRONG)
    assert isinstance(sl.view(good, FACTS, reading(0, "A", 100.0, spread_bps=60.0), RULES, COSTS), NoCandidate)


def test_an_unready_symbol_waits():
    waiting = sl.outlooks(np.full((1, len(MARKET_FEATURES)), np.nan), np.array([False]), "no trained head", None)[0]
    view = sl.view(waiting, FACTS, reading(0, "A", 100.0), RULES, COSTS)
    assert isinstance(view, NoCandidate)
    assert view.gate == "warm-up"


class TrainedHead:
    def __init__(self, answer, reason=None):
        self.answer, self.reason = answer, reason

    def ready(self):
        return self.reason

    def probabilities(self, market):
        return self.answer


def test_a_trained_head_that_is_ready_replaces_the_fallback():
    seen = outlook(TrainedHead(np.array([[0.2, 0.7]])), **STRONG)
    assert (seen.p_long, seen.p_short, seen.trained) == (0.2, 0.7, True)
    view = sl.view(seen, FACTS, reading(0, "A", 100.0), RULES, COSTS)
    assert view.direction is Direction.SHORT
    assert view.confidence == 1.0


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (TrainedHead(np.array([[0.2, 0.7]]), "collecting 12/100"), "collecting 12/100"),
        (TrainedHead(None), "no usable answer"),
        (TrainedHead(np.array([[0.2, np.nan]])), "no usable answer"),
    ],
)
def test_a_head_that_may_not_or_cannot_answer_leaves_the_fallback_with_the_reason(head, why):
    seen = outlook(head, **STRONG)
    assert not seen.trained
    assert seen.p_long > seen.p_short
    assert why in seen.source
