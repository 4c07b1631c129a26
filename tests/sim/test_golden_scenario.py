"""The contract's one consistent scenario (its appendix A), step by step over the venue's own requests and events.

One-way, cross, leverage 20, wallet 10,000 USDT, fees 0.0002 / 0.0005. The appendix gives each fill's E two milliseconds
after its T; its own note and the recorded traffic have both equal, and so has the venue here.
"""

import pytest
from hand_trading import START, HandMarket, Trader

from exchange.simulator.trading.funding import HOUR_MS


def placed(**changes):
    return {
        "orderId": 7_000_000_001,
        "symbol": "BTCUSDT",
        "status": "NEW",
        "clientOrderId": "a1",
        "price": "0.00",
        "origQty": "0.010",
        "executedQty": "0.000",
        "cumQty": "0.000",
        "timeInForce": "GTC",
        "type": "MARKET",
        "origType": "MARKET",
        "reduceOnly": False,
        "closePosition": False,
        "side": "BUY",
        "positionSide": "BOTH",
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
    } | changes


def bought(start_ms=START):
    """The account after step 1: 0.010 BTC bought at 80,000, the mark at 80,010."""
    trader = Trader(HandMarket(start_ms), strict=True)
    trader.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=20)
    trader.market.set_book(79_999.9, 80_000.0)
    trader.market.marks[0] = 80_010
    trader.step()
    trader.events()
    trader.answered = trader.call(
        "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.010", newClientOrderId="a1"
    )
    return trader


@pytest.fixture
def trader():
    return bought()


def protect(trader):
    """Step 4: the quantity stop."""
    return trader.call(
        "POST",
        "/fapi/v1/algoOrder",
        algoType="CONDITIONAL",
        symbol="BTCUSDT",
        side="SELL",
        type="STOP_MARKET",
        quantity="0.010",
        reduceOnly="true",
        triggerPrice="79000.00",
        workingType="MARK_PRICE",
        clientAlgoId="a1-sl",
    )


def take_profit(trader):
    """Step 5: sold at 81,000 as maker."""
    trader.call(
        "POST",
        "/fapi/v1/order",
        symbol="BTCUSDT",
        side="SELL",
        type="LIMIT",
        timeInForce="GTX",
        quantity="0.010",
        price="81000",
        reduceOnly="true",
        newClientOrderId="a2",
    )
    trader.step()
    trader.market.set_book(81_000.1, 81_000.2)
    trader.market.trade(81_000.1, 5, buyer_is_maker=False)
    trader.step()


def test_step_1_the_market_order_is_acknowledged(trader):
    assert trader.answered == placed(updateTime=trader.answered["updateTime"])


def test_step_2_the_fill_is_told_in_four_events_of_one_instant(trader):
    events = trader.events()
    assert [event["e"] for event in events] == [
        "ORDER_TRADE_UPDATE",
        "ACCOUNT_UPDATE",
        "TRADE_LITE",
        "ORDER_TRADE_UPDATE",
    ]
    assert {event[name] for event in events for name in "ET"} == {trader.now}
    new, account, lite, trade = events
    assert (new["o"]["x"], new["o"]["l"], new["o"]["t"], "n" in new["o"]) == ("NEW", "0", 0, False)
    assert account["a"] == {
        "m": "ORDER",
        "B": [{"a": "USDT", "wb": "9999.60000000", "cw": "9999.60000000", "bc": "0"}],
        "P": [
            {
                "s": "BTCUSDT",
                "pa": "0.010",
                "ep": "80000.0",
                "bep": "80040.0",
                "cr": "0",
                "up": "0.10000000",
                "mt": "cross",
                "iw": "0",
                "ps": "BOTH",
            }
        ],
    }
    assert lite == {
        "e": "TRADE_LITE",
        "E": trader.now,
        "T": trader.now,
        "s": "BTCUSDT",
        "q": "0.010",
        "p": "0.00",
        "m": False,
        "c": "a1",
        "S": "BUY",
        "L": "80000.00",
        "l": "0.010",
        "t": 9_000_000_001,
        "i": 7_000_000_001,
    }
    assert trade["o"] == {
        "s": "BTCUSDT",
        "c": "a1",
        "S": "BUY",
        "o": "MARKET",
        "f": "GTC",
        "q": "0.010",
        "p": "0",
        "ap": "80000.00",
        "sp": "0",
        "x": "TRADE",
        "X": "FILLED",
        "i": 7_000_000_001,
        "l": "0.010",
        "z": "0.010",
        "L": "80000.00",
        "N": "USDT",
        "n": "0.40000000",
        "T": trader.now,
        "t": 9_000_000_001,
        "b": "0",
        "a": "0",
        "m": False,
        "R": False,
        "wt": "CONTRACT_PRICE",
        "ot": "MARKET",
        "ps": "BOTH",
        "cp": False,
        "pP": False,
        "si": 0,
        "ss": 0,
        "rp": "0",
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
        "er": "0",
    }


