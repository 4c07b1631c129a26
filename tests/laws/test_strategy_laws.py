"""Mirror and scale law of the strategies on the real kernels, and that each of them has something to say."""

from math import exp

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_series import random_candles, recorded_candles
from strategy_market import Market, from_whole_hour, same_time

from engine.analysis.bars import bars_of, mirrored
from engine.positions.track import TrackRecord
from engine.signals.features import SIGNED
from engine.signals.rules import SignalRules
from engine.signals.select import select
from engine.strategy import ict
from engine.strategy.candidate import Candidate, StrategyName
from engine.strategy.market_kernel import survey
from engine.strategy.panel import StrategyRules, evaluate
from engine.strategy.setup import PASSED, Setup
from ml.schema import MARKET_FEATURES

FIRST = 2_496  # 208 hours: the slowest average of 1h stands
STEPS = 120
RULES = StrategyRules()
MARKET_SIGNED = np.array([feature.signed for feature in MARKET_FEATURES])
MIRRORED_FIELDS = {"entry", "stop", "target", "target2", "target3", "sweep_level", "sweep_extreme", "break_level"}
RECORDED = [
    *("ADAUSDT", "ALGOUSDT", "ATOMUSDT", "AVAXUSDT", "BNBUSDT", "BTCUSDT", "DOGEUSDT", "EOSUSDT"),
    *("ETHUSDT", "LTCUSDT", "SOLUSDT", "XRPUSDT"),
]


def random_series(seed, count=FIRST + STEPS):
    return bars_of(random_candles(seed, count, tick=0.01))


def recorded_series(symbol, extra=STEPS):
    candles = recorded_candles(f"5m/{symbol}-5m__Alpergulsen", 0, FIRST + extra + 12)
    return from_whole_hour(bars_of(candles))[: FIRST + extra]


def reflected(setup: Setup) -> Setup:
    """Return what the kernel must find on mirrored prices."""
    values = setup._asdict()
    for name in MIRRORED_FIELDS:
        values[name] = -values[name]
    for low, high in (("range_low", "range_high"), ("zone_low", "zone_high")):
        values[low], values[high] = -values[high], -values[low]
    values["sign"] = -values["sign"]
    return Setup(**values)


def assert_mirror(series, every=1):
    here, there = Market(series, FIRST), Market([mirrored(bars) for bars in series], FIRST)
    slots = np.arange(len(series))
    passed = 0
    while here.index < len(series[0]) - 1:
        here.step()
        there.step()
        if here.index % every:
            continue
        prices = here.closes()
        for one, other in zip(
            ict.setups(here.tables, slots, prices), ict.setups(there.tables, slots, -prices), strict=True
        ):
            assert other == pytest.approx(tuple(reflected(one)), rel=1e-9, abs=1e-9)
            passed += one.gate == PASSED
        facts, rows = survey(here.tables, slots, prices)
        other_facts, other_rows = survey(there.tables, slots, -prices)
        np.testing.assert_allclose(np.where(MARKET_SIGNED, -other_rows, other_rows), rows, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(other_facts["divergence_up"], facts["divergence_down"], rtol=1e-7, atol=1e-7)
        np.testing.assert_array_equal(other_facts["swept_below"], facts["swept_above"])
        np.testing.assert_array_equal(other_facts["bias_15m"], -facts["bias_15m"])
    return passed


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31))
def test_on_mirrored_random_prices_every_long_becomes_the_same_short(seed):
    assert_mirror([random_series(seed), random_series(seed + 1)])


@pytest.mark.data
def test_on_mirrored_recorded_prices_every_long_becomes_the_same_short():
    series = same_time([recorded_series(symbol, 576) for symbol in RECORDED[:6]])
    assert assert_mirror(series) > 0


def views_at(series, funding):
    market = Market(series, FIRST)
    views = []
    while market.index < len(series[0]) - 1:
        market.step()
        readings = [msgspec.structs.replace(one, funding_rate=funding) for one in market.readings()]
        views.append(evaluate(market.tables, readings, market.now, RULES))
    return views


