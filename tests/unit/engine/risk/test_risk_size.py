"""How large a position becomes."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from engine.positions.costs import Costs
from engine.risk.leverage import LeverageInputs, decide_leverage
from engine.risk.row import ACCOUNT, Basis, leverage_row
from engine.risk.size import SIZED, SizeInputs, decide_size, intended_notional
from engine.strategy.candidate import Direction
from exchange.instrument import Bracket, Instrument, LotRule

D = Decimal
BRACKETS = (
    Bracket(D(0), D(5_000), 50, D("0.01"), D(0)),
    Bracket(D(5_000), D(50_000), 10, D("0.02"), D(50)),
)
RULES = Instrument(
    symbol="XUSDT",
    base="X",
    quote="USDT",
    contract_type="PERPETUAL",
    status="TRADING",
    price_precision=2,
    quantity_precision=3,
    tick=D("0.01"),
    min_price=D("0.01"),
    max_price=D(1_000_000),
    lot=LotRule(D("0.001"), D(1_000), D("0.001")),
    market_lot=LotRule(D("0.01"), D(120), D("0.001")),
    min_notional=D(5),
    multiplier_up=D("1.05"),
    multiplier_down=D("0.95"),
    max_orders=200,
    liquidation_fee=D("0.0125"),
    market_take_bound=D("0.05"),
    onboard_ms=0,
)


def inputs(**changes) -> SizeInputs:
    plain = SizeInputs(
        RULES, BRACKETS, Direction.LONG, D(100), D(98), D(10_000), D(10_000), D(0), D(10), 10, Costs(D(0), D(0), D(0))
    )
    return msgspec.structs.replace(plain, **changes)


def test_the_risk_at_the_stop_is_one_percent_of_equity():
    size = decide_size(inputs())
    assert (size.quantity, size.binding, size.outcome) == (D(50), "risk", SIZED)
    assert (size.notional, size.margin, size.risk) == (D(5_000), D(500), D(100))
    assert size.risk_percent == 1.0


def test_fees_and_slippage_belong_to_the_risk():
    size = decide_size(inputs(costs=Costs()))
    assert size.quantity < D(50)
    assert size.risk <= D(100)
    assert size.risk > D("99.9")


def test_a_short_is_sized_by_the_same_rule():
    size = decide_size(inputs(direction=Direction.SHORT, stop=D(102)))
    assert (size.quantity, size.binding) == (D(50), "risk")


def test_the_quantity_is_rounded_down_to_the_step():
    assert decide_size(inputs(stop=D("97"))).quantity == D("33.333")


def test_the_coarser_of_the_two_steps_counts():
    rules = msgspec.structs.replace(RULES, market_lot=LotRule(D(1), D(120), D(1)))
    assert decide_size(inputs(instrument=rules, stop=D("97"))).quantity == D(33)


def test_the_notional_stays_within_half_the_equity_times_leverage():
    size = decide_size(inputs(leverage=D("0.1"), exchange_leverage=1))
    assert (size.quantity, size.binding, size.margin) == (D(5), "notional", D(500))


def test_the_margin_of_all_positions_stays_within_ninety_percent_of_the_wallet():
    size = decide_size(inputs(margin_used=D(8_900)))
    assert (size.quantity, size.binding) == (D(10), "margin")
    assert decide_size(inputs(margin_used=D(9_000))).outcome == "no room left under the limit of margin"


def test_margin_above_eighty_percent_warns():
    assert decide_size(inputs(margin_used=D(7_400))).warning == ""
    assert decide_size(inputs(margin_used=D(7_500))).warning == "margin in use reaches 80.0 % of the wallet"


def test_the_bracket_of_the_leverage_limits_the_notional():
    size = decide_size(inputs(stop=D("99.9"), exchange_leverage=50, leverage=D(50)))
    assert (size.quantity, size.binding) == (D(50), "bracket")


def test_a_leverage_no_bracket_allows_leaves_no_room():
    assert decide_size(inputs(exchange_leverage=60)).outcome == "no room left under the limit of bracket"


def test_the_largest_market_order_limits_the_quantity():
    size = decide_size(inputs(stop=D("99.5")))
    assert (size.quantity, size.binding) == (D(120), "maximum quantity")


def test_the_protections_factor_shrinks_the_size():
    assert decide_size(inputs(factor=D("0.5"))).quantity == D(25)


def test_correlated_positions_share_one_risk_budget():
    assert decide_size(inputs(correlated_risk=D(60))).quantity == D(20)
    assert decide_size(inputs(correlated_risk=D(100))).outcome == "no room left under the limit of risk"


def test_a_shrunk_quantity_below_the_minimum_is_raised_when_the_risk_still_fits():
    size = decide_size(inputs(equity=D(12), factor=D("0.5")))
    assert (size.quantity, size.binding, size.outcome) == (D("0.05"), "minimum", SIZED)
    assert size.risk == D("0.1")
    assert size.risk <= D("0.12")


def test_a_minimum_that_does_not_fit_is_skipped_with_the_reason():
    size = decide_size(inputs(equity=D(5)))
    assert size.quantity == 0
    assert size.outcome == "the smallest order 0.05 exceeds the limit of risk (0.025)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"equity": D("NaN")}, "equity NaN is not positive"),
        ({"wallet": D(0)}, "wallet 0 is not positive"),
        ({"stop": D(101)}, "the stop 101 is not behind the price 100"),
        ({"margin_used": D("NaN")}, "margin in use or correlated risk is unknown"),
        ({"exchange_leverage": 0}, "exchange leverage 0 is not positive"),
    ],
)
def test_an_unknown_number_means_no_trade_and_is_named(changes, words):
    size = decide_size(inputs(**changes))
    assert (size.quantity, size.outcome) == (D(0), words)


def test_the_intended_notional_is_what_the_risk_budget_alone_allows():
    assert intended_notional(100.0, 98.0, Direction.LONG, D(10_000), Costs(D(0), D(0), D(0))) == D(5_000)


def test_the_panels_row_carries_inputs_caps_and_result():
    decision = decide_leverage(
        LeverageInputs("XUSDT", "ict", Direction.LONG, 0.7, 20, 30, 10, 0.5, 100.0, 98.0, D(5_000), BRACKETS)
    )
    size = decide_size(inputs(leverage=decision.effective, exchange_leverage=decision.exchange_leverage))
    basis = Basis(ACCOUNT, "s-1", D(10_000), D(9_900), D(50), D(1), "NORMAL", ("YUSDT",), D(12))
    row = leverage_row(77, decision, size, basis)
    assert (row.time, row.raw, row.binding, row.leverage, row.exchange_leverage) == (77, 12.0, "few trades", 2.0, 2)
    assert (row.quantity, row.notional, row.margin, row.outcome) == (50.0, 5_000.0, 2_500.0, "sized")
    assert (row.entry, row.stop, row.live_trades, row.intended) == (100.0, 98.0, 10, 5_000.0)
    assert (row.purpose, row.signal_id, row.equity, row.margin_used) == ("account", "s-1", 10_000.0, 50.0)
    assert (row.protection, row.group, row.group_risk) == ("NORMAL", ("YUSDT",), 12.0)
    assert [name for name, _ in row.limits] == ["risk", "margin", "notional", "bracket", "maximum quantity"]
    assert dict(row.limits)[row.size_binding] == row.quantity
