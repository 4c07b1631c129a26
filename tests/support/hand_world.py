"""The hand at the simulated exchange in memory: one account, one virtual clock, no feed, no sockets, no threads."""

import asyncio
from decimal import Decimal

from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from engine.adapters.memory_disk import MemoryDisk
from engine.chronicle import Chronicle
from engine.execution.entering import Wanted
from engine.execution.hand import Hand
from engine.execution.market import Quote
from engine.execution.memory import HandMemory
from engine.journal.journal import InlineJournal
from engine.journal.log import JournalLog, replay
from engine.port import LocalPort
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.signing import Credentials
from exchange.binance.weights import WeightLedger
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import demo_secrets

KEY, SECRET = next(iter(demo_secrets().items()))


class SeenMarket:
    """The market as a perfect feed would show it. `stale_s` makes it old."""

    def __init__(self, market):
        self._market = market
        self._slots = {one.instrument.symbol: slot for slot, one in enumerate(market.listings)}
        self.stale_s = 0.0

    def instrument(self, symbol):
        slot = self._slots.get(symbol)
        return None if slot is None else self._market.listings[slot].instrument

    def brackets(self, symbol):
        slot = self._slots.get(symbol)
        return () if slot is None else self._market.listings[slot].brackets

    def quote(self, symbol):
        slot = self._slots.get(symbol)
        if slot is None:
            return None
        columns = self._market.columns
        mark, bid, ask = (Decimal(repr(round(float(c[slot]), 4))) for c in (columns.mark, columns.bid, columns.ask))
        return Quote(mark, bid, ask, self.stale_s, self.stale_s)


class HandWorld:
    """An exchange with one account and, one after another, hands at it; the disk outlives them."""

    def __init__(self, market=None, *, latency=0.02, disk=None, wrap_rest=None):
        self.clock = VirtualClock(START)
        self.market = market or SmallMarket()
        self.exchange = Exchange(self.market)
        self.front = MemoryFront(self.exchange, self.clock, latency=latency)
        self.disk = disk or MemoryDisk()
        self.rest = wrap_rest(self.front.rest) if wrap_rest else self.front.rest
        self.seen = SeenMarket(self.market)
        self.sessions = 0
        self.port = LocalPort()

    def hand(self, **options):
        """A hand with whatever the disk remembers."""
        self.sessions += 1
        log = JournalLog(self.disk)
        log.open()
        memory = HandMemory()
        for entry in replay(self.disk):
            memory.take(entry.record)
        journal = InlineJournal(log)
        self.port = LocalPort()
        client = BinanceClient(
            self.rest, self.clock, WeightLedger(), OpenGate(), ScriptedEntropy(), Credentials(KEY, SECRET)
        )
        return Hand(
            client, self.front.dialer, self.clock, ScriptedEntropy(), journal,
            Chronicle(self.clock, self.port, journal), self.seen, f"s{self.sessions}", memory=memory, **options,
        )  # fmt: skip

    def said(self):
        return [event.text for event in self.port.events(0).events]


def wanted(symbol="BTCUSDT", sign=1, quantity="0.010", stop="79000", target="82000", price="80000", **more):
    return Wanted(
        symbol=symbol, sign=sign, price=Decimal(price), quantity=Decimal(quantity), stop=Decimal(stop),
        target=None if target is None else Decimal(target), leverage=20, strategy="test", signal_id="sig", **more,
    )  # fmt: skip


async def ready(world, hand, deadline=60.0):
    """Start a hand and wait until it is ready; return its task."""
    running = asyncio.create_task(hand.run())
    began = world.clock.monotonic()
    while not hand.is_ready:
        if running.done():
            await running
        assert world.clock.monotonic() - began < deadline, (hand.step, hand.reconciler.fault, world.said())
        await world.clock.sleep(0.1)
    return running


def at_exchange(script, **options):
    """Run `script(world)` on a virtual loop while the exchange moves."""

    async def main():
        world = HandWorld(**options)
        pump = asyncio.create_task(world.front.run())
        try:
            return await script(world)
        finally:
            pump.cancel()

    return run_virtual(main())
