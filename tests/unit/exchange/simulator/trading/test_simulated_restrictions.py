"""What the venue forbids for a while, through the control endpoint."""

import pytest
from hand_trading import RefusedError, Trader

from exchange.simulator.faults.actions import ActionError


def act(trader, **action):
    trader.exchange.control.act({"action": "restrict"} | action)


def test_a_symbol_is_restricted_and_freed_again():
    trader = Trader()
    act(trader, code=-4105, symbol="BTCUSDT")
    with pytest.raises(RefusedError, match="-4105"):
        trader.order()
    assert trader.order(side="SELL", price="81000")["status"] == "NEW"
    act(trader, symbol="BTCUSDT")
    assert trader.order()["status"] == "NEW"


def control_side(trader):
    info = trader.call("GET", "/fapi/v1/exchangeInfo")
    (symbol,) = (row for row in info["symbols"] if row["symbol"] == "BTCUSDT")
    (side,) = (rule["positionControlSide"] for rule in symbol["filters"] if "positionControlSide" in rule)
    return side


@pytest.mark.parametrize(("code", "side"), [(-4105, "BUY"), (-4106, "SELL"), (-4107, "BOTH"), (-4400, "NONE")])
def test_the_filter_shows_which_side_risk_control_has_closed(code, side):
    trader = Trader()
    assert control_side(trader) == "NONE"
    act(trader, code=code, symbol="BTCUSDT")
    assert control_side(trader) == side
    act(trader, symbol="BTCUSDT")
    assert control_side(trader) == "NONE"


def test_the_whole_account_is_restricted_to_reducing():
    trader = Trader()
    trader.market_order("BUY")
    act(trader, code=-4400)
    for symbol, price in (("BTCUSDT", "79000"), ("ETHUSDT", "2900")):
        with pytest.raises(RefusedError, match="-4400"):
            trader.order(symbol=symbol, price=price)
    assert trader.market_order("SELL", reduceOnly="true")["status"] == "FILLED"


def test_an_unknown_code_is_named_with_those_that_exist():
    with pytest.raises(ActionError, match=r"code is -1, .* codes are -4087, -4088"):
        act(Trader(), code=-1)
