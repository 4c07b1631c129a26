"""The guard: a position is protected within seconds or closed, and a stop is moved without a naked moment."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from position_samples import MARK, position, sized, stop

from engine.execution.coverage import coverage_of
from engine.execution.guard import (
    CloseNow,
    GuardLimits,
    PlaceStop,
    PlaceTarget,
    Prune,
    Wait,
    Watch,
    Wish,
    decide,
    emergency_stop,
    note_close_refused,
    note_close_sent,
)

LIMITS = GuardLimits()
WISH = Wish(Decimal(79_000), None)


def judge(watch, algos=(), *, at=0.0, wish=WISH, mark=MARK, held=None):
    held = held or position()
    return decide(watch, held, coverage_of(held, algos, mark), wish, mark, at, LIMITS)


def test_a_naked_position_gets_a_stop_at_first_sight():
    assert judge(Watch(0.0)) == PlaceStop(Decimal(79_000), whole=True)


def test_a_stop_on_its_way_is_waited_for():
    watch = Watch(0.0, placing_until=2.0)
    assert isinstance(judge(watch, at=1.0), Wait)
    assert isinstance(judge(watch, at=2.0), PlaceStop)


def test_a_stop_that_failed_is_tried_in_the_other_form():
    watch = Watch(0.0, tried=1, last_whole=True)
    assert judge(watch, at=1.0) == PlaceStop(Decimal(79_000), whole=False)


@pytest.mark.parametrize("watch", [Watch(0.0, naked_since=0.0), Watch(0.0, naked_since=0.0, tried=4)])
def test_what_cannot_be_protected_in_time_is_closed(watch):
    at = LIMITS.close_after_s if not watch.tried else 1.0
    found = judge(watch, at=at)
    assert isinstance(found, CloseNow)
    assert "no stop could be placed" in found.reason


def test_a_price_beyond_the_stop_closes_at_once():
    assert isinstance(judge(Watch(0.0), mark=Decimal(78_999)), CloseNow)


def test_a_triggering_stop_is_given_three_seconds():
    watch = Watch(0.0)
    triggering = [stop(status="TRIGGERING")]
    assert isinstance(judge(watch, triggering, at=10.0), Wait)
    assert isinstance(judge(watch, triggering, at=13.0), Wait)
    assert isinstance(judge(watch, triggering, at=13.1), CloseNow)


def test_a_close_is_repeated_until_the_position_is_gone_and_never_taken_back():
    watch = Watch(0.0, close_reason="closed by the operator")
    assert isinstance(judge(watch, [stop()], at=1.0), CloseNow)
    note_close_sent(watch, 1.0, LIMITS)
    assert isinstance(judge(watch, [stop()], at=2.0), Wait)
    assert isinstance(judge(watch, [stop()], at=1.0 + LIMITS.close_again_s), CloseNow)


def test_a_refused_close_is_repeated_soon_and_less_and_less_soon():
    watch, at, waits = Watch(0.0, close_reason="closed by the operator"), 0.0, []
    for _ in range(8):
        note_close_sent(watch, at, LIMITS)
        note_close_refused(watch, at, LIMITS)
        waits.append(round(watch.close_at - at, 1))
        at = watch.close_at
        assert isinstance(judge(watch, [], at=at), CloseNow)
    assert waits == pytest.approx([0.3, 0.45, 0.7, 1.0, 1.5, 2.3, 2.5, 2.5], abs=0.06)


def test_time_in_which_the_exchange_shuts_the_desk_out_does_not_count_against_a_position():
    watch = Watch(0.0, naked_since=0.0, answers_since=60.0)
    assert isinstance(judge(watch, at=60.0), PlaceStop)
    assert isinstance(judge(watch, at=60.0 + LIMITS.close_after_s), CloseNow)


def test_a_protected_position_is_left_alone():
    watch = Watch(0.0, naked_since=0.0, tried=2)
    assert judge(watch, [stop()], at=5.0) == Wait()
    assert watch.naked_since is None
    assert watch.tried == 0


def test_a_missing_target_is_placed_once_the_stop_stands():
    wish = Wish(Decimal(79_000), Decimal(82_000))
    assert judge(Watch(0.0), wish=wish) == PlaceStop(Decimal(79_000), whole=True)
    assert judge(Watch(0.0), [stop()], wish=wish) == PlaceTarget(Decimal(82_000))
    target = stop("82000", kind="TAKE_PROFIT_MARKET", algo_id=2)
    assert judge(Watch(0.0), [stop(), target], wish=wish) == Wait()


def test_a_moved_stop_is_placed_in_the_other_form_before_the_old_one_goes():
    moved = Wish(Decimal(79_500), None, is_moved=True)
    watch = Watch(0.0)
    assert judge(watch, [stop()], wish=moved) == PlaceStop(Decimal(79_500), whole=False)
    both = [stop(), sized("0.010", "79500", algo_id=2)]
    assert isinstance(judge(watch, both, wish=moved, at=1.0), Wait)
    found = judge(watch, both, wish=moved, at=3.0)
    assert isinstance(found, Prune)
    assert [one.algo_id for one in found.algos] == [1]
    again = Wish(Decimal(79_600), None, is_moved=True)
    assert judge(Watch(0.0), both[1:], wish=again) == PlaceStop(Decimal(79_600), whole=True)


def test_somebody_elses_stop_protects_and_is_never_taken_out():
    theirs = stop("79800", client_id="web_1", algo_id=7)
    watch = Watch(0.0, surplus_since=0.0)
    assert isinstance(judge(watch, [theirs, sized("0.010", algo_id=2)], at=60.0), Wait)


def test_a_position_that_grew_beyond_its_stop_gets_one_for_all_of_it():
    held = position("0.030")
    assert judge(Watch(0.0), [sized("0.010")], held=held) == PlaceStop(Decimal(79_000), whole=True)


@pytest.mark.parametrize(("quantity", "liquidation", "expected"), [
    ("1", "0", "77600.00"), ("-1", "0", "82400.00"), ("1", "79000", "79200.0"), ("-1", "81000", "80800.0"),
    ("1", "50000", "77600.00"),
])  # fmt: skip
def test_an_emergency_stop_lies_before_the_liquidation(quantity, liquidation, expected):
    held = position(quantity, liquidation=Decimal(liquidation))
    assert emergency_stop(held, MARK, Decimal(3)) == Decimal(expected)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.floats(0.05, 1.5),
            st.sampled_from(["nothing", "stop", "sized", "triggering", "breached"]),
            st.booleans(),
        ),
        min_size=60,
        max_size=120,
    )
)
def test_a_position_is_never_naked_for_long_without_a_close_being_asked_for(story):
    """Once it has been naked for 12 s on end, every look closes but those right after a close."""
    watch, now, naked = Watch(0.0), 0.0, 0.0
    algos = {
        "nothing": [], "stop": [stop()], "sized": [sized("0.004")], "triggering": [stop(status="TRIGGERING")],
        "breached": [stop("80500")],
    }  # fmt: skip
    for wait, what, answered in story:
        now += wait
        found = judge(watch, algos[what], at=now)
        naked = 0.0 if what == "stop" else naked + wait
        if isinstance(found, PlaceStop):
            watch.tried += 1
            watch.placing_until = now + (LIMITS.answer_s if answered else 0.0)
        if isinstance(found, CloseNow):
            note_close_sent(watch, now, LIMITS)
        if naked > LIMITS.close_after_s + 1.5:
            assert isinstance(found, CloseNow) or now < watch.close_at
