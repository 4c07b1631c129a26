import pytest
from hand_trading import RefusedError, Trader
from small_market import START, STEP

from exchange.simulator.questions import OpenQuestions

PATH = "/fapi/v1/algoOrder"
DAY_MS = 86_400_000


class AlgoTrader(Trader):
    def stop(self, **params):
        """Place a SELL stop of 0.010 BTCUSDT at 79000 unless told otherwise; None leaves a parameter out."""
        usual = {
            "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET",
            "quantity": "0.010", "triggerPrice": "79000",
        }  # fmt: skip
        return self.call("POST", PATH, **usual | params)


def refused(call, *args, **params):
    with pytest.raises(RefusedError) as caught:
        call(*args, **params)
    return caught.value.status, caught.value.code


def test_an_order_is_placed_found_listed_and_cancelled():
    trader = AlgoTrader()
    placed = trader.stop(clientAlgoId="a1-sl", workingType="MARK_PRICE")
    asked = trader.call("GET", PATH, algoId=placed["algoId"])
    assert asked["clientAlgoId"] == "a1-sl"
    assert {name: asked[name] for name in placed} == placed
    assert trader.call("GET", PATH, clientAlgoId="a1-sl") == asked
    assert trader.call("GET", "/fapi/v1/openAlgoOrders") == [asked]
    assert trader.call("GET", "/fapi/v1/openOrders") == []
    gone = trader.call("DELETE", PATH, clientAlgoId="a1-sl", symbol="BTCUSDT")
    assert gone == {"algoId": placed["algoId"], "clientAlgoId": "a1-sl", "code": "200", "msg": "success"}
    assert trader.call("GET", PATH, algoId=placed["algoId"])["algoStatus"] == "CANCELED"
    assert refused(trader.call, "DELETE", PATH, algoId=placed["algoId"]) == (400, -2011)


def test_the_plain_order_endpoints_know_nothing_of_conditional_orders():
    trader = AlgoTrader()
    placed = trader.stop(clientAlgoId="s")
    assert refused(trader.call, "GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=placed["algoId"]) == (400, -2013)
    assert refused(trader.call, "GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="s") == (400, -2013)
    trader.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    trader.call("POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=100)
    trader.exchange.advance(trader.now + STEP)
    assert len(trader.call("GET", "/fapi/v1/openAlgoOrders", symbol="BTCUSDT")) == 1


@pytest.mark.parametrize("switch", ["cancel_all_cancels_algo", "countdown_cancels_algo"])
def test_whether_a_mass_cancellation_reaches_them_is_a_question(switch):
    trader = AlgoTrader(questions=OpenQuestions(**{switch: True}))
    trader.stop()
    other = trader.stop(symbol="ETHUSDT", triggerPrice="2900")
    if switch == "cancel_all_cancels_algo":
        trader.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")
    else:
        trader.call("POST", "/fapi/v1/countdownCancelAll", symbol="BTCUSDT", countdownTime=100)
        trader.exchange.advance(trader.now + STEP)
    assert [row["algoId"] for row in trader.call("GET", "/fapi/v1/openAlgoOrders")] == [other["algoId"]]


def test_lists_are_narrowed():
    trader = AlgoTrader()
    first, second = trader.stop(), trader.stop(symbol="ETHUSDT", triggerPrice="2900")
    listed = "/fapi/v1/openAlgoOrders"
    assert [row["algoId"] for row in trader.call("GET", listed)] == [first["algoId"], second["algoId"]]
    assert [row["algoId"] for row in trader.call("GET", listed, symbol="ETHUSDT")] == [second["algoId"]]
    assert [row["algoId"] for row in trader.call("GET", listed, algoId=first["algoId"])] == [first["algoId"]]
    assert len(trader.call("GET", listed, algoType="CONDITIONAL")) == 2
    assert refused(trader.call, "GET", listed, algoType="VP") == (400, -1130)
    assert trader.call("DELETE", "/fapi/v1/algoOpenOrders", symbol="BTCUSDT") == {
        "code": 200,
        "msg": "The operation of cancel all open order is done.",
    }
    assert [row["algoId"] for row in trader.call("GET", listed)] == [second["algoId"]]


def test_the_history_is_a_window_of_seven_days():
    trader = AlgoTrader()
    ids = []
    for _ in range(4):
        ids.append(trader.stop()["algoId"])
        trader.exchange.advance(trader.now + STEP)

    def history(**params):
        return [row["algoId"] for row in trader.call("GET", "/fapi/v1/allAlgoOrders", symbol="BTCUSDT", **params)]

    assert history() == ids
    assert history(limit=2) == ids[-2:]
    assert history(algoId=ids[1], limit=2) == ids[1:3]
    assert history(startTime=START + STEP, endTime=START + 2 * STEP) == ids[1:3]
    assert history(endTime=START + STEP) == ids[:2]
    assert history(startTime=START + 3 * STEP) == ids[3:]
    window = {"symbol": "BTCUSDT", "startTime": START, "endTime": START + 7 * DAY_MS + 1}
    assert refused(trader.call, "GET", "/fapi/v1/allAlgoOrders", **window) == (400, -4165)
    window = {"symbol": "BTCUSDT", "startTime": START + 1, "endTime": START}
    assert refused(trader.call, "GET", "/fapi/v1/allAlgoOrders", **window) == (400, -1023)
    assert refused(trader.call, "GET", "/fapi/v1/allAlgoOrders", symbol="BTCUSDT", limit=1001) == (400, -1130)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", PATH, -1102),
        ("GET", PATH, -1102),
        ("DELETE", PATH, -1102),
        ("DELETE", "/fapi/v1/algoOpenOrders", -1102),
        ("GET", "/fapi/v1/allAlgoOrders", -1102),
    ],
)
def test_mandatory_parameters_are_asked_for(method, path, code):
    assert refused(AlgoTrader().call, method, path) == (400, code)


def test_an_unknown_order_does_not_exist():
    assert refused(AlgoTrader().call, "GET", PATH, algoId=5) == (400, -2013)


def test_a_placement_counts_as_an_order_and_weighs_nothing():
    trader = AlgoTrader()
    weights = trader.exchange.venue.weights
    before = weights.used(trader.now)
    usual = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET"}
    answer = trader.answer("POST", PATH, **usual, quantity="0.010", triggerPrice="79000")
    assert (answer.headers["x-mbx-order-count-10s"], answer.headers["x-mbx-order-count-1m"]) == ("1", "1")
    assert weights.used(trader.now) == before
    trader.call("GET", "/fapi/v1/openAlgoOrders")
    assert weights.used(trader.now) == before + 40
