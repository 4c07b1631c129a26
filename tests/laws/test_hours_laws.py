"""Laws of what regime prediction and dynamic features rest on: prefix, mirror, scale, and independence of the path."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_series import random_candles, recorded_candles
from strategy_market import coarser, from_whole_hour

from engine.analysis.bars import bars_of, mirrored
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables
from engine.strategy.hours_kernel import FEATURES, HOURS, HourReader, hours_of

HOUR_MS = 3_600_000
LOOKBACK = 10


def tables_of(bars, first=0):
    """Return tables whose 1h row took all bars: the first so many at once, the others one by one."""
    tables = make_tables(1)
    reset(tables, 2, HOUR_MS)
    run(tables, 2, bars[:first])
    for bar in bars[first:]:
        step_rows(tables, np.array([2]), bar.reshape(1))
    return tables


def read(bars, first=0, reader=None):
    return (reader or HourReader()).read(hours_of(tables_of(bars, first), 0), LOOKBACK)


def hours(seed, count=700):
    return bars_of(random_candles(seed, count, HOUR_MS))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 600))
def test_hours_are_the_same_from_any_path_and_never_repaint(seed, first):
    bars = hours(seed)
    reader = HourReader()
    early = read(bars[:650], 600, reader)
    read(bars, 600, reader)
    np.testing.assert_array_equal(read(bars[:650], first), early)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 150))
def test_hours_older_than_the_window_are_forgotten_to_the_bit(seed, begin):
    bars = hours(seed, HOURS + 150)
    np.testing.assert_array_equal(read(bars[begin:], 400), read(bars, 400))


def assert_mirror(bars):
    here, there = read(bars), read(mirrored(bars))
    np.testing.assert_allclose(there[:4], here[:4], rtol=1e-9)
    np.testing.assert_allclose(there[4 : 4 + FEATURES], -here[4 : 4 + FEATURES], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(there[4 + FEATURES :], here[4 + FEATURES :], rtol=1e-9, atol=1e-9)


def assert_scale(bars, factor):
    scaled = bars.copy()
    for name in "ohlc":
        scaled[name] += np.log(factor)
    np.testing.assert_allclose(read(scaled), read(bars), rtol=1e-6, atol=1e-6)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_on_mirrored_hours_the_regime_stays_and_every_feature_turns(seed):
    assert_mirror(hours(seed))


@pytest.mark.data
@pytest.mark.parametrize("symbol", ["ADAUSDT", "BTCUSDT", "DOGEUSDT", "SOLUSDT"])
def test_recorded_hours_obey_mirror_and_scale(symbol):
    candles = recorded_candles(f"5m/{symbol}-5m__Alpergulsen", 0, 12 * (HOURS + 60))
    bars = coarser(from_whole_hour(bars_of(candles)), 12)
    assert_mirror(bars)
    assert_scale(bars, 1000.0)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_probabilities_are_a_distribution_and_features_stay_in_range(seed):
    row = read(hours(seed, 400))
    assert row[:3].sum() == pytest.approx(1.0)
    assert (row[:3] > 0.0).all()
    assert (np.abs(row[4 : 4 + FEATURES]) <= 1.0).all()


@pytest.mark.data
def test_on_recorded_hours_a_confident_regime_is_right_more_often_than_an_unsure_one():
    """The label of an hour is the regime its own indicators fit best; the prediction knows only the hours before."""
    reader, sure, unsure = HourReader(), [], []
    for symbol in ("ADAUSDT", "BTCUSDT", "DOGEUSDT", "SOLUSDT"):
        bars = coarser(from_whole_hour(bars_of(recorded_candles(f"5m/{symbol}-5m__Alpergulsen", 0, 12 * 700))), 12)
        for end in range(HOURS, len(bars) - 1, 3):
            before = reader.read(bars[end - HOURS : end], LOOKBACK)[:3]
            after = reader.read(bars[end + 1 - HOURS : end + 1], 1)[:3]
            (sure if before.max() >= 0.7 else unsure).append(before.argmax() == after.argmax())
    assert len(sure) > 50
    assert len(unsure) > 50
    assert np.mean(sure) > np.mean(unsure) + 0.1
