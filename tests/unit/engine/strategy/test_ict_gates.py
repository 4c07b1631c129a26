from math import exp, inf, nan

import ict_tables as hand
import numpy as np
import pytest
from ict_tables import BASE, NOW, PRICE
from strategy_market import reading

from engine.analysis.layout import BLOCK_TESTED, CHOCH, INTERNAL, MSS, SWING
from engine.strategy import ict
from engine.strategy import setup as s
from engine.strategy.candidate import Candidate, Direction, NoCandidate, StrategyName


def found(tables, price=PRICE):
    return ict.setups(tables, np.zeros(1, np.int64), np.array([price]))[0]


def gate(tables, price=PRICE):
    return found(tables, price).gate


def seen(tables, price=PRICE, now=NOW):
    return ict.view(found(tables, price), reading(0, "BTCUSDT", exp(price)), NOW, now)


def test_a_complete_sweep_reversal_passes_every_gate():
    setup = found(hand.reversal())
    assert (setup.gate, setup.pattern, setup.sign) == (s.PASSED, s.SWEEP_REVERSAL, 1)
    assert (setup.entry, setup.stop, setup.target) == pytest.approx((hand.ENTRY, hand.STOP, hand.TARGET))
    assert setup.anchor == NOW - 2 * 300_000
    assert setup.expires == NOW + 300_000
    assert setup.position == pytest.approx((0.006 - 0.0008) / 0.014)


def test_its_candidate_tells_one_step_per_gate_with_the_object_it_rests_on():
    candidate = seen(hand.reversal())
    assert isinstance(candidate, Candidate)
    assert (candidate.strategy, candidate.direction, candidate.pattern) == (
        StrategyName.ICT,
        Direction.LONG,
        "sweep reversal",
    )
    steps = {step.step: step for step in candidate.provenance}
    assert list(steps) == ["bias", "discount", "sweep", "shift", "entry", "stop", "target", "confidence"]
    assert steps["sweep"].at == NOW - (300 - 290) * 300_000
    assert steps["sweep"].known == NOW - (300 - 292) * 300_000
    assert steps["sweep"].level == pytest.approx(exp(BASE - 0.004))
    assert steps["shift"].known == candidate.anchor
    assert "MSS up" in steps["shift"].text
    assert steps["entry"].level == candidate.entry
    assert steps["stop"].level == candidate.stop
    assert steps["target"].level == candidate.targets[0]
    assert all(step.known <= NOW for step in candidate.provenance)
    assert candidate.limit
    assert list(candidate.sub_scores) == ["trend", "structure", "position", "momentum", "volatility"]
    weights = (0.4, 0.2, 0.2, 0.1, 0.1)
    total = sum(w * v for w, v in zip(weights, candidate.sub_scores.values(), strict=True))
    assert candidate.confidence == pytest.approx(total)


def set_series(frame, **values):
    def change(tables):
        for name, value in values.items():
            tables.series[name][frame] = value

    return change


def no_range(tables):
    tables.series["last_high"][1] = -1


def high_range(tables):
    hand.swing_range(tables, 1, BASE - 0.006, BASE + 0.001)


def no_sweep(tables):
    tables.series["sweeps"][0] = 0
    tables.series["breaks"][0] = 0


def no_break(tables):
    tables.series["breaks"][0] = 0


def weak_break(tables):
    hand.shift(tables, displacement=0.0)


def broken_sweep(tables):
    hand.bar(tables, 294, -0.0041, 0.0, 0.0)


def no_zone(tables):
    tables.series["gaps"][0] = 0


def no_pool(tables):
    tables.series["pools"][1] = 0


def near_pool(tables):
    tables.pools[1, 0]["level"] = hand.ENTRY + 1.2 * (hand.ENTRY - hand.STOP)


def old(tables):
    hand.shift(tables, known=296)


def opposed(tables):
    tables.breaks[0, INTERNAL, 1] = (CHOCH, -1, 290, 299, BASE - 0.001, 0.0)
    tables.series["breaks"][0, INTERNAL] = 2


def ran(tables):
    hand.bar(tables, 298, 0.0003, 0.004, 0.0008)


def fell(tables):
    hand.bar(tables, 298, -0.0026, 0.0016, 0.0008)


def reached(tables):
    hand.bar(tables, 298, 0.0003, 0.0061, 0.0008)


