"""What the control endpoint makes happen to the account, as its owner sees it."""

import msgspec
import pytest
from small_market import START, SmallMarket

from exchange.simulator.answers import RefusalError
from exchange.simulator.auth import DEMO_KEY
from exchange.simulator.core import Exchange
from exchange.simulator.faults.actions import ActionError
from exchange.simulator.trading.model import PositionSide

LOT = ("minimum", "maximum", "step")
BRACKET = {"floor": "0", "cap": "1000", "max_leverage": 3, "mmr": "0.1", "cum": "0"}


@pytest.fixture
def exchange():
    return Exchange(SmallMarket())


@pytest.fixture
def events(exchange):
    """The account's events as they are published."""
    key = exchange.venue.listen_keys.issue(DEMO_KEY, START)
    session = exchange.open(f"/private/ws/{key}", START)

    def heard():
        found = [msgspec.json.decode(frame) for frame in session.outbox]
        session.outbox.clear()
        return found

    return heard


def elsewhere(exchange, method, path, **params):
    exchange.control.act({"action": "elsewhere", "method": method, "path": path, "params": params})


def buy(exchange, quantity="0.010"):
    elsewhere(
        exchange, "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity=quantity,
        newClientOrderId="web_1",
    )  # fmt: skip


def held(exchange):
    return exchange.venue.house.account.position(0, PositionSide.BOTH).quantity


def test_somebody_else_trades_on_the_account(exchange, events):
    buy(exchange)
    exchange.advance(START + 1_000)
    assert str(held(exchange)) == "0.010"
    assert {event["o"]["c"] for event in events() if event["e"] == "ORDER_TRADE_UPDATE"} == {"web_1"}


def test_what_somebody_else_may_not_do_is_refused_with_the_venues_code(exchange):
    with pytest.raises(RefusalError, match="-1121"):
        elsewhere(exchange, "POST", "/fapi/v1/leverage", symbol="NONE", leverage="5")
    with pytest.raises(ActionError, match="no endpoint"):
        elsewhere(exchange, "POST", "/fapi/v1/nothing")


def test_money_comes_and_goes(exchange, events):
    exchange.control.act({"action": "transfer", "amount": "500"})
    exchange.control.act({"action": "transfer", "amount": "-200.5"})
    assert str(exchange.venue.house.account.wallet.normalize()) == "10299.5"
    assert [event["a"]["m"] for event in events()] == ["DEPOSIT", "WITHDRAW"]


def test_a_position_is_liquidated_with_the_venues_own_client_id(exchange, events):
    with pytest.raises(ActionError, match="has no position"):
        exchange.control.act({"action": "liquidate", "symbol": "BTCUSDT"})
    buy(exchange)
    exchange.advance(START + 1_000)
    events()
    exchange.control.act({"action": "liquidate", "symbol": "BTCUSDT"})
    exchange.advance(START + 2_000)
    assert held(exchange) == 0
    orders = [event["o"] for event in events() if event["e"] == "ORDER_TRADE_UPDATE"]
    assert orders
    assert all(order["c"].startswith("autoclose-") for order in orders)


def test_a_position_is_deleveraged(exchange, events):
    buy(exchange)
    exchange.advance(START + 1_000)
    events()
    exchange.control.act({"action": "deleverage", "symbol": "BTCUSDT", "quantity": "0.004"})
    assert str(held(exchange)) == "0.006"
    assert {event["o"]["c"] for event in events() if event["e"] == "ORDER_TRADE_UPDATE"} == {"adl_autoclose"}


def test_a_special_funding_is_paid_by_the_long(exchange, events):
    buy(exchange)
    exchange.advance(START + 1_000)
    events()
    before = exchange.venue.house.account.wallet
    exchange.control.act({"action": "special_funding", "symbol": "BTCUSDT", "rate": "0.001"})
    assert exchange.venue.house.account.wallet < before
    assert [event["a"]["m"] for event in events()] == ["FUNDING_FEE"]
    assert exchange.venue.tape.fundings.of(0, None, None, 1)[0].kind == "Special"


