"""More risk never buys a larger size or leverage; a scale of prices changes nothing; groups know no order."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_samples import BRACKETS, inputs, size_inputs

from engine.risk.admission import AdmissionLimits, Situation, why_not
from engine.risk.correlation import Closes, group_of
from engine.risk.leverage import LeverageInputs, decide_leverage
from engine.risk.protection import closed_trade, fresh, observe
from engine.risk.size import decide_size
from engine.strategy.candidate import Direction
from exchange.instrument import LotRule

NOON = 20_000 * 86_400_000 + 43_200_000
changed = msgspec.structs.replace
grow = st.floats(1.0, 3.0)


@given(inputs(), grow, grow, st.integers(0, 80))
@settings(max_examples=300, deadline=None)
def test_a_wider_stop_a_larger_notional_or_fewer_live_trades_never_raise_leverage(start, wider, larger, fewer):
    sign = start.direction.sign
    stop = start.entry - (start.entry - start.stop) * min(wider, 0.9 * start.entry / abs(start.entry - start.stop))
    riskier = changed(
        start,
        stop=stop if sign * (start.stop - stop) > 0 else start.stop,
        notional=start.notional * Decimal(repr(larger)),
        live_trades=min(start.live_trades, fewer),
    )
    safe, risky = decide_leverage(start), decide_leverage(riskier)
    assert risky.leverage <= safe.leverage
    assert risky.exchange_leverage <= safe.exchange_leverage


@given(inputs(), st.integers(1, 125))
@settings(max_examples=200, deadline=None)
def test_the_operators_own_cap_is_never_exceeded(start, most):
    decision = decide_leverage(changed(start, most=float(most)))
    assert decision.leverage <= most
    assert decision.exchange_leverage <= most
    assert decision.leverage <= decide_leverage(start).leverage


@given(size_inputs(), st.integers(100, 300), st.integers(0, 100), st.integers(0, 100), st.integers(30, 100))
@settings(max_examples=400, deadline=None)
def test_no_added_risk_ever_raises_the_quantity(start, wider, margin, correlated, factor):
    sign = start.direction.sign
    stop = start.price - sign * min(abs(start.price - start.stop) * wider / 100, start.price * Decimal("0.9"))
    riskier = changed(
        start,
        stop=stop if sign * (start.stop - stop) > 0 else start.stop,
        margin_used=start.margin_used + start.equity * margin / 100,
        correlated_risk=start.correlated_risk + start.equity * correlated / 10_000,
        factor=start.factor * factor / 100,
    )
    assert decide_size(riskier).quantity <= decide_size(start).quantity


@given(size_inputs(), st.sampled_from([Decimal("0.001"), Decimal(10), Decimal(1000)]))
@settings(max_examples=200, deadline=None)
def test_a_size_knows_no_scale_of_prices(start, k):
    rules = start.instrument

    def lot(rule: LotRule) -> LotRule:
        return LotRule(rule.minimum / k, rule.maximum / k, rule.step / k)

    scaled = changed(
        start,
        price=start.price * k,
        stop=start.stop * k,
        instrument=changed(rules, lot=lot(rules.lot), market_lot=lot(rules.market_lot)),
    )
    one, other = decide_size(start), decide_size(scaled)
    assert other.quantity * k == one.quantity
    assert (other.notional, other.margin, other.risk, other.binding) == (
        one.notional, one.margin, one.risk, one.binding,
    )  # fmt: skip


@given(
    st.sampled_from(list(Direction)), st.integers(1, 10**6), st.integers(1, 300), st.sampled_from([0.001, 10.0, 1000.0])
)
@settings(max_examples=200, deadline=None)
def test_leverage_knows_no_scale_of_prices(direction, cents, permille, k):
    entry = cents / 100
    stop = entry * (1 - direction.sign * permille / 1000)
    for notional in (Decimal(1_000), Decimal(60_000)):
        base = decide_leverage(_leverage(direction, entry, stop, notional))
        scaled = decide_leverage(_leverage(direction, entry * k, stop * k, notional))
        assert scaled.leverage == pytest.approx(base.leverage, rel=1e-12)
        assert scaled.binding == base.binding


def _leverage(direction, entry, stop, notional):
    return LeverageInputs("X", "ict", direction, 0.7, 20, 30, 60, 0.8, entry, stop, notional, BRACKETS)


@st.composite
def markets(draw) -> dict[str, Closes]:
    """Up to eight symbols over two common drivers, some with short or missing histories."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    drivers = rng.normal(0.0, 0.002, (2, 288))
    found = {}
    for at in range(draw(st.integers(2, 8))):
        weights = draw(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)))
        moves = weights @ drivers + draw(st.sampled_from([0.0, 0.3, 1.0])) * rng.normal(0.0, 0.002, 288)
        bars = draw(st.sampled_from([288, 288, 288, 60, 20]))
        close = 100.0 * np.exp(np.concatenate([[0.0], np.cumsum(moves)]))[-bars:]
        found[f"S{at}"] = Closes(np.arange(289)[-bars:] * 300_000, close)
    return found


@given(markets(), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_groups_do_not_depend_on_the_order_of_symbols(market, random):
    names = list(market)
    shuffled = names[1:]
    random.shuffle(shuffled)
    mixed = {name: market[name] for name in reversed(names)}
    assert group_of("S0", names[1:], market, 0.8) == group_of("S0", shuffled, mixed, 0.8)


@given(markets())
@settings(max_examples=150, deadline=None)
def test_all_members_of_a_group_name_the_same_group(market):
    group = group_of("S0", market, market, 0.8)
    assert all(group_of(name, market, market, 0.8) == group for name in group)


@given(markets(), st.sampled_from([0.001, 1000.0]))
@settings(max_examples=150, deadline=None)
def test_groups_know_no_scale_of_prices(market, k):
    scaled = {name: Closes(one.open_time, one.close * k) for name, one in market.items()}
    assert group_of("S0", market, scaled, 0.8) == group_of("S0", market, market, 0.8)


@given(markets(), st.integers(0, 7), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
@settings(max_examples=150, deadline=None)
def test_knowing_less_or_asking_for_less_correlation_never_makes_a_group_smaller(market, gone, one, other):
    whole = set(group_of("S0", market, market, max(one, other)))
    assert whole <= set(group_of("S0", market, market, min(one, other)))
    unknown = {name: closes for name, closes in market.items() if name != f"S{gone}"}
    assert whole <= set(group_of("S0", market, unknown, max(one, other)))


@given(
    st.floats(0.0, 1.0),
    st.integers(0, 8),
    st.integers(0, 12),
    st.integers(0, 8),
    st.integers(0, 6),
    st.decimals(7_000, 10_500, places=0),
)
@settings(max_examples=300, deadline=None)
def test_an_account_that_holds_more_or_lost_more_is_never_let_in_where_another_is_not(
    confidence, losses, held, taken, more, equity
):
    limits = AdmissionLimits(max_positions=9)
    calm = fresh(Decimal(10_000), NOON)
    hurt = observe(calm, equity, NOON)
    for _ in range(losses):
        hurt = closed_trade(hurt, Decimal(-1), NOON)
    if not why_not(confidence, Situation("", held + more, taken), hurt, limits):
        assert not why_not(confidence, Situation("", held, taken), calm, limits)
