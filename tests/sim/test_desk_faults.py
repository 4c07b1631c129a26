"""What the desk does when something is wrong: it says so, counts it, loses nothing and goes on."""

import asyncio

from simulated_desk import START_MS, World, live
from virtual_loop import run_virtual

from engine.commands import AckState, CloseVirtual, Halt, Resume, SetFlag, SetMode, SetTrading
from engine.journal.log import replay
from engine.journal.record import ChangeRecord, CommandRecord
from exchange.ports import LostError, NotSentError
from exchange.simulator.core import Exchange
from exchange.simulator.faults.control import Control
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions


def texts(world):
    return [event.text for event in world.port.events(0).events]


class Broken:
    """A Rest port that fails as long as it is told to."""

    def __init__(self, rest, error):
        self.rest, self.error, self.calls = rest, error, 0

    async def send(self, *arguments):
        self.calls += 1
        if self.error is not None:
            raise self.error
        return await self.rest.send(*arguments)


async def watch(world, actions, hours=0.5):
    """Run a desk and call (after seconds, action(desk)) on the way."""
    serving = asyncio.create_task(world.serve())
    desk = world.desk(strategy={"min_confidence": 0.2})
    running = asyncio.create_task(desk.run())
    for seconds, action in actions:
        await asyncio.sleep(seconds)
        action(desk)
    await asyncio.wait([running], timeout=hours * 3600)
    desk.stop("enough")
    await running
    serving.cancel()
    return desk


def test_an_exchange_that_is_away_at_the_start_is_waited_for_and_told_once_per_cause():
    world = World()
    world.front.rest = Broken(world.front.rest, NotSentError("connection refused"))

    def heal(_desk):
        world.front.rest.error = None

    desk = run_virtual(watch(world, [(600, heal)]))
    assert desk.cycle.ready == 6
    told = [text for text in texts(world) if "connection refused" in text]
    assert told
    assert len(told) == len(set(told))


def test_an_exchange_that_goes_away_makes_every_symbol_not_ready_and_comes_back():
    world = World()

    async def main():
        desk = world.desk()
        running = asyncio.create_task(desk.run())
        serving = asyncio.create_task(world.serve())
        await asyncio.sleep(600)
        ready_before = desk.cycle.ready
        serving.cancel()
        rest, world.front.rest.send = world.front.rest.send, _lost
        await asyncio.sleep(600)
        ready_away = desk.cycle.ready
        world.front.rest.send = rest
        serving = asyncio.create_task(world.serve())
        await asyncio.sleep(900)
        ready_after = desk.cycle.ready
        desk.stop("enough")
        await running
        serving.cancel()
        return ready_before, ready_away, ready_after

    assert run_virtual(main()) == (6, 0, 6)


async def _lost(*_arguments):
    raise LostError("no answer")


def test_a_bar_that_closes_before_the_history_is_there_leaves_no_symbol_behind():
    world = World(start_ms=START_MS + 278_000)
    world.front = MemoryFront(world.exchange, world.clock, latency=1.0)
    desk = run_virtual(watch(world, [], hours=0.3))  # the bar closes while candles are being fetched
    assert desk.cycle.ready == 6


def test_a_disk_that_refuses_stops_new_entries_and_is_shown():
    world = World()

    def refuse(_desk):
        world.disk.fault = lambda operation, _name: "No space left on device" if operation == "append" else None

    desk = run_virtual(watch(world, [(300, refuse)], hours=2))
    assert "No space left" in desk.chronicle.journal.failed
    assert "journal cannot be written" in world.port.snapshot().entries


def test_a_mode_and_a_flag_switched_by_an_operator_take_effect_and_are_journaled():
    world = World()
    tickets = []

    def switch(_desk):
        tickets.append(world.port.send(SetMode("ict"), "anna"))
        tickets.append(world.port.send(SetFlag("ENABLE_SMART_MONITORING", value=False), "anna"))
        tickets.append(world.port.send(SetMode("nonsense"), "anna"))
        tickets.append(world.port.send(SetFlag("ENABLE_SMART_MONITORNG", value=True), "anna"))

    desk = run_virtual(watch(world, [(300, switch)]))
    states = [world.port.ack(ticket) for ticket in tickets]
    assert [ack.state for ack in states] == [AckState.DONE, AckState.DONE, AckState.REFUSED, AckState.REFUSED]
    assert "ENABLE_SMART_MONITORING" in states[3].text
    assert desk.mode == "ict"
    assert not desk.flags.on("ENABLE_SMART_MONITORING")
    changes = [entry.record for entry in replay(world.disk) if isinstance(entry.record, ChangeRecord)]
    switched = [(one.name, one.old, one.new, one.by) for one in changes if one.by == "anna"]
    assert switched == [("STRATEGY_MODE", "hybrid", "ict", "anna"), ("ENABLE_SMART_MONITORING", "on", "off", "anna")]
    commands = [entry.record for entry in replay(world.disk) if isinstance(entry.record, CommandRecord)]
    assert [one.outcome for one in commands] == ["done", "done", "refused", "refused"]


