"""Contract 5.2: what happens to an order once it is in, over the venue's own REST and user stream."""

from decimal import Decimal

import pytest
from hand_trading import HandMarket, RefusedError, Trader


def changes(told):
    return [(order["x"], order["X"], order["er"]) for order in told]


class TestTakers:
    def test_a_market_order_acknowledges_before_it_matches(self):
        trader = Trader()
        row = trader.order(type="MARKET", newClientOrderId="a1")
        assert (row["status"], row["executedQty"], row["cumQty"], row["price"]) == ("NEW", "0.000", "0.000", "0.00")
        assert trader.query("a1")["status"] == "FILLED"

    def test_its_result_tells_what_was_executed(self):
        row = Trader().market_order("BUY")
        assert (row["status"], row["executedQty"]) == ("FILLED", "0.010")

    def test_it_walks_the_levels_and_pays_each_its_price(self):
        trader = Trader(balance=20_000)
        trader.market_order("BUY", "2.5")
        told = trader.orders_told()
        assert [(order["L"], order["l"], order["X"]) for order in told if order["x"] == "TRADE"] == [
            ("80000.10", "1.000", "PARTIALLY_FILLED"),
            ("80000.20", "1.000", "PARTIALLY_FILLED"),
            ("80000.30", "0.500", "FILLED"),
        ]
        assert told[-1]["ap"] == "80000.18"
        assert trader.position() == "2.500"

    def test_what_it_took_is_gone_until_the_market_moves_on(self):
        trader = Trader()
        trader.market_order("BUY", "1")
        trader.events()
        trader.market_order("BUY", "0.010")
        assert trader.orders_told()[-1]["L"] == "80000.20"
        trader.step()
        trader.market_order("BUY", "0.010")
        assert trader.orders_told()[-1]["L"] == "80000.10"

    def test_its_remainder_beyond_the_take_bound_expires_with_reason_nine(self):
        market = HandMarket()
        market.books[0] = ([(79_999.9, 1.0)], [(80_000.1, 0.5), (84_000.0, 0.5), (84_000.1, 5.0)])
        trader = Trader(market)
        row = trader.market_order("BUY", "2")
        assert (row["status"], row["executedQty"]) == ("EXPIRED", "1.000")
        assert changes(trader.orders_told()) == [
            ("NEW", "NEW", "0"),
            ("TRADE", "PARTIALLY_FILLED", "0"),
            ("TRADE", "PARTIALLY_FILLED", "0"),
            ("EXPIRED", "EXPIRED", "9"),
        ]

    def test_the_rest_of_an_ioc_order_expires_with_reason_two(self):
        trader = Trader(balance=20_000)
        row = trader.order(timeInForce="IOC", price="80000.2", quantity="2.5", newOrderRespType="RESULT")
        assert (row["status"], row["executedQty"]) == ("EXPIRED", "2.000")
        assert changes(trader.orders_told())[-1] == ("EXPIRED", "EXPIRED", "2")

    def test_a_fok_order_fills_whole(self):
        row = Trader().order(timeInForce="FOK", price="80000.2", quantity="2", newOrderRespType="RESULT")
        assert row["status"] == "FILLED"

    def test_a_limit_order_takes_what_it_reaches_and_rests_with_the_remainder(self):
        trader = Trader()
        row = trader.order(price="80000.1", quantity="1.5", newOrderRespType="RESULT", newClientOrderId="x")
        assert (row["status"], row["executedQty"]) == ("PARTIALLY_FILLED", "1.000")
        trader.step()
        assert trader.query("x")["status"] == "FILLED"
        fills = trader.call("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
        assert [(fill["maker"], fill["qty"]) for fill in fills] == [(False, "1.000"), (True, "0.500")]


class TestEvents:
    def test_a_fill_tells_account_then_lite_then_order_at_one_instant(self):
        trader = Trader()
        trader.market_order("BUY", "1.5", newClientOrderId="a1")
        events = trader.events()
        assert [event["e"] for event in events] == ["ORDER_TRADE_UPDATE"] + [
            "ACCOUNT_UPDATE",
            "TRADE_LITE",
            "ORDER_TRADE_UPDATE",
        ] * 2
        assert {(event["E"], event["T"]) for event in events} == {(trader.now, trader.now)}
        assert events[1]["a"]["m"] == "ORDER"
        assert events[1]["a"]["P"][0]["pa"] == "1.000"

    def test_order_events_have_their_fields_in_the_documented_order(self):
        trader = Trader()
        trader.market_order("BUY", newClientOrderId="a1")
        new, _, lite, trade = trader.events()
        opening = ["s", "c", "S", "o", "f", "q", "p", "ap", "sp", "x", "X", "i", "l", "z", "L"]
        ending = ["T", "t", "b", "a", "m", "R", "wt", "ot", "ps", "cp", "pP", "si", "ss", "rp", "V", "pm", "gtd", "er"]
        assert list(new) == ["e", "E", "T", "o"]
        assert list(new["o"]) == opening + ending
        assert list(trade["o"]) == [*opening, "N", "n", *ending]
        assert list(lite) == ["e", "E", "T", "s", "q", "p", "m", "c", "S", "L", "l", "t", "i"]

    def test_open_notionals_stand_in_every_event(self):
        trader = Trader()
        trader.order(price="70000", quantity="0.100")
        trader.order(side="SELL", price="90000", quantity="0.100", newClientOrderId="x")
        assert [(order["b"], order["a"]) for order in trader.orders_told()] == [("7000", "0"), ("7000", "9000")]

    def test_a_fill_without_a_fee_has_no_commission_fields(self):
        trader = Trader()
        trader.house.account.taker_fee *= 0
        trader.market_order("BUY")
        assert not {"N", "n"} & trader.orders_told()[-1].keys()


class TestResting:
    def test_a_trade_at_its_price_first_takes_what_stood_before_it(self):
        trader = Trader()
        trader.order(price="79999.9", quantity="0.5", newClientOrderId="x")
        trader.market.trade(79_999.9, 0.8, buyer_is_maker=True)
        trader.step()
        assert trader.query("x")["executedQty"] == "0.000"
        trader.market.trade(79_999.9, 0.5, buyer_is_maker=True)
        trader.step()
        assert (trader.query("x")["status"], trader.query("x")["executedQty"]) == ("PARTIALLY_FILLED", "0.300")
        trader.market.trade(79_999.9, 5.0, buyer_is_maker=True)
        trader.step()
        assert trader.query("x")["status"] == "FILLED"

    def test_a_trade_by_buyers_at_its_price_does_not_fill_a_buy_order(self):
        trader = Trader()
        trader.order(price="80000.0", newClientOrderId="x")
        trader.market.trade(80_000.0, 5.0, buyer_is_maker=False)
        trader.step()
        assert trader.query("x")["status"] == "NEW"

    def test_a_trade_through_its_price_fills_it_whole_at_its_own_price(self):
        trader = Trader(balance=20_000)
        trader.order(price="79999.0", quantity="3", newClientOrderId="x")
        trader.market.trade(79_998.9, 0.001, buyer_is_maker=True)
        trader.step()
        row = trader.query("x")
        assert (row["status"], row["avgPrice"], row["cumQuote"]) == ("FILLED", "79999.00000", "239997")

    def test_a_book_that_crosses_it_fills_what_stands_there(self):
        trader = Trader()
        trader.order(price="79990.0", quantity="2.5", newClientOrderId="x")
        trader.market.set_book(79_989.8, 79_989.9)
        trader.step()
        assert trader.query("x")["executedQty"] == "2.000"
        assert [order["L"] for order in trader.orders_told() if order["x"] == "TRADE"] == ["79990.00"] * 2
        trader.step()
        assert trader.query("x")["status"] == "FILLED"

    def test_two_orders_share_one_trade_in_the_order_of_their_prices_and_ages(self):
        trader = Trader()
        trader.order(price="80000.0", quantity="0.3", newClientOrderId="first")
        trader.order(price="80000.0", quantity="0.3", newClientOrderId="second")
        trader.market.trade(80_000.0, 0.4, buyer_is_maker=True)
        trader.step()
        assert [trader.query(name)["executedQty"] for name in ("first", "second")] == ["0.300", "0.100"]

    def test_a_gtd_order_expires_at_its_second(self):
        trader = Trader()
        due = trader.now + 601_500
        row = trader.order(timeInForce="GTD", goodTillDate=due, newClientOrderId="x")
        assert row["goodTillDate"] == due // 1000 * 1000
        trader.exchange.advance(row["goodTillDate"] - 250)
        assert trader.query("x")["status"] == "NEW"
        trader.exchange.advance(row["goodTillDate"])
        assert trader.query("x")["status"] == "EXPIRED"
        assert changes(trader.orders_told())[-1] == ("EXPIRED", "EXPIRED", "0")

    def test_maker_fills_pay_the_maker_fee(self):
        trader = Trader()
        trader.order(price="80000.0", newClientOrderId="x")
        trader.market.trade(80_000.0, 1.0, buyer_is_maker=True)
        trader.step()
        fill = trader.orders_told()[-1]
        assert (fill["m"], fill["n"]) == (True, "0.16000000")


class TestPriceMatch:
    @pytest.mark.parametrize(
        ("side", "match", "price"),
        [
            ("BUY", "OPPONENT", "80000.10"),
            ("BUY", "OPPONENT_5", "80000.50"),
            ("BUY", "QUEUE", "79999.90"),
            ("BUY", "QUEUE_10", "79999.00"),
            ("SELL", "OPPONENT", "79999.90"),
            ("SELL", "QUEUE_5", "80000.50"),
        ],
    )
    def test_the_price_follows_the_book(self, side, match, price):
        row = Trader().order(side=side, priceMatch=match)
        assert (row["price"], row["priceMatch"]) == (price, match)


class TestSelfTrades:
    @pytest.fixture
    def trader(self):
        trader = Trader()
        trader.order(side="SELL", price="80000.0", quantity="0.5", newClientOrderId="own")
        trader.events()
        return trader

    def test_the_resting_order_expires_by_default_and_the_taker_goes_on(self, trader):
        row = trader.market_order("BUY", "1", newClientOrderId="taker")
        assert row["status"] == "FILLED"
        assert changes(trader.orders_told())[:3] == [
            ("NEW", "NEW", "0"),
            ("EXPIRED", "EXPIRED_IN_MATCH", "1"),
            ("TRADE", "FILLED", "0"),
        ]
        assert trader.query("own")["status"] == "EXPIRED_IN_MATCH"

    def test_the_taker_expires_where_it_says_so(self, trader):
        row = trader.market_order("BUY", "1", selfTradePreventionMode="EXPIRE_TAKER")
        assert (row["status"], row["executedQty"]) == ("EXPIRED_IN_MATCH", "0.000")
        assert trader.query("own")["status"] == "NEW"

    def test_an_ioc_taker_expires_with_reason_three(self, trader):
        trader.order(timeInForce="IOC", price="80001", selfTradePreventionMode="EXPIRE_TAKER")
        assert changes(trader.orders_told())[-1] == ("EXPIRED", "EXPIRED_IN_MATCH", "3")

    def test_both_expire_where_it_says_so(self, trader):
        row = trader.market_order("BUY", "1", selfTradePreventionMode="EXPIRE_BOTH")
        assert row["status"] == "EXPIRED_IN_MATCH"
        assert trader.query("own")["status"] == "EXPIRED_IN_MATCH"

    def test_without_prevention_the_account_trades_with_itself(self, trader):
        row = trader.market_order("BUY", "0.5", selfTradePreventionMode="NONE")
        assert row["status"] == "FILLED"
        assert trader.query("own")["status"] == "FILLED"
        assert trader.position() in {"0", "0.000"}

    def test_a_fok_order_is_not_prevented(self, trader):
        row = trader.order(timeInForce="FOK", price="80000.1", quantity="1", newOrderRespType="RESULT")
        assert row["status"] == "FILLED"
        assert trader.query("own")["status"] == "FILLED"

    def test_the_better_market_price_comes_first(self, trader):
        trader.market.set_book(79_999.8, 79_999.9, sizes=(1, 1))
        trader.call("PUT", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", quantity="0.5", price="80000.1",
                    origClientOrderId="own")  # fmt: skip
        trader.exchange.advance(trader.now + 250)
        row = trader.market_order("BUY", "1")
        assert row["status"] == "FILLED"
        assert trader.query("own")["status"] == "NEW"


class TestKnockOut:
    def test_a_resting_reduce_only_order_goes_with_the_position(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.order(side="SELL", price="81000", reduceOnly="true", newClientOrderId="tp")
        trader.events()
        trader.market_order("SELL", reduceOnly="true")
        assert changes(trader.orders_told()) == [
            ("NEW", "NEW", "0"),
            ("TRADE", "FILLED", "0"),
            ("EXPIRED", "EXPIRED", "4"),
        ]
        assert trader.query("tp")["status"] == "EXPIRED"

    def test_it_shrinks_with_a_position_that_shrinks(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.order(side="SELL", price="81000", reduceOnly="true", newClientOrderId="tp")
        trader.market_order("SELL", "0.004")
        assert trader.query("tp")["origQty"] == "0.006"

    def test_the_better_price_is_kept_and_the_worse_knocked_out(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.order(side="SELL", price="82000", quantity="0.005", reduceOnly="true", newClientOrderId="far")
        trader.order(side="SELL", price="81000", quantity="0.005", reduceOnly="true", newClientOrderId="near")
        trader.market_order("SELL", "0.005")
        assert [trader.query(name)["status"] for name in ("near", "far")] == ["NEW", "EXPIRED"]

    def test_a_flip_knocks_it_out(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.order(side="SELL", price="81000", reduceOnly="true", newClientOrderId="tp")
        trader.market_order("SELL", "0.030")
        assert trader.position() == "-0.020"
        assert trader.query("tp")["status"] == "EXPIRED"


class TestClocks:
    def test_a_countdown_cancels_the_symbols_orders_and_no_others(self):
        trader = Trader()
        trader.order(newClientOrderId="btc")
        trader.order(symbol="ETHUSDT", price="2900", newClientOrderId="eth")
        row = trader.call("POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=1_010)
        assert row == {"symbol": "BTCUSDT", "countdownTime": "1010"}
        trader.exchange.advance(trader.now + 1_009)
        assert trader.query("btc")["status"] == "NEW"
        trader.exchange.advance(trader.now + 1)
        assert trader.query("btc")["status"] == "CANCELED"
        assert trader.query("eth", "ETHUSDT")["status"] == "NEW"

    def test_a_countdown_can_be_extended_and_switched_off(self):
        trader = Trader()
        trader.order(newClientOrderId="x")
        path = "/fapi/v1/countdownCancelAll"
        trader.call("POST", path, symbol="BTCUSDT", countdownTime=1_000)
        trader.exchange.advance(trader.now + 900)
        trader.call("POST", path, symbol="BTCUSDT", countdownTime=1_000)
        trader.exchange.advance(trader.now + 900)
        trader.call("POST", path, symbol="BTCUSDT", countdownTime=0)
        trader.exchange.advance(trader.now + 5_000)
        assert trader.query("x")["status"] == "NEW"


class TestTheVenuesOwnOrders:
    def test_settlement_expires_orders_and_closes_the_position_at_the_mark(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.order(newClientOrderId="x")
        trader.market.marks[0] = 80_500.0
        trader.step()
        trader.events()
        trader.house.settle(0, trader.now)
        told = trader.orders_told()
        assert changes(told) == [("EXPIRED", "EXPIRED", "7"), ("NEW", "NEW", "0"), ("CALCULATED", "FILLED", "0")]
        assert told[-1]["c"].startswith("settlement_autoclose-")
        assert told[-1]["L"] == "80500.00"
        assert trader.position() in {"0", "0.000"}

    def test_a_settlement_price_stands_on_the_tick_that_its_profit_is_counted_from(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.market.marks[0] = 80_500.04321
        trader.step()
        trader.events()
        trader.house.settle(0, trader.now)
        fill = trader.orders_told()[-1]
        assert fill["L"] == "80500.00"
        assert Decimal(fill["rp"]) == Decimal(fill["l"]) * (Decimal(fill["L"]) - Decimal("80000.1"))

    def test_a_liquidation_cancels_walks_the_book_and_leaves_the_rest_to_the_fund(self):
        trader = Trader(balance=5_000)
        trader.market_order("BUY", "1")
        trader.order(price="70000", newClientOrderId="x", quantity="0.010")
        trader.events()
        trader.market.set_book(75_100.0, 75_100.2, sizes=(0.2, 0.3))
        trader.step()
        told = trader.orders_told()
        assert changes(told)[0] == ("EXPIRED", "EXPIRED", "5")
        assert {order["c"][:10] for order in told[1:]} == {"autoclose-"}
        assert [order["x"] for order in told[1:]] == ["NEW", "TRADE", "TRADE", "CALCULATED"]
        assert told[-1]["X"] == "FILLED"
        assert trader.position() in {"0", "0.000"}


def test_an_order_that_is_refused_changes_nothing():
    trader = Trader()
    before = trader.call("GET", "/fapi/v2/account")
    with pytest.raises(RefusedError):
        trader.order(quantity="900")
    assert trader.call("GET", "/fapi/v2/account") == before
