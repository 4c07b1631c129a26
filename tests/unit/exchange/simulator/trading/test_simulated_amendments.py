"""PUT order (contract 3.4): what may change, what it costs, when it cancels, and its history."""

import pytest
from hand_trading import RefusedError, Trader

from exchange.simulator.questions import OpenQuestions
from exchange.simulator.trading.amending import MOST_AMENDMENTS


def amend(trader, client_id="x", **params):
    usual = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.010", "price": "79000", "origClientOrderId": client_id}
    return trader.call("PUT", "/fapi/v1/order", **usual | params)


@pytest.fixture
def trader():
    trader = Trader()
    trader.order(newClientOrderId="x")
    trader.events()
    return trader


def test_price_and_quantity_change_and_the_answer_says_so(trader):
    row = amend(trader, quantity="0.020", price="79100", modifyId=7)
    assert (row["price"], row["origQty"], row["status"], row["modifyId"]) == ("79100.00", "0.020", "NEW", 7)
    assert row["pair"] == "BTCUSDT"
    assert row["selfTradePreventionMode"] == "NONE"
    (told,) = trader.orders_told()
    assert (told["x"], told["X"], told["p"], told["q"], told["M"]) == ("AMENDMENT", "NEW", "79100.00", "0.020", "7")


def test_without_an_id_of_its_own_neither_answer_nor_event_has_one(trader):
    assert "modifyId" not in amend(trader, price="79100")
    assert "M" not in trader.orders_told()[0]


def test_the_order_id_wins_over_the_client_id(trader):
    other = trader.order(newClientOrderId="y", price="78000")
    row = amend(trader, "x", orderId=other["orderId"], price="78100")
    assert (row["clientOrderId"], row["price"]) == ("y", "78100.00")


def test_the_price_can_follow_the_book(trader):
    assert amend(trader, price=None, priceMatch="QUEUE")["price"] == "79999.90"


def test_an_amended_order_loses_its_place_in_the_queue(trader):
    amend(trader, price="79999.9")
    trader.market.trade(79_999.9, 1.0, buyer_is_maker=True)
    trader.step()
    assert trader.query("x")["executedQty"] == "0.000"
    amend(trader, price="79999.9", quantity="0.011")
    trader.market.trade(79_999.9, 0.5, buyer_is_maker=True)
    trader.step()
    assert trader.query("x")["executedQty"] == "0.000"
    trader.market.trade(79_999.9, 1.0, buyer_is_maker=True)
    trader.step()
    assert trader.query("x")["status"] == "FILLED"


def test_an_amendment_into_the_book_takes(trader):
    assert amend(trader, price="80000.1")["status"] == "FILLED"
    assert [told["x"] for told in trader.orders_told()] == ["AMENDMENT", "TRADE"]


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({}, -5027, "No need to modify the order."),
        ({"side": "SELL"}, -1117, "Invalid side."),
        ({"quantity": None}, -1102, None),
        ({"price": None}, -1102, None),
        ({"origClientOrderId": None}, -1102, None),
        ({"origClientOrderId": "unknown"}, -2013, "Order does not exist."),
        ({"price": "79000.05"}, -4014, None),
        ({"price": "84000.1"}, -4016, None),
        ({"quantity": "0.0101"}, -1111, None),
        ({"quantity": "1000.001"}, -4005, None),
        ({"quantity": "0.001", "price": "4000"}, -5029, "Order's notional must be no smaller than 5"),
        ({"quantity": "3.1"}, -2019, None),
        ({"quantity": "3.2"}, -2027, None),
        ({"price": "79100", "reduceOnly": "true"}, -5047, None),
        ({"price": None, "priceMatch": "BEST"}, -5037, None),
    ],
)
def test_an_amendment_that_is_refused_leaves_the_order_as_it_was(trader, change, code, text):
    before = trader.query("x")
    with pytest.raises(RefusedError) as refusal:
        amend(trader, **change)
    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert text in {None, refusal.value.text}
    assert trader.query("x") == before
    assert trader.events() == []


