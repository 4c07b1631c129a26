from decimal import Decimal

import pytest
from instrument_samples import BITCOIN, contract
from order_samples import EPOCH, entry, limit_entry, stop

from exchange.conditional_orders import ConditionalKind, WorkingType
from exchange.instrument import LotRule
from exchange.orders import AmendRequest, OrderRef, PriceMatch, Side, TimeInForce
from exchange.trading_rules import (
    Breach,
    MarketView,
    Refusal,
    quantise_amendment,
    quantise_conditional,
    quantise_order,
    quantise_price,
    quantise_quantity,
    smallest_quantity,
    split_quantity,
)

D = Decimal
VIEW = MarketView(EPOCH, D(80000), bid=D("79999.9"), ask=D(80000), last=D(80000))


def breach(outcome):
    assert isinstance(outcome, Refusal), outcome
    assert outcome.text
    return outcome.breach


def test_quantities_are_rounded_down_to_the_step_and_spelled_with_its_decimals():
    assert str(quantise_quantity(BITCOIN, D("0.0129"), market=True)) == "0.012"
    assert str(quantise_quantity(BITCOIN, D("0.0100000"), market=False)) == "0.010"
    whole = contract(lot=LotRule(D(10), D(1000), D(10)), quantity_precision=0)
    assert format(quantise_quantity(whole, D("129.9"), market=False), "f") == "120"


def test_a_quantity_of_many_digits_is_never_rounded_up():
    assert quantise_quantity(BITCOIN, D("0.011" + "9" * 40), market=True) == D("0.011")
    assert quantise_price(BITCOIN, D("80000." + "0" * 40 + "1"), up=True) == D("80000.1")


def test_market_orders_have_bounds_of_their_own():
    assert quantise_quantity(BITCOIN, D(500), market=False) == 500
    assert breach(quantise_quantity(BITCOIN, D(500), market=True)) is Breach.QUANTITY_TOO_LARGE
    assert breach(quantise_quantity(BITCOIN, D("0.0009"), market=True)) is Breach.QUANTITY_TOO_SMALL


@pytest.mark.parametrize("poison", ["NaN", "Infinity", "-Infinity", "0", "-1"])
def test_what_is_no_number_is_no_quantity_and_no_price(poison):
    assert breach(quantise_quantity(BITCOIN, D(poison), market=True)) is Breach.UNUSABLE
    assert breach(quantise_price(BITCOIN, D(poison), up=False)) is Breach.UNUSABLE


@pytest.mark.parametrize("size", ["1e308", "1e-308"])
def test_absurd_sizes_are_refused_by_the_bounds(size):
    assert isinstance(quantise_quantity(BITCOIN, D(size), market=True), Refusal)
    assert isinstance(quantise_price(BITCOIN, D(size), up=True), Refusal)
    assert isinstance(split_quantity(BITCOIN, D(size), market=True), Refusal)


def test_a_step_finer_than_the_precision_is_coarsened_to_what_both_allow():
    odd = contract(lot=LotRule(D("0.025"), D(1000), D("0.025")), quantity_precision=2)
    assert quantise_quantity(odd, D("0.13"), market=False) == D("0.10")


def test_a_buy_is_rounded_down_and_a_sell_up():
    assert str(quantise_order(BITCOIN, limit_entry(price=D("80000.17")), VIEW).price) == "80000.1"
    sell = limit_entry(price=D("80000.11"), side=Side.SELL)
    assert str(quantise_order(BITCOIN, sell, VIEW).price) == "80000.2"
    exact = limit_entry(price=D("80000.10"), side=Side.SELL)
    assert quantise_order(BITCOIN, exact, VIEW).price == D("80000.1")


@pytest.mark.parametrize(("price", "reason"), [("556.7", Breach.PRICE_TOO_LOW), ("4529764.1", Breach.PRICE_TOO_HIGH)])
def test_prices_have_bounds(price, reason):
    assert breach(quantise_price(BITCOIN, D(price), up=False)) is reason


def test_ticks_count_from_zero_wherever_the_lowest_price_lies():
    old = contract(min_price=D("556.72"))
    assert quantise_price(old, D("80000.17"), up=False) == D("80000.1")
    assert quantise_price(old, D("556.73"), up=True) == D("556.8")
    assert breach(quantise_price(old, D("556.73"), up=False)) is Breach.PRICE_TOO_LOW


def test_a_price_rounded_up_beyond_the_highest_is_refused():
    odd = contract(max_price=D("1000.05"))
    assert breach(quantise_price(odd, D("1000.04"), up=True)) is Breach.PRICE_TOO_HIGH
    assert quantise_price(odd, D("1000.04"), up=False) == 1000