@pytest.mark.parametrize(
    ("change", "expected", "distance"),
    [
        (set_series(2, ema200=nan, n=150), s.WARM_UP, 50.0),
        (set_series(0, atr14=0.0), s.FLAT, 1.0),
        (set_series(1, vol_mean=0.0), s.FLAT, 1.0),
        (set_series(2, bias=0), s.BIAS, 10.0),
        (no_range, s.RANGE, 1.0),
        (high_range, s.DEAR, 0.0052 / 0.007 - 0.5),
        (no_sweep, s.SWEEP, 10.0),
        (no_break, s.BREAK, 10.0),
        (weak_break, s.DISPLACEMENT, 1.5),
        (broken_sweep, s.FAILED, 0.1),
        (no_zone, s.ZONE, 1.0),
        (no_pool, s.TARGET, 1.5),
        (near_pool, s.TARGET, 0.3),
        (old, s.EXPIRED, 1.0),
        (ran, s.MOVED, 0.0025 / 0.0033 - 0.5),
        (fell, s.MOVED, 0.0018 / 0.0033 - 0.5),
        (opposed, s.OPPOSED, 1.0),
        (reached, s.REACHED, 0.0001 / 0.0033),
    ],
)
def test_each_gate_stops_the_set_up_and_names_the_distance(change, expected, distance):
    tables = hand.reversal()
    change(tables)
    setup = found(tables)
    assert s.GATE_NAMES[setup.gate] == s.GATE_NAMES[expected]
    assert setup.distance == pytest.approx(distance)
    view = ict.view(setup, reading(0, "BTCUSDT", exp(PRICE)), NOW, NOW)
    assert isinstance(view, NoCandidate)
    assert view.gate == s.GATE_NAMES[expected]
    assert "{" not in view.text


def internal_swing(tables, frame, place, side, level):
    tables.swings[frame, INTERNAL, place] = (side, 0, 260, 265, BASE + level, -1)
    tables.series["last_high" if side > 0 else "last_low"][frame, INTERNAL] = place


def test_what_is_waited_for_is_told_in_atr():
    tables = hand.reversal()
    no_sweep(tables)
    hand.pool(tables, BASE - 0.0020, side=-1)
    hand.pool(tables, BASE - 0.0044, side=-1)
    hand.pool(tables, BASE + 0.0010, side=1)
    assert found(tables).distance == pytest.approx(0.0026 / 0.002)
    assert "1.30 ATR away" in seen(tables).text
    tables = hand.reversal()
    no_break(tables)
    internal_swing(tables, 0, 0, 1, 0.0026)
    assert found(tables).distance == pytest.approx(0.0020 / 0.001)
    tables = hand.reversal()
    tables.series["bias"][2] = 0
    internal_swing(tables, 2, 0, 1, 0.0300)
    internal_swing(tables, 2, 1, -1, -0.0054)
    assert found(tables).distance == pytest.approx(0.0060 / 0.006)


def test_a_trend_block_needs_no_dealing_range():
    tables = hand.trend_block()
    no_range(tables)
    assert gate(tables, BASE + 0.0007) == s.PASSED
    tables.series["blocks"][1] = 0
    assert gate(tables, BASE + 0.0007) == s.RANGE


def test_price_in_premium_is_told_before_the_wait_for_a_sweep():
    tables = hand.quiet()
    high_range(tables)
    assert found(tables).gate == s.DISCOUNT
    assert found(tables).position == pytest.approx(0.0066 / 0.007)


def test_the_present_price_cancels_too():
    assert gate(hand.reversal(), BASE + 0.004) == s.MOVED
    assert gate(hand.reversal(), BASE + 0.0062) == s.REACHED
    assert gate(hand.reversal(), BASE - 0.0045) == s.FAILED


def test_a_set_up_whose_time_is_over_before_the_next_bar_arrives_is_no_candidate():
    late = seen(hand.reversal(), now=NOW + 300_000)
    assert isinstance(late, NoCandidate)
    assert late.gate == "expired"


def test_a_set_up_lives_for_exactly_three_closed_bars():
    for known, alive in ((299, True), (298, True), (297, True), (296, False)):
        tables = hand.reversal()
        hand.bar(tables, 297, -0.0005, 0.0016, 0.0008)
        hand.shift(tables, known=known)
        assert (gate(tables) == s.PASSED) is alive


def test_the_stop_is_never_nearer_than_three_tenths_of_a_percent():
    tables = hand.reversal()
    tables.gaps[0, 0]["low"], tables.gaps[0, 0]["high"] = BASE - 0.0030, BASE - 0.0026
    setup = found(tables)
    assert setup.gate == s.PASSED
    assert setup.entry - setup.stop == pytest.approx(0.003)


def test_a_zone_that_overlaps_the_62_to_79_percent_retracement_is_preferred_and_entered_inside_it():
    tables = hand.reversal()
    tables.gaps[0, 1] = (1, 0, 294, 295, BASE - 0.0022, BASE - 0.0006, 295)
    tables.series["gaps"][0] = 2
    setup = found(tables)
    shallow = BASE + 0.0018 - 0.62 * 0.0058
    assert setup.ote == 1
    assert setup.entry == pytest.approx(shallow)


def test_a_block_of_the_leg_serves_where_no_gap_was_left():
    tables = hand.reversal()
    tables.series["gaps"][0] = 0
    row = tables.blocks[0, 0]
    row["side"], row["at"], row["known"], row["quality"] = 1, 292, 297, 0.7
    row["low"], row["high"] = BASE - 0.0012, BASE - 0.0004
    tables.series["blocks"][0] = 1
    setup = found(tables)
    assert (setup.gate, setup.zone_kind) == (s.PASSED, s.ZONE_BLOCK)
    assert setup.entry == pytest.approx(BASE - 0.0008)


