"""The leverage decision: reference table, caps, the binding one."""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec
import pytest

from engine.risk.leverage import LeverageInputs, decide_leverage, few_trades_cap, raw_leverage
from engine.risk.liquidation import isolated_liquidation
from engine.strategy.candidate import Direction
from exchange.instrument import Bracket

WIDE = (Bracket(Decimal(0), Decimal(10_000_000), 150, Decimal("0.004"), Decimal(0)),)
STEPS = (
    Bracket(Decimal(0), Decimal(5_000), 50, Decimal("0.01"), Decimal(0)),
    Bracket(Decimal(5_000), Decimal(50_000), 10, Decimal("0.02"), Decimal(50)),
)


def inputs(**changes) -> LeverageInputs:
    plain = LeverageInputs("BTCUSDT", "ict", Direction.LONG, 0.7, 20, 30, 60, 1.0, 100.0, 99.9, Decimal(1_000), WIDE)
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.parametrize(
    ("win_rate", "confidence", "leverage"),
    [(0.55, 0.5, 1.0), (0.60, 0.6, 5.6), (0.70, 0.5, 12.0), (0.70, 1.0, 24.0), (0.40, 0.9, 0.1)],
)
def test_the_reference_values_of_the_specification(win_rate, confidence, leverage):
    decision = decide_leverage(inputs(win_rate=win_rate, confidence=confidence))
    assert decision.leverage == pytest.approx(leverage)
    assert decision.binding == ("floor" if leverage == 0.1 else "formula")


@pytest.mark.parametrize("confidence", [0.35, 0.5, 0.8, 1.0])
def test_just_below_the_break_even_rate_only_the_floor_is_left_whatever_the_confidence(confidence):
    assert decide_leverage(inputs(win_rate=0.5364, confidence=confidence)).leverage == 0.1


def test_a_round_win_rate_gives_a_round_leverage():
    assert raw_leverage(0.70, 0.5) == 12.0
    assert decide_leverage(inputs(confidence=0.5)).exchange_leverage == 12


@pytest.mark.parametrize(
    ("trades", "cap"),
    [(0, 2), (1, 2), (15, 2), (16, 3), (35, 3), (36, 4), (50, 4), (51, math.inf)],
)
def test_few_live_trades_cap_the_leverage(trades, cap):
    assert few_trades_cap(trades) == cap
    decision = decide_leverage(inputs(live_trades=trades))
    assert decision.leverage == min(24.0, cap)
    assert decision.binding == ("few trades" if cap < 24 else "formula")


def test_the_bracket_of_the_notional_caps_the_leverage():
    within = decide_leverage(inputs(brackets=STEPS, notional=Decimal(5_000)))
    beyond = decide_leverage(inputs(brackets=STEPS, notional=Decimal(5_001)))
    assert within.leverage == 24.0
    assert (beyond.leverage, beyond.binding) == (10.0, "bracket")
    assert decide_leverage(inputs(brackets=STEPS, notional=Decimal(10**9))).binding == "bracket"


def test_125_is_the_most():
    decision = decide_leverage(inputs(base=20.0, stop=99.99))
    assert (decision.leverage, decision.binding) == (125.0, "maximum")


@pytest.mark.parametrize(("direction", "stop"), [(Direction.LONG, 95.0), (Direction.SHORT, 105.0)])
def test_the_stop_stays_within_four_fifths_of_the_way_to_liquidation(direction, stop):
    decision = decide_leverage(inputs(direction=direction, stop=stop))
    assert decision.binding == "liquidation"
    price = isolated_liquidation(direction.sign, Decimal(1_000), Decimal(100), Decimal(repr(decision.leverage)), WIDE)
    assert abs(stop - 100.0) == pytest.approx(0.8 * abs(float(price) - 100.0))


def test_every_cap_is_recorded_by_name():
    decision = decide_leverage(inputs(live_trades=20))
    assert [name for name, _ in decision.caps] == ["maximum", "bracket", "few trades", "liquidation"]
    assert dict(decision.caps)["bracket"] == 150.0
    assert decision.raw == 24.0
    assert decision.inputs.wins == 20


def test_the_exchange_gets_an_integer_and_a_fraction_below_one_goes_into_the_notional():
    small = decide_leverage(inputs(win_rate=0.40))
    assert (small.exchange_leverage, small.effective) == (1, Decimal("0.1"))
    middle = decide_leverage(inputs(win_rate=0.60, confidence=0.6))
    assert (middle.exchange_leverage, middle.effective) == (5, Decimal(5))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"win_rate": math.nan}, "win_rate = nan"),
        ({"confidence": 1.1}, "confidence = 1.1"),
        ({"notional": Decimal(0)}, "notional = 0"),
        ({"stop": 101.0}, "stop 101.0 is not behind the LONG entry"),
        ({"entry": math.inf}, "positive prices"),
        ({"brackets": ()}, "no leverage brackets"),
    ],
)
def test_an_input_that_is_no_usable_number_is_named(changes, words):
    with pytest.raises(ValueError, match=words):
        decide_leverage(inputs(**changes))
