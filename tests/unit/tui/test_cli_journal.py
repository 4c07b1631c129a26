"""Asking the journal from the command line."""

from __future__ import annotations

import json

import pytest

from engine.adapters.disk import DirectoryDisk
from engine.events import Event, EventKind, Severity
from engine.journal.log import JournalLog
from engine.journal.record import CycleRecord, DecisionRecord, EventRecord, PositionRecord, SignalRecord
from engine.positions.lifecycle import EventName, PositionEvent
from engine.signals.gate_log import GateRow
from engine.snapshot import CycleView, LeverageRow
from engine.strategy.candidate import Candidate, Direction, Step, StrategyName
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


def cycle(number, time, whole, *gates):
    view = CycleView(number, time, 12.0, 0, 2, 2, (("ict", 1),), 0, float("nan"), ())
    return CycleRecord(time, f"cycle-{number}", cycle=view, whole=whole, gates=gates)


@pytest.fixture
def told(data):
    """A rejected candidate, its leverage decision, and three cycles of gates."""
    steps = (Step("bias", "1h swing structure points up.", "1h", START - 2, START - 60_000, 100.0),)
    one = Candidate(
        StrategyName.ICT, "ETHUSDT", Direction.LONG, "sweep reversal", 100.0, 99.0, (102.0, 104.0), 0.3,
        {"trend": 0.25, "structure": 1.0}, steps, START, START, START + 900_000, limit=True,
    )  # fmt: skip
    fallen = SignalRecord(
        START + 60_000, "S2", candidate=one, state="candidate", reason="confidence: confidence 0.30, wanted 0.35",
        cycle=7, quality=0.61, win_probability=0.55, expected_r=0.42, dimensions=(("confidence", 0.3, False),),
        gate="confidence", distance=0.05, limits=("confidence 0.30, wanted 0.35",), misses=(("confidence", 0.05),),
        win_source="shrunk win rate", costs_r=0.11, mode="hybrid",
    )  # fmt: skip
    row = LeverageRow(
        START + 60_000, "ETHUSDT", "ict", "LONG", 1.0, 0.55, 0.7, 3, 5, 1.4,
        (("bracket", 50.0), ("few trades", float("inf"))), "bracket", 1.4, 1, 100.0, 100.0, 1.0, 0.5, "sized",
        purpose="virtual",
    )  # fmt: skip
    log = JournalLog(DirectoryDisk(data))
    log.open()
    log.append(
        [
            cycle(1, START, True, GateRow("ETHUSDT", "ict", "sweep", 1.3), GateRow("ETHUSDT", "hybrid", "=")),
            fallen,
            DecisionRecord(START + 60_000, "S2", "S2", decision=row),
            cycle(2, START + 60_000, False, GateRow("ETHUSDT", "ict", "confidence", 0.05, "S2")),
            cycle(3, START + 120_000, False, GateRow("ETHUSDT", "", "data", 0.0, "price is 12 s old")),
        ]
    )
    return data


def test_why_tells_a_rejected_candidate_and_its_leverage_decision_with_every_number(capsys, told):
    code, out, _ = ask(capsys, told, "why", "S2")
    assert code == 0
    for words in (
        "LONG sweep reversal: CANDIDATE in cycle 7, hybrid acts",
        "confidence, missed by 0.05 confidence: asked is the wanted confidence",
        "limit 100, stop 99, target 102 / 104; the set-up ends at 22:28:20",
        "P(win) 0.550 (shrunk win rate), expects +0.42 R after costs of 0.11 R",
        " 1 bias         1h swing structure points up.  (1h known 22:12)",
        "0.30 of trend 0.25, structure 1.00",
        "FAIL  confidence 0.30, wanted 0.35, missed by 0.05 confidence",
        "leverage 1.4, at the exchange 1: sized",
        "raw 1.40 = 1 x (1 + 11 x (0.550 - 0.55) / 0.15) x (0.70 / 0.5), won 3 of 5",
        "bracket 50 (binding), few trades none; bracket decided",
        "margin 100.00, notional 100.00, quantity 1, 0.50 % of equity at risk",
        "purpose virtual",
    ):
        assert words in out
    code, out, _ = ask(capsys, told, "why", "S2", "--json")
    assert [json.loads(line)["record"]["kind"] for line in out.splitlines()] == ["signal", "decision"]
    assert json.loads(out.splitlines()[0])["record"]["misses"] == [["confidence", 0.05]]


def test_why_of_a_symbol_tells_what_stopped_it_in_the_newest_or_any_cycle(capsys, told):
    _, out, _ = ask(capsys, told, "why", "ethusdt")
    assert "ETHUSDT in cycle 3" in out
    assert "not ready: price is 12 s old; no strategy was asked, since 22:15:20 (cycle 3)" in out
    _, out, _ = ask(capsys, told, "why", "ETHUSDT", "--cycle", "2")
    assert "proposed S2, stopped by confidence, missed by 0.05 confidence" in out
    _, out, _ = ask(capsys, told, "why", "ETHUSDT", "--at", "2023-11-14T22:13:30")
    assert "ict            sweep, missed by 1.3 ATR of 15m to the nearest such pool: asked is liquidity" in out
    assert "hybrid         sweep, missed by 1.3" in out
    assert "since 22:13:20 (cycle 1)" in out


def test_why_of_a_symbol_speaks_json(capsys, told):
    code, out, _ = ask(capsys, told, "why", "ETHUSDT", "--cycle", "1", "--json")
    document = json.loads(out)
    assert (code, document["symbol"], document["cycle"]) == (0, "ETHUSDT", 1)
    assert document["strategies"][0] == {
        "strategy": "ict",
        "gate": "sweep",
        "distance": 1.3,
        "unit": "ATR of 15m to the nearest such pool",
        "asks": "liquidity on the far side swept on 5m or 15m",
        "signal_id": "",
        "reason": "",
        "noted": START,
        "noted_cycle": 1,
    }


@pytest.mark.parametrize("words", [["NOSUCHUSDT"], ["ETHUSDT", "--cycle", "99"], ["ETHUSDT", "--at", "1999-01-01"]])
def test_why_of_what_was_never_watched_is_code_1(capsys, told, words):
    code, out, err = ask(capsys, told, "why", *words)
    assert (code, out) == (1, "")
    assert "the journal knows nothing about" in err
