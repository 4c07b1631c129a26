"""`perpdesk backtest --data run:DIR` as an operator types it."""

import json
import os

import pytest
from recorded_run import VERSION, recorded

from engine.journal.log import segments
from engine.runtime import VERSION as PRESENT
from tui.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith(("PERPDESK_", "ENABLE_", "BINANCE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture(scope="module")
def world():
    return recorded(3.0, strategy={"min_confidence": 0.2})


def test_the_same_decisions_are_told_with_both_hashes(world, tmp_path, capsys):
    assert main(["backtest", "--data", f"run:{world.write(tmp_path)}"]) == 0
    out, err = capsys.readouterr()
    recorded_line, repeated_line = (line for line in out.splitlines() if "decisions, hash" in line)
    assert recorded_line.split()[1:] == repeated_line.split()[1:]
    assert len(recorded_line.split()[-1]) == 64
    assert out.splitlines()[-1] == "same, byte for byte"
    assert f"{len(world.turns):,} inputs given, 0 not" in out
    assert f"version: recorded by version {VERSION}, repeated by {PRESENT}" in err


def test_json_is_one_object(world, tmp_path, capsys):
    folder = world.write(tmp_path)
    assert main(["backtest", "--data", f"run:{folder}", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["same"]
    assert told["hash"] == told["hash_recorded"]
    assert told["decisions"] == told["decisions_recorded"] > 5
    assert told["inputs"] == len(world.turns)
    assert told["differences"] == []
    assert [one["kind"] for one in told["causes"]] == ["version"]


def test_the_journal_of_the_run_may_be_compared_instead(world, tmp_path, capsys):
    data = tmp_path / "desk"
    (data / "journal").mkdir(parents=True)
    for number, suffix in segments(world.disk):
        name = f"journal/{number:08d}{suffix}"
        (data / name).write_bytes(world.disk.read(name))
    folder = world.write(tmp_path / "run")
    assert main(["backtest", "--data", f"run:{folder}", "--against", str(data)]) == 10
    assert f"--against {data}: its journal does not hold session s1" in capsys.readouterr().err


def test_other_settings_are_named_with_what_they_changed(world, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MIN_CONFIDENCE", "0.99")
    monkeypatch.setenv("TOP_LIQUIDITY_SYMBOLS", str(world.size))
    assert main(["backtest", "--data", f"run:{world.write(tmp_path)}", "--as-configured"]) == 18
    out, err = capsys.readouterr()
    assert "strategy.min_confidence: 0.2 -> 0.99" in err
    assert "not the same: " in out
    assert "the inputs at the first difference:" in out
    assert "only in the recorded run (input " in out


def test_a_torn_end_is_told_and_proves_nothing(world, tmp_path, capsys):
    assert main(["backtest", "--data", f"run:{world.write(tmp_path, cut=10)}"]) == 18
    out, err = capsys.readouterr()
    assert "tail: its end was not written completely" in err
    assert out.splitlines()[-1] == "the same as far as it goes, but not proved to the end: see the cause"


def test_options_that_mean_nothing_are_refused_not_ignored(world, tmp_path, capsys):
    folder = world.write(tmp_path)
    assert main(["backtest", "--data", f"run:{folder}", "--from", "2026-01-05"]) == 10
    assert "--from has no meaning for run:" in capsys.readouterr().err
    assert main(["backtest", "--data", str(tmp_path), "--against", str(tmp_path)]) == 2
    assert "give --data run:DIR" in capsys.readouterr().err


@pytest.mark.parametrize("data", ["run:/nowhere", "run:"])
def test_a_folder_without_a_recording_is_refused_with_what_to_give(data, capsys):
    assert main(["backtest", "--data", data]) == 10
    err = capsys.readouterr().err
    assert "give a folder that `perpdesk --headless --record-inputs` wrote" in err
    assert "Traceback" not in err
