"""Contract 5.1 and 5.3: every refusal of POST order with its code, status and text, and the order of the checks."""

import msgspec
import pytest
from hand_trading import HandMarket, RefusedError, Trader

from exchange.simulator.questions import OpenQuestions

GTD_TEXT = (
    "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than "
    "253402300799000 (UTC 9999-12-31 23:59:59)"
)
ALGO_TEXT = "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."

POST_ONLY_TEXT = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)


def absent(name):
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


REFUSALS = [
    ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
    ({"symbol": "btcusdt"}, -1121, "Invalid symbol."),
    ({"symbol": None}, -1102, absent("symbol")),
    ({"side": None}, -1102, absent("side")),
    ({"side": "HOLD"}, -1117, "Invalid side."),
    ({"type": "ICEBERG"}, -1116, "Invalid orderType."),
    ({"type": "STOP_MARKET"}, -4120, ALGO_TEXT),
    ({"type": "TRAILING_STOP_MARKET"}, -4120, ALGO_TEXT),
    ({"quantity": None}, -1102, absent("quantity")),
    ({"quantity": "0.0101"}, -1111, "Precision is over the maximum defined for this asset."),
    ({"quantity": "1e-2"}, -1100, None),
    ({"quantity": "NaN"}, -1100, None),
    ({"quantity": "0"}, -4003, "Quantity less than or equal to zero."),
    ({"quantity": "-1"}, -4003, "Quantity less than or equal to zero."),
    ({"quantity": "1000.001"}, -4005, "Quantity greater than max quantity."),
    ({"price": None}, -1102, absent("price")),
    ({"price": "79000.001"}, -1111, "Precision is over the maximum defined for this asset."),
    ({"price": "-1"}, -4001, "Price less than 0."),
    ({"price": "0.05"}, -4013, "Price less than min price."),
    ({"price": "1000000.1"}, -4002, "Price greater than max price."),
    ({"price": "79000.05"}, -4014, "Price not increased by tick size."),
    ({"price": "84000.1"}, -4016, "Limit price can't be higher than 84000.00."),
    ({"side": "SELL", "price": "75999.9"}, -4024, "Limit price can't be lower than 76000.00."),
    ({"timeInForce": None}, -1102, absent("timeInForce")),
    ({"timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
    ({"type": "MARKET", "timeInForce": "IOC"}, -1114, "TimeInForce parameter sent when not required."),
    ({"type": "MARKET", "price": "79000"}, -1106, "Parameter 'price' sent when not required."),
    ({"positionSide": "UP"}, -4060, "Invalid position side."),
    ({"positionSide": "LONG"}, -4061, "Order's position side does not match user's setting."),
    ({"newClientOrderId": "a" * 37}, -4015, "Client order id is not valid."),
    ({"newClientOrderId": "no blanks"}, -4015, "Client order id is not valid."),
    ({"newOrderRespType": "FULL"}, -1136, "Invalid newOrderRespType."),
    ({"priceMatch": "OPPONENT_10"}, -5037, "Invalid price match"),
    ({"priceMatch": "QUEUE", "price": "79000"}, -5037, "Invalid price match"),
    (
        {"type": "MARKET", "priceMatch": "QUEUE"},
        -5038,
        "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT",
    ),
    ({"priceMatch": "QUEUE_20"}, -5041, "No depth matches this BBO order"),
    ({"selfTradePreventionMode": "DECREMENT"}, -5039, "Invalid self trade prevention mode"),
    ({"timeInForce": "GTD"}, -1102, absent("goodTillDate")),
    ({"timeInForce": "GTD", "goodTillDate": 1_795_000_620_000}, -5040, GTD_TEXT),
    ({"timeInForce": "GTD", "goodTillDate": 253_402_300_799_000}, -5040, GTD_TEXT),
    (
        {"quantity": "0.001", "price": "4000"},
        -4164,
        "Order's notional must be no smaller than 5 (unless you choose reduce only).",
    ),
    ({"reduceOnly": "true"}, -2022, "ReduceOnly Order is rejected."),
    ({"reduceOnly": "perhaps"}, -1130, "Data sent for parameter 'reduceOnly' is not valid."),
    ({"quantity": "3.2"}, -2027, "Exceeded the maximum allowable position at current leverage."),
    ({"closePosition": "true"}, -4136, None),
]


@pytest.mark.parametrize(("change", "code", "text"), REFUSALS)
def test_an_order_is_refused_with_the_venues_code_and_text(change, code, text):
    trader = Trader()
    with pytest.raises(RefusedError) as refusal:
        trader.order(**change)
    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert text in {None, refusal.value.text}
    assert trader.events() == []
    assert trader.call("GET", "/fapi/v1/allOrders") == []


def test_the_first_check_that_fails_gives_the_answer():
    trader = Trader()
    every = {
        "timeInForce": "DAY",
        "quantity": "0.00011",
        "price": "100.05",
        "positionSide": "LONG",
        "newClientOrderId": "twice",
    }
    seen = []
    trader.order(newClientOrderId="twice")
    for repair in (
        {"timeInForce": "GTC"},
        {"quantity": "0.001"},
        {"price": "100.00"},
        {"price": "79000"},
        {"positionSide": "BOTH"},
        {"newClientOrderId": "once"},
    ):
        with pytest.raises(RefusedError) as refusal:
            trader.order(**every)
        seen.append(refusal.value.code)
        every |= repair
    assert seen == [-1115, -1111, -4014, -4164, -4061, -4116]
    assert trader.order(**every)["status"] == "NEW"


def test_a_small_order_that_reduces_is_exempt_from_the_least_notional():
    trader = Trader()
    trader.market_order("BUY")
    trader.market.books[0][0][0] = (4000.0, 1.0)
    trader.market.marks[0] = 4000.0
    trader.step()
    assert trader.order(side="SELL", quantity="0.001", price="4400", reduceOnly="true")["status"] == "NEW"
    with pytest.raises(RefusedError, match="-4164"):
        trader.order(side="SELL", quantity="0.001", price="4400")


def test_margin_that_is_missing_is_refused():
    trader = Trader(balance=100)
    with pytest.raises(RefusedError) as refusal:
        trader.order(quantity="0.1")
    assert (refusal.value.code, refusal.value.text) == (-2019, "Margin is insufficient.")


def test_the_201st_open_order_of_a_symbol_is_refused():
    trader = Trader()
    for rank in range(200):
        trader.order(quantity="0.001", price=str(70_000 + rank))
        trader.step(40)
    with pytest.raises(RefusedError) as refusal:
        trader.order(quantity="0.001", price="69000")
    assert (refusal.value.code, refusal.value.text) == (-2025, "Reach max open order limit.")
    assert trader.market_order("BUY", "0.001")["status"] == "FILLED"


def test_a_client_id_is_taken_while_its_order_is_open_and_free_afterwards():
    trader = Trader()
    first = trader.order(newClientOrderId="again")
    with pytest.raises(RefusedError, match="-4116"):
        trader.order(newClientOrderId="again")
    with pytest.raises(RefusedError, match="-4116"):
        trader.order(newClientOrderId="again", symbol="ETHUSDT", price="2900")
    trader.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="again")
    second = trader.order(newClientOrderId="again")
    assert second["orderId"] > first["orderId"]
    assert trader.query("again")["orderId"] == second["orderId"]
    assert trader.call("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=first["orderId"])["status"] == "CANCELED"


def test_a_market_order_is_refused_where_the_counter_price_is_beyond_percent_price():
    market = HandMarket()
    market.books[0] = ([(79_999.9, 1.0)], [(84_000.1, 1.0)])
    trader = Trader(market)
    with pytest.raises(RefusedError) as refusal:
        trader.market_order("BUY")
    assert refusal.value.code == -4131
    assert trader.market_order("SELL")["status"] == "FILLED"


@pytest.mark.parametrize(
    ("status", "code"),
    [("SETTLING", -4140), ("PENDING_TRADING", -4140), ("CLOSE", -4141), ("DELIVERED", -4141)],
)
def test_a_symbol_that_does_not_trade_takes_no_orders(status, code):
    market = HandMarket()
    first = market.listings[0]
    halted = msgspec.structs.replace(first, instrument=msgspec.structs.replace(first.instrument, status=status))
    market.listings = (halted, *market.listings[1:])
    trader = Trader(market)
    with pytest.raises(RefusedError) as refusal:
        trader.order()
    assert refusal.value.code == code


def test_a_fok_order_that_cannot_be_filled_leaves_no_trace():
    trader = Trader()
    with pytest.raises(RefusedError) as refusal:
        trader.order(timeInForce="FOK", price="80000.2", quantity="2.1", newClientOrderId="fok")
    assert refusal.value.code == -5021
    assert refusal.value.text == (
        "Due to the order could not be filled immediately, the FOK order has been rejected. "
        "The order will not be recorded in the order history"
    )
    with pytest.raises(RefusedError, match="-2013"):
        trader.query("fok")


@pytest.mark.parametrize("time_in_force", ["GTX", "RPI"])
def test_a_post_only_order_that_would_take_leaves_no_trace(time_in_force):
    trader = Trader()
    with pytest.raises(RefusedError) as refusal:
        trader.order(timeInForce=time_in_force, price="80000.1")
    assert (refusal.value.code, refusal.value.text) == (
        -5022,
        POST_ONLY_TEXT,
    )
    assert trader.order(timeInForce=time_in_force, price="80000.0")["status"] == "NEW"


class TestHedgeMode:
    @pytest.fixture
    def trader(self):
        trader = Trader()
        trader.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
        return trader

    @pytest.mark.parametrize("side", [None, "BOTH"])
    def test_a_position_side_is_mandatory(self, trader, side):
        with pytest.raises(RefusedError, match="-4061"):
            trader.order(positionSide=side)

    @pytest.mark.parametrize("flag", ["true", "false"])
    def test_reduce_only_may_not_be_sent(self, trader, flag):
        with pytest.raises(RefusedError) as refusal:
            trader.order(positionSide="LONG", reduceOnly=flag)
        assert (refusal.value.code, refusal.value.text) == (-1106, "Parameter 'reduceonly' sent when not required.")

    def test_the_error_lists_own_code_is_a_switch(self):
        trader = Trader(questions=OpenQuestions(hedge_reduce_only_code=-4062))
        trader.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
        with pytest.raises(RefusedError, match="-4062"):
            trader.order(positionSide="LONG", reduceOnly="true")

    def test_closing_more_than_is_held_is_refused(self, trader):
        with pytest.raises(RefusedError, match="-2022"):
            trader.market_order("SELL", positionSide="LONG")
        trader.market_order("BUY", positionSide="LONG")
        with pytest.raises(RefusedError, match="-2022"):
            trader.market_order("SELL", "0.011", positionSide="LONG")
        with pytest.raises(RefusedError, match="-2022"):
            trader.market_order("BUY", positionSide="SHORT")
        closed = trader.market_order("SELL", positionSide="LONG")
        assert (closed["status"], closed["reduceOnly"]) == ("FILLED", True)

    def test_closing_more_is_refused_even_where_one_way_orders_are_cut(self):
        trader = Trader(questions=OpenQuestions(reduce_only_capped=True))
        trader.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
        trader.market_order("BUY", positionSide="LONG")
        with pytest.raises(RefusedError, match="-2022"):
            trader.market_order("SELL", "0.011", positionSide="LONG")

    def test_a_small_closing_order_is_exempt_from_the_least_notional(self, trader):
        trader.market_order("BUY", positionSide="LONG")
        trader.market.set_book(4_199.9, 4_200.1)
        trader.step()
        assert trader.market_order("SELL", "0.001", positionSide="LONG")["status"] == "FILLED"
        with pytest.raises(RefusedError, match="-4164"):
            trader.market_order("SELL", "0.001", positionSide="SHORT")

    def test_both_sides_are_held_side_by_side(self, trader):
        trader.market_order("BUY", "0.010", positionSide="LONG")
        trader.market_order("SELL", "0.020", positionSide="SHORT")
        rows = trader.call("GET", "/fapi/v3/positionRisk")
        assert {row["positionSide"]: row["positionAmt"] for row in rows} == {"LONG": "0.010", "SHORT": "-0.020"}


class TestRestrictions:
    @pytest.mark.parametrize(
        ("code", "buys", "sells"),
        [(-4105, False, True), (-4106, True, False), (-4107, False, False), (-4400, False, False)],
    )
    def test_a_symbols_risk_control_refuses_opening_orders(self, code, buys, sells):
        trader = Trader()
        trader.house.orders.restrictions.impose(code, 0)
        for side, price, passes in (("BUY", "79000", buys), ("SELL", "81000", sells)):
            if passes:
                trader.order(side=side, price=price)
            else:
                with pytest.raises(RefusedError, match=str(code)):
                    trader.order(side=side, price=price)
        assert trader.order(symbol="ETHUSDT", price="2900")["status"] == "NEW"

    def test_an_account_that_may_only_reduce_may_still_close(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.house.orders.restrictions.impose(-4087)
        with pytest.raises(RefusedError, match="-4087"):
            trader.market_order("BUY")
        assert trader.market_order("SELL", reduceOnly="true")["status"] == "FILLED"
        trader.house.orders.restrictions.lift()
        assert trader.market_order("BUY")["status"] == "FILLED"

    def test_an_account_without_permission_may_not_even_close(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.house.orders.restrictions.impose(-4088)
        with pytest.raises(RefusedError, match="-4088"):
            trader.market_order("SELL", reduceOnly="true")

    def test_a_code_that_is_no_restriction_cannot_be_imposed(self):
        with pytest.raises(KeyError):
            Trader().house.orders.restrictions.impose(-1)


class TestReduceOnly:
    def test_it_may_not_be_larger_than_the_position(self):
        trader = Trader()
        trader.market_order("BUY")
        with pytest.raises(RefusedError, match="-2022"):
            trader.market_order("SELL", "0.011", reduceOnly="true")
        with pytest.raises(RefusedError, match="-2022"):
            trader.market_order("BUY", "0.001", reduceOnly="true")

    def test_or_is_cut_to_it_under_the_other_answer(self):
        trader = Trader(questions=OpenQuestions(reduce_only_capped=True))
        trader.market_order("BUY")
        closed = trader.market_order("SELL", "0.5", reduceOnly="true")
        assert (closed["status"], closed["origQty"]) == ("FILLED", "0.010")

    def test_resting_ones_may_not_exceed_the_position_together(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.order(side="SELL", price="81000", quantity="0.006", reduceOnly="true")
        with pytest.raises(RefusedError) as refusal:
            trader.order(side="SELL", price="81000", quantity="0.005", reduceOnly="true")
        assert (refusal.value.code, refusal.value.text) == (
            -4118,
            "ReduceOnly Order Failed. Please check your existing position and open orders",
        )
        trader.order(side="SELL", price="81000", quantity="0.004", reduceOnly="true")

    def test_or_may_under_the_other_answer(self):
        trader = Trader(questions=OpenQuestions(reduce_only_stacks=True))
        trader.market_order("BUY")
        for price in ("81000", "82000"):
            trader.order(side="SELL", price=price, reduceOnly="true")
        assert len(trader.call("GET", "/fapi/v1/openOrders")) == 2

    @pytest.mark.parametrize("hedged", [False, True])
    def test_whether_a_market_close_outranks_what_rests_is_a_question(self, hedged):
        close = {"positionSide": "LONG"} if hedged else {"reduceOnly": "true"}
        for outranks in (True, False):
            trader = Trader(questions=OpenQuestions(taking_outranks_resting=outranks))
            if hedged:
                trader.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
            trader.market_order("BUY", **({"positionSide": "LONG"} if hedged else {}))
            trader.order(side="SELL", price="81000", newClientOrderId="tp", **close)
            if not outranks:
                with pytest.raises(RefusedError) as refusal:
                    trader.market_order("SELL", **close)
                assert refusal.value.code == (-2022 if hedged else -4118)
                trader.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="tp")
            assert trader.market_order("SELL", **close)["status"] == "FILLED"
            assert trader.query("tp")["status"] == ("EXPIRED" if outranks else "CANCELED")


def test_no_price_beyond_the_percentage_of_the_mark_passes_by_rounding():
    trader = Trader()
    trader.market.marks[0] = 80_000.19  # x 1.05 = 84000.1995, x 0.95 = 76000.1805
    trader.step()
    with pytest.raises(RefusedError, match=r"higher than 84000\.10"):
        trader.order(price="84000.2")
    with pytest.raises(RefusedError, match=r"lower than 76000\.20"):
        trader.order(side="SELL", price="76000.1")
