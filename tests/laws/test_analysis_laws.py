"""The laws of specification section 3 on random series; `test_analysis_recorded_laws` has the recorded ones."""

import numpy as np
from analysis_laws import analysed, incremental_law, mirror_law, prefix_law, scale_law
from hypothesis import given, settings
from hypothesis import strategies as st
from market_series import random_candles

from engine.analysis.bars import bars_of
from engine.analysis.step import reset, step_rows
from engine.analysis.tables import make_tables

seeds = st.integers(0, 2**32 - 1)
counts = st.integers(30, 900)
ticks = st.sampled_from([0.01, 0.05, 0.2])


@settings(max_examples=25, deadline=None)
@given(seed=seeds, count=counts, tick=ticks, share=st.floats(0.05, 0.95))
def test_what_is_known_at_a_bar_does_not_depend_on_later_bars(seed, count, tick, share):
    prefix_law(bars_of(random_candles(seed, count, tick=tick)), 300_000, [max(1, int(share * count))])


@settings(max_examples=25, deadline=None)
@given(seed=seeds, count=counts, tick=ticks)
def test_mirrored_prices_mirror_every_object_bit_for_bit(seed, count, tick):
    mirror_law(bars_of(random_candles(seed, count, tick=tick)), 300_000)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, count=counts, tick=ticks, factor=st.floats(1e-6, 1e6))
def test_scaled_prices_change_nothing_but_prices(seed, count, tick, factor):
    scale_law(random_candles(seed, count, tick=tick), 300_000, factor)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, count=st.integers(30, 700), tick=ticks)
def test_bar_by_bar_equals_batch_bit_for_bit(seed, count, tick):
    incremental_law(bars_of(random_candles(seed, count, tick=tick)), 300_000)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, order=st.randoms(use_true_random=False))
def test_rows_stepped_in_one_call_do_not_touch_each_other(seed, order):
    series = [bars_of(random_candles(seed + k, 260)) for k in range(3)]
    together = make_tables(1)
    for row in range(3):
        reset(together, row, 300_000)
    for k in range(260):
        rows = [0, 1, 2]
        order.shuffle(rows)
        step_rows(together, np.array(rows), np.concatenate([series[row][k : k + 1] for row in rows]))
    for row in range(3):
        alone, _ = analysed(series[row])
        for name, ours, theirs in zip(alone._fields, together, alone, strict=True):
            assert ours[row].tobytes() == theirs[0].tobytes(), name
