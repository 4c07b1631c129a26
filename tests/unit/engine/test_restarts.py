"""How often the engine came back after an end nobody asked for."""

import msgspec
import pytest

from engine.restarts import STORM, WINDOW_MS, Restarts, begun, ended, read, told

NOW = 1_795_000_000_000


def test_the_first_start_and_one_after_an_orderly_end_are_no_restarts():
    first = begun(Restarts(), NOW)
    assert first.count(NOW) == 0
    assert begun(ended(first), NOW + 5_000).count(NOW + 5_000) == 0


def test_each_start_after_a_silent_end_counts_for_ten_minutes():
    state = begun(Restarts(), NOW)
    for number in range(1, 5):
        at = NOW + number * 60_000
        state = begun(state, at)
        assert state.count(at) == number
    assert state.count(NOW + 60_000 + WINDOW_MS) == 3
    assert begun(state, NOW + 10 * WINDOW_MS).count(NOW + 10 * WINDOW_MS) == 1


def test_an_orderly_end_does_not_wipe_out_the_restarts_before_it():
    state = begun(begun(Restarts(), NOW), NOW + 1)
    assert begun(ended(state), NOW + 2).count(NOW + 2) == 1


def test_a_clock_that_was_set_back_counts_nothing_that_lies_ahead():
    assert Restarts(running=True, restarts=(NOW + 1,)).count(NOW) == 0


def test_it_survives_its_file_and_a_bad_file_is_as_none():
    state = Restarts(running=True, restarts=(NOW,))
    assert read(msgspec.json.encode(state)) == state
    for bad in (b"", b"{", b"\xff", b"[1]", b'{"running": 3}', b'{"more": 1}'):
        assert read(bad) == Restarts()


@pytest.mark.parametrize(("count", "words"), [(1, "again once within"), (2, "again 2 times"), (STORM, "perpdesk.log")])
def test_the_operator_is_told_how_often(count, words):
    assert words in told(count)


def test_nothing_is_told_of_a_start_that_is_none():
    assert told(0) == ""
