"""Hand-drawn series: each shows one rule of specification section 3 with the bars that decide it."""

import math

import numpy as np
import pytest

from engine.analysis import layout
from engine.analysis.layout import BAR, DOWN, INTERNAL, UP
from engine.analysis.reading import live_gaps, recent_breaks, recent_sweeps, recent_swings
from engine.analysis.step import reset, run
from engine.analysis.tables import make_tables

START = 1_709_953_200_000


def drawn(*candles, quiet=30):
    """Return tables after `quiet` calm bars around 100 (so that ATR14 is 1 %) and the given (o, h, l, c) candles."""
    calm = [(100.0, 100.5, 99.5, 100.0)] * quiet
    bars = np.zeros(quiet + len(candles), BAR)
    bars["t"] = START + np.arange(len(bars)) * 300_000
    for k, candle in enumerate([*calm, *candles]):
        for name, price in zip("ohlc", candle, strict=True):
            bars[k][name] = math.log(price)
    bars["v"] = 1.0
    tables = make_tables(1)
    reset(tables, 0, 300_000)
    run(tables, 0, bars)
    return tables


def around(price, count):
    return [(price, price + 0.5, price - 0.5, price)] * count


PEAK = (100.0, 102.0, 99.8, 100.0)
DIP = (100.0, 100.2, 98.0, 100.0)


def test_a_pivot_is_known_only_after_the_bars_that_confirm_it():
    early = drawn(PEAK, *around(100, 4))
    late = drawn(PEAK, *around(100, 5))
    assert not [s for s in recent_swings(early, 0, INTERNAL) if s.side == UP]
    (swing,) = [s for s in recent_swings(late, 0, INTERNAL) if s.side == UP]
    assert (swing.at, swing.known) == (30, 35)
    assert swing.level == pytest.approx(102.0)


def test_of_two_equal_highs_the_earlier_is_the_pivot():
    tables = drawn(PEAK, *around(100, 2), PEAK, *around(100, 8))
    assert [s.at for s in recent_swings(tables, 0, INTERNAL) if s.side == UP] == [30]


def test_highs_and_lows_are_labelled_against_the_pivot_before():
    higher = (100.0, 103.0, 99.8, 100.0)
    tables = drawn(PEAK, *around(100, 6), higher, *around(100, 6), PEAK, *around(100, 6))
    labels = [s.label for s in recent_swings(tables, 0, INTERNAL) if s.side == UP]
    assert labels == [layout.LABEL_LH, layout.LABEL_HH, layout.LABEL_NONE]


def test_the_first_break_is_a_bos_and_one_against_the_bias_a_choch():
    rise = [(100, 100.6, 99.9, 100.5), (100.5, 102.6, 100.4, 102.5)]
    fall = [(102.5, 102.6, 97.4, 97.5)]
    tables = drawn(PEAK, DIP, *around(100, 6), *rise, *fall)
    down, up = recent_breaks(tables, 0, INTERNAL)
    assert (up.kind, up.side, up.at, up.known) == (layout.BOS, UP, 30, 39)
    # The falling bar is a displacement, which makes the change of character a shift of market structure.
    assert (down.kind, down.side, down.at, down.known) == (layout.MSS, DOWN, 31, 40)
    assert down.displacement > 1.5
    assert tables.series[0]["bias"].tolist() == [-1, 0]


def test_a_wick_through_the_pivot_breaks_nothing():
    tables = drawn(PEAK, *around(100, 6), (100, 103, 99.9, 101.9))
    assert recent_breaks(tables, 0, INTERNAL) == []


def test_a_gap_opens_between_the_first_and_the_third_bar_and_fills_in_steps():
    born = [(100, 100.5, 99.5, 100.4), (100.4, 103, 100.4, 103), (103, 103.5, 101.5, 103)]
    (gap,) = live_gaps(drawn(*born), 0)
    assert (gap.side, gap.state, gap.at, gap.known) == (UP, layout.GAP_OPEN, 31, 32)
    assert (gap.low, gap.high) == (pytest.approx(100.5), pytest.approx(101.5))
    down_to = {101.4: layout.GAP_TOUCHED, 100.9: layout.GAP_CE}
    for low, state in down_to.items():
        (gap,) = live_gaps(drawn(*born, (103, 103, low, 102)), 0)
        assert gap.state == state
    filled = drawn(*born, (103, 103, 100.4, 102))
    assert filled.gaps[0][0]["state"] == layout.GAP_FILLED
    inverted = drawn(*born, (103, 103, 100.2, 100.3))
    assert inverted.gaps[0][0]["state"] == layout.GAP_INVERTED


def test_a_gap_too_narrow_for_the_range_is_not_kept():
    born = [(100, 100.5, 99.5, 100.4), (100.4, 103, 100.4, 103), (103, 103.5, 100.6, 103)]
    assert live_gaps(drawn(*born), 0) == []


def test_a_reclaim_within_three_bars_is_a_sweep_and_a_deep_or_late_one_is_a_run():
    pool = [PEAK, *around(100, 6)]
    same_bar = drawn(*pool, (100, 102.5, 99.9, 101))
    (sweep,) = recent_sweeps(same_bar, 0)
    assert (sweep.side, sweep.at, sweep.known) == (UP, 37, 37)
    assert (sweep.level, sweep.extreme) == (pytest.approx(102), pytest.approx(102.5))
    above = (102.2, 102.4, 102.1, 102.2)
    third = drawn(*pool, above, above, above, (102.2, 102.2, 101, 101.5))
    assert [(s.at, s.known) for s in recent_sweeps(third, 0)] == [(37, 40)]
    late = drawn(*pool, above, above, above, above, (102.2, 102.2, 101, 101.5))
    assert recent_sweeps(late, 0) == []
    deep = drawn(*pool, (100, 105, 99.9, 101))
    assert recent_sweeps(deep, 0) == []


def test_a_touch_of_the_pool_within_a_twentieth_of_the_range_consumes_nothing():
    tables = drawn(PEAK, *around(100, 6), (100, 102.04, 99.9, 101))
    assert recent_sweeps(tables, 0) == []
    assert tables.pools[0][0]["state"] == layout.POOL_OPEN
