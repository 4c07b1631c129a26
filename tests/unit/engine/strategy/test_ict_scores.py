import ict_tables as hand
import numpy as np
import pytest
from ict_tables import BASE, PRICE

from engine.analysis.layout import LABEL_HH, LABEL_HL, LABEL_LH, LABEL_LL, LABEL_NONE, SWING
from engine.strategy import ict, scores


def found(tables, price=PRICE):
    return ict.setups(tables, np.zeros(1, np.int64), np.array([price]))[0]


def frames():
    tables = hand.quiet()
    return tables.series[0], tables.series[1], tables.series[2]


def test_the_weights_are_those_of_the_specification():
    assert scores.WEIGHTS == (0.40, 0.20, 0.20, 0.10, 0.10)
    assert scores.confidence_of(1.0, 0.0, 0.0, 0.0, 0.0) == 0.40
    assert scores.confidence_of(1.0, 1.0, 1.0, 1.0, 1.0) == pytest.approx(1.0)
    assert scores.confidence_of(0.0, 0.0, 0.0, 0.0, 0.0) == 0.0


@pytest.mark.parametrize("sign", [1, -1])
def test_trend_reaches_both_ends_and_is_even_between_equal_averages(sign):
    _, m15, h1 = frames()
    assert scores.trend_score(h1, m15, sign) == 0.5
    for s in (h1, m15):
        s["ema20"], s["ema50"], s["ema200"] = BASE + sign * 0.1, BASE, BASE - sign * 0.1
    assert scores.trend_score(h1, m15, sign) == pytest.approx(1.0)
    assert scores.trend_score(h1, m15, -sign) == 0.0


@pytest.mark.parametrize("sign", [1, -1])
def test_momentum_reaches_both_ends(sign):
    m5, m15, _ = frames()
    assert scores.momentum_score(m5, m15, sign) == 0.5
    m15["rsi14"], m5["macd_hist"] = 50 + sign * 20.0, sign * 0.2 * m5["atr14"]
    assert scores.momentum_score(m5, m15, sign) == 1.0
    assert scores.momentum_score(m5, m15, -sign) == 0.0


@pytest.mark.parametrize(
    ("percentile", "score"), [(0.0, 0.0), (0.125, 0.5), (0.25, 1.0), (0.5, 1.0), (0.75, 1.0), (0.9, 0.4), (1.0, 0.0)]
)
def test_volatility_is_full_between_the_quartiles(percentile, score):
    assert scores.volatility_score(percentile) == pytest.approx(score)


def test_position_falls_from_the_entry_to_two_atr_away():
    assert [scores.place_score(d) for d in (0.0, 1.0, 2.0, 5.0)] == [1.0, 0.5, 0.0, 0.0]


def test_displacement_counts_from_one_and_a_half_to_three_atr():
    assert [scores.displacement_score(d) for d in (0.0, 1.5, 2.25, 3.0, 9.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("high", "low", "long"),
    [(LABEL_HH, LABEL_HL, 1.0), (LABEL_LH, LABEL_LL, 0.0), (LABEL_HH, LABEL_LL, 0.5), (LABEL_NONE, LABEL_NONE, 0.5)],
)
def test_labels_of_the_last_two_swings_speak_for_one_side(high, low, long):
    tables = hand.quiet()
    tables.swings[1, SWING, 0]["label"], tables.swings[1, SWING, 1]["label"] = high, low
    m15 = tables.series[1]
    assert scores.label_score(tables.swings[1, SWING], m15, 1) == long
    assert scores.label_score(tables.swings[1, SWING], m15, -1) == 1.0 - long


def test_structure_of_a_real_set_up_reaches_both_ends():
    tables = hand.reversal()
    hand.shift(tables, displacement=3.0)
    assert found(tables).structure == pytest.approx(1.0)
    hand.shift(tables, displacement=1.5)
    tables.swings[1, SWING, 0]["label"], tables.swings[1, SWING, 1]["label"] = LABEL_LH, LABEL_LL
    assert found(tables).structure == 0.0


def test_position_of_a_real_set_up_is_the_distance_to_the_entry_in_15m_atr():
    assert found(hand.reversal(), PRICE).place == pytest.approx(1.0 - (0.0014 / 0.002) / 2.0)
    assert found(hand.reversal(), hand.ENTRY).place == pytest.approx(1.0)