def test_a_gap_whose_middle_was_traded_before_the_set_up_stood_is_no_entry():
    tables = hand.reversal()
    tables.gaps[0, 0]["state"], tables.gaps[0, 0]["changed"] = 2, 296
    assert gate(tables) == s.ZONE
    tables.gaps[0, 0]["changed"] = 298
    assert gate(tables) == s.PASSED


def test_the_nearest_pool_worth_one_and_a_half_r_is_the_target_and_further_ones_follow():
    tables = hand.reversal()
    risk = hand.ENTRY - hand.STOP
    for level in (hand.ENTRY + 1.4 * risk, BASE + 0.009, BASE + 0.005, BASE + 0.02):
        hand.pool(tables, level)
    hand.pool(tables, BASE + 0.0045, side=-1)
    candidate = seen(tables)
    assert candidate.targets == pytest.approx([exp(BASE + offset) for offset in (0.005, 0.006, 0.009)])


def test_a_sweep_older_than_four_hours_before_the_shift_does_not_count():
    tables = hand.reversal()
    tables.sweeps[0, 0]["at"], tables.sweeps[0, 0]["known"] = 240, 241
    assert gate(tables) == s.SWEEP


def test_a_change_of_character_on_15m_serves_as_well():
    tables = hand.reversal()
    tables.series["breaks"][0] = 0
    tables.breaks[1, INTERNAL, 0] = (MSS, 1, 280, 299, BASE + 0.001, 2.0)
    tables.series["breaks"][1, INTERNAL] = 1
    setup = found(tables)
    assert (setup.gate, setup.break_frame, setup.anchor) == (s.PASSED, 1, NOW)


def test_displacement_may_come_from_a_continuation_break_after_the_sweep():
    tables = hand.reversal()
    weak_break(tables)
    tables.breaks[1, INTERNAL, 0] = (0, 1, 280, 299, BASE + 0.001, 1.8)
    tables.series["breaks"][1, INTERNAL] = 1
    assert found(tables).displacement == pytest.approx(1.8)


def test_a_trend_block_enters_at_the_near_edge_and_is_named_by_its_block():
    setup = found(hand.trend_block(), BASE + 0.0007)
    assert (setup.gate, setup.pattern) == (s.PASSED, s.TREND_BLOCK)
    assert setup.entry == pytest.approx(BASE + 0.0004)
    assert setup.stop == pytest.approx(min(BASE - 0.002 - 0.0002, BASE + 0.0004 - 0.003))
    assert setup.anchor == NOW - (299 - 250) * 900_000
    assert setup.expires == NOW - 300_000 + 3 * 300_000
    steps = [step.step for step in seen(hand.trend_block(), BASE + 0.0007).provenance]
    assert steps == ["bias", "agreement", "entry", "stop", "target", "confidence"]


@pytest.mark.parametrize(
    "change",
    [
        set_series(1, bias=-1),
        set_series(1, bias=0),
        set_series(0, bias=-1),
        lambda t: t.blocks[1, 0].__setitem__("state", BLOCK_TESTED),
        lambda t: t.blocks[1, 0].__setitem__("known", 300 - 72 * 4 - 1),
        lambda t: t.blocks[1, 0].__setitem__("side", -1),
        lambda t: t.blocks[1, 0].__setitem__("high", BASE - 0.001),
    ],
)
def test_without_agreement_or_a_fresh_block_in_reach_there_is_no_trend_block(change):
    tables = hand.trend_block()
    change(tables)
    assert gate(tables, BASE + 0.0007) < s.TARGET


def test_a_block_loses_weight_between_48_and_72_hours():
    def quality(age_bars):
        tables = hand.trend_block()
        tables.blocks[1, 0]["known"] = 299 - age_bars
        return found(tables, BASE + 0.0007).zone_quality

    assert quality(48 * 4) == pytest.approx(0.8)
    assert quality(60 * 4) == pytest.approx(0.4)


def test_price_that_stays_three_closed_bars_at_the_block_ends_the_chance():
    tables = hand.trend_block()
    for index in (297, 298, 299):
        hand.bar(tables, index, 0.0006, 0.0025, 0.0007)
    assert gate(tables, BASE + 0.0007) == s.EXPIRED


def test_an_unbiased_15m_swing_layer_falls_back_to_the_internal_one():
    tables = hand.trend_block()
    tables.series["bias"][1, SWING] = 0
    tables.series["bias"][1, INTERNAL] = 1
    assert gate(tables, BASE + 0.0007) == s.PASSED


def test_a_price_that_is_no_number_proposes_nothing():
    for price in (nan, inf, -inf):
        assert gate(hand.reversal(), price) != s.PASSED
