from decimal import Decimal

import pytest
from instrument_samples import BITCOIN
from order_samples import EPOCH, TradingDesk, ack_row, algo_row, entry, limit_entry, refusal, stop
from venue_fakes import answer

from exchange.binance.fitted_orders import FittedOrders, RuleBook
from exchange.errors import BusinessError, UnknownOutcomeError
from exchange.orders import Side
from exchange.ports import LostError
from exchange.trading_rules import Breach, MarketView

D = Decimal
VIEW = MarketView(EPOCH, D(80000))


def exchange_info(tick="0.10", step="0.001", notional="50"):
    lot = {"minQty": step, "maxQty": "1000", "stepSize": step}
    return answer({"symbols": [{
        "symbol": "BTCUSDT", "baseAsset": "BTC", "quoteAsset": "USDT", "contractType": "PERPETUAL",
        "status": "TRADING", "pricePrecision": 2, "quantityPrecision": 3, "liquidationFee": "0.0125",
        "marketTakeBound": "0.05", "onboardDate": 0, "triggerProtect": "0.05",
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", **lot}, {"filterType": "MARKET_LOT_SIZE", **lot},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200}, {"filterType": "MIN_NOTIONAL", "notional": notional},
            {"filterType": "PERCENT_PRICE", "multiplierUp": "1.05", "multiplierDown": "0.95"},
            {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
        ],
    }]})  # fmt: skip


class Desk(TradingDesk):
    def __init__(self, *script):
        super().__init__(*script)
        self.rules = RuleBook(self.client)
        self.rules.adopt([BITCOIN])
        self.fitted = FittedOrders(self.rules, self.orders, self.algo)


def test_an_order_is_sent_as_the_rules_have_it():
    desk = Desk(answer(ack_row()))
    desk.run(lambda desk: desk.fitted.place(limit_entry(quantity=D("0.0129"), price=D("79999.97")), VIEW))
    assert "quantity=0.012&price=79999.9&" in desk.query()


def test_an_order_that_breaks_a_rule_is_not_sent():
    desk = Desk(answer(ack_row()))
    assert desk.run(lambda desk: desk.fitted.place(entry(quantity=D("0.0001")), VIEW)).breach is (
        Breach.QUANTITY_TOO_SMALL
    )
    assert desk.run(lambda desk: desk.fitted.place(entry(symbol="NOSUCHUSDT"), VIEW)).breach is Breach.UNKNOWN_SYMBOL
    assert desk.operations == []


@pytest.mark.parametrize("code", [-1111, -4014, -4023, -4164])
def test_rules_that_changed_are_read_once_and_the_order_fitted_and_sent_once_more(code):
    desk = Desk(refusal(code), exchange_info(tick="0.50", step="0.01"), answer(ack_row()))
    order = limit_entry(quantity=D("0.0129"), price=D("79999.97"))
    desk.run(lambda desk: desk.fitted.place(order, VIEW))
    assert desk.operations == ["POST /fapi/v1/order", "GET /fapi/v1/exchangeInfo", "POST /fapi/v1/order"]
    assert "quantity=0.01&price=79999.5&" in desk.query()


def test_the_same_order_is_not_sent_again_when_the_rules_are_as_before():
    desk = Desk(refusal(-1111), exchange_info())

    async def attempt(desk):
        with pytest.raises(BusinessError):
            await desk.fitted.place(limit_entry(), VIEW)

    desk.run(attempt)
    assert desk.operations.count("POST /fapi/v1/order") == 1


def test_rules_that_now_forbid_the_order_end_it():
    desk = Desk(refusal(-4164), exchange_info(notional="5000"))
    assert desk.run(lambda desk: desk.fitted.place(limit_entry(), VIEW)).breach is Breach.NOTIONAL_TOO_SMALL


def test_a_second_refusal_stands_and_no_third_attempt_is_made():
    desk = Desk(refusal(-1111), exchange_info(step="0.01"), refusal(-1111))

    async def attempt(desk):
        with pytest.raises(BusinessError):
            await desk.fitted.place(limit_entry(quantity=D("0.011")), VIEW)

    desk.run(attempt)
    assert desk.operations.count("POST /fapi/v1/order") == 2


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ((refusal(-2019),), BusinessError),
        ((LostError("reset"),), UnknownOutcomeError),
        ((refusal(-1111), LostError("reset")), BusinessError),
    ],
)
def test_nothing_else_is_sent_again(script, error):
    desk = Desk(*script)

    async def attempt(desk):
        with pytest.raises(error):
            await desk.fitted.place(entry(), VIEW)

    desk.run(attempt)
    assert desk.operations.count("POST /fapi/v1/order") == 1


def test_conditional_orders_are_fitted_too():
    desk = Desk(refusal(-4014), exchange_info(tick="0.50"), answer(algo_row()))
    desk.run(lambda desk: desk.fitted.place_conditional(stop(trigger_price=D("79000.03")), VIEW))
    assert "triggerPrice=79000.5" in desk.query()
    late = stop(side=Side.SELL, trigger_price=D(81000))
    assert desk.run(lambda desk: desk.fitted.place_conditional(late, VIEW)).breach is Breach.WOULD_TRIGGER


def test_rules_that_cannot_be_read_leave_those_that_are_known():
    desk = Desk(LostError("reset"))

    async def attempt(desk):
        with pytest.raises(UnknownOutcomeError):
            await desk.rules.refresh()

    desk.run(attempt)
    assert (desk.rules.get("BTCUSDT"), desk.rules.refreshes) == (BITCOIN, 0)
