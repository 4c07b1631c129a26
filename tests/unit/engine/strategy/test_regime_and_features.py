"""Regime calls and the choice of dynamic features: thresholds, neutrality, fallbacks."""

from math import isnan, nan

import msgspec
import numpy as np
import pytest
from signal_views import candidate, views

from engine.modules import Modules
from engine.signals.quality import judge, surroundings
from engine.signals.rules import QualityRules
from engine.strategy.advanced import DYNAMIC, REGIME, Advanced, AdvancedRules
from engine.strategy.candidate import Direction
from engine.strategy.dynamic import NAMES, DynamicRules, choose_features
from engine.strategy.facts import Regime
from engine.strategy.hours import Hours
from engine.strategy.regime import LEAST_BARS, RegimeRules, call_regime
from engine.strategy.self_learning import outlooks
from ml.schema import MARKET_FEATURES

RULES = RegimeRules()
VALUES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)


def test_a_regime_counts_from_the_threshold_on_and_is_neutral_below():
    assert call_regime((0.70, 0.2, 0.1), 300, 10.0, 0.01, RULES).regime is Regime.TRENDING
    assert call_regime((0.1, 0.8, 0.1), 300, 40.0, 0.03, RULES).regime is Regime.RANGING
    below = call_regime((0.69, 0.21, 0.1), 300, 40.0, 0.03, RULES)
    assert (below.regime, below.source) == (Regime.MIXED, "neutral")


@pytest.mark.parametrize(
    ("adx", "width", "regime"),
    [
        (25.0, 0.02, Regime.TRENDING),
        (25.0, 0.05, Regime.TRENDING),
        (24.9, 0.03, Regime.MIXED),
        (19.9, 0.019, Regime.RANGING),
        (19.9, 0.051, Regime.VOLATILE),
        (30.0, 0.06, Regime.MIXED),
    ],
)
def test_without_enough_hours_the_plain_thresholds_answer(adx, width, regime):
    call = call_regime((1.0, 0.0, 0.0), LEAST_BARS - 1, adx, width, RULES)
    assert call.regime is regime
    assert call.probabilities is None
    assert call.source == "thresholds: 59 of 60 hours to learn from"


def regime_dimension(probabilities, threshold, *, direction=Direction.LONG, min_regime=0.25, bias=1):
    view = views(candidate(direction=direction))
    call = call_regime(probabilities, 300, 0.0, 0.0, RegimeRules(threshold))
    facts = msgspec.structs.replace(view.facts, regime=call.regime, call=call, bias_1h=bias)
    rules = QualityRules(min_regime=min_regime, hard=("regime",))
    return judge(candidate(direction=direction), facts, surroundings(facts, view.reading, rules), rules).dimensions[2]


def test_a_prediction_weighs_every_regime_by_its_probability():
    long = regime_dimension((0.8, 0.1, 0.1), 0.7)
    short = regime_dimension((0.8, 0.1, 0.1), 0.7, direction=Direction.SHORT)
    assert long.value == pytest.approx(0.8 * 1.0 + 0.1 * 0.6 + 0.1 * 0.3)
    assert short.value == pytest.approx(0.1 * 0.6 + 0.1 * 0.3)
    assert long.passed
    assert not short.passed


def test_a_low_confidence_is_neutral_and_never_a_veto_even_as_a_hard_gate():
    one = regime_dimension((0.5, 0.3, 0.2), 0.7, direction=Direction.SHORT, min_regime=0.9)
    assert one.value == 0.5
    assert one.passed
    assert "neutral" in one.text


@pytest.mark.parametrize(
    ("regime", "names"),
    [
        (Regime.TRENDING, NAMES[:3]),
        (Regime.RANGING, NAMES[3:5]),
        (Regime.VOLATILE, NAMES[5:]),
    ],
)
def test_each_regime_has_its_features_and_their_mean_is_the_score(regime, names):
    found = choose_features(VALUES, (2.0,) * 7, regime, DynamicRules())
    assert {name for name, _ in found.kept} == set(names)
    assert found.score == pytest.approx(np.mean([VALUES[NAMES.index(name)] for name in names]))


