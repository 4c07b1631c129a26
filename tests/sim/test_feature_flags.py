"""In the running desk every flag and mode acts within one cycle of its switch, and leaves who, when, old and new."""

import asyncio
from decimal import Decimal

import numpy as np
import pytest
from simulated_desk import World
from virtual_loop import run_virtual

from config.flags import SPECS
from engine.commands import SetFlag, SetMode
from engine.journal.log import replay
from engine.journal.record import ChangeRecord
from engine.positions.opening import Opening
from engine.positions.store import FILE
from engine.strategy.candidate import Candidate, Direction, NoCandidate

BY = "ann"
SETTINGS = {
    "strategy": {"min_confidence": 0.0},
    "liquidity_hunting": {"confidence": 0.0},
    "regime": {"threshold": 0.4},
    "dynamic_features": {"min_sharpe": -10.0},
}
CYCLES = 40
"""Cycles in which the market must offer a candidate to hunt: less than an hour of it."""


class Networks:
    """An Infer port whose head stands in two files; it notes how it is asked."""

    def __init__(self):
        self.names, self.sizes = [], []

    def ready(self, model):
        return None if model in ("head", "head.int8") else "no trained predictor"

    async def predict(self, model, rows, deadline):
        self.names.append(model)
        self.sizes.append(len(rows))
        return np.full((len(rows), 2), 0.3, np.float32)


class Stage:
    """A desk that is driven cycle by cycle."""

    def __init__(self, world):
        self.world = world
        self.desk = world.desk(**SETTINGS)
        self.done = asyncio.Event()
        self.desk.on_cycle = lambda view: self.done.set()
        self.seen = {}

    async def cycle(self):
        """Wait for the end of a cycle, or of the desk with whatever it ended by."""
        self.done.clear()
        waiting = asyncio.create_task(self.done.wait())
        await asyncio.wait([waiting, self.running], return_when=asyncio.FIRST_COMPLETED)
        if self.running.done():
            waiting.cancel()
            self.running.result()
            raise AssertionError("the desk ended before its time")

    def switch(self, name, value):
        done, text = self.desk.operator.take(SetFlag(name, value), BY)
        assert done, text

    async def until_candidate(self):
        """Wait for a cycle whose strategies propose something."""
        for _ in range(CYCLES):
            await self.cycle()
            if any(any(view.candidates()) for view in self.desk.live.views.values()):
                return
        raise AssertionError("no strategy proposed anything in an hour: choose another seed")

    async def both(self, name, look):
        """Note what `look` sees in the cycle after each switch, the flag's other side first."""
        first = not self.desk.flags.on(name)
        for value in (first, not first):
            self.switch(name, value)
            await self.cycle()
            self.seen[name, value] = look()

    def hold(self):
        """Open a position whose schedule the flags may change."""
        symbol = self.desk.feed.symbols[0]
        slot = self.desk.feed.slot_of(symbol)
        price = float(self.desk.feed.quotes.last[slot])
        opening = Opening("ict", symbol, slot, 2, Direction.LONG, price, price / 2, price * 2, Decimal(1), 1.0)
        assert not self.desk.book.why_not(opening)
        self.desk.book.open(opening, self.desk.clock.now_ms())


def schedule(stage):
    columns = stage.desk.book._roster.columns
    return bool(np.isinf(columns.jump_high[0])), int(columns.due[0]) % 10_000 == 0


def views(stage):
    return list(stage.desk.live.views.values())


def hunted(stage):
    """Say whether every view that would have been a candidate shows the hunt."""
    shown = [
        one
        for view in views(stage)
        for one in (view.ict, view.self_learning, view.hybrid)
        if isinstance(one, Candidate) or (isinstance(one, NoCandidate) and one.gate == "expected slippage")
    ]
    assert shown
    return {isinstance(one, NoCandidate) or one.provenance[-1].step == "hunt" for one in shown}


