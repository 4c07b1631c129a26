"""The laws of specification section 3, on random series and on recorded ones."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_series import random_candles, recorded_candles

from engine.analysis.bars import bars_of, mirrored
from engine.analysis.changes import OF_BLOCK, OF_BREAK, OF_GAP, OF_POOL, OF_SWING, changes_since, make_log
from engine.analysis.layout import LABEL_HH, LABEL_HL, LABEL_LH, LABEL_LL, LABEL_NONE
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables

RECORDED = [
    ("5m/ADAUSDT-5m__Alpergulsen", 300_000),
    ("5m/1000PEPEUSDT-5m__catman77", 300_000),
    ("15m/1000BONKUSDT-15m__nmtrong062000", 900_000),
    ("1h/BTCUSDT-1h__Roshan7869", 3_600_000),
]
MIRRORED_LABEL = {
    LABEL_NONE: LABEL_NONE,
    LABEL_HH: LABEL_LL,
    LABEL_LL: LABEL_HH,
    LABEL_LH: LABEL_HL,
    LABEL_HL: LABEL_LH,
}
seeds = st.integers(0, 2**32 - 1)
counts = st.integers(30, 900)
ticks = st.sampled_from([0.01, 0.05, 0.2])


def analysed(bars, interval=300_000):
    """Run a whole series; return its tables and every change of every object."""
    tables, log = make_tables(1), make_log()
    reset(tables, 0, interval)
    run(tables, 0, bars, log)
    changes, lost = changes_since(log, 0)
    assert lost == 0
    return tables, changes


def prefix_law(bars, interval, cut):
    _, whole = analysed(bars, interval)
    _, part = analysed(bars[:cut], interval)
    known = whole[whole["known"] < cut]
    assert len(known) == len(part)
    for name in part.dtype.names:
        assert np.array_equal(known[name], part[name]), name


def mirror_law(bars, interval):
    tables, changes = analysed(bars, interval)
    other_tables, other = analysed(mirrored(bars), interval)
    expected = sorted(reflected(change) for change in changes)
    assert sorted(plain(change) for change in other) == expected
    s, m = tables.series[0], other_tables.series[0]
    for name in ("ema20", "ema50", "ema100", "ema200", "macd", "macd_signal", "macd_hist", "bb_mid", "vwap"):
        assert_same(m[name], -s[name])
    for name in ("atr14", "atr200", "adx14", "bb_width", "bb_width_pct", "vol_mean", "vol_z", "er10", "rv20"):
        assert_same(m[name], s[name])
    assert_same(m["plus_di"], s["minus_di"])
    assert_same(m["bb_upper"], -s["bb_lower"])
    assert m["rsi14"] == pytest.approx(100 - s["rsi14"], abs=1e-9, nan_ok=True) or s["rsi14"] == m["rsi14"] == 0
    assert m["bias"].tolist() == (-s["bias"]).tolist()


def assert_same(a, b):
    assert a == b or (math.isnan(a) and math.isnan(b))


def plain(change):
    """Return a change without its number: two objects of one bar may be numbered in either order."""
    row, of, layer, what, side, kind, _, at, known, value = change.item()
    return (known, of, layer, what, side, kind, at, *(float(x) + 0.0 for x in value), row)


def reflected(change):
    known, of, layer, what, side, kind, at, a, b, c, row = plain(change)
    if of == OF_SWING:
        return (known, of, layer, what, -side, MIRRORED_LABEL[kind], at, -a + 0.0, b, c, row)
    if of in {OF_GAP, OF_BLOCK}:
        return (known, of, layer, what, -side, kind, at, -b + 0.0, -a + 0.0, c, row)
    if of == OF_BREAK:
        return (known, of, layer, what, -side, kind, at, -a + 0.0, b, c, row)
    # The birth of a pool carries its touches; every other change of a pool, and a sweep, the deepest trade.
    deepest = b if of == OF_POOL and what < 0 else -b + 0.0
    return (known, of, layer, what, -side, kind, at, -a + 0.0, deepest, c, row)


def scale_law(candles, interval, factor):
    scaled = type(candles)(
        **{
            name: getattr(candles, name) * factor
            if name in {"open", "high", "low", "close"}
            else getattr(candles, name)
            for name in candles.__struct_fields__
        }
    )
    tables, changes = analysed(bars_of(candles), interval)
    other_tables, other = analysed(bars_of(scaled), interval)
    for name in ("of", "layer", "what", "side", "kind", "number", "at", "known"):
        assert other[name].tolist() == changes[name].tolist()
    shift = math.log(factor)
    assert np.allclose(other["value"][:, 0], changes["value"][:, 0] + shift, rtol=0, atol=1e-9)
    s, m = tables.series[0], other_tables.series[0]
    for name in ("rsi14", "atr14", "adx14", "macd", "bb_width", "vol_z", "er10", "rv20"):
        assert m[name] == pytest.approx(s[name], rel=1e-6, abs=1e-9, nan_ok=True)


def incremental_law(bars, interval):
    batch, _ = analysed(bars, interval)
    steps = make_tables(1)
    reset(steps, 0, interval)
    rows = np.zeros(1, np.int64)
    for k in range(len(bars)):
        step_rows(steps, rows, bars[k : k + 1])
    for name, ours, theirs in zip(batch._fields, steps, batch, strict=True):
        assert ours.tobytes() == theirs.tobytes(), name


@settings(max_examples=25, deadline=None)
@given(seed=seeds, count=counts, tick=ticks, share=st.floats(0.05, 0.95))
def test_what_is_known_at_a_bar_does_not_depend_on_later_bars(seed, count, tick, share):
    prefix_law(bars_of(random_candles(seed, count, tick=tick)), 300_000, max(1, int(share * count)))


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


@pytest.mark.data
@pytest.mark.parametrize(("name", "interval"), RECORDED)
def test_the_laws_hold_on_recorded_series(name, interval):
    candles = recorded_candles(name, 100, 2500)
    bars = bars_of(candles)
    for cut in (137, 999, 2311):
        prefix_law(bars, interval, cut)
    mirror_law(bars, interval)
    scale_law(candles, interval, 1234.5)
    incremental_law(bars, interval)
