import msgspec
import pytest
from signal_views import candidate, views

from engine.positions.track import ClosedTrade, TrackRecord
from engine.signals.rules import SignalRules
from engine.signals.select import select
from engine.signals.signal import SignalState, signal_id
from engine.strategy.candidate import Direction, StrategyName
from ml.schema import FEATURES

ICT, LEARNED, HYBRID = StrategyName
LONG, SHORT = Direction.LONG, Direction.SHORT
RULES = SignalRules()


def chosen(all_views, mode=ICT, record=None, rules=RULES):
    return select(all_views, mode, record or TrackRecord(), rules, 5_000)


def record_of(r, trades):
    record = TrackRecord()
    for number in range(trades):
        record.record(ClosedTrade("ict", 0.6, r, number))
    return record


def many(longs, shorts):
    proposals = [candidate(symbol=f"L{i}", ratio=3.0 - 0.01 * i) for i in range(longs)]
    proposals += [candidate(symbol=f"S{i}", direction=SHORT, ratio=2.0 - 0.01 * i) for i in range(shorts)]
    return [views(proposal) for proposal in proposals]


def symbols(signals):
    return [signal.candidate.symbol for signal in signals]


def test_an_empty_cycle_selects_nothing():
    pick = chosen([views()])
    assert pick.signals == pick.accepted == pick.fallen == pick.virtual == ()
    assert pick.long_share != pick.long_share
    assert dict(pick.candidates) == {"ict": 0, "self_learning": 0, "hybrid": 0}
    assert all(one.kept == one.dropped == 0 for one in pick.dimensions)


def test_rank_follows_expected_value_and_the_first_three_may_execute():
    ratios = {"A": 2, "B": 4, "C": 3, "D": 5, "E": 2.5}
    pick = chosen([views(candidate(symbol=name, ratio=ratio)) for name, ratio in ratios.items()])
    assert symbols(pick.accepted) == ["D", "B", "C", "E", "A"]
    assert [signal.rank for signal in pick.accepted] == [1, 2, 3, 4, 5]
    assert [signal.executable for signal in pick.accepted] == [True, True, True, False, False]
    assert all(signal.state is SignalState.ACCEPTED for signal in pick.accepted)
    values = [signal.expected_r for signal in pick.accepted]
    assert values == sorted(values, reverse=True)


def test_expected_value_uses_the_record_of_the_confidence_band_after_costs():
    record = record_of(1.0, 20)
    signal = chosen([views(candidate())], record=record).accepted[0]
    costs = (0.001 + 0.0002 + 0.0004 + 0.0001 * 1.5) / 0.01
    assert signal.p_win == pytest.approx(31 / 40)
    assert signal.p_source == "shrunk win rate"
    assert signal.costs_r == pytest.approx(costs)
    assert signal.expected_r == pytest.approx(31 / 40 * 2 - 9 / 40 - costs)


@pytest.mark.parametrize("strategy", [ICT, HYBRID])
def test_the_predictor_takes_the_place_of_the_record_where_it_has_a_vote(strategy):
    signal = chosen([views(candidate(strategy), p_win=0.7)], mode=strategy).accepted[0]
    assert (signal.p_win, signal.p_source) == (0.7, "predictor")


def test_self_learning_is_ranked_by_its_head_only_when_that_is_trained():
    proposal = candidate(LEARNED)
    assert chosen([views(proposal)], mode=LEARNED).signals[0].p_source == "shrunk win rate"
    signal = chosen([views(proposal, trained=True)], mode=LEARNED).signals[0]
    assert (signal.p_win, signal.p_source) == (0.45, "trained head")


def test_a_hybrid_proposal_that_stands_unchanged_shares_the_judgement_but_not_the_record(monkeypatch):
    ict, learned = candidate(ICT), candidate(LEARNED, ratio=2.5)
    same, blended = candidate(HYBRID), candidate(HYBRID, confidence=0.7)
    record = record_of(1.0, 20)
    one, _, other = chosen([views(ict, learned, same)], record=record).signals
    assert other.quality is one.quality
    assert (other.costs_r, other.misses) == (one.costs_r, one.misses)
    assert other.p_win < one.p_win
    assert other.signal_id != one.signal_id
    names = [feature.name for feature in FEATURES]
    told = {name for name, mine, its in zip(names, one.features, other.features, strict=True) if mine != its}
    assert told == {"is_ict", "is_hybrid"}
    one, _, other = chosen([views(ict, learned, blended)], record=record).signals
    assert other.quality != one.quality


def test_what_is_over_the_number_falls_with_that_reason():
    pick = chosen(many(12, 0))
    assert symbols(pick.accepted) == [f"L{i}" for i in range(10)]
    assert symbols(pick.fallen) == ["L10", "L11"]
    assert all("10 signals are accepted per cycle" in signal.reason for signal in pick.fallen)
    assert [signal.rank for signal in pick.fallen] == [11, 12]
    assert pick.long_share == 1.0


def test_balance_makes_room_for_the_other_side_and_says_so():
    pick = chosen(many(12, 5))
    assert pick.long_share == pytest.approx(0.7)
    assert symbols(pick.accepted) == [*(f"L{i}" for i in range(7)), "S0", "S1", "S2"]
    reasons = {signal.candidate.symbol: signal.reason for signal in pick.fallen}
    assert "balance: LONG" in reasons["L7"]
    assert "per cycle" in reasons["S4"]


