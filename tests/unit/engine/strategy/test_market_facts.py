from math import nan

import ict_tables as hand
import numpy as np
import pytest
from ict_tables import BASE, NOW

from engine.analysis.layout import INTERNAL
from engine.strategy.facts import Regime, regime_of
from engine.strategy.market_kernel import MARKET_COLUMNS, survey
from ml.schema import INDEX, MARKET_FEATURES


def surveyed(tables, price=BASE):
    facts, rows = survey(tables, np.zeros(1, np.int64), np.array([price]))
    return facts[0], {feature.name: rows[0, INDEX[feature.name]] for feature in MARKET_FEATURES}


def test_the_kernel_fills_exactly_the_market_columns_of_the_schema():
    assert len(MARKET_FEATURES) == MARKET_COLUMNS


def test_columns_stand_under_their_names():
    tables = hand.quiet()
    s = tables.series[2]
    s["ema20"], s["ema50"], s["ema200"] = BASE + 0.012, BASE + 0.006, BASE - 0.006
    s["rsi14"], s["macd_hist"], s["plus_di"], s["minus_di"] = 75.0, 0.003, 30.0, 10.0
    s["adx14"], s["bb_width_pct"], s["er10"], s["vol_z"], s["atr200"] = 35.0, 0.8, 0.4, 1.5, 0.003
    facts, row = surveyed(tables)
    assert row["trend_1h"] == pytest.approx(1.0)
    assert row["stack_1h"] == pytest.approx(2.0)
    assert row["extension_1h"] == pytest.approx(-2.0)
    assert row["rsi_1h"] == 0.5
    assert row["macd_1h"] == pytest.approx(0.5)
    assert row["directional_1h"] == 0.5
    assert row["bias_swing_1h"] == 1.0
    assert row["adx_1h"] == 0.35
    assert row["width_1h"] == 0.8
    assert row["efficiency_1h"] == 0.4
    assert row["expansion_1h"] == pytest.approx(np.log(2.0))
    assert row["volume_1h"] == 1.5
    assert row["trend_5m"] == 0.0
    assert facts["close_ms"] == NOW
    assert facts["hour_ms"] == NOW


def test_open_pools_pull_by_their_distance():
    tables = hand.quiet()
    hand.pool(tables, BASE + 0.006)
    hand.pool(tables, BASE - 0.018, side=-1)
    hand.pool(tables, BASE + 0.003)
    tables.pools[1, 2]["state"] = 2
    facts, row = surveyed(tables)
    assert (facts["above"], facts["below"]) == (pytest.approx(1.0), pytest.approx(3.0))
    assert row["liquidity_skew"] == pytest.approx(0.5)
    assert row["liquidity_near"] == pytest.approx(1.0)


def test_without_pools_liquidity_is_far_on_both_sides():
    facts, row = surveyed(hand.quiet())
    assert (facts["above"], facts["below"], row["liquidity_skew"]) == (10.0, 10.0, 0.0)


def test_a_sweep_fades_over_two_hours():
    tables = hand.quiet()
    hand.sweep(tables)
    facts, row = surveyed(tables)
    assert facts["swept_below"] == pytest.approx(1.0 - 8 / 24)
    assert row["sweep"] == pytest.approx(1.0 - 8 / 24)
    tables.sweeps[0, 0]["known"] = 270
    assert surveyed(tables)[0]["swept_below"] == 0.0


def zigzag(tables, sign):
    """Two confirmed 15m highs (lows for -1), the newer beyond the older, reached with ever smaller steps."""
    x = BASE
    for i in range(1, 300):
        if i < 270:
            step = 0.004 if i % 2 else -0.003
        elif i < 280:
            step = -0.004
        else:
            step = 0.003 if i % 2 else -0.0005
        x += step
        tables.bars[1, i]["c"] = sign * x
    levels = tables.bars[1]["c"]
    tables.swings[1, INTERNAL, 0] = (sign, 0, 269, 275, levels[269], -1)
    tables.swings[1, INTERNAL, 1] = (sign, 0, 297, 299, levels[269] + sign * 0.001, -1)
    tables.series["swings"][1, INTERNAL] = 2


@pytest.mark.parametrize("sign", [1, -1])
def test_a_new_extreme_on_weaker_rsi_is_a_divergence_of_its_side(sign):
    tables = hand.quiet()
    zigzag(tables, sign)
    tables.bars[1, 280:300]["c"] = tables.bars[1, 279]["c"]
    facts, row = surveyed(tables)
    here, there = ("divergence_up", "divergence_down") if sign > 0 else ("divergence_down", "divergence_up")
    assert facts[here] > 0.0
    assert facts[there] == 0.0
    assert row["divergence"] == pytest.approx(-sign * facts[here])
    tables.swings[1, INTERNAL, 1]["known"] = 270
    assert surveyed(tables)[0][here] == 0.0


@pytest.mark.parametrize(
    ("frame", "name", "value"), [(2, "ema200", nan), (0, "atr14", 0.0), (1, "vol_mean", 0.0), (1, "atr14", nan)]
)
def test_cold_or_motionless_frames_are_not_ready(frame, name, value):
    tables = hand.quiet()
    tables.series[name][frame] = value
    facts, row = surveyed(tables)
    assert facts["ready"] == 0
    assert np.isnan(list(row.values())).all()


@pytest.mark.parametrize(
    ("adx", "width", "regime"),
    [
        (30.0, 0.03, Regime.TRENDING),
        (15.0, 0.01, Regime.RANGING),
        (15.0, 0.08, Regime.VOLATILE),
        (22.0, 0.03, Regime.MIXED),
        (30.0, 0.08, Regime.MIXED),
    ],
)
def test_the_regime_follows_the_plain_thresholds(adx, width, regime):
    assert regime_of(adx, width) is regime
