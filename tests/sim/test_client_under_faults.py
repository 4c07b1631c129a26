"""The client trades while answers are lost, orders are executed late, sockets drop and the address is banned."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from careful_trader import CarefulTrader
from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.signing import Credentials
from exchange.simulator.core import Exchange
from exchange.simulator.faults.plan import make_plan, read_plan
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import demo_secrets

KEY, SECRET = next(iter(demo_secrets().items()))
MIXED = read_plan((Path(__file__).parents[1] / "venue" / "faults" / "mixed.toml").read_text(encoding="utf-8"))


def trade_under(plan, rounds):
    async def main():
        clock = VirtualClock(START)
        exchange = Exchange(SmallMarket())
        exchange.set_faults(plan)
        front = MemoryFront(exchange, clock, latency=0.02)
        pump = asyncio.create_task(front.run())
        trader = CarefulTrader(
            front.rest, front.dialer, clock, ScriptedEntropy(), Credentials(KEY, SECRET), "BTCUSDT", Decimal("0.010")
        )
        async with trader:
            await trader.script(rounds, Decimal("0.1"))
            report = {row["id"]: row["struck"] for row in exchange.fault_report()}
            exchange.set_faults(make_plan({}))
            book = await trader.proof()
        pump.cancel()
        return trader, book, report

    return run_virtual(main())


def test_after_a_night_of_faults_the_book_is_the_exchanges_and_no_order_is_double():
    trader, book, report = trade_under(MIXED, rounds=30)
    assert book[:3] == (0, set(), set())
    assert len(book[3]) >= 50
    assert all(report.values()), report
    assert trader.told["unknown"] >= 5
    assert trader.told["found"] >= 3
    assert trader.told["dead"] >= 1
    assert trader.told["readings"] >= 3


def test_without_faults_the_same_client_asks_for_nothing_twice():
    trader, book, _ = trade_under(make_plan({}), rounds=5)
    assert book[:3] == (0, set(), set())
    assert not {name for name in trader.told if name != "readings"}


@pytest.mark.parametrize("seed", range(3))
def test_other_chances_end_the_same_way(seed):
    plan = make_plan({"seed": seed, "fault": [*({"kind": "lost_answer", "on": ["* /fapi/v1/*rder"], "rate": 0.3},)]})
    _, book, _ = trade_under(plan, rounds=10)
    assert book[:3] == (0, set(), set())
