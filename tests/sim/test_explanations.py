"""Every symbol of the list can be asked "why", in the running desk and afterwards in the journal."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from simulated_desk import World
from virtual_loop import run_virtual

from engine.commands import AskSignal, SetMode
from engine.journal.log import replay
from engine.journal.record import CycleRecord, DecisionRecord, SignalRecord
from engine.journal.story import stopped, stopped_document, tell, tell_stopped
from engine.journal.view import Query, open_view
from engine.signals.gate_log import MOVED, gates_of
from engine.signals.gates import GATES
from engine.snapshot import NoAnswer, SignalDetail
from engine.strategy.guests import Guest, Guests


class Moody:
    """A strategy from outside that fails on every symbol."""

    api = 1

    def view(self, market):
        raise RuntimeError("in no mood")


async def run(world, hours, **more):
    serving = asyncio.create_task(world.serve())
    desk = world.desk()
    desk.guests = more.get("guests") or desk.guests
    running = asyncio.create_task(desk.run())
    while not desk.feed.symbols:
        await asyncio.wait([running], timeout=0.001)
    first = {symbol: desk.answers.answer(AskSignal(symbol)) for symbol in desk.feed.symbols}
    await asyncio.wait([running], timeout=hours * 3600)
    answers = {symbol: desk.answers.answer(AskSignal(symbol)) for symbol in desk.feed.symbols}
    answers["NOSUCHUSDT"] = desk.answers.answer(AskSignal("NOSUCHUSDT"))
    refused = desk.operator.take(SetMode("fancy"), "operator")
    desk.stop("enough")
    await running
    serving.cancel()
    return desk, first, answers, refused


@pytest.fixture(scope="module")
def day():
    world = World(symbols=6, seed=3)
    guests = Guests([Guest("moody", Moody(), "moods 1.0")])
    return world, *run_virtual(run(world, 6.0, guests=guests))


@pytest.fixture
def view(day, tmp_path):
    view = open_view(tmp_path / "view.sqlite", lambda after: replay(day[0].disk, after=after))
    yield view
    view.close()


def test_every_symbol_answers_with_its_gate_and_distance_or_its_candidate_and_others_in_words(day):
    _, desk, _, answers, _ = day
    assert answers.pop("NOSUCHUSDT") == NoAnswer("NOSUCHUSDT is not judged: not in the universe")
    assert set(answers) == set(desk.feed.symbols)
    for detail in answers.values():
        assert isinstance(detail, SignalDetail)
        assert [card.strategy for card in detail.cards] == ["ict", "self_learning", "hybrid", "moody"]
        for card in detail.cards:
            assert card.provenance or card.gate
            assert card.state == "accepted" or card.asked
            assert not card.gate or card.gate in GATES
        assert detail.indicators


def test_a_symbol_that_is_not_ready_yet_says_what_it_waits_for(day):
    _, _, first, _, _ = day
    assert first
    for detail in first.values():
        assert isinstance(detail, SignalDetail), detail
        assert {card.gate for card in detail.cards} == {"data"}
        assert "no candles yet" in detail.cards[0].reason


def test_a_failing_strategy_from_outside_is_told_switched_off_and_harms_nothing(day):
    world, desk, _, _, refused = day
    lines = [event.text for event in world.port.events(0).events if "moody" in event.text and event.kind == "system"]
    assert lines[-1].endswith("it is switched off until the desk starts again: repair or uninstall it")
    assert sum("in no mood" in line for line in lines) == 3
    assert {views.view("moody").gate for views in desk.live.views.values()} == {"switched off"}
    assert desk.cycle.ready == 6
    assert refused == (False, "mode 'fancy' is unknown; known are ict, self_learning, hybrid, moody")


def test_the_journal_knows_what_stopped_every_symbol_in_the_last_cycle(day, view):
    _, desk, *_ = day
    now = gates_of(list(desk.live.views.values()), desk.live.waiting, desk.live.selection)
    for symbol, answers in now.items():
        found = stopped(symbol, view.cycles(1 << 62))
        assert found.cycle == desk.live.number
        known = {noted.row.strategy: noted.row for noted in found.noted}
        assert known.keys() == answers.keys()
        for name, row in answers.items():
            wanted = answers["ict"] if row.gate == "=" else row
            assert (known[name].gate, known[name].ref) == (wanted.gate, wanted.ref)
            assert known[name].distance == pytest.approx(wanted.distance, rel=MOVED * 1.5)
        assert len(tell_stopped(found)) == 1 + len(answers)
        assert msgspec.json.encode(stopped_document(found))


def test_any_cycle_can_be_asked_for(day, view):
    symbol = day[1].feed.symbols[0]
    for number in (1, 30, 61, 200):
        found = stopped(symbol, view.cycles(1 << 62, number))
        assert found.cycle == number
        assert all(noted.cycle <= number for noted in found.noted)


def test_every_signal_rejected_candidate_and_decision_of_the_day_can_be_told(day, view):
    records = [entry.record for entry in replay(day[0].disk)]
    signals = [one for one in records if isinstance(one, SignalRecord)]
    decisions = [one for one in records if isinstance(one, DecisionRecord)]
    assert {one.state for one in signals} == {"accepted", "candidate"}
    assert decisions
    for one in signals:
        text = "\n".join(tell(view.why(one.ref)))
        assert one.candidate.symbol in text
        assert all(step.text in text for step in one.candidate.provenance)
        assert all(limit in text for limit in one.limits)
        assert bool(one.gate) == (one.state == "candidate")
    for one in decisions:
        text = "\n".join(tell(view.why(one.ref)))
        assert "formula" in text
        assert all(name in text for name, _ in one.decision.caps)


def test_the_gates_cost_the_journal_little(day, view):
    cycles = [entry.record for entry in replay(day[0].disk) if isinstance(entry.record, CycleRecord)]
    rows = sum(len(one.gates) for one in cycles)
    everything = sum(len(cycles) * len(views.all()) for views in day[1].live.views.values())
    assert 0 < rows < 0.5 * everything
    assert [row.kind for row in view.select(Query(kind="cycle", limit=1))] == ["cycle"]