def test_a_candidate_that_does_not_pay_falls_but_still_trades_virtually():
    losing = record_of(-1.0, 30)
    pick = chosen([views(candidate())], record=losing)
    assert pick.accepted == ()
    assert "expects -" in pick.fallen[0].reason
    assert len(pick.virtual) == 1


def test_a_gate_drops_a_candidate_from_everything_but_the_journal():
    pick = chosen([views(candidate(), spread_bps=50.0)])
    assert pick.accepted == pick.virtual == ()
    assert len(pick.signals) == len(pick.fallen) == 1
    assert pick.fallen[0].reason.startswith("spread: spread 50.00 bp")
    assert pick.fallen[0].rank == 0
    assert {one.name: one.dropped for one in pick.dimensions}["spread"] == 1


def test_all_three_strategies_trade_virtually_and_only_the_acting_one_is_accepted():
    pick = chosen([views(candidate(ICT), candidate(LEARNED), candidate(HYBRID))], mode=HYBRID)
    assert [signal.candidate.strategy for signal in pick.virtual] == [ICT, LEARNED, HYBRID]
    assert [signal.candidate.strategy for signal in pick.accepted] == [HYBRID]
    others = [signal for signal in pick.signals if signal.candidate.strategy is not HYBRID]
    assert all(signal.reason == "trades virtually: hybrid is the acting strategy" for signal in others)
    assert dict(pick.candidates) == {"ict": 1, "self_learning": 1, "hybrid": 1}


def test_a_set_up_keeps_its_id_while_it_lives_and_another_one_has_another():
    first = chosen([views(candidate(confidence=0.6))]).accepted[0]
    later = select([views(candidate(confidence=0.7))], ICT, TrackRecord(), RULES, 65_000).accepted[0]
    assert later.signal_id == first.signal_id
    assert (first.time, later.time) == (5_000, 65_000)
    changes = [
        {"strategy": HYBRID},
        {"symbol": "B"},
        {"direction": SHORT},
        {"anchor": 2_000},
        {"pattern": "other"},
    ]
    base = candidate()
    ids = {signal_id(msgspec.structs.replace(base, **change)) for change in changes}
    assert len(ids | {signal_id(base)}) == 6


def test_ids_are_injected():
    pick = select([views(candidate())], ICT, TrackRecord(), RULES, 1, ids=lambda one: f"id-{one.symbol}")
    assert pick.accepted[0].signal_id == "id-A"


def test_a_signal_carries_its_feature_row_and_the_hash_of_the_schema():
    signal = chosen([views(candidate())]).accepted[0]
    assert len(signal.features) == len(FEATURES)


def test_a_signal_is_found_by_strategy_and_symbol():
    pick = chosen([views(candidate(ICT), candidate(LEARNED))])
    assert pick.signal_of(LEARNED, "A").candidate.strategy is LEARNED
    assert pick.signal_of(HYBRID, "A") is None


def test_equal_candidates_keep_one_order():
    pick = chosen([views(candidate(symbol=name)) for name in ("C", "A", "B")])
    assert symbols(pick.accepted) == ["A", "B", "C"]


def test_a_signal_survives_serialisation():
    pick = chosen([views(candidate())])
    signal = pick.accepted[0]
    assert msgspec.json.decode(msgspec.json.encode(signal), type=type(signal)) == signal


@pytest.mark.parametrize(
    ("change", "over", "gate", "distance"),
    [
        ({"confidence": 0.30}, {}, "confidence", 0.05),
        ({"ratio": 1.2}, {}, "reward_risk", 0.3),
        ({"ratio": 9.0}, {}, "reward_risk", 1.0),
        ({}, {"spread_bps": 12.5}, "spread", 2.5),
        ({}, {"funding_rate": -0.0025}, "funding", 0.15),
        ({}, {"completeness": 0.97}, "completeness", 2.0),
    ],
)
def test_a_dropped_candidate_names_its_gate_and_the_distance_in_the_unit_of_the_gate(change, over, gate, distance):
    signal = chosen([views(candidate(**change), **over)]).fallen[0]
    assert (signal.gate, signal.distance) == (gate, pytest.approx(distance))
    assert dict(signal.misses)[gate] == pytest.approx(distance)


def test_a_soft_limit_that_was_missed_is_told_without_being_the_gate():
    signal = chosen([views(candidate(), volume_rank=240)]).accepted[0]
    assert (signal.gate, signal.misses) == ("", (("volume_rank", 10.0),))


def test_what_fell_by_worth_number_or_balance_names_the_distance_too():
    poor = chosen([views(candidate(), spread_bps=9.0)], record=record_of(-1.0, 30)).fallen[0]
    assert poor.gate == "expected value"
    assert poor.distance == pytest.approx(-poor.expected_r)
    pick = chosen(many(0, 6), rules=msgspec.structs.replace(RULES, max_signals=4))
    assert [(one.gate, one.distance) for one in pick.fallen] == [("rank", 1.0), ("rank", 2.0)]
    pick = chosen(many(9, 1))
    assert {one.gate for one in pick.fallen} == {"balance"}
    other = chosen([views(candidate(LEARNED))]).signals[0]
    assert (other.gate, other.distance) == ("acting strategy", 0.0)
