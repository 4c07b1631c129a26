"""Account protection by losses."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.risk.protection import (
    DAY_MS,
    ProtectionError,
    ProtectionLevel,
    ProtectionState,
    closed_trade,
    fresh,
    load,
    observe,
    pass_time,
    protection_view,
    rearm,
    save,
)

D = Decimal
NOON = 20_000 * DAY_MS + DAY_MS // 2
TOMORROW = 20_001 * DAY_MS


def start() -> ProtectionState:
    return fresh(D(10_000), NOON)


def losses(state: ProtectionState, times: int, now: int = NOON) -> ProtectionState:
    for _ in range(times):
        state = closed_trade(state, D(-1), now)
    return state


def wins(state: ProtectionState, times: int, now: int = NOON) -> ProtectionState:
    for _ in range(times):
        state = closed_trade(state, D(1), now)
    return state


@pytest.mark.parametrize(
    ("equity", "level"),
    [
        ("9701", "NORMAL"),
        ("9700", "CAUTIOUS"),
        ("9001", "CAUTIOUS"),
        ("9000", "DEFENSIVE"),
        ("8501", "DEFENSIVE"),
        ("8500", "HALTED"),
        ("0", "HALTED"),
        ("-5", "HALTED"),
    ],
)
def test_the_loss_of_the_day_and_the_drawdown_name_the_level(equity, level):
    assert observe(start(), D(equity), NOON).level.name == level


@pytest.mark.parametrize(("times", "level"), [(2, "NORMAL"), (3, "CAUTIOUS"), (4, "CAUTIOUS"), (5, "DEFENSIVE")])
def test_losses_in_a_row_name_the_level(times, level):
    assert losses(start(), times).level.name == level


def test_a_win_breaks_the_row_and_a_draw_does_not():
    assert losses(wins(losses(start(), 2), 1), 2).level is ProtectionLevel.NORMAL
    assert losses(closed_trade(losses(start(), 2), D(0), NOON), 1).level is ProtectionLevel.CAUTIOUS


def test_what_the_levels_mean():
    normal, cautious, defensive = start().effects, losses(start(), 3).effects, losses(start(), 5).effects
    halted = observe(start(), D(8_000), NOON).effects
    assert (normal.confidence_floor, normal.size_factor, normal.max_positions) == (0.0, D(1), None)
    assert (cautious.confidence_floor, cautious.size_factor, cautious.max_positions) == (0.70, D("0.7"), None)
    assert (defensive.size_factor, defensive.max_positions, defensive.entries_allowed) == (D("0.5"), 5, True)
    assert not halted.entries_allowed
    assert halted.exits_allowed


def test_two_wins_step_back_one_level_at_a_time():
    state = losses(start(), 5)
    assert wins(state, 1).level is ProtectionLevel.DEFENSIVE
    state = wins(state, 2)
    assert state.level is ProtectionLevel.CAUTIOUS
    assert wins(state, 1).level is ProtectionLevel.CAUTIOUS
    assert wins(state, 2).level is ProtectionLevel.NORMAL


def test_wins_do_not_step_back_while_the_loss_still_stands():
    state = observe(start(), D(9_600), NOON)
    assert wins(state, 4).level is ProtectionLevel.CAUTIOUS
    state = observe(state, D(9_800), NOON)
    assert state.level is ProtectionLevel.CAUTIOUS
    assert wins(state, 2).level is ProtectionLevel.NORMAL


def test_a_new_utc_day_steps_back_and_forgets_the_row():
    state = pass_time(losses(start(), 3), TOMORROW)
    assert (state.level, state.losses_in_row) == (ProtectionLevel.NORMAL, 0)
    assert pass_time(losses(start(), 5), TOMORROW).level is ProtectionLevel.CAUTIOUS


def test_a_new_day_does_not_lift_what_the_drawdown_demands():
    state = pass_time(observe(start(), D(8_900), NOON), TOMORROW)
    assert state.level is ProtectionLevel.DEFENSIVE


def test_a_halt_for_the_days_loss_ends_with_the_utc_day():
    state = observe(start(), D(8_500), NOON)
    assert protection_view(state).until_ms == TOMORROW
    assert observe(state, D(9_900), NOON + 1).level is ProtectionLevel.HALTED
    assert pass_time(state, TOMORROW - 1).level is ProtectionLevel.HALTED
    after = pass_time(state, TOMORROW)
    assert after.level is ProtectionLevel.DEFENSIVE
    assert after.day_start_equity == D(8_500)


def test_a_halt_for_the_drawdown_waits_for_the_operator():
    state = observe(start(), D(8_000), NOON)
    for day in range(1, 5):
        state = pass_time(state, TOMORROW + day * DAY_MS)
    assert state.level is ProtectionLevel.HALTED
    assert observe(state, D(20_000), TOMORROW + 5 * DAY_MS).level is ProtectionLevel.HALTED
    assert protection_view(state).until_ms == 0


def test_rearming_begins_a_new_peak_and_stays_defensive():
    state = pass_time(observe(start(), D(8_000), NOON), TOMORROW)
    state = rearm(state, "reviewed the trades", "anna", TOMORROW + 5)
    assert (state.level, state.peak_equity) == (ProtectionLevel.DEFENSIVE, D(8_000))
    assert state.effects.entries_allowed
    assert (TOMORROW + 5, "re-armed by anna: reviewed the trades") in state.audit


def test_rearming_does_not_lift_the_days_halt():
    state = rearm(observe(start(), D(8_000), NOON), "too early", "anna", NOON + 1)
    assert state.level is ProtectionLevel.HALTED
    assert pass_time(state, TOMORROW).level is ProtectionLevel.DEFENSIVE


def test_rearming_without_reason_or_need_is_refused():
    with pytest.raises(ProtectionError, match="type the reason"):
        rearm(observe(start(), D(8_000), NOON), " ", "anna", NOON)
    with pytest.raises(ProtectionError, match="nothing to re-arm"):
        rearm(start(), "why not", "anna", NOON)


def test_a_clock_that_goes_back_begins_no_day():
    state = observe(start(), D(9_600), NOON)
    assert pass_time(state, NOON - 3 * DAY_MS) == state


def test_unknown_equity_is_refused_and_never_counts_as_a_number():
    with pytest.raises(ProtectionError, match="not a number"):
        observe(start(), D("NaN"), NOON)
    with pytest.raises(ProtectionError, match="not a positive amount"):
        fresh(D(0), NOON)
    with pytest.raises(ProtectionError, match="closed trade"):
        closed_trade(start(), D("Infinity"), NOON)


def test_the_state_survives_a_restart():
    state = observe(losses(start(), 4), D("8999.12345678"), NOON)
    assert load(save(state)) == state


def test_a_broken_stored_state_is_named():
    with pytest.raises(ProtectionError, match=r"cannot be read.*equity"):
        load(save(start()).replace(b'"equity":"10000"', b'"equity":"ten"'))


def test_every_move_is_in_the_audit_with_its_reason():
    state = wins(losses(start(), 3), 2)
    assert [text for _, text in state.audit] == [
        "NORMAL -> CAUTIOUS: 3 losses in a row",
        "CAUTIOUS -> NORMAL: 2 wins in a row",
    ]


def test_the_panel_shows_level_losses_and_effects():
    view = protection_view(observe(start(), D(9_600), NOON))
    assert (view.state, view.day_loss_percent, view.drawdown_percent) == ("CAUTIOUS", 4.0, 4.0)
    assert (view.size_factor, view.confidence_floor, view.reason) == (0.7, 0.7, "loss of 4.0 % today")
    assert (view.equity, view.day_start_equity, view.peak_equity) == (9_600.0, 10_000.0, 10_000.0)
