"""The indexed view: questions, catching up, rebuilding."""

from __future__ import annotations

import sqlite3

import pytest

from engine.adapters.memory_disk import MemoryDisk
from engine.commands import CloseVirtual
from engine.events import Event, EventKind, Severity
from engine.journal.log import JournalLog, replay
from engine.journal.record import (
    ChangeRecord,
    CommandRecord,
    CycleRecord,
    DecisionRecord,
    EventRecord,
    PositionRecord,
    SessionRecord,
    SignalRecord,
)
from engine.journal.view import Query, open_view
from engine.positions.lifecycle import EventName, PositionEvent
from engine.snapshot import CycleView, LeverageRow
from engine.strategy.candidate import Candidate, Direction, Step, StrategyName


def candidate(symbol):
    steps = (Step("bias", "1h bias is up.", "1h", 1, 2, 100.0),)
    return Candidate(
        StrategyName.ICT, symbol, Direction.LONG, "sweep", 100.0, 99.0, (102.0,), 0.7, {"trend": 1.0}, steps, 5
    )


def decision(symbol):
    return LeverageRow(
        12, symbol, "ict", "LONG", 1.0, 0.55, 0.7, 3, 5, 1.4, (("bracket", 50.0),), "formula", 1.4, 1, 100.0, 100.0,
        1.0, 0.5, "sized",
    )  # fmt: skip


def life(event, time, **more):
    return PositionEvent(event, "V1", "BTCUSDT", "ict", time, 101.0, 1.0, 0.5, 1.0, float("nan"), None, "", **more)


STORY = [
    SessionRecord(1, "session-1", event="start", version="0.1.0", exchange="simulator"),
    CycleRecord(10, "cycle-1", cycle=CycleView(1, 10, 12.0, 0, 200, 198, (("ict", 2),), 1, 1.0, ())),
    SignalRecord(11, "S1", "cycle-1", candidate=candidate("BTCUSDT"), state="accepted", rank=1),
    SignalRecord(11, "S2", "cycle-1", candidate=candidate("ETHUSDT"), state="candidate", reason="balance"),
    DecisionRecord(12, "D1", "S1", decision=decision("BTCUSDT")),
    PositionRecord(13, "V1", "S1", event=life(EventName.CREATED, 13)),
    EventRecord(14, event=Event(1, 14, EventKind.FEED, Severity.NOTICE, "reconnected")),
    CommandRecord(15, "C1", "V1", by="operator", command=CloseVirtual("V1"), outcome="done"),
    PositionRecord(16, "V1", "S1", event=life(EventName.CLOSED, 16)),
    ChangeRecord(17, what="mode", name="STRATEGY_MODE", old="hybrid", new="ict", by="operator"),
]


@pytest.fixture
def disk():
    disk = MemoryDisk()
    log = JournalLog(disk)
    log.open()
    log.append(STORY)
    return disk


def view_of(tmp_path, disk):
    return open_view(tmp_path / "view.sqlite", lambda after: replay(disk, after=after))


def test_every_kind_is_indexed_with_a_line_and_a_body(tmp_path, disk):
    view = view_of(tmp_path, disk)
    rows = list(view.select(Query()))
    assert [row.seq for row in rows] == list(range(1, len(STORY) + 1))
    assert all(row.line and row.body.startswith("{") for row in rows)
    assert view.applied == len(STORY)
    view.close()
    assert (tmp_path / "view.sqlite").stat().st_mode & 0o777 == 0o600


def test_questions_are_limited_by_kind_symbol_time_and_count(tmp_path, disk):
    view = view_of(tmp_path, disk)
    assert [row.ref for row in view.select(Query(kind="signal"))] == ["S1", "S2"]
    assert [row.kind for row in view.select(Query(symbol="BTCUSDT", since_ms=13))] == ["position", "position"]
    assert [row.seq for row in view.select(Query(limit=2))] == [9, 10]
    view.close()


def test_why_follows_causes_up_and_down_but_not_to_siblings(tmp_path, disk):
    view = view_of(tmp_path, disk)
    refs = [(row.kind, row.ref) for row in view.why("S1")]
    assert refs == [
        ("cycle", "cycle-1"),
        ("signal", "S1"),
        ("decision", "D1"),
        ("position", "V1"),
        ("command", "C1"),
        ("position", "V1"),
    ]
    assert ("signal", "S1") in [(row.kind, row.ref) for row in view.why("V1")]
    assert "S2" not in [row.ref for row in view.why("V1")]
    assert view.why("nothing") == []
    view.close()


def test_the_typed_tables_answer_in_sql(tmp_path, disk):
    view_of(tmp_path, disk).close()
    rows = sqlite3.connect(tmp_path / "view.sqlite")
    ask = lambda text: rows.execute(text).fetchall()  # noqa: E731 - one word for six questions
    assert ask("SELECT signal_id, state, direction, entry FROM signals ORDER BY seq")[0] == (
        "S1",
        "accepted",
        "LONG",
        100.0,
    )
    assert ask("SELECT signal_id, binding, leverage FROM decisions") == [("S1", "formula", 1.4)]
    assert ask("SELECT event FROM positions ORDER BY seq") == [("created",), ("closed",)]
    assert ask("SELECT severity, text FROM events") == [("notice", "reconnected")]
    assert ask("SELECT command, by, outcome FROM commands") == [("close_virtual", "operator", "done")]
    assert ask("SELECT number, ready FROM cycles") == [("1", 198)]
    assert ask("SELECT name, old, new, by FROM changes") == [("STRATEGY_MODE", "hybrid", "ict", "operator")]
    rows.close()


def test_a_view_catches_up_and_a_lost_one_is_rebuilt_equal(tmp_path, disk):
    view = view_of(tmp_path, disk)
    before = list(view.select(Query()))
    view.close()
    log = JournalLog(disk)
    log.open()
    log.append([STORY[-2]])
    view = view_of(tmp_path, disk)
    assert view.applied == len(STORY) + 1
    view.close()
    (tmp_path / "view.sqlite").write_bytes(b"this is not a database, it is a piece of text" * 50)
    view = view_of(tmp_path, disk)
    assert list(view.select(Query()))[: len(STORY)] == before
    assert view.applied == len(STORY) + 1
    view.close()


def test_a_view_of_another_log_or_version_is_made_anew(tmp_path, disk):
    view_of(tmp_path, disk).close()
    other = MemoryDisk()
    log = JournalLog(other)
    log.open()
    log.append([STORY[6]])
    view = view_of(tmp_path, other)
    assert [row.kind for row in view.select(Query())] == ["event"]
    view.close()
    rows = sqlite3.connect(tmp_path / "view.sqlite")
    rows.execute("PRAGMA user_version = 99")
    rows.close()
    view = view_of(tmp_path, disk)
    assert view.applied == len(STORY)
    view.close()
