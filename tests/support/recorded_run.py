"""A desk on the simulated exchange in memory with a recorder at its ports, and the folder it would have written."""

import asyncio
import hashlib

from simulated_desk import StillVitals, World
from virtual_loop import run_virtual

from config.flags import FlagBoard
from config.settings import Settings
from engine.adapters.entropy import RandomEntropy
from engine.adapters.program import built_with, code_hash
from engine.desk import Desk, Identity, Pace
from engine.execution.arming import account_hash
from engine.inputs.framing import FILE, MARK, block
from engine.inputs.recorder import Recorder
from engine.inputs.records import SCHEMA, Beginning, FlagRow, LiveRow, encode
from engine.inputs.taps import tap
from engine.journal.journal import InlineJournal
from engine.journal.log import JournalLog
from engine.live_orders import LiveTerms
from engine.memory import recall
from engine.ports import NoModels, Ports
from exchange.binance.signing import Credentials
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET

VERSION = "0.0.test"


class RecordedWorld(World):
    """A world whose desk is recorded; `turns` holds the bytes of every turn."""

    def __init__(self, **more):
        super().__init__(**more)
        self.turns = []
        self.recorder = Recorder(self._take)
        self.beginning = None

    def _take(self, data):
        self.turns.append(data)
        return True

    def desk(self, *, live=False, **settings):
        log = JournalLog(self.disk)
        log.open()
        memory = recall(self.disk)
        tables = {"universe": {"size": self.size}, **settings}
        if live:
            tables["trading"] = {"enabled": True, "environment": "live", **tables.get("trading", {})}
        chosen = Settings.model_validate(tables)
        flags = FlagBoard.defaults(self.clock.now_ms())
        ports = Ports(self.clock, self.front.rest, self.front.dialer, self.disk, RandomEntropy(self.seed), NoModels())
        text = chosen.model_dump_json()
        self.beginning = Beginning(
            schema=SCHEMA,
            version=VERSION,
            session="s1",
            started_ms=self.clock.now_ms(),
            environment="simulator",
            exchange="memory",
            speed=1.0,
            settings=text,
            settings_hash=hashlib.sha256(text.encode()).hexdigest(),
            flags=[FlagRow(one.spec.name, one.value, one.since_ms, one.by) for one in flags.states()],
            has_key=True,
            tick_s=5.0,
            publish_s=60.0,
            code=code_hash(),
            built_with=built_with(),
            live=LiveRow("s1", account_hash(DEMO_KEY)) if live else None,
        )
        tapped = tap(ports, InlineJournal(log), StillVitals(), self.recorder)
        self.port.between = self.recorder.between
        return self.recorder.make(
            lambda: Desk(
                chosen,
                flags,
                tapped.ports,
                tapped.journal,
                self.port,
                Identity("simulator", "memory"),
                tapped.vitals,
                credentials=Credentials(DEMO_KEY, DEMO_SECRET),
                remembered=memory,
                pace=Pace(tick_s=5.0, publish_s=60.0),
                live=LiveTerms(tapped.journal, "s1", account_hash(DEMO_KEY)) if live else None,
            )
        )

    def write(self, folder, *, cut=0, turns=None):
        """Write the recording as the program does, or other turns; `cut` leaves off that many bytes of its end."""
        folder.mkdir(exist_ok=True)
        data = MARK + block([encode(self.beginning)])
        written = self.turns if turns is None else turns
        for first in range(0, len(written), 1000):
            data += block(written[first : first + 1000])
        (folder / FILE).write_bytes(data[: len(data) - cut])
        return folder


async def _run(world, hours, orders, settings):
    serving = asyncio.create_task(world.serve())
    desk = world.desk(**settings)
    running = asyncio.create_task(world.recorder.run(desk.run))
    begin = world.clock.monotonic()
    for hour, command in [*orders, (hours, None)]:
        await asyncio.wait([running], timeout=begin + hour * 3600 - world.clock.monotonic())
        if command is not None:
            world.port.send(command, "a test")
    world.recorder.stop("the day is over", desk.stop)
    await running
    world.recorder.finish(0)
    serving.cancel()
    return desk


def recorded(hours=8.0, *, orders=(), world=None, **settings):
    """Run a recorded desk for simulated hours, with (hour, command) as orders; return its world."""
    world = world or RecordedWorld(symbols=6)
    run_virtual(_run(world, hours, orders, settings))
    return world
