"""The flatten that needs no engine: it closes everything under faults, and never opens anything."""

import pytest
from hand_world import KEY, SECRET, HandWorld, at_exchange
from venue_fakes import ScriptedEntropy

from engine.execution.access import Access
from engine.execution.flatten import Flattening
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.signing import Credentials
from exchange.binance.weights import WeightLedger

ORDER = "POST /fapi/v1/order"


def flattening(world: HandWorld, symbol=None):
    client = BinanceClient(
        world.rest, world.clock, WeightLedger(), OpenGate(), ScriptedEntropy(), Credentials(KEY, SECRET)
    )
    said = []
    return Flattening(Access(client, world.clock), world.clock, "flat", said.append, symbol), said


def furnish(world, *, hedge=False):
    """Leave positions, a resting entry, a take-profit that holds the size, and a stop."""
    if hedge:
        world.exchange.venue.house.account.set_dual_side(True, world.clock.now_ms())
    side = {"positionSide": "LONG"} if hedge else {}
    world.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.020", **side)
    reduce = side or {"reduceOnly": "true"}
    world.elsewhere(
        "POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="LIMIT", quantity="0.020", price="83000",
        timeInForce="GTC", **reduce,
    )  # fmt: skip
    world.elsewhere(
        "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET",
        quantity="0.020", triggerPrice="70000", **reduce,
    )  # fmt: skip
    short = {"positionSide": "SHORT"} if hedge else {}
    world.elsewhere("POST", "/fapi/v1/order", symbol="ETHUSDT", side="SELL", type="MARKET", quantity="0.5", **short)
    world.elsewhere(
        "POST", "/fapi/v1/order", symbol="ETHUSDT", side="SELL", type="LIMIT", quantity="0.1", price="3500",
        timeInForce="GTC", **short,
    )  # fmt: skip


FAULTS = {
    "none": [],
    "lost answers": [{"kind": "lost_answer", "on": [ORDER], "rate": 0.6}],
    "requests that never arrive": [{"kind": "lost_answer", "on": ["*"], "rate": 0.3, "executed": False}],
    "refusals": [{"kind": "error_answer", "on": [ORDER], "status": 400, "code": -2022, "rate": 0.5}],
    "a ban": [{"kind": "action", "at": [0.5], "do": {"action": "ban", "seconds": 20.0}}],
    "too many requests": [{"kind": "error_answer", "on": ["*"], "status": 429, "code": -1003, "rate": 0.2,
                           "retry_after": 2}],
    "empty answers": [{"kind": "empty_answer", "on": ["GET /fapi/v1/openOrders"], "rate": 0.3}],
}  # fmt: skip


@pytest.mark.parametrize("hedge", [False, True], ids=["one-way", "hedge"])
@pytest.mark.parametrize("name", FAULTS)
def test_everything_is_closed_and_removed_whatever_the_exchange_answers(name, hedge):
    async def script(world):
        furnish(world, hedge=hedge)
        largest = {key: abs(one.quantity) for key, one in world.witness.positions().items()}
        world.faults(*FAULTS[name])
        work, _ = flattening(world)
        left = await work.run()
        assert left.is_flat, left
        world.faults()
        assert not world.witness.positions()
        assert not world.witness.orders()
        assert not world.witness.stops()
        house = world.exchange.venue.house
        for order in house.store.orders_of(None, world.exchange.now_ms):
            if order.client_id.startswith("pd-flat-"):
                key = (house.account.listings[order.listing].instrument.symbol, order.position_side.value)
                assert order.executed <= largest[key]

    at_exchange(script)


def test_a_stop_stays_until_its_position_is_closed():
    async def script(world):
        furnish(world)
        world.faults({"kind": "error_answer", "on": [ORDER], "status": 503, "msg": "Service Unavailable.", "until": 20})
        work, _ = flattening(world)
        await work._round()
        assert world.witness.positions()
        assert world.witness.stops(("BTCUSDT", "BOTH"))

    at_exchange(script)


def test_an_order_that_cannot_be_cancelled_keeps_no_position_open():
    async def script(world):
        furnish(world)
        world.faults({"kind": "error_answer", "on": ["DELETE /fapi/v1/order"], "status": 400, "code": -1013})
        work, said = flattening(world)
        left = await work.run()
        assert not left.positions
        assert left.orders
        assert any("-1013" in line for line in said)

    at_exchange(script)


def test_only_one_symbol_is_touched_when_one_is_named():
    async def script(world):
        furnish(world)
        work, _ = flattening(world, "BTCUSDT")
        assert (await work.run()).is_flat
        assert set(world.witness.positions()) == {("ETHUSDT", "BOTH")}
        assert len(world.witness.orders()) == 1

    at_exchange(script)


def test_run_again_it_continues_and_says_that_nothing_is_left():
    async def script(world):
        work, said = flattening(world)
        assert (await work.run()).is_flat
        assert not said

    at_exchange(script)
