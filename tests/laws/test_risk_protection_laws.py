"""Protection never forbids an exit, never loosens by a loss, and forgets nothing over a restart."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.risk.protection import (
    ProtectionError,
    ProtectionLevel,
    closed_trade,
    fresh,
    load,
    observe,
    pass_time,
    rearm,
    save,
)

NOON = 20_000 * 86_400_000 + 43_200_000
equities = st.decimals(0, 20_000, places=2)
results = st.decimals(-500, 500, places=2)
steps = st.lists(
    st.tuples(
        st.one_of(
            st.tuples(st.just(observe), equities),
            st.tuples(st.just(closed_trade), results),
            st.tuples(st.just(pass_time), st.none()),
            st.tuples(st.just(rearm), st.none()),
        ),
        st.integers(0, 30_000_000),
    ),
    max_size=40,
)


def lived(history):
    """Yield the state and the time after every step."""
    state, now = fresh(Decimal(10_000), NOON), NOON
    for (decide, value), elapsed in history:
        now += elapsed
        if decide is rearm:
            try:
                state = rearm(state, "looked", "anna", now)
            except ProtectionError:
                continue
        elif decide is pass_time:
            state = pass_time(state, now)
        else:
            state = decide(state, value, now)
        yield state, now


@given(steps)
@settings(max_examples=200, deadline=None)
def test_exits_are_always_allowed_and_only_a_halt_forbids_entries(history):
    for state, _ in lived(history):
        assert state.effects.exits_allowed
        assert state.effects.entries_allowed == (state.level is not ProtectionLevel.HALTED)


@given(steps, equities, equities)
@settings(max_examples=200, deadline=None)
def test_less_equity_never_means_a_lower_level(history, one, other):
    for state, now in lived(history):
        poorer, richer = observe(state, min(one, other), now), observe(state, max(one, other), now)
        assert poorer.level >= richer.level


@given(steps)
@settings(max_examples=200, deadline=None)
def test_a_loss_never_loosens_within_the_day(history):
    for state, now in lived(history):
        today = pass_time(state, now)
        assert closed_trade(today, Decimal(-1), now).level >= today.level


@given(steps)
@settings(max_examples=200, deadline=None)
def test_the_level_never_lies_below_what_the_conditions_demand(history):
    for state, _ in lived(history):
        if state.drawdown_percent >= 20 or state.day_loss_percent >= 15:
            assert state.level is ProtectionLevel.HALTED
        elif state.drawdown_percent >= 10 or state.losses_in_row >= 5:
            assert state.level >= ProtectionLevel.DEFENSIVE
        elif state.day_loss_percent >= 3 or state.losses_in_row >= 3:
            assert state.level >= ProtectionLevel.CAUTIOUS


@given(steps)
@settings(max_examples=100, deadline=None)
def test_a_restart_between_any_two_steps_changes_nothing(history):
    for state, _ in lived(history):
        assert load(save(state)) == state


def test_stricter_levels_never_allow_more():
    levels = [ProtectionLevel(value) for value in range(4)]
    effects = [state.effects for state in (_at(level) for level in levels)]
    assert [one.confidence_floor for one in effects] == sorted(one.confidence_floor for one in effects)
    assert [one.size_factor for one in effects] == sorted((one.size_factor for one in effects), reverse=True)


def _at(level: ProtectionLevel):
    return load(save(fresh(Decimal(10_000), NOON)).replace(b'"level":0', f'"level":{level.value}'.encode()))
