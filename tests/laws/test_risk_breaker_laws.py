"""Whatever happened, the breaker never blocks an exit, and its grade is nothing but the count of failures."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.risk.breaker import (
    BreakerLevel,
    BreakerState,
    Bypassed,
    Failed,
    Succeeded,
    Ticked,
    WasReset,
    admit,
    apply,
)
from exchange.priority import Priority

priorities = st.sampled_from(list(Priority))
events = st.one_of(
    st.builds(Succeeded, priorities),
    st.builds(
        Failed,
        priorities,
        st.sampled_from(["timeout", "ban", "server"]),
        st.one_of(st.none(), st.floats(0.0, 300.0)),
    ),
    st.just(Ticked()),
    st.builds(Bypassed, st.integers(1, 300), st.just("why")),
    st.just(WasReset("why")),
    priorities,
)
histories = st.lists(st.tuples(events, st.integers(0, 90_000)), max_size=60)


def lived(history):
    """Yield the state and the time after every event; a bare priority stands for a request that asks to go."""
    state, now = BreakerState(), 1_000_000
    for event, elapsed in history:
        now += elapsed
        if isinstance(event, Priority):
            state, _ = admit(state, event, now)
        else:
            state = apply(state, event, now)
        yield state, now


@given(histories)
@settings(max_examples=300, deadline=None)
def test_critical_passes_at_once_in_every_state(history):
    for state, now in lived(history):
        after, decision = admit(state, Priority.CRITICAL, now)
        assert not decision.blocked
        assert decision.wait_s == 0
        assert after is state


@given(histories)
@settings(max_examples=300, deadline=None)
def test_a_more_urgent_request_never_waits_longer_than_a_less_urgent_one(history):
    for state, now in lived(history):
        burdens = [
            (decision.blocked, decision.wait_s)
            for decision in (admit(state, priority, now)[1] for priority in sorted(Priority))
        ]
        assert burdens == sorted(burdens, reverse=True)


@given(histories)
@settings(max_examples=300, deadline=None)
def test_failures_never_go_below_zero_and_name_the_grade(history):
    for state, _ in lived(history):
        wanted = ([BreakerLevel.NORMAL] + [BreakerLevel.WARNING] * 3 + [BreakerLevel.THROTTLED, BreakerLevel.BLOCKED])[
            min(state.failures, 5)
        ]
        assert state.failures >= 0
        assert state.level is wanted
        assert len(state.audit) <= 100


@given(histories)
@settings(max_examples=200, deadline=None)
def test_a_blocked_breaker_lets_a_probe_out_within_a_minute_of_silence(history):
    for state, now in lived(history):
        quiet = max(now, state.hold_until_ms) + 60_000
        assert not admit(state, Priority.LOW, quiet)[1].blocked
