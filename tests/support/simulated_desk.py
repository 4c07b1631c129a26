"""The whole desk on the simulated exchange in memory: one process, one virtual clock, no sockets, no threads."""

import asyncio
import hashlib
import json
import sys

from virtual_loop import VirtualClock, run_virtual

from config.flags import FlagBoard
from config.settings import Settings
from engine.adapters.entropy import RandomEntropy
from engine.adapters.memory_disk import MemoryDisk
from engine.desk import Desk, Identity, Pace
from engine.execution.arming import account_hash
from engine.journal.journal import InlineJournal
from engine.journal.log import JournalLog
from engine.live_orders import LiveTerms
from engine.memory import recall
from engine.port import LocalPort
from engine.ports import NoModels, Ports
from exchange.binance.signing import Credentials
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET
from exchange.simulator.core import Exchange
from exchange.simulator.market_factory import make_market
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions

START_MS = 1_767_571_200_000  # 2026-01-05 00:00 UTC, a Monday


class StillVitals:
    """A process that is never late: what depends on the machine must not enter a trace."""

    def lag(self):
        return 0.0, 0.0

    def memory_mb(self):
        return 0.0

    def restarts(self):
        return 0

    def instant(self):
        return asyncio.get_running_loop().time()


class World:
    """One simulated exchange with one desk at it; the disk outlives the desk."""

    def __init__(self, *, symbols=6, seed=1, step_ms=5_000, size=None, market=None, start_ms=START_MS):
        self.size = size or symbols
        self._spec = {"symbols": symbols, "seed": seed, "step_ms": step_ms, "origin_ms": start_ms}
        self.clock = VirtualClock(start_ms)
        self.seed = seed
        self.disk = MemoryDisk()
        self.sessions = 0
        self.port = LocalPort()
        self._open(market or make_market("synthetic", start_ms=start_ms, **self._spec))

    def _open(self, market):
        self.market = market
        self.exchange = Exchange(market, {DEMO_KEY: DEMO_SECRET}, ExchangeOptions(seed=self.seed))
        self.front = MemoryFront(self.exchange, self.clock, latency=0.02)

    def new_exchange(self):
        """Put a new process's exchange in the place of the old one, at the present instant of the same market."""
        self._open(make_market("synthetic", start_ms=self.clock.now_ms(), **self._spec))

    def desk(self, *, live=False, gives_up=False, **settings):
        """A desk on this world's disk, with whatever it remembers; a live one can be armed."""
        log = JournalLog(self.disk)
        log.open()
        memory = recall(self.disk)
        self.port = LocalPort()
        tables = {"universe": {"size": self.size}, **settings}
        journal = InlineJournal(log)
        terms = None
        if live:
            self.sessions += 1
            tables["trading"] = {"enabled": True, "environment": "live", **tables.get("trading", {})}
            terms = LiveTerms(journal, f"s{self.sessions}", account_hash(DEMO_KEY), gives_up)
        ports = Ports(self.clock, self.front.rest, self.front.dialer, self.disk, RandomEntropy(self.seed), NoModels())
        return Desk(
            Settings.model_validate(tables),
            FlagBoard.defaults(self.clock.now_ms()),
            ports,
            journal,
            self.port,
            Identity("simulator", "memory"),
            StillVitals(),
            credentials=Credentials(DEMO_KEY, DEMO_SECRET),
            remembered=memory,
            pace=Pace(tick_s=5.0, publish_s=0),
            live=terms,
        )

    async def serve(self):
        """Move the exchange until cancelled."""
        await self.front.run()

    def trace(self):
        """One hash over everything the desk stored and said."""
        digest = hashlib.sha256()
        for name in self.disk.names(""):
            digest.update(name.encode())
            digest.update(self.disk.read(name))
        for event in self.port.events(0).events:
            digest.update(repr(event).encode())
        return digest.hexdigest()


async def live(world, hours, **settings):
    """Run one desk for simulated hours and end it in an orderly way; return it."""
    serving = asyncio.create_task(world.serve())
    desk = world.desk(**settings)
    running = asyncio.create_task(desk.run())
    await asyncio.wait([running], timeout=hours * 3600)
    desk.stop("the day is over")
    await running
    serving.cancel()
    return desk


async def kill(world, hours, **settings):
    """Run one desk and kill it between two instants: nothing is saved that was not saved before."""
    serving = asyncio.create_task(world.serve())
    desk = world.desk(**settings)
    running = asyncio.create_task(desk.run())
    await asyncio.wait([running], timeout=hours * 3600)
    stored = {name: bytes(data) for name, data in world.disk.files.items()}
    running.cancel()
    await asyncio.wait([running])
    world.disk.files = {name: bytearray(data) for name, data in stored.items()}
    serving.cancel()
    return desk


def day(hours=24.0, seed=1, symbols=6, shuffle_seed=None):
    """Run a day and return what a test compares."""
    world = World(symbols=symbols, seed=seed)
    desk = run_virtual(live(world, hours), shuffle_seed=shuffle_seed)
    return {
        "trace": world.trace(),
        "cycles": desk.live.number,
        "ready": desk.cycle.ready,
        "positions": sum(count for name, count in desk.book.event_counts() if name == "created"),
        "closed": sum(count for name, count in desk.book.event_counts() if name == "closed"),
        "signals": len(desk.live.known),
        "records": desk.chronicle.journal.records,
        "equity": desk.book.equity(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(day(float(sys.argv[1]), int(sys.argv[2]))) + "\n")
