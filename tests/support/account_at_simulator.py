"""An account at the simulated exchange on virtual time: its calls, its private stream and what came of it."""

import asyncio
import contextlib
from decimal import Decimal

from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.account_events import AccountUpdate, OrderUpdate, TradeId
from exchange.account_merge import AccountMerge, Reading
from exchange.bad_input import Quarantine
from exchange.binance.account_client import AccountClient
from exchange.binance.algo_client import AlgoClient
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.order_client import OrderClient
from exchange.binance.settings_client import SettingsClient
from exchange.binance.signing import Credentials
from exchange.binance.user_effects import UserLimits
from exchange.binance.user_stream import UserStream
from exchange.binance.weights import WeightLedger
from exchange.orders import OrderKind, OrderRequest
from exchange.simulator.core import Exchange
from exchange.simulator.faults.plan import make_plan
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions, demo_secrets

KEY, SECRET = next(iter(demo_secrets().items()))


class Account:
    """The account with a consumer of its stream that keeps a book."""

    def __init__(self, front, clock):
        self.clock = clock
        self.client = BinanceClient(
            front.rest, clock, WeightLedger(), OpenGate(), ScriptedEntropy(), Credentials(KEY, SECRET)
        )
        self.reads = AccountClient(self.client.calls)
        mode = self.reads.position_mode()
        self.orders = OrderClient(self.client.calls, mode)
        self.algos = AlgoClient(self.client.calls, mode)
        self.settings = SettingsClient(self.client.calls, mode)
        self.events, self.items, self.applied = [], [], []
        self.quarantine = Quarantine()
        self.merge = AccountMerge()
        self.stream = UserStream(
            self.client, front.dialer, clock, ScriptedEntropy(), self.events.append, self.quarantine,
            limits=UserLimits(rotate_s=1000.0),
        )  # fmt: skip
        self.numbers = 0
        self.book, self.booked = {}, []

    async def consume(self):
        while True:
            item = await self.stream.receive()
            self.items.append(item)
            self.apply(self.merge.take(item))

    def apply(self, events):
        self.applied += events
        for event in events:
            if isinstance(event, AccountUpdate):
                self.book.update({(row.symbol, row.side): row.quantity for row in event.positions})
            elif isinstance(event, OrderUpdate) and event.trade is not None:
                self.booked.append(event.trade)

    @property
    def held(self):
        """What the book holds."""
        return {name: quantity for name, quantity in self.book.items() if quantity}

    async def read(self):
        """Read what a consumer reads after a gap and from time to time, and put the book on it.

        Return whether it was in time: an account that changed epochs meanwhile must be read again.
        """
        ticket = self.merge.begin()
        positions = await self.client.positions()
        trades = await self.reads.user_trades("BTCUSDT", limit=1000)
        reading = Reading(
            positions={(row.symbol, row.side): row.update_time for row in positions},
            trades=frozenset(TradeId(row.symbol, row.trade_id, row.order_id) for row in trades),
        )
        follow = self.merge.settle(ticket, reading)
        if follow is None:
            return False
        self.book = {(row.symbol, row.side): row.quantity for row in positions}
        self.booked += [trade for trade in sorted(reading.trades) if trade not in self.booked]
        self.apply(follow)
        return True

    async def market(self, side, quantity="0.010"):
        self.numbers += 1
        await self.orders.place(
            OrderRequest(
                symbol="BTCUSDT",
                side=side,
                kind=OrderKind.MARKET,
                quantity=Decimal(quantity),
                client_id=f"t{self.numbers}",
            )
        )
        await self.clock.sleep(1)

    def got(self, kind):
        return [item for item in self.items if isinstance(item, kind)]


def play(scenario, *faults, seed=0):
    """Run a scenario with the account's stream and its consumer beside it; return the account."""

    async def main():
        clock = VirtualClock(START)
        exchange = Exchange(SmallMarket(), options=ExchangeOptions())
        if faults:
            exchange.set_faults(make_plan({"seed": seed, "fault": list(faults)}))
        front = MemoryFront(exchange, clock, latency=0.02)
        account = Account(front, clock)
        tasks = [asyncio.create_task(work) for work in (front.run(), account.stream.run(), account.consume())]
        try:
            await clock.sleep(2)
            await scenario(account)
            for task in tasks:
                assert not task.done()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        return account

    return run_virtual(main())