def test_step_3_position_risk_at_the_mark(trader):
    (row,) = trader.call("GET", "/fapi/v3/positionRisk")
    assert row == {
        "symbol": "BTCUSDT",
        "positionSide": "BOTH",
        "positionAmt": "0.010",
        "entryPrice": "80000.0",
        "breakEvenPrice": "80040.0",
        "markPrice": "80010.00000000",
        "unRealizedProfit": "0.10000000",
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": "800.10000000",
        "marginAsset": "USDT",
        "isolatedWallet": "0",
        "initialMargin": "40.00500000",
        "maintMargin": "3.20040000",
        "positionInitialMargin": "40.00500000",
        "openOrderInitialMargin": "0",
        "adl": 1,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": trader.answered["updateTime"],
    }


def test_step_4_the_stop_lives_in_the_algo_service_alone(trader):
    trader.events()
    assert protect(trader)["algoStatus"] == "NEW"
    assert [(event["e"], event["o"]["X"]) for event in trader.events()] == [("ALGO_UPDATE", "NEW")]
    assert trader.call("GET", "/fapi/v1/openOrders") == []
    assert [row["clientAlgoId"] for row in trader.call("GET", "/fapi/v1/openAlgoOrders")] == ["a1-sl"]


def test_step_5_the_take_profit_fills_as_maker_and_the_quantity_stop_stays(trader):
    protect(trader)
    trader.events()
    take_profit(trader)
    told = [event["o"] for event in trader.events() if event["e"] == "ORDER_TRADE_UPDATE"]
    assert [(o["x"], o["X"]) for o in told] == [("NEW", "NEW"), ("TRADE", "FILLED")]
    assert (told[1]["m"], told[1]["rp"], told[1]["n"]) == (True, "10.00000000", "0.16200000")
    (balance,) = trader.call("GET", "/fapi/v3/balance")
    assert balance["balance"] == balance["availableBalance"] == "10009.43800000"
    assert trader.call("GET", "/fapi/v3/positionRisk") == []
    assert [row["algoStatus"] for row in trader.call("GET", "/fapi/v1/openAlgoOrders")] == ["NEW"]


def test_step_6_income_holds_both_commissions_and_the_profit(trader):
    take_profit(trader)
    rows = trader.call("GET", "/fapi/v1/income")
    assert [(row["incomeType"], row["income"]) for row in rows] == [
        ("COMMISSION", "-0.40000000"),
        ("REALIZED_PNL", "10.00000000"),
        ("COMMISSION", "-0.16200000"),
    ]
    assert list(rows[0]) == ["symbol", "incomeType", "income", "asset", "info", "time", "tranId", "tradeId"]
    assert rows[0]["tradeId"] == "9000000001"


def test_step_7_funding_of_the_long():
    end = (START // (8 * HOUR_MS) + 1) * 8 * HOUR_MS
    trader = bought(end - 60_000)
    trader.market.marks[0] = 80_000
    trader.exchange.advance(end - 250)
    assert trader.call("GET", "/fapi/v1/income", incomeType="FUNDING_FEE") == []
    trader.events()
    trader.step()
    (event,) = trader.events()
    assert event == {
        "e": "ACCOUNT_UPDATE",
        "E": end,
        "T": end,
        "a": {
            "m": "FUNDING_FEE",
            "B": [{"a": "USDT", "wb": "9999.52000000", "cw": "9999.52000000", "bc": "-0.08000000"}],
            "P": [],
            "S": "BTCUSDT",
        },
    }
    (row,) = trader.call("GET", "/fapi/v1/income", incomeType="FUNDING_FEE")
    assert (row["income"], row["time"], row["tradeId"]) == ("-0.08000000", end, "")