@pytest.mark.data
def test_candidates_and_their_signals_obey_the_mirror_law_from_end_to_end():
    series = same_time([recorded_series(symbol) for symbol in RECORDED[:6]])
    here, there = views_at(series, 0.0002), views_at([mirrored(bars) for bars in series], -0.0002)
    compared = 0
    for one, other in zip(here, there, strict=True):
        for mode in StrategyName:
            a = select(one, mode, TrackRecord(), SignalRules(), 1).signals
            b = select(other, mode, TrackRecord(), SignalRules(), 1).signals
            for x, y in zip(a, b, strict=True):
                assert y.candidate.direction.sign == -x.candidate.direction.sign
                assert y.candidate.entry * x.candidate.entry == pytest.approx(1.0)
                assert y.candidate.stop * x.candidate.stop == pytest.approx(1.0)
                assert y.candidate.confidence == pytest.approx(x.candidate.confidence)
                assert y.candidate.sub_scores == pytest.approx(x.candidate.sub_scores)
                assert y.expected_r == pytest.approx(x.expected_r)
                assert y.quality.score == pytest.approx(x.quality.score)
                assert (y.rank, y.state) == (x.rank, x.state)
                flipped = np.where(SIGNED, -np.array(y.features), y.features)
                np.testing.assert_allclose(flipped, x.features, rtol=1e-5, atol=1e-5)
                compared += 1
    assert compared > 0


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**31), st.floats(1e-6, 1e6))
def test_scaled_prices_change_nothing_but_prices(seed, factor):
    bars = random_series(seed)
    scaled = bars.copy()
    for name in "ohlc":
        scaled[name] += np.log(factor)
    for one, other in zip(views_at([bars], 0.0001), views_at([scaled], 0.0001), strict=True):
        for a, b in zip((one[0].ict, one[0].self_learning), (other[0].ict, other[0].self_learning), strict=True):
            assert type(a) is type(b)
            if isinstance(a, Candidate):
                assert b.entry == pytest.approx(a.entry * factor)
                assert b.stop == pytest.approx(a.stop * factor)
                assert b.confidence == pytest.approx(a.confidence)
                assert b.anchor == a.anchor
            else:
                assert b.gate == a.gate


@pytest.mark.data
def test_a_set_up_keeps_its_id_from_cycle_to_cycle_and_nothing_rests_on_the_future():
    series = same_time([recorded_series(symbol, 576) for symbol in RECORDED])
    market = Market(series, FIRST)
    ids, shown, accepted = {name: set() for name in StrategyName}, dict.fromkeys(StrategyName, 0), 0
    while market.index < len(series[0]) - 1:
        market.step()
        views = evaluate(market.tables, market.readings(), market.now, RULES)
        pick = select(views, StrategyName.HYBRID, TrackRecord(), SignalRules(), market.now)
        accepted += len(pick.accepted)
        for signal in pick.signals:
            candidate = signal.candidate
            ids[candidate.strategy].add(signal.signal_id)
            shown[candidate.strategy] += 1
            assert all(step.known <= market.now for step in candidate.provenance)
            assert candidate.anchor <= candidate.bar_close == market.now < candidate.expires
            sign = candidate.direction.sign
            assert sign * candidate.stop < sign * candidate.entry < sign * candidate.targets[0]
            assert list(candidate.targets) == sorted(candidate.targets, reverse=sign < 0)
            assert all(0.0 <= score <= 1.0 for score in (candidate.confidence, *candidate.sub_scores.values()))
            assert np.isfinite(signal.features).all()
            if candidate.strategy is StrategyName.ICT:
                assert abs(np.log(candidate.entry / candidate.stop)) >= 0.003 - 1e-12
    for name in StrategyName:
        assert 0 < len(ids[name]) < shown[name], name
    assert accepted > 0


def test_a_random_walk_also_meets_every_strategy():
    series = [random_series(seed, FIRST + 288) for seed in range(6)]
    market = Market(series, FIRST)
    seen = set()
    while market.index < len(series[0]) - 1:
        market.step()
        for views in evaluate(market.tables, market.readings(), market.now, RULES):
            seen |= {candidate.strategy for candidate in views.candidates()}
            assert views.facts.price_log == pytest.approx(np.log(views.reading.price))
            assert exp(views.facts.price_log) == pytest.approx(views.reading.price)
    assert seen == set(StrategyName)
