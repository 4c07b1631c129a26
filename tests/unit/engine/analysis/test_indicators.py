"""Indicators against TA-Lib, on prices and on logarithms, at every bar."""

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from market_series import random_candles, raw_bars, recorded_candles

from engine.analysis.bars import bars_of
from engine.analysis.reading import INDICATORS
from engine.analysis.step import reset, step_rows
from engine.analysis.tables import make_tables

DAY = 86_400_000


def history(bars):
    """Step through the bars; return every indicator at every bar."""
    tables = make_tables(1)
    reset(tables, 0, 300_000)
    rows = np.zeros(1, np.int64)
    out = {name: np.empty(len(bars)) for name in INDICATORS}
    for k in range(len(bars)):
        step_rows(tables, rows, bars[k : k + 1])
        for name in INDICATORS:
            out[name][k] = tables.series[0][name]
    return out


def textbook(bars):
    high, low, c, v = (np.ascontiguousarray(bars[k]) for k in "hlcv")
    line, signal, hist = talib.MACD(c, 12, 26, 9)
    upper, mid, lower = talib.BBANDS(c, 20, 2, 2)
    return {
        "ema20": talib.EMA(c, 20),
        "ema50": talib.EMA(c, 50),
        "ema100": talib.EMA(c, 100),
        "ema200": talib.EMA(c, 200),
        "rsi14": talib.RSI(c, 14),
        "atr14": talib.ATR(high, low, c, 14),
        "atr200": talib.ATR(high, low, c, 200),
        "adx14": talib.ADX(high, low, c, 14),
        "plus_di": talib.PLUS_DI(high, low, c, 14),
        "minus_di": talib.MINUS_DI(high, low, c, 14),
        "macd": line,
        "macd_signal": signal,
        "macd_hist": hist,
        "bb_mid": mid,
        "bb_upper": upper,
        "bb_lower": lower,
        "vol_mean": talib.SMA(v, 20),
        "obv": talib.OBV(c, v),
    }


def assert_textbook(bars):
    ours = history(bars)
    size = float(np.abs(bars["c"]).max())
    for name, theirs in textbook(bars).items():
        assert np.array_equal(np.isnan(ours[name]), np.isnan(theirs)), name
        # MACD and its histogram are differences of prices: relative to the price, not to what is left of it.
        atol = 1e-9 * size if name.startswith(("macd", "bb")) else 1e-12
        assert np.allclose(ours[name], theirs, rtol=1e-9, atol=atol, equal_nan=True), name
    return ours


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 320))
def test_every_bar_agrees_with_ta_lib_on_prices_and_on_logarithms(seed, count):
    candles = random_candles(seed, count)
    assert_textbook(raw_bars(candles))
    assert_textbook(bars_of(candles))


@pytest.mark.data
def test_a_recorded_series_agrees_with_ta_lib_on_prices_and_on_logarithms():
    candles = recorded_candles("5m/1000PEPEUSDT-5m__catman77", 0, 700)
    assert_textbook(raw_bars(candles))
    assert_textbook(bars_of(candles))


def test_a_price_that_never_moves_gives_neutral_values_and_no_error():
    bars = raw_bars(random_candles(1, 260))
    for name in "ohlc":
        bars[name] = 5.0
    last = {name: values[-1] for name, values in history(bars).items()}
    assert last["rsi14"] == last["atr14"] == last["adx14"] == last["bb_width"] == last["er10"] == last["rv20"] == 0.0
    assert last["ema200"] == pytest.approx(5.0, rel=1e-12)
    assert last["bb_width_pct"] == 1.0


def test_measures_without_a_textbook_are_what_their_names_say():
    candles = random_candles(5, 420)
    bars = bars_of(candles)
    ours = history(bars)
    c, v = bars["c"], bars["v"]
    typical = (bars["h"] + bars["l"] + bars["c"]) / 3
    day = bars["t"] // DAY
    widths = ours["bb_width"]
    for t in range(len(bars)):
        today = (day == day[t]) & (np.arange(len(bars)) <= t)
        volume = v[today].sum()
        vwap = (typical[today] * v[today]).sum() / volume if volume else typical[t]
        assert ours["vwap"][t] == pytest.approx(vwap, rel=1e-9)
        if t >= 10:
            path = np.abs(np.diff(c[t - 10 : t + 1])).sum()
            assert ours["er10"][t] == pytest.approx(abs(c[t] - c[t - 10]) / path if path else 0.0, rel=1e-9, abs=1e-12)
        if t >= 20:
            changes = np.diff(c[t - 20 : t + 1])
            assert ours["rv20"][t] == pytest.approx(np.sqrt((changes**2).mean()), rel=1e-9)
            window = v[t - 19 : t + 1]
            assert ours["vol_z"][t] == pytest.approx((v[t] - window.mean()) / window.std(), rel=1e-9, abs=1e-9)
        if t >= 19 + 167:
            share = (widths[t - 167 : t + 1] <= widths[t]).mean()
            assert ours["bb_width_pct"][t] == pytest.approx(share)
        else:
            assert np.isnan(ours["bb_width_pct"][t])
