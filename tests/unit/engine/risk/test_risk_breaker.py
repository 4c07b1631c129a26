"""The graded API breaker."""

from __future__ import annotations

import pytest

from engine.risk.breaker import (
    BreakerError,
    BreakerLevel,
    BreakerState,
    Bypassed,
    Failed,
    Succeeded,
    Ticked,
    WasReset,
    admit,
    apply,
    breaker_view,
    next_probe_ms,
)
from exchange.priority import Priority

T = 1_000_000
ALL = list(Priority)


def failed(times: int, now: int = T, priority: Priority = Priority.NORMAL) -> BreakerState:
    state = BreakerState()
    for _ in range(times):
        state = apply(state, Failed(priority, "timeout"), now)
    return state


@pytest.mark.parametrize(
    ("failures", "level"),
    [(0, "NORMAL"), (1, "WARNING"), (3, "WARNING"), (4, "THROTTLED"), (5, "BLOCKED"), (9, "BLOCKED")],
)
def test_the_grade_follows_the_failures(failures, level):
    assert failed(failures).level.value == level


def test_normal_and_warning_let_everything_pass():
    for failures in range(4):
        assert all(admit(failed(failures), priority, T)[1] == (0.0, False, "", False) for priority in ALL)


def test_throttled_makes_scans_and_queries_wait_two_seconds():
    waits = {priority: admit(failed(4), priority, T)[1].wait_s for priority in ALL}
    assert waits == {Priority.LOW: 2.0, Priority.NORMAL: 2.0, Priority.HIGH: 0.0, Priority.CRITICAL: 0.0}


def test_blocked_lets_only_critical_pass():
    blocked = {priority: admit(failed(5), priority, T)[1].blocked for priority in ALL}
    assert blocked == {Priority.LOW: True, Priority.NORMAL: True, Priority.HIGH: True, Priority.CRITICAL: False}


def test_a_success_takes_one_failure_off():
    state = apply(failed(5), Succeeded(Priority.CRITICAL), T)
    assert (state.failures, state.level) == (4, BreakerLevel.THROTTLED)
    assert apply(BreakerState(), Succeeded(Priority.LOW), T).failures == 0


def test_sixty_seconds_after_the_last_failure_exactly_one_probe_goes_out():
    state = failed(5)
    assert admit(state, Priority.NORMAL, T + 59_999)[1].blocked
    state, first = admit(state, Priority.NORMAL, T + 60_000)
    assert not first.blocked
    assert admit(state, Priority.NORMAL, T + 60_001)[1].blocked
    assert state.audit[-1] == (T + 60_000, "probe sent")


def test_a_probe_that_succeeds_leads_to_normal():
    state, _ = admit(failed(9), Priority.NORMAL, T + 60_000)
    state = apply(state, Succeeded(Priority.NORMAL), T + 60_100)
    assert (state.level, state.failures) == (BreakerLevel.NORMAL, 0)
    assert state.audit[-1][1] == "BLOCKED -> NORMAL"


def test_a_probe_that_fails_blocks_for_another_minute():
    state, _ = admit(failed(5), Priority.NORMAL, T + 60_000)
    state = apply(state, Failed(Priority.NORMAL, "transport"), T + 61_000)
    assert state.level is BreakerLevel.BLOCKED
    assert next_probe_ms(state) == T + 121_000
    assert "probe failed: transport" in [text for _, text in state.audit]


def test_a_probe_that_fails_blocks_again_even_when_exits_had_succeeded_meanwhile():
    state, _ = admit(failed(5), Priority.NORMAL, T + 60_000)
    state = apply(state, Succeeded(Priority.CRITICAL), T + 60_010)
    state = apply(state, Failed(Priority.NORMAL, "timeout"), T + 60_020)
    assert state.level is BreakerLevel.BLOCKED


def test_an_exit_is_no_probe():
    state, _ = admit(failed(7), Priority.NORMAL, T + 60_000)
    state = apply(state, Succeeded(Priority.CRITICAL), T + 60_010)
    assert state.failures == 6


def test_a_probe_that_never_comes_back_is_given_up_after_a_minute():
    state, _ = admit(failed(5), Priority.NORMAL, T + 60_000)
    assert admit(state, Priority.NORMAL, T + 119_999)[1].blocked
    assert not admit(state, Priority.NORMAL, T + 120_000)[1].blocked


def test_a_pause_the_exchange_asked_for_holds_everything_but_critical():
    state = apply(BreakerState(), Failed(Priority.LOW, "rate_limit", 30.0), T)
    waits = {priority: admit(state, priority, T + 10_000)[1].wait_s for priority in ALL}
    assert waits == {Priority.LOW: 20.0, Priority.NORMAL: 20.0, Priority.HIGH: 20.0, Priority.CRITICAL: 0.0}
    assert admit(state, Priority.HIGH, T + 30_000)[1].wait_s == 0.0


def test_a_shorter_pause_does_not_cut_a_longer_one():
    state = apply(BreakerState(), Failed(Priority.LOW, "ban", 120.0), T)
    state = apply(state, Failed(Priority.LOW, "rate_limit", 5.0), T + 1)
    assert state.hold_until_ms == T + 120_000


def test_an_operators_bypass_lets_requests_pass_until_it_ends():
    state = apply(failed(6), Bypassed(30, "maintenance is over"), T)
    assert not admit(state, Priority.LOW, T + 29_999)[1].blocked
    assert admit(state, Priority.LOW, T + 30_000)[1].blocked
    assert apply(state, Ticked(), T + 30_000).audit[-1][1] == "bypass ended"


def test_neither_bypass_nor_reset_shortens_the_exchanges_pause():
    state = apply(failed(6), Failed(Priority.LOW, "ban", 60.0), T)
    for order in (Bypassed(30, "try"), WasReset("try")):
        assert admit(apply(state, order, T), Priority.HIGH, T + 1)[1].wait_s > 59


def test_a_reset_leads_to_normal_and_names_who_and_why():
    state = apply(failed(6), WasReset("checked by hand", "anna"), T)
    assert state.level is BreakerLevel.NORMAL
    assert state.audit[-1] == (T, "reset to NORMAL by anna: checked by hand")


@pytest.mark.parametrize("order", [Bypassed(30, "  "), WasReset(""), Bypassed(0, "why"), Bypassed(3_601, "why")])
def test_an_order_without_reason_or_sane_length_is_refused(order):
    with pytest.raises(BreakerError, match="refused"):
        apply(failed(6), order, T)


def test_causes_are_counted_and_shown():
    state = apply(failed(2), Failed(Priority.LOW, "ban", 1.0), T)
    view = breaker_view(state)
    assert view.counts == (("ban", 1), ("timeout", 2))
    assert (view.state, view.failures, view.last_cause, view.next_probe_ms) == ("WARNING", 3, "ban", 0)
    assert breaker_view(failed(5)).next_probe_ms == T + 60_000


def test_the_audit_keeps_the_last_hundred():
    state = failed(150)
    assert len(state.audit) == 100
    assert state.audit[-1][1] == "failure 150: timeout"
    assert state.audited > 150
