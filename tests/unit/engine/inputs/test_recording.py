"""A folder with a recording, whole and damaged."""

import pytest

from engine.inputs.framing import FILE, MARK, block
from engine.inputs.recording import Recording
from engine.inputs.records import SCHEMA, Beginning, InputsError, Made, Stepped, Turn, encode
from engine.inputs.rerun import settings_of

BEGINNING = Beginning(SCHEMA, "1", "s", 1, "simulator", "memory", 1.0, "{}", "hash", [], True, 0.1, 0.25)
TURNS = [Turn(Made()), Turn(Stepped(2))]
WHOLE = MARK + block([encode(BEGINNING)]) + block(encode(turn) for turn in TURNS)


def write(folder, data):
    (folder / FILE).write_bytes(data)
    return folder


def test_a_folder_gives_its_beginning_and_its_turns(tmp_path):
    recording = Recording(write(tmp_path, WHOLE))
    assert recording.beginning == BEGINNING
    assert list(recording.turns()) == TURNS
    assert recording.tail is None


def test_what_cannot_be_read_is_known_once_the_rest_is(tmp_path):
    recording = Recording(write(tmp_path, WHOLE[:-1]))
    assert list(recording.turns()) == []
    assert recording.tail.torn


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "does not begin as a recording"),
        (MARK, "record again"),
        (WHOLE[: len(MARK) + 20], "record again"),
        (MARK + block([b"\xc1"]), "its beginning cannot be understood"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_its_folder(tmp_path, data, told):
    with pytest.raises(InputsError, match=rf"run:{tmp_path}: .*{told}"):
        Recording(write(tmp_path, data))


def test_a_folder_without_a_recording_is_refused_with_what_to_give(tmp_path):
    with pytest.raises(InputsError, match="give a folder that `perpdesk --headless --record-inputs` wrote"):
        Recording(tmp_path)


def test_settings_of_another_version_are_refused():
    with pytest.raises(InputsError, match="use the version that recorded it"):
        settings_of(Beginning(SCHEMA, "1", "s", 1, "", "", 1.0, '{"unheard": 1}', "", [], True, 0.1, 0.25))