async def scenario(world):
    serving = asyncio.create_task(world.serve())
    stage = Stage(world)
    desk = stage.desk
    stage.running = asyncio.create_task(desk.run())
    while desk.phase != "running":
        await stage.cycle()
    stage.hold()
    await stage.both("ENABLE_INCREMENTAL_CACHE", lambda: desk.feed.incremental)
    await stage.both("ENABLE_MEMORY_MAPPED_STORAGE", lambda: desk.store.rung)
    await stage.both("ENABLE_SMART_MONITORING", lambda: schedule(stage))
    await stage.both("ENABLE_MARKET_REGIME_PREDICTION", lambda: {view.facts.call is not None for view in views(stage)})
    await stage.both("ENABLE_DYNAMIC_FEATURES", lambda: {"features" in view.outlook.source for view in views(stage)})
    await stage.until_candidate()
    await stage.both("ENABLE_LIQUIDITY_HUNTING", lambda: hunted(stage))
    networks = Networks()
    desk.served._infer = networks

    def asked():
        told = set(networks.names), max(networks.sizes)
        networks.names.clear()
        networks.sizes.clear()
        return told

    await stage.both("ENABLE_QUANTIZATION", asked)
    await stage.both("ENABLE_BATCH_PREDICTION", asked)
    for mode in ("ict", "self_learning", "hybrid"):
        done, _ = desk.operator.take(SetMode(mode), BY)
        assert done
        await stage.cycle()
        stage.seen["mode", mode] = str(desk.live.selection.mode)
    stage.rows = {row.name: row for row in world.port.snapshot().flags}
    desk.stop("all seen")
    await stage.running
    serving.cancel()
    stage.changes = [entry.record for entry in replay(world.disk) if isinstance(entry.record, ChangeRecord)]
    stage.said = [event.text for event in world.port.events(0).events]
    return stage


@pytest.fixture(scope="module")
def stage():
    return run_virtual(scenario(World(symbols=6, seed=2)))


@pytest.mark.parametrize(
    ("name", "off", "on"),
    [
        ("ENABLE_INCREMENTAL_CACHE", False, True),
        ("ENABLE_SMART_MONITORING", (True, True), (False, False)),
        ("ENABLE_MARKET_REGIME_PREDICTION", {False}, {True}),
        ("ENABLE_DYNAMIC_FEATURES", {False}, {True}),
        ("ENABLE_LIQUIDITY_HUNTING", {False}, {True}),
        ("ENABLE_QUANTIZATION", ({"head"}, 6), ({"head.int8"}, 6)),
        ("ENABLE_BATCH_PREDICTION", ({"head.int8"}, 1), ({"head.int8"}, 6)),
    ],
)
def test_a_switched_flag_changes_the_very_next_cycle(stage, name, off, on):
    assert stage.seen[name, False] == off
    assert stage.seen[name, True] == on


def test_the_virtual_book_moves_out_of_its_mapped_file_and_back(stage):
    assert stage.seen["ENABLE_MEMORY_MAPPED_STORAGE", False] == "plain columns in memory"
    assert stage.seen["ENABLE_MEMORY_MAPPED_STORAGE", True].startswith(FILE)


@pytest.mark.parametrize("mode", ["ict", "self_learning", "hybrid"])
def test_a_switched_mode_ranks_in_the_very_next_cycle(stage, mode):
    assert stage.seen["mode", mode] == mode


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_every_switch_leaves_who_when_old_and_new(stage, spec):
    words = {True: "on", False: "off"}
    told = [one for one in stage.changes if one.what == "flag" and one.name == spec.name]
    assert [(one.old, one.new, one.by) for one in told] == [
        (words[spec.default], words[not spec.default], BY),
        (words[not spec.default], words[spec.default], BY),
    ]
    assert 0 < told[0].time < told[1].time
    line = f"{spec.name} {words[spec.default]} -> {words[not spec.default]}, takes effect now ({BY})"
    assert line in stage.said


def test_every_mode_leaves_who_when_old_and_new(stage):
    told = [(one.old, one.new, one.by) for one in stage.changes if one.what == "mode"]
    assert told == [("hybrid", "ict", BY), ("ict", "self_learning", BY), ("self_learning", "hybrid", BY)]


def test_every_flag_shows_its_rung_and_the_modules_their_calls_and_errors(stage):
    assert set(stage.rows) == {spec.name for spec in SPECS}
    assert all(row.rung for row in stage.rows.values())
    assert all(row.by == BY for row in stage.rows.values())
    for name in ("REGIME_PREDICTION", "DYNAMIC_FEATURES"):
        row = next(row for row in stage.rows.values() if row.name.endswith(name))
        assert row.calls >= 6
        assert row.errors == 0
    assert stage.rows["ENABLE_LIQUIDITY_HUNTING"].calls > 0
    assert stage.rows["ENABLE_BATCH_PREDICTION"].calls > stage.rows["ENABLE_QUANTIZATION"].calls
