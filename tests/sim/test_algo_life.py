"""Conditional orders at the whole venue: what a client sees on its user stream and reads over REST."""

from hand_trading import Trader
from small_market import START, STEP

PATH = "/fapi/v1/algoOrder"


def stop(trader, **params):
    usual = {"algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET"}
    return trader.call("POST", PATH, **usual | params)


def names(events):
    return [
        (event["e"], event["o"].get("x") or event["o"]["X"]) if "o" in event else (event["e"], "") for event in events
    ]


def trade_at(trader, price):
    """Let the market trade at a price, its book and mark around it."""
    trader.market.set_book(price - 0.1, price + 0.1)
    trader.market.trade(price, 0.5, buyer_is_maker=True)
    trader.exchange.advance(trader.now + STEP)


def settle(trader):
    trader.exchange.advance(trader.now + STEP)


def test_a_stop_is_hit_in_the_recorded_sequence():
    trader = Trader()
    placed = stop(trader, side="BUY", quantity="0.010", triggerPrice="80500", clientAlgoId="x-1")
    assert names(trader.events()) == [("ALGO_UPDATE", "NEW")]
    trade_at(trader, 80_600.0)
    settle(trader)
    events = trader.events()
    assert names(events) == [
        ("ALGO_UPDATE", "TRIGGERING"),
        ("ALGO_UPDATE", "TRIGGERED"),
        ("ORDER_TRADE_UPDATE", "NEW"),
        ("ACCOUNT_UPDATE", ""),
        ("TRADE_LITE", ""),
        ("ORDER_TRADE_UPDATE", "TRADE"),
        ("ALGO_UPDATE", "FINISHED"),
    ]
    triggering, triggered, new, _, _, filled, finished = events
    child = new["o"]["i"]
    assert [event["o"]["ai"] for event in (triggering, triggered, finished)] == ["", str(child), str(child)]
    assert "ap" not in triggering["o"]
    assert (triggered["o"]["ap"], triggered["o"]["aq"], triggered["o"]["act"]) == ("0", "0", "MARKET")
    assert (finished["o"]["ap"], finished["o"]["aq"]) == (filled["o"]["ap"], "0.010")
    assert {event["o"]["tt"] for event in (triggering, triggered, finished)} == {START + STEP - 1}
    assert (new["o"]["o"], new["o"]["ot"], new["o"]["sp"]) == ("MARKET", "STOP_MARKET", "80500.00")
    asked = trader.call("GET", PATH, algoId=placed["algoId"])
    assert (asked["algoStatus"], asked["actualOrderId"], asked["actualQty"]) == ("FINISHED", str(child), "0.010")
    assert trader.call("GET", "/fapi/v1/openAlgoOrders") == []
    order = trader.call("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=child)
    assert (order["status"], order["origType"], order["clientOrderId"] != "x-1") == ("FILLED", "STOP_MARKET", True)


def test_a_protected_entry_ends_at_its_stop_and_its_take_profit_goes_with_the_position():
    trader = Trader()
    trader.market_order("BUY")
    stop(trader, closePosition="true", triggerPrice="79500", clientAlgoId="sl")
    stop(trader, closePosition="true", triggerPrice="81000", type="TAKE_PROFIT_MARKET", clientAlgoId="tp")
    trader.events()
    trade_at(trader, 79_400.0)
    settle(trader)
    told = [(e["o"]["caid"], e["o"]["X"]) for e in trader.events() if e["e"] == "ALGO_UPDATE"]
    assert told == [
        ("sl", "TRIGGERING"), ("sl", "TRIGGERED"), ("tp", "EXPIRED"), ("sl", "FINISHED"),
    ]  # fmt: skip
    assert trader.call("GET", "/fapi/v3/positionRisk") == []


def test_a_plain_stop_outlives_its_position_and_is_rejected_at_its_trigger():
    trader = Trader()
    trader.market_order("BUY")
    stop(trader, quantity="0.010", reduceOnly="true", triggerPrice="79500", clientAlgoId="sl")
    trader.market_order("SELL", reduceOnly="true")
    assert [row["clientAlgoId"] for row in trader.call("GET", "/fapi/v1/openAlgoOrders")] == ["sl"]
    trader.events()
    trade_at(trader, 79_400.0)
    settle(trader)
    last = trader.events()[-1]
    assert (last["o"]["X"], last["o"]["rm"], last["o"]["ai"]) == ("REJECTED", "Reduce Only reject", "")


def test_margin_is_asked_for_at_the_trigger_only():
    trader = Trader(balance=100)
    stop(trader, side="BUY", quantity="0.5", triggerPrice="80500", clientAlgoId="big")
    trade_at(trader, 80_600.0)
    settle(trader)
    last = trader.events()[-1]["o"]
    assert (last["X"], last["rm"]) == ("REJECTED", "Margin is insufficient.")
    assert trader.call("GET", PATH, clientAlgoId="big")["algoStatus"] == "REJECTED"


def test_a_stop_limit_leaves_a_plain_order_that_can_be_cancelled():
    trader = Trader()
    trader.market_order("BUY")
    stop(trader, type="STOP", quantity="0.010", price="79600", triggerPrice="79500", clientAlgoId="sl")
    trade_at(trader, 79_400.0)
    settle(trader)
    asked = trader.call("GET", PATH, clientAlgoId="sl")
    assert (asked["algoStatus"], asked["actualType"], asked["actualQty"]) == ("TRIGGERED", "LIMIT", "0.000")
    trader.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", orderId=asked["actualOrderId"])
    trader.events()
    settle(trader)
    assert names(trader.events()) == [("ALGO_UPDATE", "FINISHED")]


def test_the_child_of_a_trailing_stop_tells_where_it_came_from():
    trader = Trader()
    stop(trader, type="TRAILING_STOP_MARKET", side="BUY", quantity="0.010", callbackRate="0.5", clientAlgoId="t")
    trade_at(trader, 80_500.0)
    settle(trader)
    child = next(event["o"] for event in trader.events() if event["e"] == "ORDER_TRADE_UPDATE")
    assert (child["ot"], child["AP"], child["cr"]) == ("TRAILING_STOP_MARKET", "80000.00", "0.5")
    order = trader.call("GET", "/fapi/v1/order", symbol="BTCUSDT", orderId=child["i"])
    assert (order["type"], order["activatePrice"], order["priceRate"]) == ("MARKET", "80000.00", "0.5")


def test_both_sides_of_hedge_mode_are_protected_apart():
    trader = Trader()
    trader.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
    trader.market_order("BUY", positionSide="LONG")
    trader.market_order("SELL", positionSide="SHORT")
    stop(trader, closePosition="true", positionSide="LONG", triggerPrice="79500", clientAlgoId="long")
    stop(trader, side="BUY", closePosition="true", positionSide="SHORT", triggerPrice="80500", clientAlgoId="short")
    trade_at(trader, 79_400.0)
    settle(trader)
    open_ids = [row["clientAlgoId"] for row in trader.call("GET", "/fapi/v1/openAlgoOrders")]
    held = [row["positionSide"] for row in trader.call("GET", "/fapi/v3/positionRisk") if float(row["positionAmt"])]
    assert (open_ids, held) == (["short"], ["SHORT"])
    trade_at(trader, 80_600.0)
    settle(trader)
    assert trader.call("GET", "/fapi/v1/openAlgoOrders") == []
