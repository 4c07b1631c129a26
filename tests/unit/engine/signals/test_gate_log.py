"""What stopped every symbol, stored as changes and put together again."""

from __future__ import annotations

import random

import msgspec
import pytest
from signal_views import candidate, views

from engine.positions.track import TrackRecord
from engine.signals.gate_log import LEFT, MOVED, WHOLE_EVERY, GateLog, GateRow, Reader, gates_of
from engine.signals.gates import DATA, GATES, told
from engine.signals.rules import DIMENSIONS, SignalRules
from engine.signals.select import select
from engine.strategy.candidate import NoCandidate, StrategyName
from engine.strategy.setup import GATE_NAMES

ICT, LEARNED, HYBRID = StrategyName


def seen(symbol, ict_gate="sweep", distance=1.0, learned=0.1, hybrid=None):
    """Views of a symbol stopped everywhere; hybrid follows ict unless a gate of its own is given."""
    base = views(candidate(symbol=symbol))
    ict = NoCandidate(ICT, symbol, ict_gate, "text", distance)
    own = hybrid or (ict_gate, distance)
    return msgspec.structs.replace(
        base,
        ict=ict,
        self_learning=NoCandidate(LEARNED, symbol, "break-even", "text", learned),
        hybrid=NoCandidate(HYBRID, symbol, own[0], "text", own[1]),
    )


def picked(all_views, rules=None):
    return select(all_views, ICT, TrackRecord(), rules or SignalRules(), 5_000)


def test_every_gate_a_strategy_or_a_selection_can_name_is_in_the_table():
    named = {*GATE_NAMES.values(), *DIMENSIONS, DATA, "break-even", "predictor", "self-learning veto"}
    named |= {"expected value", "balance", "rank", "acting strategy", "plugin fault", "switched off", "absent"}
    assert named - {"session"} <= set(GATES)  # a session is never a gate


def test_a_gate_is_told_with_its_distance_unit_and_what_it_asks():
    assert told("target", 0.3) == "target, missed by 0.3 R: asked is an open opposing pool worth at least 1.5 R"
    assert told("entry zone", 1.0) == "entry zone: asked is a fair value gap or an order block left by the leg"
    assert told("channel", 0.25) == "channel, 0.25 away"
    assert told("mood", 0.0) == "mood"


def test_the_first_cycle_is_whole_and_the_next_holds_only_what_changed():
    log = GateLog()
    both = [seen("A"), seen("B")]
    whole, rows = log.take(both, (), picked(both))
    assert whole
    assert [(row.symbol, row.strategy, row.gate) for row in rows] == [
        ("A", "ict", "sweep"),
        ("A", "self_learning", "break-even"),
        ("A", "hybrid", "="),
        ("B", "ict", "sweep"),
        ("B", "self_learning", "break-even"),
        ("B", "hybrid", "="),
    ]
    moved = [seen("A", distance=1.05), seen("B", distance=1.5)]
    whole, rows = log.take(moved, (), picked(moved))
    assert (whole, rows) == (False, (GateRow("B", "ict", "sweep", 1.5),))


def test_a_candidate_is_stored_with_the_signal_it_became_and_what_stopped_that():
    one = views(candidate(confidence=0.2))
    pick = picked([one])
    row = gates_of([one], (), pick)["A"]["ict"]
    assert (row.gate, row.distance, row.ref) == ("confidence", 0.15, pick.signals[0].signal_id)
    good = views(candidate())
    pick = picked([good])
    assert gates_of([good], (), pick)["A"]["ict"] == GateRow("A", "ict", "", 0.0, pick.accepted[0].signal_id)


def test_a_symbol_that_waits_or_leaves_says_so():
    log = GateLog()
    log.take([seen("A"), seen("B")], (), picked([]))
    _, rows = log.take([], (("A", "5m: waits for a bar"),), picked([]))
    assert rows == (GateRow("A", "", DATA, 0.0, "5m: waits for a bar"), GateRow("B", "", DATA, 0.0, LEFT))


@pytest.mark.parametrize("seed", range(5))
def test_what_is_read_back_is_what_stood_at_every_cycle(seed):
    chance = random.Random(seed)
    log, reader = GateLog(), Reader()
    symbols = ["A", "B", "C"]
    held = {symbol: seen(symbol) for symbol in symbols}
    for cycle in range(1, 2 * WHOLE_EVERY + 7):
        waiting = []
        for symbol in symbols:
            what = chance.random()
            if what < 0.3:
                gate = chance.choice(["sweep", "discount", "target"])
                own = ("predictor", chance.random()) if chance.random() < 0.3 else None
                held[symbol] = seen(symbol, gate, chance.random() * 3, chance.random(), own)
            elif what < 0.4:
                held[symbol] = views(candidate(symbol=symbol, confidence=chance.choice([0.2, 0.6])))
            elif what < 0.45:
                waiting.append((symbol, "price is 12 s old"))
        out = [name for name, _ in waiting]
        now = [one for symbol, one in held.items() if symbol not in out]
        pick = picked(now)
        whole, rows = log.take(now, waiting, pick)
        reader.take(cycle * 60_000, cycle, whole, rows)
        for symbol, answers in gates_of(now, waiting, pick).items():
            known = reader.of(symbol)
            assert known.keys() == answers.keys()
            for name, row in answers.items():
                wanted = answers["ict"] if row.gate == "=" else row
                got = known[name].row
                assert (got.gate, got.ref) == (wanted.gate, wanted.ref)
                assert abs(got.distance - wanted.distance) <= MOVED * max(abs(got.distance), abs(wanted.distance))
                assert known[name].cycle <= cycle


def test_a_row_is_small_in_the_journal():
    assert len(msgspec.msgpack.encode(GateRow("1000PEPEUSDT", "self_learning", "break-even", 0.123))) < 60
