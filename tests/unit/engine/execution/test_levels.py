"""Stop levels and the file that asks for them."""

import pytest

from engine.execution.levels import StopLevel, read_sentinel


@pytest.mark.parametrize(
    ("data", "level"),
    [
        (b"", StopLevel.PAUSE), (b"\n", StopLevel.PAUSE), (b"pause", StopLevel.PAUSE),
        (b" Cancel \n", StopLevel.CANCEL),
        (b"FLATTEN", StopLevel.FLATTEN), (b"halt", StopLevel.HALT), (b"run", StopLevel.PAUSE),
        (b"stop it", StopLevel.PAUSE), (b"\xff\xfe", StopLevel.PAUSE),
    ],
)  # fmt: skip
def test_a_stop_file_stops_at_the_level_it_names_and_at_pause_when_it_names_none(data, level):
    assert read_sentinel(data) is level


def test_the_levels_are_ordered_by_weight():
    assert StopLevel.RUN < StopLevel.PAUSE < StopLevel.CANCEL < StopLevel.FLATTEN < StopLevel.HALT
