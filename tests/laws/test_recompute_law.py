"""The incremental law of the flag ENABLE_INCREMENTAL_CACHE: recomputing every closed bar ends with the same bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_series import random_candles, recorded_candles

from engine.analysis.bars import bars_of
from engine.analysis.layout import BARS
from engine.analysis.recompute import LONGEST, Recompute
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables

INTERVAL = 300_000


def tables_after(bars):
    tables = make_tables(1)
    for row in range(3):
        reset(tables, row, INTERVAL)
    run(tables, 0, bars)
    return tables


def assert_same_bits(one, other):
    """Compare every field of every table, the kernels' accumulators included."""
    for name, a, b in zip(one._fields, one, other, strict=True):
        for field in a.dtype.names:
            assert a[0][field].tobytes() == b[0][field].tobytes(), f"{name}.{field}"


def assert_recompute_equals_steps(bars, first, switched_at, batches):
    """Take `first` bars at once, then the others in batches, recomputing from bar `switched_at` on."""
    stepped, plain = tables_after(bars[:first]), tables_after(bars[:first])
    recompute = Recompute(plain)
    if switched_at <= first:
        recompute.begin(0, bars[max(0, first - BARS) : first])
    longest, at, k = 0, first, 0
    while at < len(bars):
        size = min(batches[k % len(batches)], len(bars) - at)
        k += 1
        new = bars[at : at + size]
        at += size
        step_rows(stepped, np.zeros(size, np.int64), new)
        if at <= switched_at:
            step_rows(plain, np.zeros(size, np.int64), new)
        else:
            longest = max(longest, recompute.advance(0, bars[max(0, at - BARS) : at], size))
        assert_same_bits(plain, stepped)
    return longest


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(1, 512),
    st.integers(0, 700),
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
)
def test_a_recomputed_series_holds_the_same_bits_as_a_stepped_one(seed, first, switched_at, batches):
    assert_recompute_equals_steps(bars_of(random_candles(seed, 900)), first, switched_at, batches)


@pytest.mark.data
@pytest.mark.parametrize("symbol", ["BTCUSDT", "DOGEUSDT", "SOLUSDT"])
def test_a_recorded_series_is_recomputed_to_the_same_bits_over_hundreds_of_bars(symbol):
    bars = bars_of(recorded_candles(f"5m/{symbol}-5m__Alpergulsen", 0, 1_500))
    longest = assert_recompute_equals_steps(bars, 500, 0, [1])
    assert 300 < longest <= LONGEST + 1


def test_a_repair_longer_than_the_ring_allows_begins_a_new_checkpoint():
    bars = bars_of(random_candles(3, 1_400))
    assert_recompute_equals_steps(bars, 500, 0, [1, 450, 1, 1])