def test_the_smallest_notional_counts_at_the_limit_price_or_the_mark_and_spares_what_reduces():
    assert breach(quantise_order(BITCOIN, entry(quantity=D("0.0006")), VIEW)) is Breach.QUANTITY_TOO_SMALL
    cheap = MarketView(EPOCH, D(4000))
    assert breach(quantise_order(BITCOIN, entry(), cheap)) is Breach.NOTIONAL_TOO_SMALL
    assert quantise_order(BITCOIN, entry(reduces=True), cheap).quantity == D("0.010")
    assert quantise_order(BITCOIN, limit_entry(price=D(76500), quantity=D("0.001")), VIEW).price == 76500
    assert breach(quantise_order(BITCOIN, limit_entry(price=D(900)), cheap)) is Breach.NOTIONAL_TOO_SMALL


def test_the_band_stops_limits_that_cross_too_far_and_leaves_passive_ones():
    assert breach(quantise_order(BITCOIN, limit_entry(price=D("84000.1")), VIEW)) is Breach.ABOVE_BAND
    assert quantise_order(BITCOIN, limit_entry(price=D(84000)), VIEW).price == 84000
    sell = {"side": Side.SELL}
    assert breach(quantise_order(BITCOIN, limit_entry(price=D("75999.9"), **sell), VIEW)) is Breach.BELOW_BAND
    assert quantise_order(BITCOIN, limit_entry(price=D(200_000), **sell), VIEW).price == 200_000
    assert quantise_order(BITCOIN, limit_entry(price=D(40_000)), VIEW).price == 40_000


def test_a_market_order_into_a_book_outside_the_band_is_refused_where_the_book_is_known():
    torn = VIEW._replace(ask=D(90_000))
    assert breach(quantise_order(BITCOIN, entry(), torn)) is Breach.BOOK_OUTSIDE_BAND
    assert quantise_order(BITCOIN, entry(side=Side.SELL), torn).side is Side.SELL
    assert quantise_order(BITCOIN, entry(), VIEW._replace(ask=None)).symbol == "BTCUSDT"


def test_a_symbol_that_does_not_trade_takes_no_order():
    halted = contract(status="SETTLING")
    assert breach(quantise_order(halted, entry(reduces=True), VIEW)) is Breach.NOT_TRADING
    assert breach(quantise_conditional(halted, stop(), VIEW)) is Breach.NOT_TRADING


@pytest.mark.parametrize(
    ("control", "buys", "sells"),
    [("NONE", True, True), ("BUY", False, True), ("LONG", False, True), ("SELL", True, False), ("BOTH", False, False),
     ("SOMETHING_NEW", False, False)],
)  # fmt: skip
def test_risk_control_stops_entries_of_its_side_and_of_both_when_unknown(control, buys, sells):
    controlled = contract(position_control=control)
    for side, allowed in ((Side.BUY, buys), (Side.SELL, sells)):
        outcome = quantise_order(controlled, entry(side=side), VIEW)
        assert isinstance(outcome, Refusal) is not allowed
        assert allowed or breach(outcome) is Breach.RISK_CONTROL
        assert not isinstance(quantise_order(controlled, entry(side=side, reduces=True), VIEW), Refusal)


def test_open_orders_are_capped_for_orders_that_rest():
    assert breach(quantise_order(BITCOIN, limit_entry(), VIEW, open_orders=200)) is Breach.TOO_MANY_ORDERS
    assert quantise_order(BITCOIN, limit_entry(), VIEW, open_orders=199).price == 80000
    assert quantise_order(BITCOIN, entry(), VIEW, open_orders=200).quantity == D("0.010")
    assert breach(quantise_conditional(BITCOIN, stop(), VIEW, open_conditional=200)) is Breach.TOO_MANY_ORDERS


def test_a_market_that_is_not_believed_takes_no_order():
    for view in (VIEW._replace(mark=D("NaN")), VIEW._replace(mark=D(0)), VIEW._replace(ask=D("Infinity"))):
        assert breach(quantise_order(BITCOIN, entry(), view)) is Breach.UNUSABLE
        assert breach(quantise_conditional(BITCOIN, stop(), view)) is Breach.UNUSABLE


def test_a_price_left_to_the_venue_is_not_judged():
    order = limit_entry(price=None, price_match=PriceMatch.QUEUE)
    assert quantise_order(BITCOIN, order, VIEW).price is None


def test_an_order_good_till_a_date_lives_for_more_than_ten_minutes():
    order = limit_entry(time_in_force=TimeInForce.GTD, good_till_ms=EPOCH + 600_000)
    assert breach(quantise_order(BITCOIN, order, VIEW)) is Breach.GOOD_TILL
    order = limit_entry(time_in_force=TimeInForce.GTD, good_till_ms=EPOCH + 600_001)
    assert quantise_order(BITCOIN, order, VIEW).good_till_ms == EPOCH + 600_001


@pytest.mark.parametrize(
    ("kind", "side", "wanted", "fitted"),
    [
        (ConditionalKind.STOP_MARKET, Side.SELL, "79000.11", "79000.2"),
        (ConditionalKind.STOP_MARKET, Side.BUY, "81000.19", "81000.1"),
        (ConditionalKind.TAKE_PROFIT_MARKET, Side.SELL, "81000.19", "81000.1"),
        (ConditionalKind.TAKE_PROFIT_MARKET, Side.BUY, "79000.11", "79000.2"),
    ],
)
def test_a_trigger_moves_to_the_tick_that_is_reached_earlier(kind, side, wanted, fitted):
    order = stop(kind=kind, side=side, trigger_price=D(wanted))
    assert quantise_conditional(BITCOIN, order, VIEW).trigger_price == D(fitted)


