from decimal import Decimal

import pytest
from account_bench import BTC, DOGE, ETH, LONG, ONE_WAY, SHORT, Bench

from exchange.simulator.trading.income import INSURANCE_CLEAR
from exchange.simulator.trading.model import Side

D = Decimal


def fall(bench, listing, price):
    bench.prices.marks[listing] = D(price)
    bench.step()


def test_a_margin_call_comes_once_and_again_after_a_recovery():
    bench = Bench(isolated=[BTC])
    bench.trade(BTC, "BUY", "1", 80_000)
    for price in (76_800, 76_700, 79_000, 76_500):
        fall(bench, BTC, price)
    calls = bench.heard.named("MARGIN_CALL")
    # wallet 3960, at 76,400: balance 360, maintenance 305.6
    assert calls == []
    fall(bench, BTC, 76_400)
    fall(bench, BTC, 76_390)
    fall(bench, BTC, 79_000)
    fall(bench, BTC, 76_400)
    calls = bench.heard.named("MARGIN_CALL")
    assert len(calls) == 2
    assert list(calls[0]) == ["e", "E", "p"]
    assert calls[0]["p"] == [
        {
            "s": "BTCUSDT",
            "ps": "BOTH",
            "pa": "1",
            "mt": "ISOLATED",
            "iw": "3960.00000000",
            "mp": "76400.00000000",
            "up": "-3600.00000000",
            "mm": "305.60000000",
        }
    ]


def test_a_cross_margin_call_names_the_cross_wallet():
    bench = Bench(balance=D(4_000))
    bench.trade(BTC, "BUY", "1", 80_000)
    fall(bench, BTC, 76_400)
    (call,) = bench.heard.named("MARGIN_CALL")
    assert list(call) == ["e", "E", "cw", "p"]
    assert call["cw"] == "3960.00000000"
    assert call["p"][0]["mt"] == "CROSSED"


def test_an_isolated_position_is_liquidated_alone_and_loses_no_more_than_its_wallet():
    bench = Bench(isolated=[BTC])
    bench.rest(BTC, Side.BUY, "0.01", 70_000)
    bench.trade(BTC, "BUY", "1", 80_000)
    bench.trade(ETH, "BUY", "1", 3_000)
    fall(bench, BTC, 76_340)
    assert bench.desk.cancelled == [BTC]
    assert [p.listing for p in bench.book.open_positions()] == [ETH]
    assert bench.book.wallet == 10_000 - 4_000 - D("1.5")
    forced = bench.book.forced
    assert [order.client_id.startswith("autoclose-") for order in forced] == [True]
    # 300 of 3960 were left at the mark; the fee of 1.25 % would be 954 and takes them all.
    assert [(row.kind, row.amount) for row in bench.book.income.rows(bench.now)][-2:] == [
        ("REALIZED_PNL", D(-3_660)),
        (INSURANCE_CLEAR, D(-300)),
    ]
    last = bench.heard.events[-1]
    assert (last["a"]["m"], last["a"]["B"][0]["bc"]) == (INSURANCE_CLEAR, "-300.00000000")


def test_the_liquidation_fee_leaves_what_exceeds_it():
    bench = Bench(balance=D(20_000), isolated=[DOGE], leverage={DOGE: 5})
    bench.trade(DOGE, "BUY", 200_000, "0.25")
    before = bench.book.cross_wallet
    fall(bench, DOGE, "0.211")
    # Wallet 9,975, loss 7,800, maintenance 2,270; the fee is 1.25 % of 42,200.
    assert bench.book.cross_wallet == before + 9_975 - 7_800 - D("527.5")
    assert bench.book.open_positions() == []


def test_a_deficit_is_paid_by_the_insurance_fund():
    bench = Bench(isolated=[BTC])
    bench.desk.beyond = True
    bench.trade(BTC, "BUY", "1", 80_000)
    fall(bench, BTC, 70_000)
    assert bench.book.wallet == bench.book.cross_wallet == 6_000
    assert (bench.book.income.rows(bench.now)[-1].kind, bench.book.income.rows(bench.now)[-1].amount) == (
        INSURANCE_CLEAR,
        D(6_040),
    )


def test_a_cross_account_is_liquidated_as_one_and_ends_at_nothing():
    bench = Bench(balance=D(4_000))
    bench.rest(ETH, Side.BUY, "0.1", 2_000)
    bench.trade(BTC, "BUY", "0.9", 80_000)
    bench.desk.beyond = True
    fall(bench, BTC, 70_000)
    assert bench.desk.cancelled == [None]
    assert bench.book.open_positions() == []
    assert bench.book.wallet == 0
    assert bench.balances()[0] == bench.balances()[1]


