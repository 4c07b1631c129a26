"""The account's endpoints over REST: shapes, parameters and refusals; the maths is tested on the account book."""

import json

import pytest
from hand_trading import SYMBOLS, RefusedError, Trader

BTC, ETH = SYMBOLS[:2]


@pytest.fixture
def trader():
    return Trader()


def refused(trader, method, path, **params):
    with pytest.raises(RefusedError) as caught:
        trader.call(method, path, **params)
    assert caught.value.status == 400
    return caught.value.code


def test_settings_are_changed_and_read_back(trader):
    assert trader.call("POST", "/fapi/v1/leverage", symbol=BTC, leverage=50) == {
        "leverage": 50,
        "maxNotionalValue": "50000",
        "symbol": BTC,
    }
    assert trader.call("POST", "/fapi/v1/marginType", symbol=BTC, marginType="ISOLATED") == {
        "code": 200,
        "msg": "success",
    }
    (row,) = trader.call("GET", "/fapi/v1/symbolConfig", symbol=BTC)
    assert row == {
        "symbol": BTC,
        "marginType": "ISOLATED",
        "isAutoAddMargin": False,
        "leverage": 50,
        "maxNotionalValue": "50000",
    }
    assert len(trader.call("GET", "/fapi/v1/symbolConfig")) == len(SYMBOLS)


@pytest.mark.parametrize("spelling", ["true", "TRUE", "True"])
def test_position_mode_takes_a_truth_value_in_any_case(trader, spelling):
    trader.call("POST", "/fapi/v1/positionSide/dual", dualSidePosition=spelling)
    assert trader.call("GET", "/fapi/v1/positionSide/dual") == {"dualSidePosition": True}
    assert trader.call("GET", "/fapi/v1/accountConfig")["dualSidePosition"] is True
    assert refused(trader, "POST", "/fapi/v1/positionSide/dual", dualSidePosition="true") == -4059


def test_multi_assets_and_fee_burn_are_flags(trader):
    trader.call("POST", "/fapi/v1/multiAssetsMargin", multiAssetsMargin="true")
    assert trader.call("GET", "/fapi/v1/multiAssetsMargin") == {"multiAssetsMargin": True}
    assert refused(trader, "POST", "/fapi/v1/multiAssetsMargin", multiAssetsMargin="true") == -4171
    assert refused(trader, "POST", "/fapi/v1/marginType", symbol=BTC, marginType="ISOLATED") == -4168
    trader.call("POST", "/fapi/v1/feeBurn", feeBurn="true")
    assert trader.call("GET", "/fapi/v1/feeBurn") == {"feeBurn": True}
    assert trader.call("GET", "/fapi/v2/account")["feeBurn"] is True


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("leverage", {"symbol": BTC, "leverage": 126}, -4028),
        ("leverage", {"symbol": BTC, "leverage": "ten"}, -1100),
        ("leverage", {"symbol": BTC}, -1102),
        ("leverage", {"symbol": "NOSUCH", "leverage": 1}, -1121),
        ("marginType", {"symbol": BTC, "marginType": "CROSSED"}, -4046),
        ("marginType", {"symbol": BTC, "marginType": "cross"}, -1130),
        ("positionSide/dual", {"dualSidePosition": "false"}, -4059),
        ("positionSide/dual", {"dualSidePosition": "maybe"}, -1130),
        ("positionMargin", {"symbol": BTC, "amount": "1", "type": 1}, -4049),
        ("positionMargin", {"symbol": BTC, "amount": "-1", "type": 1}, -4055),
        ("positionMargin", {"symbol": BTC, "amount": "1e3", "type": 1}, -1100),
        ("positionMargin", {"symbol": BTC, "amount": "1.", "type": 1}, -1100),
        ("positionMargin", {"symbol": BTC, "amount": "0.000000001", "type": 1}, -1111),
        ("positionMargin", {"symbol": BTC, "amount": "1", "type": 3}, -1130),
        ("positionMargin", {"symbol": BTC, "amount": "1", "type": 1, "positionSide": "UP"}, -4060),
        ("positionMargin", {"symbol": BTC, "amount": "1", "type": 1, "positionSide": "LONG"}, -4061),
    ],
)
def test_bad_settings_are_refused_with_the_venues_codes(trader, path, params, code):
    assert refused(trader, "POST", f"/fapi/v1/{path}", **params) == code


def test_isolated_margin_moves_and_its_history_remembers(trader):
    trader.call("POST", "/fapi/v1/marginType", symbol=BTC, marginType="ISOLATED")
    trader.market_order("BUY", "0.100")
    assert trader.call("POST", "/fapi/v1/positionMargin", symbol=BTC, amount="100.5", type=1) == {
        "amount": 100.5,
        "code": 200,
        "msg": "Successfully modify position margin.",
        "type": 1,
    }
    trader.call("POST", "/fapi/v1/positionMargin", symbol=BTC, amount="50", type=2)
    path = "/fapi/v1/positionMargin/history"
    rows = trader.call("GET", path, symbol=BTC)
    assert [(row["type"], row["amount"]) for row in rows] == [(1, "100.50000000"), (2, "50.00000000")]
    assert rows[0] | {"time": 0} == {
        "symbol": BTC,
        "type": 1,
        "deltaType": "USER_ADJUST",
        "amount": "100.50000000",
        "asset": "USDT",
        "time": 0,
        "positionSide": "BOTH",
    }
    assert [row["type"] for row in trader.call("GET", path, symbol=BTC, type=2)] == [2]
    assert trader.call("GET", path, symbol=ETH) == []