@pytest.mark.parametrize(
    ("kind", "side", "level", "reached"),
    [
        (ConditionalKind.STOP_MARKET, Side.SELL, 80000, True),
        (ConditionalKind.STOP_MARKET, Side.SELL, 79999, False),
        (ConditionalKind.STOP_MARKET, Side.BUY, 80000, True),
        (ConditionalKind.STOP_MARKET, Side.BUY, 80001, False),
        (ConditionalKind.TAKE_PROFIT_MARKET, Side.SELL, 80000, True),
        (ConditionalKind.TAKE_PROFIT_MARKET, Side.SELL, 80001, False),
        (ConditionalKind.TAKE_PROFIT_MARKET, Side.BUY, 80000, True),
        (ConditionalKind.TAKE_PROFIT_MARKET, Side.BUY, 79999, False),
    ],
)
def test_a_level_that_is_reached_already_is_named_before_it_is_sent(kind, side, level, reached):
    outcome = quantise_conditional(BITCOIN, stop(kind=kind, side=side, trigger_price=D(level)), VIEW)
    assert isinstance(outcome, Refusal) is reached
    assert not reached or breach(outcome) is Breach.WOULD_TRIGGER


def test_the_price_that_triggers_is_the_working_one():
    order = stop(trigger_price=D(79000), working=WorkingType.LAST)
    assert breach(quantise_conditional(BITCOIN, order, VIEW._replace(last=D(78000)))) is Breach.WOULD_TRIGGER
    assert quantise_conditional(BITCOIN, order, VIEW._replace(last=None)).trigger_price == 79000


@pytest.mark.parametrize(
    ("callback", "activate", "reason"),
    [
        ("0.1", "81000", None),
        ("20", None, None),
        ("0.05", None, Breach.CALLBACK),
        ("20.1", None, Breach.CALLBACK),
        ("1", "80000", Breach.WOULD_TRIGGER),
    ],
)
def test_trailing_stops_follow_within_bounds(callback, activate, reason):
    order = stop(
        kind=ConditionalKind.TRAILING_STOP_MARKET, trigger_price=None, callback_percent=D(callback),
        activate_price=None if activate is None else D(activate),
    )  # fmt: skip
    outcome = quantise_conditional(BITCOIN, order, VIEW)
    assert (outcome.breach if isinstance(outcome, Refusal) else None) is reason


def test_a_conditional_entry_needs_the_smallest_notional_and_a_stop_does_not():
    small = {"quantity": D("0.001"), "trigger_price": D(40_000), "side": Side.SELL}
    assert not isinstance(quantise_conditional(BITCOIN, stop(**small), VIEW), Refusal)
    assert breach(quantise_conditional(BITCOIN, stop(**small, reduces=False), VIEW)) is Breach.NOTIONAL_TOO_SMALL
    whole = stop(quantity=None, close_position=True)
    assert quantise_conditional(BITCOIN, whole, VIEW).quantity is None


def test_conditional_quantities_use_the_market_bounds_unless_they_have_a_price():
    assert breach(quantise_conditional(BITCOIN, stop(quantity=D(500)), VIEW)) is Breach.QUANTITY_TOO_LARGE
    limit = stop(quantity=D(500), kind=ConditionalKind.STOP, price=D("78999.95"))
    assert quantise_conditional(BITCOIN, limit, VIEW).price == 79000


def test_an_amendment_that_would_cancel_the_order_is_named():
    wanted = AmendRequest(
        symbol="BTCUSDT", side=Side.BUY, order=OrderRef(order_id=1), quantity=D("0.0105"), price=D("79000.19")
    )
    fitted = quantise_amendment(BITCOIN, wanted, VIEW, D("0.009"))
    assert (fitted.quantity, fitted.price) == (D("0.010"), D("79000.1"))
    assert breach(quantise_amendment(BITCOIN, wanted, VIEW, D("0.010"))) is Breach.ALREADY_EXECUTED


def test_the_smallest_quantity_reaches_the_smallest_notional():
    assert smallest_quantity(BITCOIN, D(80000), market=True) == D("0.001")
    assert smallest_quantity(BITCOIN, D(30000), market=True) == D("0.002")
    assert breach(smallest_quantity(BITCOIN, D("0.01"), market=True)) is Breach.NOTIONAL_TOO_SMALL
    assert breach(smallest_quantity(BITCOIN, D(0), market=True)) is Breach.NOTIONAL_TOO_SMALL


def test_a_close_above_the_largest_order_is_split():
    assert split_quantity(BITCOIN, D("250.0005"), market=True) == (D(120), D(120), D(10))
    assert split_quantity(BITCOIN, D(240), market=True) == (D(120), D(120))
    assert split_quantity(BITCOIN, D("0.5"), market=True) == (D("0.5"),)
