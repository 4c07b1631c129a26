"""Reads, batches and cancels of plain orders (contract 3.4): shapes, windows, limits, retention."""

import json

import pytest
from hand_trading import RefusedError, Trader

from exchange.simulator.frames import stray
from exchange.simulator.questions import OpenQuestions

DAY = 86_400_000
COMMON = {
    "orderId", "symbol", "status", "clientOrderId", "price", "origQty", "executedQty", "timeInForce", "type",
    "origType", "reduceOnly", "closePosition", "side", "positionSide", "stopPrice", "workingType", "priceProtect",
    "priceMatch", "selfTradePreventionMode", "goodTillDate", "updateTime",
}  # fmt: skip
REMOVED = {"avgPrice", "cumQuote"}
ORDER = "/fapi/v1/order"
BATCH = "/fapi/v1/batchOrders"
BTC = {"symbol": "BTCUSDT"}


def element(**params):
    return BTC | {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010", "price": "79000"} | params


class TestShapes:
    def test_production_has_removed_fields_that_old_clients_still_get(self):
        for strict, removed in ((True, set()), (False, REMOVED)):
            trader = Trader(strict=strict)
            assert trader.order(newClientOrderId="x").keys() == COMMON | {"cumQty"} | removed
            amended = trader.call("PUT", ORDER, **element(origClientOrderId="x", price="79100", type=None))
            assert amended.keys() - {"cumBase"} == COMMON | {"cumQty", "pair"} | removed
            assert ("cumBase" in amended) is not strict
            cancelled = trader.call("DELETE", ORDER, **BTC, origClientOrderId="x")
            assert cancelled.keys() == COMMON | {"cumQty"} | removed

    @pytest.mark.parametrize("strict", [True, False])
    def test_queries_keep_them(self, strict):
        trader = Trader(strict=strict)
        trader.order(newClientOrderId="x")
        shape = COMMON | REMOVED | {"time", stray("BTCUSDT")[0]}
        assert trader.query("x").keys() == shape
        assert trader.call("GET", "/fapi/v1/openOrder", **BTC, origClientOrderId="x").keys() == shape
        assert trader.call("GET", "/fapi/v1/openOrders")[0].keys() == shape
        assert trader.call("GET", "/fapi/v1/allOrders")[0].keys() == shape | {"pair", "cumBase"}

    def test_an_average_price_never_comes_with_an_acknowledgement(self):
        assert Trader().order(type="MARKET")["avgPrice"] == "0.00"

    def test_a_test_order_has_the_old_shape_and_leaves_nothing(self):
        trader = Trader(strict=True)
        row = trader.call("POST", "/fapi/v1/order/test", **element())
        assert row.keys() == COMMON | {"cumQty"} | REMOVED
        assert trader.call("GET", "/fapi/v1/allOrders") == []
        assert trader.events() == []

    def test_a_test_order_takes_the_conditional_types_and_refuses_what_is_wrong(self):
        trader = Trader()
        stop = {"type": "STOP_MARKET", "price": None, "timeInForce": None, "stopPrice": "81000"}
        assert trader.call("POST", "/fapi/v1/order/test", **element(**stop))["type"] == "STOP_MARKET"
        with pytest.raises(RefusedError, match="-4014"):
            trader.call("POST", "/fapi/v1/order/test", **element(price="79000.05"))

    def test_ids_of_one_symbol_do_not_fit_a_float(self):
        order_id = Trader().order(symbol="ETHUSDT", price="2900")["orderId"]
        assert order_id > 2**53
        assert int(float(order_id)) != order_id

    def test_an_own_trade_has_the_documented_fields(self):
        trader = Trader()
        trader.market_order("BUY")
        trader.market_order("SELL")
        first, second = trader.call("GET", "/fapi/v1/userTrades", **BTC)
        assert list(first) == [
            "id", "symbol", "pair", "orderId", "side", "positionSide", "price", "qty", "quoteQty", "baseQty",
            "realizedPnl", "marginAsset", "commission", "commissionAsset", "time", "buyer", "maker",
            stray("BTCUSDT")[0],
        ]  # fmt: skip
        assert (first["commission"], first["realizedPnl"]) == ("0.40000050", "0.00000000")
        assert (second["realizedPnl"], second["buyer"], second["maker"]) == ("-0.00200000", False, False)


class TestCancels:
    def test_what_is_not_open_is_unknown(self):
        trader = Trader()
        order = trader.order(newClientOrderId="x")
        assert trader.call("DELETE", ORDER, **BTC, orderId=order["orderId"])["status"] == "CANCELED"
        for name in ({"orderId": order["orderId"]}, {"origClientOrderId": "x"}, {"orderId": 1}):
            with pytest.raises(RefusedError) as refusal:
                trader.call("DELETE", ORDER, **BTC, **name)
            assert (refusal.value.code, refusal.value.text) == (-2011, "Unknown order sent.")
        with pytest.raises(RefusedError, match="-2013"):
            trader.call("GET", "/fapi/v1/openOrder", **BTC, origClientOrderId="x")

    def test_a_name_is_needed(self):
        for method in ("GET", "DELETE"):
            with pytest.raises(RefusedError) as refusal:
                Trader().call(method, ORDER, **BTC)
            assert refusal.value.code == -1102

    def test_cancel_all_ends_one_symbols_orders(self):
        trader = Trader()
        trader.order(newClientOrderId="a")
        trader.order(newClientOrderId="b", symbol="ETHUSDT", price="2900")
        answer = trader.call("DELETE", "/fapi/v1/allOpenOrders", **BTC)
        assert answer == {"code": 200, "msg": "The operation of cancel all open order is done."}
        assert [row["clientOrderId"] for row in trader.call("GET", "/fapi/v1/openOrders")] == ["b"]
        assert trader.call("GET", "/fapi/v1/openOrders", **BTC) == []


class TestBatches:
    def send(self, trader, method, *elements):
        return trader.call(method, BATCH, batchOrders=json.dumps(elements))

    def test_each_element_succeeds_or_fails_on_its_own(self):
        trader = Trader()
        good, bad, missing, other = self.send(
            trader,
            "POST",
            element(newClientOrderId="a", quantity=0.01, price=79000.0, reduceOnly="FALSE"),
            element(price="79000.05"),
            {"symbol": "BTCUSDT"},
            element(newClientOrderId="b", type="MARKET", timeInForce=None, price=None, newOrderRespType="RESULT"),
        )
        assert (good["clientOrderId"], good["origQty"]) == ("a", "0.010")
        assert bad == {"code": -4014, "msg": "Price not increased by tick size."}
        assert missing["code"] == -1102
        assert other["status"] == "FILLED"

    def test_amendments_come_in_batches_too(self):
        trader = Trader()
        trader.order(newClientOrderId="a")
        first, second = self.send(
            trader, "PUT", element(origClientOrderId="a", price="79100"), element(origClientOrderId="b")
        )
        assert first["price"] == "79100.00"
        assert second["code"] == -2013

    @pytest.mark.parametrize(
        ("orders", "code"),
        [
            ("[]", -4082),
            ("[{},{},{},{},{},{}]", -4082),
            ("{}", -1130),
            ("[", -1130),
            ("[1]", -1130),
            ("[" * 50_000, -1130),
        ],
    )
    def test_a_batch_of_another_size_or_form_is_refused(self, orders, code):
        with pytest.raises(RefusedError, match=str(code)):
            Trader().call("POST", BATCH, batchOrders=orders)

    def test_a_batch_without_orders_is_refused(self):
        with pytest.raises(RefusedError, match="-1102"):
            Trader().call("POST", BATCH)

    def test_its_self_trade_default_is_a_switch(self):
        trader = Trader(questions=OpenQuestions(batch_self_trade_prevention="NONE"))
        (row,) = self.send(trader, "POST", element())
        assert row["selfTradePreventionMode"] == "NONE"

    @pytest.mark.parametrize("name", ["origClientOrderIdList", "origclientorderidlist"])
    def test_cancels_name_client_ids_in_either_spelling(self, name):
        trader = Trader()
        trader.order(newClientOrderId="a")
        first, second = trader.call("DELETE", BATCH, **BTC, **{name: '["a","b"]'})
        assert first["status"] == "CANCELED"
        assert second == {"code": -2011, "msg": "Unknown order sent."}

    def test_cancels_name_order_ids_as_numbers_or_text(self):
        trader = Trader()
        ids = [trader.order(symbol="ETHUSDT", price="2900")["orderId"] for _ in range(2)]
        listed = json.dumps([ids[0], str(ids[1])])
        rows = trader.call("DELETE", BATCH, symbol="ETHUSDT", orderIdList=listed)
        assert [row["orderId"] for row in rows] == ids

    @pytest.mark.parametrize(
        "names", [{}, {"orderIdList": "[]"}, {"orderIdList": "[1.5]"}, {"orderIdList": json.dumps([1] * 11)}]
    )
    def test_a_list_of_another_size_or_form_is_refused(self, names):
        with pytest.raises(RefusedError) as refusal:
            Trader().call("DELETE", BATCH, **BTC, **names)
        assert refusal.value.code in {-1102, -1130}


class TestHistory:
    def test_orders_come_ascending_by_time_or_from_an_id(self):
        trader = Trader()
        rows = []
        for rank in range(5):
            rows.append(trader.order(price=str(70_000 + rank))["orderId"])
            trader.step(4)

        def ids(**params):
            return [row["orderId"] for row in trader.call("GET", "/fapi/v1/allOrders", **params)]

        assert ids() == rows
        assert ids(limit=2) == rows[-2:]
        assert ids(orderId=rows[2]) == rows[2:]
        assert ids(**BTC, orderId=rows[1], limit=2) == rows[1:3]
        began = trader.now - 5_000
        assert ids(startTime=began, limit=2) == rows[:2]
        assert ids(startTime=began + 1_000, endTime=began + 2_000) == rows[1:3]

    @pytest.mark.parametrize("path", ["/fapi/v1/allOrders", "/fapi/v1/userTrades"])
    def test_windows_are_seven_days_at_most_and_run_forward(self, path):
        trader = Trader()
        with pytest.raises(RefusedError, match="-4165"):
            trader.call("GET", path, **BTC, startTime=trader.now - 8 * DAY, endTime=trader.now)
        with pytest.raises(RefusedError, match="-1023"):
            trader.call("GET", path, **BTC, startTime=trader.now, endTime=trader.now - 1)
        with pytest.raises(RefusedError, match="-1130"):
            trader.call("GET", path, **BTC, limit=1001)

    def test_trades_come_by_time_by_id_and_by_order(self):
        trader = Trader()
        orders = [trader.market_order(side)["orderId"] for side in ("BUY", "SELL", "BUY")]
        every = trader.call("GET", "/fapi/v1/userTrades", **BTC)
        assert [trade["orderId"] for trade in every] == orders
        assert trader.call("GET", "/fapi/v1/userTrades", **BTC, fromId=every[1]["id"]) == every[1:]
        assert trader.call("GET", "/fapi/v1/userTrades", **BTC, orderId=orders[1]) == every[1:2]
        assert trader.call("GET", "/fapi/v1/userTrades", **BTC, limit=1) == every[2:]
        assert trader.call("GET", "/fapi/v1/userTrades", symbol="ETHUSDT") == []
        with pytest.raises(RefusedError, match="-1128"):
            trader.call("GET", "/fapi/v1/userTrades", **BTC, fromId=1, startTime=trader.now)
        with pytest.raises(RefusedError, match="-1102"):
            trader.call("GET", "/fapi/v1/userTrades")

    def test_trades_older_than_three_months_are_gone(self):
        trader = Trader()
        trader.market_order("BUY")
        (trade,) = trader.house.store.trades_of(0, 0)
        for age, shown in ((89, 1), (91, 0)):
            trader.house.store._trades[0] = [trade._replace(time_ms=trader.now - age * DAY)]
            began = trade.time_ms - 91 * DAY
            rows = trader.call("GET", "/fapi/v1/userTrades", **BTC, startTime=began, endTime=began + 7 * DAY)
            assert len(rows) == shown
