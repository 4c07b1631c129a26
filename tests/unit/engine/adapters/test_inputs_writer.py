"""The thread that writes a recording."""

import time

import pytest

from engine.adapters import inputs_writer
from engine.adapters.inputs_writer import InputsWriter
from engine.inputs.framing import FILE
from engine.inputs.recording import Recording
from engine.inputs.records import SCHEMA, Beginning, Finished, InputsError, Made, Stepped, Turn, encode

BEGINNING = Beginning(SCHEMA, "1", "s", 1, "simulator", "memory", 1.0, "{}", "hash", [], True, 0.1, 0.25)
TURNS = [Turn(Made()), *[Turn(Stepped(number)) for number in range(500)], Turn(Finished(0))]


def test_everything_given_is_in_the_file_and_nobody_else_can_read_it(tmp_path):
    writer = InputsWriter(tmp_path, BEGINNING)
    assert all(writer.put(encode(turn)) for turn in TURNS)
    assert writer.close()
    recording = Recording(tmp_path)
    assert recording.beginning == BEGINNING
    assert list(recording.turns()) == TURNS
    assert recording.tail is None
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_what_was_given_is_on_the_disk_soon_without_closing(tmp_path):
    writer = InputsWriter(tmp_path, BEGINNING)
    writer.put(encode(TURNS[0]))
    end = time.monotonic() + 20
    while not list(Recording(tmp_path).turns()) and time.monotonic() < end:
        time.sleep(0.05)
    assert list(Recording(tmp_path).turns()) == TURNS[:1]
    writer.close()


def test_a_disk_that_is_too_far_behind_ends_the_recording(tmp_path):
    writer = InputsWriter(tmp_path, BEGINNING, waiting_bytes=100)
    assert writer.put(bytes(90))
    assert not writer.put(bytes(20))
    assert not writer.put(b"1")
    assert "the disk is behind" in writer.fault
    assert not writer.close()


def test_a_disk_that_refuses_ends_the_recording(tmp_path, monkeypatch):
    writer = InputsWriter(tmp_path, BEGINNING)

    def refuse(_descriptor, _data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inputs_writer.os, "write", refuse)
    writer.put(encode(TURNS[0]))
    assert not writer.close()
    assert writer.fault == "it cannot be written: No space left on device"
    assert not writer.put(b"1")


def test_a_file_that_is_there_is_never_written_over(tmp_path):
    (tmp_path / FILE).write_bytes(b"an older recording")
    with pytest.raises(InputsError, match=r"--record-inputs .*File exists; name a folder you may write to"):
        InputsWriter(tmp_path, BEGINNING)
    assert (tmp_path / FILE).read_bytes() == b"an older recording"
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
