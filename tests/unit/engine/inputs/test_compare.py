"""Two runs' decisions side by side."""

from engine.inputs.compare import compare, counted
from engine.inputs.player import Decided, Point


def decided(*rows):
    return [
        Decided((time, what, content.encode()), Point(turn, time, f"input {turn}"))
        for turn, (time, what, content) in enumerate(rows, 1)
    ]


SIGNAL, LEVERAGE, POSITION = (1, "signal A", "s"), (1, "leverage A", "l"), (2, "position A", "p")


def test_the_same_decisions_have_the_same_hash_and_no_difference():
    both = compare(decided(SIGNAL, LEVERAGE), decided(SIGNAL, LEVERAGE))
    assert both.same
    assert both.differences == ()
    assert (both.there, both.here) == (2, 2)
    assert len(both.here_hash) == 64


def test_a_decision_that_is_missing_here_is_named_with_the_input_it_rested_on():
    both = compare(decided(SIGNAL, LEVERAGE, POSITION), decided(SIGNAL, POSITION))
    assert not both.same
    assert [(one.how, one.what, one.time, one.turn, one.cause) for one in both.differences] == [
        ("missing", "leverage A", 1, 2, "input 2")
    ]


def test_a_decision_that_is_new_here_is_extra():
    both = compare(decided(SIGNAL), decided(SIGNAL, POSITION))
    assert [(one.how, one.what) for one in both.differences] == [("extra", "position A")]


def test_another_content_is_one_difference_not_two():
    both = compare(decided(SIGNAL, POSITION), decided(SIGNAL, (2, "position A", "other")))
    assert [(one.how, one.what) for one in both.differences] == [("other", "position A")]


def test_another_order_is_a_difference():
    both = compare(decided(SIGNAL, LEVERAGE), decided(LEVERAGE, SIGNAL))
    assert not both.same
    assert [(one.how, one.what) for one in both.differences] == [("moved", "signal A")]


def test_differences_stand_in_the_order_of_time_and_are_counted():
    both = compare(decided(POSITION, POSITION), decided((3, "late", ""), (0, "early", "")))
    assert [one.time for one in both.differences] == [0, 2, 2, 3]
    assert counted(both.differences) == {"extra": 2, "missing": 2}


def test_what_was_decided_twice_must_be_decided_twice():
    both = compare(decided(SIGNAL, SIGNAL), decided(SIGNAL))
    assert [one.how for one in both.differences] == ["missing"]