def test_a_partly_filled_order_is_cancelled_where_nothing_would_be_left(trader):
    trader.order(price="80000.0", quantity="0.5", newClientOrderId="part")
    trader.market.trade(80_000.0, 0.2, buyer_is_maker=True)
    trader.step()
    trader.events()
    assert amend(trader, "part", quantity="0.2", price="80000.0")["status"] == "CANCELED"
    assert [(told["x"], told["z"]) for told in trader.orders_told()] == [("CANCELED", "0.200")]


def test_a_post_only_order_is_cancelled_where_it_would_take(trader):
    trader.order(timeInForce="GTX", newClientOrderId="maker")
    assert amend(trader, "maker", price="80000.1")["status"] == "CANCELED"


def test_an_order_that_has_ended_cannot_be_amended(trader):
    trader.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="x")
    with pytest.raises(RefusedError, match="-2013"):
        amend(trader, price="79100")


def test_the_10001st_amendment_is_refused(trader):
    (order,) = trader.house.orders.open_of(0)
    order.amendments = MOST_AMENDMENTS
    with pytest.raises(RefusedError, match="-5026"):
        amend(trader, price="79100")


def test_a_second_amendment_meanwhile_is_refused_where_amendments_take_time():
    trader = Trader(questions=OpenQuestions(amend_settle_ms=100))
    trader.order(newClientOrderId="x")
    amend(trader, price="79100")
    with pytest.raises(RefusedError, match="-5043"):
        amend(trader, price="79200")
    trader.exchange.advance(trader.now + 100)
    assert amend(trader, price="79200")["price"] == "79200.00"


def test_reduce_only_said_again_spares_a_reduce_only_order_the_least_notional():
    trader = Trader()
    trader.market_order("BUY")
    trader.market.set_book(4_200.0, 4_200.1)
    trader.step()
    trader.order(side="SELL", price="4300", reduceOnly="true", newClientOrderId="tp")
    with pytest.raises(RefusedError, match="-5029"):
        amend(trader, "tp", side="SELL", quantity="0.001", price="4300")
    assert amend(trader, "tp", side="SELL", quantity="0.001", price="4300", reduceOnly="true")["origQty"] == "0.001"


def test_a_reduce_only_order_cannot_be_amended_beyond_the_position():
    trader = Trader()
    trader.market_order("BUY")
    trader.order(side="SELL", price="81000", reduceOnly="true", newClientOrderId="tp")
    with pytest.raises(RefusedError, match="-2022"):
        amend(trader, "tp", side="SELL", quantity="0.011", price="81000")


def test_the_history_tells_each_change_newest_first(trader):
    amend(trader, price="79100", modifyId=1)
    trader.step()
    amend(trader, price="79100", quantity="0.020")
    rows = trader.call("GET", "/fapi/v1/orderAmendment", symbol="BTCUSDT")
    assert [row["amendment"] for row in rows] == [
        {
            "price": {"before": "79100.00", "after": "79100.00"},
            "origQty": {"before": "0.010", "after": "0.020"},
            "count": 2,
        },
        {
            "price": {"before": "79000.00", "after": "79100.00"},
            "origQty": {"before": "0.010", "after": "0.010"},
            "count": 1,
            "modifyId": 1,
        },
    ]
    assert list(rows[0]) == ["amendmentId", "symbol", "pair", "orderId", "clientOrderId", "time", "amendment"]
    assert len(trader.call("GET", "/fapi/v1/orderAmendment", symbol="BTCUSDT", limit=1)) == 1
    assert trader.call("GET", "/fapi/v1/orderAmendment", symbol="BTCUSDT", orderId=1) == []
    assert trader.call("GET", "/fapi/v1/orderAmendment", symbol="BTCUSDT", endTime=rows[1]["time"]) == rows[1:]
