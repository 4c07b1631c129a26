"""Why a repeated run is not the recorded one."""

import msgspec
import pytest

from config.settings import Settings
from engine.inputs.causes import Program, causes, changed
from engine.inputs.compare import compare
from engine.inputs.framing import Tail
from engine.inputs.player import Decided, Point, Strayed
from engine.inputs.records import SCHEMA, Beginning
from engine.inputs.rerun import Rerun

BEGINNING = Beginning(SCHEMA, "1", "s", 1, "simulator", "memory", 1.0, "{}", "hash", [], True, 0.1, 0.25)
AT = Point(12, 5, "sleep done, for Periodic.run 1")
SAME = Program("1", "", "")
RUN = Rerun(100, 0, (), (), None, None, 0, ())


def told(run=RUN, *, there=(), here=(), tail=None, program=SAME, settings=(), guests=(), beginning=BEGINNING):
    found = causes(
        beginning, run, compare(there, here), tail, program=program, settings=list(settings), guests=list(guests)
    )
    return [(one.kind, one.breaks, one.text) for one in found]


def test_a_whole_recording_of_this_version_has_none():
    assert told() == []


def test_another_version_and_other_settings_explain_but_break_nothing():
    (version, settings) = told(program=Program("2", "", ""), settings=["strategy.mode: ict -> hybrid"])
    assert version == ("version", False, "recorded by version 1, repeated by 2: use the version it is of")
    assert settings == ("settings", False, "they differ from the recorded ones: strategy.mode: ict -> hybrid")


def test_other_sources_and_libraries_are_named():
    beginning = msgspec.structs.replace(BEGINNING, code="a" * 64, built_with="numba 1")
    code, libraries = told(program=Program("1", "b" * 64, "numba 2"), beginning=beginning)
    assert code == ("code", False, "recorded by sources aaaaaaaaaaaa, repeated by bbbbbbbbbbbb of the same version")
    assert libraries == ("libraries", False, "recorded with numba 1; repeated with numba 2")


def test_a_long_list_of_settings_is_cut():
    (one,) = told(settings=[f"a.s{number}: 0 -> 1" for number in range(13)])
    assert one[2].endswith("a.s9: 0 -> 1 and 3 more")


def test_other_strategies_from_outside_are_named():
    (one,) = told(guests=["breakout"])
    assert one == ("strategies", False, "from outside were none, and are breakout now")
    assert told(guests=["breakout"], beginning=msgspec.structs.replace(BEGINNING, guests=["breakout"])) == []


@pytest.mark.parametrize(
    ("torn", "words"),
    [(True, "its end was not written completely"), (False, "bytes in it are not what was written")],
)
def test_bytes_that_cannot_be_read_leave_the_rest_unproved(torn, words):
    (one,) = told(msgspec.structs.replace(RUN, finished=None), tail=Tail(5_000, 1_234, torn))
    assert one[:2] == ("tail", True)
    assert one[2].startswith(f"{words}: 1,234 bytes from byte 5,000 on")


def test_a_recording_without_its_last_mark_is_unfinished():
    (one,) = told(msgspec.structs.replace(RUN, finished=None))
    assert one[:2] == ("unfinished", True)
    assert "after input 100 is unknown" in one[2]


def test_where_the_runs_part_and_where_readings_strayed_is_told():
    run = msgspec.structs.replace(RUN, parted=(AT, "the desk failed: X"), unused=9, strayed=Strayed(AT, "w", 3))
    strayed, parted = told(run)
    assert strayed[:2] == ("strayed", False)
    assert "3 in all, the first (the wall clock) at input 12 (sleep done" in strayed[2]
    assert parted == ("parted", True, "the desk failed: X (input 12); the 9 inputs behind it could not be given")


def test_commands_before_the_first_difference_are_named_and_later_ones_are_not():
    run = msgspec.structs.replace(RUN, commands=((Point(3, 0, ""), "SetMode by me"), (Point(90, 0, ""), "Halt by me")))
    there = [Decided((5, "signal A", b"s"), AT)]
    assert told(run, there=there, here=there) == []
    assert told(run, there=there) == [
        ("command", False, "commands before the first difference: SetMode by me at input 3")
    ]


def test_settings_that_differ_are_listed_by_path_and_places_are_not():
    before = Settings.model_validate({"strategy": {"min_confidence": 0.2}})
    after = Settings.model_validate({"strategy": {"min_confidence": 0.6}, "data_dir": "/elsewhere"})
    assert changed(before, after) == ["strategy.min_confidence: 0.2 -> 0.6"]
    assert changed(before, before) == []