def test_income_is_asked_by_type_symbol_time_and_limit(trader):
    for _ in range(3):
        trader.market_order("BUY", "0.010")
        trader.market_order("SELL", "0.010")
    path = "/fapi/v1/income"
    assert len(trader.call("GET", path, incomeType="COMMISSION")) == 6
    assert trader.call("GET", path, symbol=ETH) == []
    assert len(trader.call("GET", path, limit=4)) == 4
    assert trader.call("GET", path, endTime=trader.now - 1) == []
    assert refused(trader, "GET", path, startTime=2, endTime=1) == -1023
    assert refused(trader, "GET", path, limit=1001) == -1130


def test_a_liquidation_is_told_in_the_documented_order_and_listed_as_a_forced_order(trader):
    trader.call("POST", "/fapi/v1/marginType", symbol=BTC, marginType="ISOLATED")
    trader.order(side="BUY", quantity="0.010", price="70000", newClientOrderId="resting")
    trader.market_order("BUY", "0.500")
    trader.events()
    trader.market.set_book(75_000.0, 75_000.1)
    trader.step()
    events = trader.events()
    told = [(event["e"], event.get("o", event.get("a", {}))) for event in events]
    assert [
        (name, body.get("x") or body.get("m"), body.get("X"), body.get("er"))
        for name, body in told
        if name != "TRADE_LITE"
    ] == [
        ("MARGIN_CALL", None, None, None),
        ("ORDER_TRADE_UPDATE", "EXPIRED", "EXPIRED", "5"),
        ("ORDER_TRADE_UPDATE", "NEW", "NEW", "0"),
        ("ACCOUNT_UPDATE", "ORDER", None, None),
        ("ORDER_TRADE_UPDATE", "CALCULATED", "FILLED", "0"),
        ("ACCOUNT_UPDATE", "INSURANCE_CLEAR", None, None),
    ]
    assert told[2][1]["c"].startswith("autoclose-")
    (row,) = trader.call("GET", "/fapi/v1/forceOrders", symbol=BTC)
    assert row["clientOrderId"].startswith("autoclose-")
    assert (row["status"], row["executedQty"]) == ("FILLED", "0.500")
    assert trader.call("GET", "/fapi/v1/forceOrders", autoCloseType="ADL") == []
    assert refused(trader, "GET", "/fapi/v1/forceOrders", autoCloseType="OTHER") == -1130
    assert trader.position() == "0"
    account = trader.house.account
    assert account.wallet == account.opening + account.income.total


def test_everybody_sees_the_liquidation_on_the_market_stream(trader):
    socket = trader.exchange.open("/market/ws/btcusdt@forceOrder", trader.now)
    trader.market_order("BUY", "0.500")
    trader.house.account.liquidation.take_over(trader.house.account.open_positions()[0], trader.now)
    trader.step(8)
    (event,) = [json.loads(frame) for frame in socket.outbox]
    assert (event["e"], event["o"]["s"], event["o"]["S"], event["o"]["q"]) == ("forceOrder", BTC, "SELL", "0.500")


def test_a_liquidation_within_the_book_pays_its_fee_to_the_insurance_fund(trader):
    trader.call("POST", "/fapi/v1/marginType", symbol=BTC, marginType="ISOLATED")
    trader.market_order("BUY", "0.500")
    trader.market.set_book(76_300.0, 76_300.1)
    trader.step()
    kinds = [row["incomeType"] for row in trader.call("GET", "/fapi/v1/income")]
    assert kinds == ["COMMISSION", "REALIZED_PNL", "INSURANCE_CLEAR"]
    last = trader.events()[-1]
    assert (last["e"], last["a"]["m"]) == ("ACCOUNT_UPDATE", "INSURANCE_CLEAR")


def test_a_deleveraged_position_is_a_forced_order_with_the_reserved_id(trader):
    trader.market_order("BUY", "0.500")
    trader.events()
    account = trader.house.account
    account.auto_deleverage(0, account.open_positions()[0].side, account.open_positions()[0].quantity, trader.now)
    (row,) = trader.call("GET", "/fapi/v1/forceOrders", autoCloseType="ADL")
    assert row["clientOrderId"] == "adl_autoclose"
    assert trader.call("GET", "/fapi/v1/adlQuantile") == []


def test_brackets_of_one_symbol_come_as_an_array_unless_the_open_question_says_otherwise(trader):
    assert [row["symbol"] for row in trader.call("GET", "/fapi/v1/leverageBracket", symbol=BTC)] == [BTC]
    questions = trader.exchange.options.questions
    other = Trader(questions=type(questions)(bracket_object_for_symbol=True))
    assert other.call("GET", "/fapi/v1/leverageBracket", symbol=BTC)["symbol"] == BTC
    assert len(other.call("GET", "/fapi/v1/leverageBracket")) == len(SYMBOLS)


def test_the_trading_status_shows_no_locked_rule(trader):
    assert trader.call("GET", "/fapi/v1/apiTradingStatus") == {"indicators": {}, "updateTime": trader.now}


def test_the_account_shows_no_contract_that_is_not_listed():
    trader = Trader(unlisted=(ETH,))
    for path in ("/fapi/v2/account", "/fapi/v2/positionRisk", "/fapi/v1/symbolConfig", "/fapi/v1/leverageBracket"):
        body = trader.call("GET", path)
        shown = {row["symbol"] for row in (body["positions"] if isinstance(body, dict) else body)}
        assert shown == set(SYMBOLS) - {ETH}
