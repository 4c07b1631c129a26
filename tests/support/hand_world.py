"""The hand at the simulated exchange in memory: one account, one virtual clock, no feed, no sockets, no threads."""

import asyncio
from decimal import Decimal

from hand_trading import HandMarket
from small_market import START
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
from exchange.simulator.faults.plan import make_plan
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


class Witness:
    """Looks at the exchange's own truth, not at what the hand believes: what is open, and what protects it."""

    def __init__(self, world):
        self.world = world
        self.naked = {}
        self.times = []
        """Every naked time that ended, in seconds."""

    def positions(self):
        """Open positions by (symbol, side)."""
        house = self.world.exchange.venue.house
        listings = house.account.listings
        return {
            (listings[one.listing].instrument.symbol, one.side.value): one for one in house.account.open_positions()
        }

    def stops(self, key=None):
        """Waiting conditional orders, of one position or of all."""
        house = self.world.exchange.venue.house
        listings = house.account.listings
        found = [(listings[one.terms.listing].instrument.symbol, one) for one in house.algo.store.waiting]
        return [one for symbol, one in found if key is None or (symbol, one.terms.position_side.value) == key]

    def triggering(self, key):
        """Conditional orders of a position whose price was reached and whose child has not ended."""
        house = self.world.exchange.venue.house
        listing = self.positions()[key].listing if key in self.positions() else -1
        history = house.algo.store.history(listing, self.world.exchange.now_ms) if listing >= 0 else []
        return [one for one in history if one.status.value in ("TRIGGERING", "TRIGGERED")]

    def orders(self):
        """Open plain orders."""
        store = self.world.exchange.venue.house.store
        return [order for listing in store.open_listings() for order in store.open_of(listing)]

    def is_protected(self, key, position):
        market = self.world.market
        slot = position.listing
        mark = Decimal(repr(float(market.columns.mark[slot])))
        sign = 1 if position.quantity > 0 else -1
        working = [
            one
            for one in self.stops(key)
            if one.terms.kind == "STOP_MARKET"
            and one.terms.side.value == ("SELL" if sign > 0 else "BUY")
            and sign * (mark - one.terms.trigger_price) > 0
            and (one.terms.close_position or one.terms.reduce_only or key[1] != "BOTH")
        ]
        if any(one.terms.close_position for one in working):
            return True
        return sum((one.terms.quantity for one in working), Decimal(0)) >= abs(position.quantity)

    def look(self):
        now, held = self.world.clock.monotonic(), self.positions()
        bare = {key for key, position in held.items() if not self.is_protected(key, position)}
        for key in [key for key in self.naked if key not in bare]:
            self.times.append(now - self.naked.pop(key))
        for key in bare:
            self.naked.setdefault(key, now)

    @property
    def longest(self):
        now = self.world.clock.monotonic()
        return max([*self.times, *(now - since for since in self.naked.values())], default=0.0)

    async def run(self, every=0.05):
        while True:
            self.look()
            await self.world.clock.sleep(every)


class HandWorld:
    """An exchange with one account and, one after another, hands at it; the disk outlives them."""

    def __init__(self, market=None, *, latency=0.02, disk=None, wrap_rest=None, options=None):
        self.clock = VirtualClock(START)
        self.market = market or HandMarket()
        self.exchange = Exchange(self.market, options=options)
        self.front = MemoryFront(self.exchange, self.clock, latency=latency)
        self.disk = disk or MemoryDisk()
        self.rest = wrap_rest(self.front.rest) if wrap_rest else self.front.rest
        self.seen = SeenMarket(self.market)
        self.sessions = 0
        self.port = LocalPort()
        self.witness = Witness(self)

    def faults(self, *tables, seed=1):
        """Let the exchange fail as these fault tables say; none heals it."""
        self.exchange.set_faults(make_plan({"seed": seed, "fault": list(tables)}))

    def act(self, action, **keys):
        """Let something happen at the exchange: any action of its control endpoint."""
        self.exchange.control.act({"action": action, **keys})
        self.front.wake()

    def elsewhere(self, method, path, **params):
        """Let somebody else use the account."""
        self.act("elsewhere", method=method, path=path, params=params)

    def price(self, bid, ask):
        """Put the prices of BTCUSDT somewhere."""
        self.market.set_book(bid, ask)

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


async def kill(world, running):
    """End a hand between two instants, as kill -9 does: what the disk holds is all that is left."""
    stored = {name: bytes(data) for name, data in world.disk.files.items()}
    running.cancel()
    await asyncio.wait([running])
    world.disk.files = {name: bytearray(data) for name, data in stored.items()}


def at_exchange(script, **options):
    """Run `script(world)` on a virtual loop while the exchange moves."""

    async def main():
        world = HandWorld(**options)
        tasks = [asyncio.create_task(world.front.run()), asyncio.create_task(world.witness.run())]
        try:
            return await script(world)
        finally:
            for task in tasks:
                task.cancel()

    return run_virtual(main())
