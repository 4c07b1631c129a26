"""Leverage rises with win rate and confidence and never exceeds a cap; sizes never exceed a limit."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import assume, given, settings
from risk_samples import BRACKETS, inputs, shares, size_inputs

from engine.risk.leverage import decide_leverage
from engine.risk.liquidation import isolated_liquidation
from engine.risk.size import SIZED, SizeLimits, decide_size


@given(inputs(), shares, shares)
@settings(max_examples=300, deadline=None)
def test_leverage_never_falls_when_win_rate_or_confidence_rises(start, win_rate, confidence):
    low = decide_leverage(start)
    high = decide_leverage(
        msgspec.structs.replace(
            start, win_rate=max(start.win_rate, win_rate), confidence=max(start.confidence, confidence)
        )
    )
    assert high.leverage >= low.leverage
    assert high.exchange_leverage >= low.exchange_leverage


@given(inputs())
@settings(max_examples=300, deadline=None)
def test_no_cap_is_ever_exceeded_and_the_binding_one_is_named(start):
    decision = decide_leverage(start)
    assert all(decision.leverage <= cap for _, cap in decision.caps)
    assert decision.exchange_leverage <= max(1.0, decision.leverage)
    if decision.binding == "formula":
        assert decision.leverage == decision.raw
    elif decision.binding == "floor":
        assert decision.leverage == 0.1
        assert decision.raw < 0.1
    else:
        assert decision.leverage == dict(decision.caps)[decision.binding]
        assert max(decision.raw, 0.1) > decision.leverage


@given(inputs())
@settings(max_examples=300, deadline=None)
def test_the_stop_is_met_before_liquidation_with_a_fifth_of_the_way_to_spare(start):
    decision = decide_leverage(msgspec.structs.replace(start, win_rate=1.0, confidence=1.0, live_trades=60))
    assume(decision.leverage >= 1)
    entry, leverage = Decimal(repr(start.entry)), Decimal(repr(decision.leverage))
    price = isolated_liquidation(start.direction.sign, start.notional, entry, leverage, BRACKETS)
    to_stop = abs(start.entry - start.stop)
    assert to_stop <= 0.8 * abs(start.entry - float(price)) * (1 + 1e-9)


@given(size_inputs())
@settings(max_examples=400, deadline=None)
def test_a_size_obeys_every_limit_and_every_rule_of_the_exchange_or_is_nothing(start):
    limits, rules = SizeLimits(), start.instrument
    size = decide_size(start, limits)
    if size.outcome != SIZED:
        assert size.quantity == 0
        assert size.outcome
        return
    assert size.risk <= start.equity * limits.risk_percent / 100 - start.correlated_risk
    assert start.margin_used + size.margin <= start.wallet * limits.margin_percent / 100
    assert size.notional <= start.equity * limits.notional_percent / 100 * start.leverage
    assert size.quantity % rules.market_lot.step == 0
    assert max(rules.lot.minimum, rules.market_lot.minimum) <= size.quantity <= rules.market_lot.maximum
    assert size.notional >= rules.min_notional
