"""Indicators against stored values of other programs; where they differ, `docs/smc-differences.md` says why."""

import numpy as np
import pytest
from reference_vectors import columns_of, milliseconds, numbers, price_bars, values_of

from engine.analysis.reading import INDICATORS
from engine.analysis.step import reset, step_rows
from engine.analysis.tables import make_tables

pytestmark = pytest.mark.data

TA_LIB = {
    "ema_50": "ema50",
    "ema_200": "ema200",
    "rsi_14": "rsi14",
    "atr_14": "atr14",
    "adx_14": "adx14",
    "plus_di_14": "plus_di",
    "minus_di_14": "minus_di",
    "macd": "macd",
    "macd_signal": "macd_signal",
    "macd_hist": "macd_hist",
    "bb_upper": "bb_upper",
    "bb_middle": "bb_mid",
    "bb_lower": "bb_lower",
    "obv": "obv",
}
EQUAL = [
    ("ema", "ema", "ema20"),
    ("rsi", "rsi", "rsi14"),
    ("atr", "atr", "atr14"),
    ("bb", "sma", "bb_mid"),
    ("bb", "upperBand", "bb_upper"),
    ("bb", "lowerBand", "bb_lower"),
]
OTHER_SEED = [
    ("adx", "pdi", "plus_di"),
    ("adx", "mdi", "minus_di"),
    ("adx", "adx", "adx14"),
    ("macd", "macd", "macd"),
    ("macd", "signal", "macd_signal"),
    ("macd", "histogram", "macd_hist"),
]


def history(bars, interval):
    tables = make_tables(1)
    reset(tables, 0, interval)
    rows = np.zeros(1, np.int64)
    out = {name: np.empty(len(bars)) for name in INDICATORS}
    for k in range(len(bars)):
        step_rows(tables, rows, bars[k : k + 1])
        for name in INDICATORS:
            out[name][k] = tables.series[0][name]
    return out


@pytest.mark.parametrize("symbol", ["BTCUSDT", "SOLUSDT"])
def test_a_month_of_candles_agrees_with_stored_values_of_ta_lib_at_every_bar(symbol):
    table = columns_of(f"talib_runs/{symbol}-15m.csv.gz")
    time = numbers(table["open_time"]).astype(np.int64)
    keys = ("open", "high", "low", "close", "volume")
    ours = history(price_bars(time, [numbers(table[key]) for key in keys]), 900_000)
    for theirs, name in TA_LIB.items():
        expected = numbers(table[theirs])
        assert np.array_equal(np.isnan(expected), np.isnan(ours[name])), name
        # The file keeps twelve significant digits.
        assert np.allclose(ours[name], expected, rtol=6e-12, atol=0, equal_nan=True), name


@pytest.fixture(scope="module")
def equity():
    table = columns_of("indicators/default_quotes.csv.gz")
    keys = ("open", "high", "low", "close", "volume")
    return history(price_bars(milliseconds(table["date"]), [numbers(table[key]) for key in keys]), 86_400_000)


@pytest.mark.parametrize(("file", "key", "name"), EQUAL)
def test_daily_equity_bars_agree_with_stock_indicators_at_every_bar(equity, file, key, name):
    expected = values_of(f"indicators/{file}.standard.json.gz", key)
    assert np.array_equal(np.isnan(expected), np.isnan(equity[name]))
    assert np.allclose(equity[name], expected, rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize(("file", "key", "name"), OTHER_SEED)
def test_another_seed_than_stock_indicators_is_forgotten_within_the_warm_up(equity, file, key, name):
    expected = values_of(f"indicators/{file}.standard.json.gz", key)
    both = ~np.isnan(expected) & ~np.isnan(equity[name])
    apart = np.abs(equity[name] - expected)[both]
    assert apart[0] > 1e-3
    assert apart[250:].max() < 1e-6
    assert apart[-1] < 1e-12


def test_on_balance_volume_differs_from_stock_indicators_by_the_first_volume_only(equity):
    expected = values_of("indicators/obv.standard.json.gz", "obv")
    first = equity["obv"][0]
    assert first > 0
    assert np.array_equal(equity["obv"] - first, expected)