def test_a_cross_account_closes_its_greatest_loss_first_and_stops_when_margin_suffices():
    bench = Bench(leverage={DOGE: 5})
    bench.trade(ETH, "BUY", 1, 3_000)
    bench.trade(DOGE, "BUY", 200_000, "0.25")
    fall(bench, DOGE, "0.211")
    assert [order.listing for order in bench.book.forced] == [DOGE]
    assert [position.listing for position in bench.book.open_positions()] == [ETH]
    assert bench.book.wallet == 10_000 - D("26.5") - 7_800 - D("527.5")


def test_every_liquidation_order_has_a_client_id_of_its_own():
    bench = Bench(balance=D(6_000), hedge=True, isolated=[BTC], leverage={BTC: 20})
    bench.trade(BTC, "BUY", "0.5", 80_000, LONG)
    fall(bench, BTC, 76_000)
    bench.trade(BTC, "SELL", "0.5", 76_000, SHORT)
    fall(bench, BTC, 80_000)
    ids = [order.client_id for order in bench.book.forced]
    assert len(ids) == len(set(ids)) == 2
    assert all(len(name) <= 36 for name in ids)


def test_the_bankruptcy_price_is_on_the_tick_that_loses_no_more():
    bench = Bench(isolated=[BTC])
    long = bench.trade(BTC, "BUY", "0.7", "80000.1").position
    price = bench.book.liquidation.bankruptcy_price(long)
    assert price % D("0.1") == 0
    assert 0 <= long.isolated_wallet + long.quantity * (price - long.entry) < D("0.1")


def test_auto_deleveraging_closes_at_the_mark_with_the_reserved_id():
    bench = Bench()
    bench.trade(BTC, "SELL", "1", 80_000)
    bench.prices.marks[BTC] = D("79000.04")
    bench.rest(BTC, Side.SELL, "0.1", 90_000)
    bench.book.auto_deleverage(BTC, ONE_WAY, D("0.4"), bench.now)
    (order,) = bench.book.forced
    assert (order.client_id, order.side, order.quantity, order.average_price) == (
        "adl_autoclose",
        Side.BUY,
        D("0.4"),
        79_000,
    )
    assert bench.book.position(BTC, ONE_WAY).quantity == D("-0.6")
    assert bench.desk.cancelled == [BTC]


def test_auto_deleveraging_takes_no_more_than_there_is():
    bench = Bench()
    bench.trade(BTC, "BUY", "1", 80_000)
    bench.book.auto_deleverage(BTC, ONE_WAY, D(5), bench.now)
    bench.book.auto_deleverage(BTC, ONE_WAY, D(5), bench.now)
    assert bench.book.open_positions() == []
    assert len(bench.book.forced) == 1


def test_the_house_hears_of_a_liquidation_after_it_ended():
    bench = Bench(isolated=[BTC])
    told = []
    bench.book.liquidation.tell = lambda order: told.append((order.listing, order.remaining))
    bench.trade(BTC, "BUY", "1", 80_000)
    fall(bench, BTC, 76_000)
    assert told == [(BTC, 0)]


@pytest.mark.parametrize("isolated", [[], [BTC]])
def test_the_liquidation_price_is_where_liquidation_happens(isolated):
    for side, off in (("BUY", 1), ("SELL", -1)):
        bench = Bench(balance=D(4_000), isolated=isolated)
        position = bench.trade(BTC, side, "0.9", 80_000).position
        price = bench.book.margin.liquidation_price(position)
        fall(bench, BTC, price + D("0.01") * off)
        assert bench.book.open_positions()
        fall(bench, BTC, price - D("0.01") * off)
        assert bench.book.open_positions() == []


def test_closing_one_position_calls_for_the_margin_of_the_others_no_second_time():
    bench = Bench(balance=D(8_100), isolated=[ETH])
    bench.trade(ETH, "BUY", "0.1", 3_000)
    bench.trade(BTC, "BUY", "1", 80_000)
    bench.trade(DOGE, "BUY", "40", "0.25")
    fall(bench, BTC, 72_300)
    bench.trade(ETH, "SELL", "0.1", 3_000)
    bench.trade(DOGE, "SELL", "40", "0.25")
    fall(bench, BTC, 72_290)
    assert len(bench.heard.named("MARGIN_CALL")) == 1
    assert [position.listing for position in bench.book.open_positions()] == [BTC]
