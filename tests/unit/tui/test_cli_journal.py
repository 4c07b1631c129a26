"""Asking the journal from the command line."""

from __future__ import annotations

import json

import pytest

from engine.adapters.disk import DirectoryDisk
from engine.events import Event, EventKind, Severity
from engine.journal.log import JournalLog
from engine.journal.record import EventRecord, PositionRecord, SignalRecord
from engine.positions.lifecycle import EventName, PositionEvent
from engine.strategy.candidate import Candidate, Direction, StrategyName
from tui.cli import main

START = 1_700_000_000_000


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "desk"
    folder.mkdir(mode=0o700)
    log = JournalLog(DirectoryDisk(folder))
    log.open()
    one = Candidate(StrategyName.ICT, "BTCUSDT", Direction.LONG, "sweep", 100.0, 99.0, (102.0,), 0.7, {}, (), START)
    life = PositionEvent(EventName.CREATED, "V1", "BTCUSDT", "ict", START, 100.0, 0, 0, 0, 0, None, "")
    evil = Event(1, START, EventKind.FEED, Severity.INFO, "\x1b[31mred\x1b[0m", symbol="ETHUSDT")
    log.append(
        [
            SignalRecord(START, "S1", candidate=one, state="accepted"),
            PositionRecord(START + 1000, "V1", "S1", event=life),
            EventRecord(START + 7_200_000, event=evil),
        ]
    )
    return folder


def ask(capsys, data, *words):
    code = main(["--data-dir", str(data), "journal", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_show_lists_records_in_order_with_harmless_text(capsys, data):
    code, out, err = ask(capsys, data, "show")
    lines = out.splitlines()
    assert (code, len(lines), err) == (0, 3, "")
    assert "signal" in lines[0]
    assert "2023-11-14 22:13:20" in lines[0]
    assert "\x1b" not in out


def test_show_is_limited_and_speaks_json(capsys, data):
    _, out, _ = ask(capsys, data, "show", "--kind", "signal", "--json")
    document = json.loads(out)
    assert document["seq"] == 1
    assert document["record"]["candidate"]["symbol"] == "BTCUSDT"
    assert len(ask(capsys, data, "show", "--symbol", "btcusdt")[1].splitlines()) == 2
    assert len(ask(capsys, data, "show", "--limit", "1")[1].splitlines()) == 1
    assert len(ask(capsys, data, "show", "--since", "1h")[1].splitlines()) == 1
    assert len(ask(capsys, data, "show", "--since", "2023-11-14T22:13:21")[1].splitlines()) == 2
    assert len(ask(capsys, data, "show", "--since", "2023-11-14T23:13:21+01:00")[1].splitlines()) == 2


def test_why_shows_the_signal_behind_a_position(capsys, data):
    code, out, _ = ask(capsys, data, "why", "V1", "--json")
    assert code == 0
    assert [json.loads(line)["record"]["kind"] for line in out.splitlines()] == ["signal", "position"]
    code, out, err = ask(capsys, data, "why", "V999")
    assert (code, out) == (1, "")
    assert "V999" in err


def test_export_is_the_whole_log_as_json_lines(capsys, data):
    code, out, _ = ask(capsys, data, "export")
    assert code == 0
    assert [json.loads(line)["seq"] for line in out.splitlines()] == [1, 2, 3]


def test_verify_passes_a_whole_log_and_fails_a_damaged_one_with_code_14(capsys, data):
    code, out, _ = ask(capsys, data, "verify")
    assert code == 0
    assert out.startswith("whole: 3 records in 1 segments")
    segment = data / "journal" / "00000001.log"
    damaged = bytearray(segment.read_bytes())
    damaged[100] ^= 1
    segment.write_bytes(damaged)
    code, out, _ = ask(capsys, data, "verify", "--json")
    assert code == 14
    assert json.loads(out)["ok"] is False
    assert segment.read_bytes() == damaged


def test_questions_before_the_first_record_are_answered_calmly(capsys, tmp_path):
    code, out, err = ask(capsys, tmp_path / "nothing", "show")
    assert (code, out) == (0, "")
    assert "no journal" in err


@pytest.mark.parametrize(
    ("words", "said"), [(["--kind", "mood"], "known are signal"), (["--since", "soon"], "neither")]
)
def test_a_question_that_makes_no_sense_is_code_2(capsys, data, words, said):
    code, out, err = ask(capsys, data, "show", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_asking_never_changes_the_log(capsys, data):
    segment = data / "journal" / "00000001.log"
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-5])
    for words in (["show"], ["why", "S1"], ["export"], ["verify"]):
        assert ask(capsys, data, *words)[0] == 0
    assert segment.read_bytes() == whole[:-5]