def test_only_features_that_earned_it_stay_the_best_first_and_no_more_than_allowed():
    sharpes = (1.5, 0.99, 3.0, 9.0, 9.0, 9.0, 9.0)
    found = choose_features(VALUES, sharpes, Regime.TRENDING, DynamicRules())
    assert found.kept == (("trend strength", 3.0), ("momentum", 1.5))
    one = choose_features(VALUES, sharpes, Regime.TRENDING, DynamicRules(max_count=1))
    assert one.kept == (("trend strength", 3.0),)
    assert one.score == 0.3


def test_without_a_passing_feature_or_a_character_the_fixed_set_answers_and_says_why():
    none = choose_features(VALUES, (0.5, 0.9, -1.0, 9, 9, 9, 9), Regime.TRENDING, DynamicRules())
    assert isnan(none.score)
    assert "none of the trending set has a Sharpe ratio of 1, the best is adx with 0.9" in none.text
    assert isnan(choose_features(VALUES, (9.0,) * 7, Regime.MIXED, DynamicRules()).score)


def market_rows(count):
    return np.random.default_rng(1).uniform(-0.5, 0.5, (count, len(MARKET_FEATURES)))


def test_a_kept_score_takes_the_place_of_the_fixed_lean_of_its_symbol_only():
    market, ready = market_rows(3), np.ones(3, np.bool_)
    plain = outlooks(market, ready, "no trained head", None)
    kept = choose_features(VALUES, (2.0,) * 7, Regime.VOLATILE, DynamicRules())
    none = choose_features(VALUES, (0.0,) * 7, Regime.VOLATILE, DynamicRules())
    mixed = outlooks(market, ready, "no trained head", None, [None, kept, none])
    assert mixed[0] == plain[0]
    assert mixed[1].score == pytest.approx(kept.score * (0.5 + 0.5 * plain[1].volatility))
    assert mixed[1].p_long != plain[1].p_long
    assert mixed[1].source.endswith("features of a volatile market: atr (2.0), volatility (2.0)")
    assert (mixed[2].p_long, mixed[2].p_short) == (plain[2].p_long, plain[2].p_short)
    assert "fixed features" in mixed[2].source


class OneAnswer:
    """Hours that a test chooses for every reading."""

    def __init__(self, hours):
        self._hours = hours

    def read(self, tables, readings, lookback):
        return [self._hours] * len(readings)


def advised(hours, rules):
    modules = Modules()
    advanced = Advanced(modules)
    advanced._hours = OneAnswer(hours)
    view = views(candidate())
    found = np.zeros(1, [("adx_1h", "f8"), ("width_1h", "f8")])
    found["adx_1h"], found["width_1h"] = 30.0, 0.03
    return advanced.advise(None, [view.reading], [view.facts], found, rules), modules, view


BOTH = AdvancedRules(RegimeRules(), DynamicRules())


def test_hours_without_a_usable_number_are_an_error_and_both_modules_fall_back():
    advice, modules, _ = advised(Hours((nan, nan, nan), 300, (nan,) * 7, (nan,) * 7), BOTH)
    assert advice.facts[0].regime is Regime.TRENDING
    assert advice.facts[0].call.probabilities is None
    assert isnan(advice.scores[0].score)
    assert modules[REGIME].errors == modules[DYNAMIC].errors == 1


def test_with_both_off_nothing_is_read_and_facts_are_passed_through():
    advice, modules, view = advised(None, AdvancedRules())
    assert advice.facts == [view.facts]
    assert advice.scores == [None]
    assert modules[REGIME].calls == modules[DYNAMIC].calls == 0


def test_dynamic_features_follow_the_predicted_regime_where_prediction_is_on():
    hours = Hours((0.05, 0.05, 0.9), 300, VALUES, (5.0,) * 7)
    advice, modules, _ = advised(hours, BOTH)
    assert {name for name, _ in advice.scores[0].kept} == {"atr", "volatility"}
    assert modules[REGIME].rung == "predicted 1"
    assert modules[DYNAMIC].rung == "volatile features 1"
