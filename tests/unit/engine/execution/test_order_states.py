"""The tables of an order's life: total, monotone, with every oddity by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.execution.order_states import (
    CONDITIONAL,
    ODD_CONDITIONAL,
    ODD_PLAIN,
    PLAIN,
    News,
    OrderState,
    Stage,
    advance,
    news_of,
)

VENUE = [one for one in News if one.isupper()]


@given(st.booleans(), st.lists(st.sampled_from(News), max_size=30))
def test_any_news_in_any_order_leads_to_a_stage_and_never_raises(conditional, told):
    stage = Stage.PLANNED
    for news in told:
        step = advance(stage, news, conditional=conditional)
        assert isinstance(step.stage, Stage)
        assert step.fits or (step.stage is stage and step.odd)
        stage = step.stage


@given(st.booleans(), st.lists(st.sampled_from(VENUE), max_size=20))
def test_a_filled_order_stays_filled_whatever_is_told_later(conditional, told):
    stage = Stage.FILLED
    for news in told:
        stage = advance(stage, news, conditional=conditional).stage
    assert stage is Stage.FILLED


@given(st.booleans(), st.sampled_from([Stage.WORKING, Stage.PARTIAL, Stage.FILLED, Stage.ENDED, Stage.UNKNOWN]))
def test_an_order_that_may_exist_never_becomes_one_that_may_be_sent_again(conditional, stage):
    for news in News:
        after = advance(stage, news, conditional=conditional).stage
        assert after not in (Stage.PLANNED, Stage.REFUSED)


@pytest.mark.parametrize("table", [(PLAIN, ODD_PLAIN), (CONDITIONAL, ODD_CONDITIONAL)], ids=["plain", "conditional"])
def test_an_oddity_is_never_also_the_ordinary_life(table):
    ordinary, odd = table
    assert not set(ordinary) & set(odd)
    assert all(reason for _, reason in odd.values())


@pytest.mark.parametrize("stage", [Stage.DEAD, Stage.REFUSED])
@pytest.mark.parametrize("news", [News.NEW, News.FILLED, News.PARTIALLY_FILLED])
def test_an_order_given_up_for_absent_is_adopted_when_it_is_seen(stage, news):
    step = advance(stage, news, conditional=False)
    assert step.fits
    assert "adopted" in step.odd
    assert step.stage is advance(Stage.SENT, news, conditional=False).stage


def test_a_fill_that_raced_a_cancel_counts():
    step = advance(Stage.ENDED, News.FILLED, conditional=False)
    assert step.stage is Stage.FILLED
    assert "raced" in step.odd


def test_an_answer_older_than_the_stream_changes_nothing():
    for stage in (Stage.PARTIAL, Stage.FILLED, Stage.ENDED):
        assert advance(stage, News.NEW, conditional=False).stage is stage


def test_an_unknown_order_is_dead_only_when_its_absence_is_proven():
    assert advance(Stage.UNKNOWN, News.ABSENT, conditional=False).stage is Stage.DEAD
    assert advance(Stage.UNKNOWN, News.REFUSE, conditional=False).stage is Stage.UNKNOWN
    assert advance(Stage.WORKING, News.ABSENT, conditional=False).stage is Stage.WORKING


def test_a_triggering_stop_is_not_open_any_more():
    stage = advance(Stage.WORKING, News.TRIGGERING, conditional=True).stage
    assert stage is Stage.TRIGGERING
    assert not OrderState(stage).is_open
    assert advance(stage, News.TRIGGERED, conditional=True).stage is Stage.TRIGGERED
    assert advance(Stage.TRIGGERED, News.FINISHED, conditional=True).stage is Stage.FILLED


def test_a_status_nobody_knows_is_no_news():
    assert news_of("SOMETHING_NEW") is None
    assert news_of("send") is None
    assert news_of("FILLED") is News.FILLED


def test_the_states_of_an_order_are_open_pending_or_final_and_never_two_of_them():
    for stage in Stage:
        state = OrderState(stage)
        assert sum((state.is_open, state.is_pending, state.is_final)) <= 1
