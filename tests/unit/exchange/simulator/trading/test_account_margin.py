from decimal import Decimal

import msgspec
import pytest
from account_bench import BTC, DOGE, ETH, LONG, ONE_WAY, SHORT, Bench

from exchange.simulator.answers import RefusalError
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.trading.model import Side

D = Decimal


def check(bench, side, quantity, price, *, listing=BTC, position_side=ONE_WAY, **more):
    bench.book.check_order(bench.order(listing, Side(side), quantity, price, position_side, **more), D(price))


def refusal(bench, *args, **more):
    with pytest.raises(RefusalError) as caught:
        check(bench, *args, **more)
    return caught.value.code, caught.value.text


def test_an_open_position_binds_its_notional_at_the_mark_over_leverage():
    bench = Bench()
    bench.trade(BTC, "BUY", "0.010", 80_000)
    bench.prices.marks[BTC] = D(80_010)
    assert bench.book.margin.initial(bench.book.open_positions()[0]) == D("40.005")
    assert bench.book.margin.available() == D("9999.6") + D("0.1") - D("40.005")


def test_resting_orders_bind_margin_at_their_price():
    bench = Bench()
    bench.rest(BTC, Side.BUY, "0.1", 78_000)
    assert bench.book.margin.available() == 10_000 - 390


def test_a_buy_above_the_mark_binds_the_loss_it_would_open_with():
    bench = Bench()
    bench.rest(BTC, Side.BUY, "0.1", 80_500)
    assert bench.book.margin.available() == 10_000 - D("402.5") - 50


def test_a_sell_below_the_mark_binds_the_loss_it_would_open_with():
    bench = Bench()
    bench.rest(BTC, Side.SELL, "0.1", 79_500)
    assert bench.book.margin.available() == 10_000 - D("397.5") - 50


def test_only_the_larger_side_of_resting_orders_binds_margin_in_one_way_mode():
    bench = Bench()
    bench.rest(BTC, Side.BUY, "0.1", 78_000)
    bench.rest(BTC, Side.SELL, "0.2", 82_000)
    assert bench.book.margin.available() == 10_000 - 820


def test_in_hedge_mode_each_side_binds_its_own_orders():
    bench = Bench(hedge=True)
    bench.rest(BTC, Side.BUY, "0.1", 78_000, LONG)
    bench.rest(BTC, Side.SELL, "0.2", 82_000, SHORT)
    bench.rest(BTC, Side.SELL, "0.2", 82_000, LONG)
    assert bench.book.margin.available() == 10_000 - 390 - 820


def test_an_order_that_only_reduces_needs_no_margin():
    bench = Bench(leverage={BTC: 100})
    bench.trade(BTC, "BUY", 10, 80_000)
    assert bench.book.margin.available() < 2_000
    check(bench, "SELL", 10, 79_000)


def test_an_order_that_flips_needs_margin_for_what_exceeds_the_position():
    bench = Bench()
    bench.trade(BTC, "BUY", "2.4", 80_000)
    check(bench, "SELL", "2.45", 80_000)
    check(bench, "SELL", "4.8", 80_000)
    assert refusal(bench, "SELL", "6", 80_000)[0] == -2019


def test_margin_is_sufficient_to_the_last_digit():
    bench = Bench(balance=D("400.00"))
    check(bench, "BUY", "0.1", 80_000)
    assert refusal(bench, "BUY", "0.101", 80_000) == (-2019, "Margin is insufficient.")


def test_the_taker_fee_is_reserved_where_the_open_question_says_so():
    bench = Bench(balance=D("400.00"), questions=OpenQuestions(taker_fee_reserved=True))
    assert refusal(bench, "BUY", "0.1", 80_000)[0] == -2019
    check(bench, "BUY", "0.098", 80_000)


def test_short_orders_are_priced_above_the_last_trade_where_the_open_question_says_so():
    bench = Bench(questions=OpenQuestions(short_orders_at_last=True))
    bench.rest(BTC, Side.SELL, "0.1", 80_000)
    assert bench.book.margin.available() == 10_000 - D("400.6")


def test_orders_above_the_cap_of_the_leverage_are_refused_before_margin():
    bench = Bench(leverage={DOGE: 50})
    bench.rest(DOGE, Side.BUY, 16_000, "0.25")
    assert refusal(bench, "BUY", 4_001, "0.25", listing=DOGE) == (
        -2027,
        "Exceeded the maximum allowable position at current leverage.",
    )
    check(bench, "BUY", 4_000, "0.25", listing=DOGE)


def test_reducing_orders_pass_when_nothing_is_left():
    bench = Bench(leverage={BTC: 100})
    bench.trade(BTC, "BUY", 10, 80_000)
    bench.prices.marks[BTC] = D(79_100)
    assert bench.book.margin.available() == 0
    check(bench, "SELL", 20, 80_000, reduce_only=True)
    check(bench, "SELL", 20, 80_000, close_position=True)


def test_while_liquidation_runs_every_order_is_refused():
    bench = Bench()
    bench.book.liquidation.running = True
    assert refusal(bench, "BUY", "0.1", 80_000, reduce_only=True) == (-2023, "User in liquidation mode now.")


def test_an_amended_order_is_charged_only_its_difference():
    bench = Bench(balance=D(410))
    order = bench.rest(BTC, Side.BUY, "0.1", 80_000)
    assert bench.book.margin.available() == 10
    bench.book.check_order(msgspec.structs.replace(order, quantity=D("0.102")), D(80_000))
    with pytest.raises(RefusalError):
        bench.book.check_order(msgspec.structs.replace(order, quantity=D("0.103")), D(80_000))


def test_profit_of_cross_positions_can_be_used_but_not_withdrawn():
    bench = Bench()
    bench.trade(BTC, "BUY", "1", 80_000)
    bench.prices.marks[BTC] = D(82_000)
    available = bench.book.margin.available()
    assert available == 10_000 - 40 + 2_000 - 4_100
    assert bench.book.margin.withdrawable() == available - 2_000


def test_liquidation_price_of_a_cross_position_knows_the_others():
    bench = Bench()
    bench.trade(BTC, "BUY", "1", 80_000)
    alone = bench.book.margin.liquidation_price(bench.book.open_positions()[0])
    bench.trade(ETH, "SELL", 10, 3_000)
    bench.prices.marks[ETH] = D(3_200)
    btc, eth = bench.book.open_positions()
    together = bench.book.margin.liquidation_price(btc)
    lost = 2_000 + 15 + bench.book.margin.maintenance(eth)
    assert together == pytest.approx(alone + lost / (1 - D("0.004")))


def test_isolated_positions_do_not_move_each_others_liquidation_price():
    bench = Bench(isolated=[BTC], leverage={BTC: 10})
    position = bench.trade(BTC, "BUY", "1", 80_000).position
    before = bench.book.margin.liquidation_price(position)
    bench.trade(ETH, "SELL", 1, 3_000)
    bench.prices.marks[ETH] = D(3_100)
    assert bench.book.margin.liquidation_price(position) == before
    assert position.isolated_wallet == 7_960


def test_unrealised_profit_carries_cross_positions_but_becomes_no_isolated_margin():
    bench = Bench(isolated=[ETH], leverage={BTC: 50})
    bench.trade(BTC, "BUY", 5, 80_000)
    bench.prices.marks[BTC] = D(82_000)
    assert (bench.book.margin.available(), bench.book.margin.withdrawable()) == (11_600, 1_600)
    check(bench, "BUY", 5, 82_000)
    assert refusal(bench, "BUY", 11, 3_000, listing=ETH)[0] == -2019
    check(bench, "BUY", 10, 3_000, listing=ETH)