def test_an_operator_who_asks_for_live_trading_is_refused_with_the_reason_and_it_is_journaled():
    world = World()
    tickets = []

    def ask(_desk):
        tickets.append(world.port.send(SetTrading(live=True), "anna"))
        tickets.append(world.port.send(SetTrading(live=False), "anna"))

    run_virtual(watch(world, [(300, ask)]))
    live, paper = (world.port.ack(ticket) for ticket in tickets)
    assert live.state is AckState.REFUSED
    assert "started on paper and holds no way to send an order" in live.text
    assert paper.state is AckState.DONE
    assert world.port.snapshot().trading == "PAPER"
    commands = [entry.record for entry in replay(world.disk) if isinstance(entry.record, CommandRecord)]
    assert [(one.command, one.outcome, one.by) for one in commands] == [
        (SetTrading(live=True), "refused", "anna"),
        (SetTrading(live=False), "done", "anna"),
    ]


def test_a_halt_stops_entries_at_once_and_a_resume_lets_them_in_again():
    world = World(seed=3)
    counts = []

    def halt(desk):
        world.port.send(Halt(), "anna")
        counts.append(dict(desk.book.event_counts())["created"])

    def resume(desk):
        counts.append(dict(desk.book.event_counts())["created"])
        world.port.send(Resume(), "anna")

    desk = run_virtual(watch(world, [(10, halt), (4 * 3600, resume)], hours=6))
    assert counts[0] == counts[1]
    assert dict(desk.book.event_counts())["created"] > counts[1]


def test_a_position_is_closed_by_hand_with_its_reason_and_an_unknown_one_is_refused():
    world = World(seed=4)
    tickets = []

    def close(desk):
        row = desk.book.rows()[0]
        tickets.append(world.port.send(CloseVirtual(row.position_id), "anna"))
        tickets.append(world.port.send(CloseVirtual("V999999"), "anna"))

    desk = run_virtual(watch(world, [(6 * 3600, close)]))
    assert [world.port.ack(ticket).state for ticket in tickets] == [AckState.DONE, AckState.REFUSED]
    assert any(row.cause == "manual_close" and row.reason == "closed by anna" for row in desk.book.closed())


def test_the_same_day_with_the_plain_side_of_the_incremental_cache_judges_the_same_symbols():
    ready = []
    for value in (True, False):
        world = World()
        desk = run_virtual(live(world, 1, flags={"enable_incremental_cache": value}))
        ready.append((desk.cycle.ready, desk.cycle.universe))
    assert ready[0] == ready[1]


def test_a_key_that_the_exchange_refuses_does_not_keep_the_desk_from_the_market():
    world = World()
    world.exchange = Exchange(world.market, {"another": "key"}, ExchangeOptions(seed=1))
    world.front = MemoryFront(world.exchange, world.clock, latency=0.02)
    desk = run_virtual(watch(world, []))
    assert desk.cycle.ready == 6
    assert desk.account.summary is None
    assert any(text.startswith("the account could not be read") for text in texts(world))


def test_the_account_protection_remembers_its_peak_over_a_restart():
    world = World()

    async def two_lives():
        first = await live(world, 0.2)
        return first.protection, world.desk(virtual={"start_balance": 5000}).protection

    before, after = run_virtual(two_lives())
    assert before.peak_equity == after.peak_equity == 10_000
    assert before.day_start_equity == after.day_start_equity


def test_a_step_of_the_exchanges_clock_is_followed_and_told_once():
    world = World()
    control = Control(world.front.exchange)

    def step(_desk):
        control.act({"action": "step_clock", "ms": 7_000})

    desk = run_virtual(watch(world, [(300, step)], hours=0.2))
    assert abs(desk.client.clock_sync.offset_ms - 7_000) < 50
    (told,) = [text for text in texts(world) if "a clock stepped" in text]
    assert "7.0 s more" in told
