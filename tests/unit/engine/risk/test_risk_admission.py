"""Whether the account may take another entry."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from engine.risk.admission import AdmissionLimits, Situation, why_not
from engine.risk.protection import ProtectionLevel, ProtectionState, closed_trade, fresh, observe

NOON = 20_000 * 86_400_000 + 43_200_000
CALM = Situation("", 0, 0)


def protection(losses: int = 0) -> ProtectionState:
    state = fresh(Decimal(10_000), NOON)
    for _ in range(losses):
        state = closed_trade(state, Decimal(-1), NOON)
    return state


def test_a_calm_account_takes_any_signal():
    assert why_not(0.35, CALM, protection()) == ""


def test_a_halt_of_the_desk_comes_first():
    halted = msgspec.structs.replace(CALM, halted="by anna")
    assert why_not(0.9, halted, protection()) == "new entries are halted: by anna"


def test_a_halted_protection_says_why():
    state = observe(protection(), Decimal(8_000), NOON)
    assert why_not(1.0, CALM, state).startswith("account protection HALTED: drawdown of 20.0 %")


@pytest.mark.parametrize(("confidence", "refused"), [(0.69, True), (0.70, False)])
def test_a_cautious_account_asks_for_more_confidence(confidence, refused):
    state = protection(3)
    assert state.level is ProtectionLevel.CAUTIOUS
    words = f"account protection CAUTIOUS asks for confidence 0.70, this is {confidence:.2f}"
    assert why_not(confidence, CALM, state) == (words if refused else "")


def test_a_defensive_account_holds_at_most_five_positions():
    assert why_not(0.8, Situation("", 4, 0), protection(5)) == ""
    refused = why_not(0.8, Situation("", 5, 0), protection(5))
    assert refused == "account protection DEFENSIVE allows 5 positions, 5 are open"


def test_the_operators_number_of_positions_and_entries_per_cycle_are_obeyed():
    limits = AdmissionLimits(max_positions=2, max_entries=1)
    assert why_not(0.5, Situation("", 1, 0), protection(), limits) == ""
    assert "trading.max_positions allows 2" in why_not(0.5, Situation("", 2, 0), protection(), limits)
    assert "risk.max_orders_per_cycle allows 1" in why_not(0.5, Situation("", 1, 1), protection(), limits)


def test_five_entries_a_cycle_are_the_default():
    assert why_not(0.5, Situation("", 0, 4), protection()) == ""
    assert why_not(0.5, Situation("", 0, 5), protection())
