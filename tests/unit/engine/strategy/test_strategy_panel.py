from math import exp

import ict_tables as hand
import msgspec
import numpy as np
import pytest
from ict_tables import BASE, NOW, PRICE
from strategy_market import Market, coarser, reading

from engine.analysis.layout import BAR
from engine.analysis.tables import make_tables
from engine.strategy.candidate import Candidate, Direction, NoCandidate, StrategyName
from engine.strategy.panel import StrategyRules, evaluate
from ml.schema import FEATURES

READING = reading(0, "BTCUSDT", exp(PRICE))


def evaluated(tables, **over):
    return evaluate(tables, [READING], NOW, StrategyRules(), **over)[0]


class Fixed:
    def __init__(self, p_win):
        self.p_win, self.asked = p_win, []

    def ready(self):
        return None

    def win_probabilities(self, rows):
        self.asked.append(rows)
        return None if self.p_win is None else np.full(len(rows), self.p_win)


def test_all_three_strategies_answer_for_every_reading():
    views = evaluated(hand.reversal())
    assert isinstance(views.ict, Candidate)
    assert isinstance(views.hybrid, Candidate)
    assert isinstance(views.self_learning, NoCandidate)
    assert [views.view(name) for name in StrategyName] == [views.ict, views.self_learning, views.hybrid]
    assert [candidate.strategy for candidate in views.candidates()] == ["ict", "hybrid"]
    assert views.reading is READING
    assert np.isnan(views.p_win)


def test_no_reading_is_no_view():
    assert evaluate(hand.quiet(), [], NOW, StrategyRules()) == []


def test_the_same_question_has_the_same_answer():
    tables = hand.reversal()
    first, second = evaluated(tables), evaluated(tables)
    assert (first.ict, first.self_learning, first.hybrid) == (second.ict, second.self_learning, second.hybrid)


def test_the_predictor_is_asked_once_for_all_proposals_with_rows_of_the_schema():
    predictor = Fixed(0.9)
    views = evaluated(hand.reversal(), predictor=predictor)
    assert [rows.shape for rows in predictor.asked] == [(1, len(FEATURES))]
    assert predictor.asked[0].dtype == np.float32
    assert views.p_win == 0.9
    assert views.hybrid.confidence == pytest.approx(0.6 * views.ict.confidence + 0.36)


def test_a_predictor_without_proposals_is_not_asked():
    predictor = Fixed(0.9)
    evaluated(hand.quiet(), predictor=predictor)
    assert predictor.asked == []


@pytest.mark.parametrize("answer", [None, float("nan")])
def test_a_predictor_that_fails_leaves_ict_unchanged_and_says_so(answer):
    views = evaluated(hand.reversal(), predictor=Fixed(answer))
    assert views.hybrid.confidence == views.ict.confidence
    assert "gave no usable answer" in views.hybrid.provenance[-1].text


def test_a_vote_below_break_even_drops_the_hybrid_but_not_ict():
    views = evaluated(hand.reversal(), predictor=Fixed(0.1))
    assert isinstance(views.ict, Candidate)
    assert views.hybrid.gate == "predictor"


def constant_bars(count, volume):
    bars = np.empty(count, BAR)
    bars["t"] = np.arange(count) * 300_000
    for name in "ohlc":
        bars[name] = BASE
    bars["v"] = volume
    return bars


@pytest.mark.parametrize("volume", [0.0, 5.0])
def test_constant_prices_make_no_candidate(volume):
    market = Market([constant_bars(3_000, volume)], 2_988)
    for _ in range(12):
        market.step()
        views = evaluate(market.tables, market.readings(), market.now, StrategyRules())[0]
        assert list(views.candidates()) == []
        assert views.ict.gate == "flat market"
        assert views.self_learning.gate == "warm-up"


def test_moving_prices_without_volume_make_no_candidate():
    bars = constant_bars(3_000, 0.0)
    wave = 0.02 * np.sin(np.arange(3_000) / 40.0)
    for name, offset in (("o", 0.0), ("h", 0.001), ("l", -0.001), ("c", 0.0)):
        bars[name] = BASE + wave + offset
    market = Market([bars], 2_988)
    views = evaluate(market.tables, market.readings(), market.now, StrategyRules())[0]
    assert list(views.candidates()) == []


def test_an_empty_symbol_is_warming_up():
    views = evaluate(make_tables(1), [READING], NOW, StrategyRules())[0]
    assert list(views.candidates()) == []
    assert views.ict.gate == "warm-up"


def test_symbols_do_not_see_each_other():
    one = hand.reversal()
    both = make_tables(2)
    for column, filled in zip(both, one, strict=True):
        column[3:] = filled
    other = msgspec.structs.replace(READING, slot=1, symbol="ETHUSDT")
    views = evaluate(both, [READING, other], NOW, StrategyRules())
    assert views[0].ict.gate == "warm-up"
    assert views[1].ict.symbol == "ETHUSDT"
    assert views[1].ict.direction is Direction.LONG
    assert views[1].ict.entry == evaluated(one).ict.entry


def test_the_market_of_the_tests_builds_whole_frames():
    bars = constant_bars(13, 1.0)
    bars["h"][4] = BASE + 1
    hour = coarser(bars, 12)
    assert len(hour) == 1
    assert (hour["h"][0], hour["v"][0]) == (BASE + 1, 12.0)