def test_a_locked_position_mode_is_refused_until_it_is_unlocked(exchange):
    account = exchange.venue.house.account
    exchange.control.act({"action": "position_mode_lock"})
    with pytest.raises(RefusalError, match="-4531"):
        account.set_dual_side(True, exchange.now_ms)
    exchange.control.act({"action": "position_mode_lock", "locked": False})
    account.set_dual_side(True, exchange.now_ms)


def test_the_algo_service_gets_stuck_refuses_and_heals(exchange):
    desk = exchange.venue.house.algo
    exchange.control.act({"action": "algo_service", "stuck": True})
    assert (desk.stuck, desk.reject_reason) == (True, None)
    exchange.control.act({"action": "algo_service", "reject": "Margin is insufficient."})
    assert (desk.stuck, desk.reject_reason) == (False, "Margin is insufficient.")
    exchange.control.act({"action": "algo_service"})
    assert (desk.stuck, desk.reject_reason) == (False, None)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ({"action": "ban", "seconds": float("nan")}, "seconds is nan: use seconds from 0"),
        ({"action": "ban", "seconds": -5.0}, "seconds is -5.0: use seconds from 0"),
        ({"action": "transfer", "amount": "NaN"}, "amount is NaN: use a number with at most eight decimals"),
        ({"action": "transfer", "amount": "Infinity"}, "amount is Infinity: use a number"),
        ({"action": "transfer", "amount": "0.000000001"}, "at most eight decimals"),
        ({"action": "transfer", "amount": "1e30"}, "use a number"),
        ({"action": "special_funding", "symbol": "BTCUSDT", "rate": "NaN"}, "rate is NaN: use a share"),
        ({"action": "special_funding", "symbol": "BTCUSDT", "rate": "2"}, "rate is 2: use a share"),
        ({"action": "deleverage", "symbol": "BTCUSDT", "quantity": "-1"}, "quantity is -1: use a quantity above 0"),
        ({"action": "deleverage", "symbol": "BTCUSDT", "quantity": "NaN"}, "quantity is NaN"),
        ({"action": "deleverage", "symbol": "BTCUSDT", "quantity": "0.0005"}, "0.0005: use a multiple of 0.001"),
        ({"action": "deleverage", "symbol": "ETHUSDT", "quantity": "1"}, "ETHUSDT BOTH has no position"),
        ({"action": "symbol_rules", "symbol": "BTCUSDT", "rules": {"tick": "0"}}, "tick of BTCUSDT is 0: use numbers"),
        ({"action": "symbol_rules", "symbol": "BTCUSDT", "rules": {"tick": "NaN"}}, "tick of BTCUSDT is NaN"),
        (
            {"action": "symbol_rules", "symbol": "BTCUSDT", "rules": {"lot": dict.fromkeys(LOT, "0")}},
            "lot of BTCUSDT is .*: use numbers above 0",
        ),
        (
            {"action": "symbol_rules", "symbol": "BTCUSDT", "rules": {"price_precision": -1}},
            "price_precision of BTCUSDT is -1",
        ),
        (
            {"action": "symbol_brackets", "symbol": "BTCUSDT", "brackets": [BRACKET | {"cap": "NaN"}]},
            "use leverage, cap and mmr above 0",
        ),
        (
            {"action": "symbol_brackets", "symbol": "BTCUSDT", "brackets": [BRACKET | {"mmr": "NaN"}]},
            "use leverage, cap and mmr above 0",
        ),
        (
            {"action": "symbol_brackets", "symbol": "BTCUSDT", "brackets": [BRACKET | {"max_leverage": 0}]},
            "use leverage, cap and mmr above 0",
        ),
        (
            {"action": "symbol", "symbol": "BTCUSDT", "state": "announce", "seconds": float("nan")},
            "action symbol: seconds is nan: use seconds from 0",
        ),
        ({"action": "symbol", "symbol": "NONE", "state": "halt"}, "action symbol: 'NONE' is no contract"),
    ],
)
def test_a_number_that_nothing_can_take_is_refused_and_changes_nothing(exchange, action, text):
    buy(exchange)
    before = exchange.venue.house.account.wallet
    with pytest.raises(ActionError, match=text):
        exchange.control.act(action)
    assert exchange.venue.house.account.wallet == before
    assert str(held(exchange)) == "0.010"
