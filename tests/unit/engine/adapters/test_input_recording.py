"""The folder of a recording."""

import pytest

from config.flags import FlagBoard
from config.settings import Settings
from engine.adapters.input_recording import InputRecording, beginning_of
from engine.adapters.memory_disk import MemoryDisk
from engine.desk import Identity, Pace
from engine.execution.arming import account_hash
from engine.inputs.recording import BEFORE, Recording
from engine.inputs.records import InputsError, LiveRow
from engine.inputs.rerun import settings_of
from engine.live_orders import LiveTerms


def beginning(live=None):
    return beginning_of(
        Settings.model_validate({"strategy": {"min_confidence": 0.3}}),
        FlagBoard.defaults(5),
        Identity("simulator", "memory", 20.0),
        Pace(1.0, 5.0),
        version="1",
        session="s1",
        started_ms=7,
        has_key=True,
        guests=("breakout",),
        live=live,
    )


def test_a_folder_holds_the_beginning_the_inputs_and_the_journal_before(tmp_path):
    disk = MemoryDisk()
    disk.append("journal/00000001.log", b"earlier")
    disk.append("notes.txt", b"no part of it")
    recording = InputRecording(tmp_path / "run", beginning(), disk, print)
    text = recording.close(0)
    assert text == f"1 inputs recorded; run them again with: perpdesk backtest --data run:{tmp_path / 'run'}"
    found = Recording(tmp_path / "run")
    assert found.beginning == beginning()
    assert settings_of(found.beginning).strategy.min_confidence == 0.3
    assert (tmp_path / "run" / BEFORE / "journal" / "00000001.log").read_bytes() == b"earlier"
    names = sorted(path.name for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert names == ["00000001.log", "inputs.pdin"]
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "run").rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_of_a_live_desk_the_account_is_named_by_its_hash_only():
    account = account_hash("the key")
    found = beginning(LiveTerms(None, "epoch", account))
    assert found.live == LiveRow("epoch", account)
    assert "the key" not in str(found)


def test_a_folder_in_use_is_refused(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(InputsError, match="is not empty: a recording needs a folder of its own; name a new one"):
        InputRecording(tmp_path, beginning(), MemoryDisk(), print)


def test_a_place_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputsError, match="name a folder you may write to"):
        InputRecording(tmp_path / "file", beginning(), MemoryDisk(), print)


def test_a_recording_that_had_to_be_given_up_says_so_once_and_at_the_end(tmp_path):
    told = []
    recording = InputRecording(tmp_path / "run", beginning(), MemoryDisk(), told.append)
    recording._writer.fault = "it cannot be written: No space left on device"
    recording.recorder.make(lambda: None)
    recording.recorder.stop("enough", lambda _reason: None)
    recording.recorder.stop("again", lambda _reason: None)
    words = "the inputs are recorded up to a point only: it cannot be written: No space left on device; "
    assert told == [f"{words}free some space and record again"]
    assert recording.close(0) == told[0]
