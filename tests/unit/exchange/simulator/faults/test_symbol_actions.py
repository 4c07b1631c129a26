"""Contracts change while the venue runs, as the control endpoint asks."""

from decimal import Decimal

import msgspec
import pytest
from small_market import START, SmallMarket

from exchange.simulator.core import Exchange
from exchange.simulator.faults.actions import ActionError
from exchange.simulator.faults.requests import Request
from exchange.simulator.symbol_life import LifeError
from exchange.simulator.venue import ExchangeOptions


@pytest.fixture
def exchange():
    return Exchange(SmallMarket(), options=ExchangeOptions(control_token="t"))


def act(exchange, **request):
    exchange.control.act(request)


def listed(exchange, symbol):
    answer = exchange.request("GET", "/fapi/v1/exchangeInfo", b"", b"", {}, exchange.now_ms)
    return next((row for row in msgspec.json.decode(answer.body)["symbols"] if row["symbol"] == symbol), None)


def test_a_contract_is_halted_resumed_settled_and_removed(exchange):
    for state, status in (("halt", "TRADING_HALT"), ("resume", "TRADING"), ("settle", "SETTLING"), ("close", "CLOSE")):
        act(exchange, action="symbol", symbol="ETHUSDT", state=state)
        assert listed(exchange, "ETHUSDT")["status"] == status
    act(exchange, action="symbol", symbol="ETHUSDT", state="delist")
    assert listed(exchange, "ETHUSDT") is None
    act(exchange, action="symbol", symbol="ETHUSDT", state="list")
    assert listed(exchange, "ETHUSDT")["status"] == "TRADING"


def test_an_announced_settlement_happens_at_its_second(exchange):
    act(exchange, action="symbol", symbol="ETHUSDT", state="announce", seconds=10.0)
    exchange.advance(START + 9_000)
    assert listed(exchange, "ETHUSDT")["status"] == "TRADING"
    exchange.advance(START + 10_000)
    assert listed(exchange, "ETHUSDT")["status"] == "SETTLING"


def test_rules_brackets_and_funding_interval_change(exchange):
    act(exchange, action="symbol_rules", symbol="BTCUSDT", rules={"min_notional": "100", "max_orders": 5})
    filters = {row["filterType"]: row for row in listed(exchange, "BTCUSDT")["filters"]}
    assert filters["MIN_NOTIONAL"]["notional"] == "100"
    assert filters["MAX_NUM_ORDERS"]["limit"] == 5
    bracket = {"floor": "0", "cap": "1000", "max_leverage": 7, "mmr": "0.01", "cum": "0"}
    act(exchange, action="symbol_brackets", symbol="BTCUSDT", brackets=[bracket])
    assert exchange.venue.tape.listings[0].brackets[0].cap == Decimal(1000)
    act(exchange, action="funding_interval", symbol="BTCUSDT", hours=1)
    assert exchange.venue.tape.listings[0].funding_hours == 1


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"action": "symbol", "symbol": "NONE", "state": "halt"}, "NONE"),
        ({"action": "symbol", "symbol": "ETHUSDT", "state": "hault"}, "hault"),
        ({"action": "symbol_rules", "symbol": "BTCUSDT", "rules": {"tick": "x"}}, "rule tick"),
        ({"action": "symbol_rules", "symbol": "BTCUSDT", "rules": {"tock": "1"}}, "tock is no rule"),
        ({"action": "funding_interval", "symbol": "BTCUSDT", "hours": 3}, "hours"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(exchange, request_, told):
    with pytest.raises((ActionError, LifeError), match=told):
        exchange.control.act(request_)
    body = msgspec.json.encode(request_)
    answer = exchange.serve(Request("POST", "/sim/control", b"", body, {"x-sim-token": "t"}), START).answer
    assert answer.status == 400
    assert told in answer.body.decode()
