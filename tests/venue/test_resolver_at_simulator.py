"""Orders of unknown outcome at the simulated venue: what was executed is found, what was not is proven absent."""

import asyncio
from decimal import Decimal

import pytest
from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.account_client import AccountClient
from exchange.binance.algo_client import AlgoClient
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.order_client import OrderClient
from exchange.binance.resolver import Resolver
from exchange.binance.signing import Credentials
from exchange.binance.weights import WeightLedger
from exchange.conditional_orders import AlgoRequest, ConditionalKind
from exchange.errors import UnknownOutcomeError
from exchange.orders import OrderKind, OrderRequest, Side
from exchange.ports import LostError
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import demo_secrets

KEY, SECRET = next(iter(demo_secrets().items()))


class LossyRest:
    """Loses the answers to placements, or the placements themselves; may deliver one late; may lose reads."""

    def __init__(self, rest, clock):
        self.rest, self.clock = rest, clock
        self.lose = None
        self.late_s = 0.0
        self.dark_until = 0.0
        self.posts = 0
        self._tasks = []

    async def send(self, method, path, query, headers, deadline):
        if method == "GET" and self.clock.monotonic() < self.dark_until:
            raise LostError("dark")
        if method != "POST" or self.lose is None:
            return await self.rest.send(method, path, query, headers, deadline)
        self.posts += 1
        if self.lose == "answer":
            await self.rest.send(method, path, query, headers, deadline)
        elif self.lose == "late":
            self._tasks.append(asyncio.create_task(self._later(method, path, query, headers, deadline)))
        raise LostError("reset")

    async def _later(self, *request):
        await self.clock.sleep(self.late_s)
        await self.rest.send(*request)


def resolve(lose, *, kind="order", late_s=0.0, dark_s=0.0):
    async def main():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(SmallMarket()), clock, latency=0.01)
        pump = asyncio.create_task(front.run())
        rest = LossyRest(front.rest, clock)
        client = BinanceClient(rest, clock, WeightLedger(), OpenGate(), ScriptedEntropy(), Credentials(KEY, SECRET))
        account = AccountClient(client.calls)
        mode = account.position_mode()
        orders, algo = OrderClient(client.calls, mode), AlgoClient(client.calls, mode)
        resolver = Resolver(account, client.calls, clock)
        await clock.sleep(30)
        await orders.place(market("before"))
        await clock.sleep(2)
        rest.lose, rest.late_s = lose, late_s
        rest.dark_until = clock.monotonic() + dark_s
        sent = client.venue_ms()
        if kind == "order":
            request = market("lost")
            with pytest.raises(UnknownOutcomeError):
                await orders.place(request)
            waiting = asyncio.create_task(resolver.order(request, sent))
        else:
            request = AlgoRequest(
                symbol="BTCUSDT", side=Side.SELL, kind=ConditionalKind.STOP_MARKET, quantity=Decimal("0.010"),
                trigger_price=Decimal("20000.0"), client_id="lost",
            )  # fmt: skip
            with pytest.raises(UnknownOutcomeError):
                await algo.place(request)
            waiting = asyncio.create_task(resolver.conditional(request, sent))
        await clock.sleep(0.1)
        assert set(resolver.open) == {"lost"}
        report = await waiting
        assert resolver.open == {}
        assert rest.posts == 1
        pump.cancel()
        return report, (client.venue_ms() - sent) / 1000

    return run_virtual(main())


def market(client_id):
    return OrderRequest(
        symbol="BTCUSDT", side=Side.BUY, kind=OrderKind.MARKET, quantity=Decimal("0.010"), client_id=client_id
    )


@pytest.mark.parametrize("kind", ["order", "algo"])
def test_an_order_whose_answer_was_lost_is_found_within_seconds(kind):
    report, elapsed = resolve("answer", kind=kind)
    assert report.client_id == "lost"
    assert elapsed < 2


@pytest.mark.parametrize("kind", ["order", "algo"])
def test_an_order_that_never_arrived_is_dead_only_after_its_window(kind):
    report, elapsed = resolve("request", kind=kind)
    assert report is None
    assert 6 < elapsed < 15


def test_an_order_executed_late_within_its_window_is_found():
    report, elapsed = resolve("late", late_s=4.5)
    assert report.status == "FILLED"
    assert 4.5 < elapsed < 15


def test_a_venue_that_does_not_answer_proves_nothing():
    report, elapsed = resolve("answer", dark_s=40.0)
    assert report.status == "FILLED"
    assert elapsed > 40
    report, elapsed = resolve("request", dark_s=40.0)
    assert report is None
    assert elapsed > 60, "three denials and a witness are needed afterwards"
