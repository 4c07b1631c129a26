"""Leverage rises with win rate and confidence and never exceeds a cap; sizes never exceed a limit."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.positions.costs import Costs
from engine.risk.leverage import LeverageInputs, decide_leverage
from engine.risk.liquidation import isolated_liquidation
from engine.risk.size import SIZED, SizeInputs, SizeLimits, decide_size
from engine.strategy.candidate import Direction
from exchange.instrument import Bracket, Instrument, LotRule

BRACKETS = (
    Bracket(Decimal(0), Decimal(5_000), 75, Decimal("0.005"), Decimal(0)),
    Bracket(Decimal(5_000), Decimal(50_000), 25, Decimal("0.01"), Decimal(25)),
    Bracket(Decimal(50_000), Decimal(1_000_000), 10, Decimal("0.025"), Decimal(775)),
)
shares = st.floats(0.0, 1.0)


@st.composite
def inputs(draw) -> LeverageInputs:
    direction = draw(st.sampled_from(list(Direction)))
    entry = draw(st.floats(0.01, 100_000.0))
    stop = entry * (1 - direction.sign * draw(st.floats(0.001, 0.5)))
    notional = Decimal(draw(st.integers(5, 900_000)))
    live = draw(st.integers(0, 80))
    return LeverageInputs(
        "X", "ict", direction, draw(shares), 10, 20, live, draw(shares), entry, stop, notional, BRACKETS
    )


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


@st.composite
def size_inputs(draw) -> SizeInputs:
    direction = draw(st.sampled_from(list(Direction)))
    price = Decimal(draw(st.integers(1, 10_000_000))) / 100
    stop = price * (1 - direction.sign * Decimal(draw(st.integers(1, 300))) / 1000)
    step = draw(st.sampled_from([Decimal("0.001"), Decimal("0.1"), Decimal(1)]))
    lot = LotRule(step, Decimal(10_000), step)
    rules = Instrument(
        "X", "X", "USDT", "PERPETUAL", "TRADING", 2, 3, Decimal("0.01"), Decimal("0.01"), Decimal(10**9), lot,
        LotRule(step * draw(st.integers(1, 5)), Decimal(1_000), step), Decimal(draw(st.integers(1, 100))),
        Decimal(2), Decimal(0), 200, Decimal(0), Decimal(0), 0,
    )  # fmt: skip
    equity = Decimal(draw(st.integers(1, 100_000)))
    whole = draw(st.integers(1, 20))
    return SizeInputs(
        rules,
        BRACKETS,
        direction,
        price,
        stop,
        equity,
        equity * Decimal(draw(st.integers(50, 150))) / 100,
        equity * Decimal(draw(st.integers(0, 100))) / 100,
        draw(st.sampled_from([Decimal("0.1"), Decimal("0.5"), Decimal(whole)])),
        whole,
        Costs(),
        draw(st.sampled_from([Decimal(1), Decimal("0.7"), Decimal("0.5")])),
        equity * Decimal(draw(st.integers(0, 12))) / 1000,
    )


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
