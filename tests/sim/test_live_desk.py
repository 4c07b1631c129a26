"""The whole desk with live orders at the simulated exchange: arming, entries from signals, stops, levels, restarts."""

import asyncio
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from simulated_desk import World
from virtual_loop import run_virtual

from engine.commands import Arm, CloseAll, Disarm, Flatten, Halt, MoveStop, Resume
from engine.execution.entering import Refused, Wanted
from engine.execution.levels import SENTINEL, StopLevel
from engine.execution.plans import Plan
from exchange.simulator.faults.plan import make_plan, read_plan

START = 1_773_147_600_000  # 2026-03-10 13:00 UTC: set-ups come within hours


def desk_world(**more):
    return World(symbols=12, seed=5, start_ms=START, step_ms=1_000, **more)


async def running(world, **settings):
    """Start a live desk and wait until its orders are ready."""
    desk = world.desk(live=True, **settings)
    task = asyncio.create_task(desk.run())
    while not desk.orders.hand.is_ready:
        await world.clock.sleep(1)
        assert not task.done(), task.exception()
    while desk.phase != "running":
        await world.clock.sleep(10)
    return desk, task


async def asked(world, command):
    """Send a command as the operator and return its acknowledgement."""
    ticket = world.port.send(command, "the operator")
    await world.clock.sleep(1)
    return world.port.ack(ticket)


def in_world(script):
    async def main():
        world = desk_world()
        serving = asyncio.create_task(world.serve())
        try:
            return await script(world)
        finally:
            serving.cancel()

    return run_virtual(main())


async def until_open(world, desk, hours=8):
    """Let the desk trade until a position is open."""
    for _ in range(hours * 360):
        await world.clock.sleep(10)
        if desk.orders.hand.state.book.positions:
            return next(iter(desk.orders.hand.state.book.positions))
    raise AssertionError("no signal became a position")


def test_nothing_is_sent_before_arming_and_nothing_after_disarming():
    async def script(world):
        desk, task = await running(world)
        assert "not armed" in desk.port.snapshot().hand.entries_off or desk.orders.arming.missing
        await world.clock.sleep(3600)
        assert not desk.orders.hand.sender.orders
        assert (await asked(world, Arm(24.0))).state == "done"
        assert desk.orders.arming.armed
        assert (await asked(world, Disarm())).state == "done"
        assert not desk.orders.arming.armed
        desk.stop("the test is over")
        await task

    in_world(script)


def test_an_armed_desk_turns_signals_into_protected_positions_and_closes_them_on_demand():
    async def script(world):
        desk, task = await running(world)
        await asked(world, Arm(48.0))
        key = await until_open(world, desk)
        view = desk.orders.view()
        (row,) = [one for one in view.coverage if one.symbol == key.symbol]
        assert row.state == "protected"
        assert row.loss_at_stop > 0
        assert desk.port.snapshot().trading == "LIVE"
        position = desk.orders.hand.state.book.positions[key]
        mark = desk.orders.hand.state.mark(position)
        nearer = desk.orders.hand.state.priced(key.symbol, mark - position.sign * mark / 500, up=position.sign > 0)
        assert (await asked(world, MoveStop(key.symbol, key.side, nearer))).state == "done"
        assert (await asked(world, CloseAll())).state == "done"
        await world.clock.sleep(30)
        assert desk.orders.hand.is_flat
        assert (await asked(world, CloseAll())).state == "refused"
        desk.stop("the test is over")
        await task

    in_world(script)


def test_a_killed_desk_finds_its_position_again_and_stays_armed():
    async def script(world):
        desk, task = await running(world)
        await asked(world, Arm(48.0))
        key = await until_open(world, desk)
        plan = desk.orders.hand.state.plans[key]
        stored = {name: bytes(data) for name, data in world.disk.files.items()}
        task.cancel()
        await asyncio.wait([task])
        world.disk.files = {name: bytearray(data) for name, data in stored.items()}
        again, task = await running(world)
        assert again.orders.hand.state.plans.get(key) in (plan, None)
        assert again.orders.arming.armed
        assert again.orders.view().naked == 0
        again.stop("the test is over")
        await task

    in_world(script)


def test_entries_under_way_count_against_the_limits_before_they_are_filled():
    async def script(world):
        desk, task = await running(world, trading={"max_positions": 1}, orders={"conditional_reserve": 20})
        await asked(world, Arm(48.0))
        hand = desk.orders.hand
        found = await asyncio.gather(*(hand.enter(entry(desk, symbol)) for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")))
        plans = [one for one in found if isinstance(one, Plan)]
        refused = [one.text for one in found if isinstance(one, Refused)]
        assert len(plans) == 1, refused
        assert len(refused) == 2
        assert all("position" in text for text in refused), refused
        desk.stop("the test is over")
        await task

    in_world(script)


def test_a_decision_counts_as_exposure_and_as_a_trade_of_its_signal_from_the_moment_it_is_taken():
    async def script(world):
        desk, task = await running(world)
        await asked(world, Arm(48.0))
        wish = msgspec.structs.replace(entry(desk, "BTCUSDT"), risk=Decimal(7))
        desk.orders.hand.entering.announce(wish)
        assert desk.orders.trades("sig-BTCUSDT")
        (carried,) = desk.orders.exposures()
        assert (carried.symbol, carried.sign, carried.risk) == ("BTCUSDT", 1, Decimal(7))
        assert carried.margin == wish.price * wish.quantity / 5
        assert not desk.orders.exposures(besides="sig-BTCUSDT")
        await desk.orders.hand.enter(wish)
        assert len(desk.orders.exposures()) == 1, "as a plan or as a position, and not as a decision besides"
        desk.stop("the test is over")
        await task

    in_world(script)


def entry(desk, symbol):
    quote = desk.orders.hand.state.market.quote(symbol)
    least = desk.feed.instruments[symbol].min_notional
    return Wanted(
        symbol=symbol, sign=1, price=quote.mark, quantity=3 * least / quote.mark, stop=quote.mark * Decimal("0.98"),
        target=None, leverage=5, strategy="test", signal_id=f"sig-{symbol}",
    )  # fmt: skip


def test_another_configuration_is_not_armed():
    async def script(world):
        desk, task = await running(world)
        await asked(world, Arm(48.0))
        desk.stop("the test is over")
        await task
        other, task = await running(world, risk={"risk_per_trade": 0.02})
        assert any("differ from those that were armed" in text for text in other.orders.arming.missing)
        other.stop("the test is over")
        await task

    in_world(script)


def test_the_stop_file_works_and_its_level_outlives_a_restart():
    async def script(world):
        desk, task = await running(world)
        await asked(world, Arm(48.0))
        world.disk.replace(SENTINEL, b"")
        await world.clock.sleep(3)
        assert desk.orders.hand.level is StopLevel.PAUSE
        world.disk.replace(SENTINEL, b"cancel\n")
        await world.clock.sleep(3)
        assert desk.orders.hand.level is StopLevel.CANCEL
        assert (await asked(world, Halt())).text.startswith("new entries were halted already")
        desk.stop("the test is over")
        await task
        world.disk.remove(SENTINEL)
        again, task = await running(world)
        assert again.orders.hand.level is StopLevel.CANCEL
        assert "CANCEL" in again.orders.why_no_entry("BTCUSDT")
        assert (await asked(world, Resume())).state == "done"
        assert again.orders.hand.level is StopLevel.RUN
        assert (await asked(world, Flatten())).state == "done"
        again.stop("the test is over")
        await task

    in_world(script)


MIXED = read_plan((Path(__file__).parents[1] / "venue" / "faults" / "mixed.toml").read_text(encoding="utf-8"))
HOURS = 30


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_thirty_hours_of_mixed_faults_end_with_equal_books(capsys):
    """The fault file is laid over every hour anew, so that it never ends; the desk trades on its own signals."""

    async def script(world):
        desk, task = await running(world)
        await asked(world, Arm(48.0))
        hand = desk.orders.hand
        for _ in range(HOURS):
            world.exchange.set_faults(MIXED)
            await world.clock.sleep(3600)
            assert not task.done(), task.exception()
        world.exchange.set_faults(make_plan({}))
        await world.clock.sleep(180)
        house = world.exchange.venue.house
        held = {
            (house.account.listings[one.listing].instrument.symbol, one.side.value): one.quantity
            for one in house.account.open_positions()
        }
        assert {tuple(key): one.quantity for key, one in hand.state.book.positions.items()} == held
        assert set(hand.state.book.algos) == {one.algo_id for one in house.algo.store.waiting}
        await hand.bookkeeper.read()
        assert hand.bookkeeper.ledger.differences == {}
        assert not hand.violations
        assert not hand.sender.unknown
        entries = [one for one in hand.sender.orders.values() if one.intent.purpose.word == "entry"]
        assert entries
        assert hand.keeper.naked_max_s <= 30
        desk.stop("the test is over")
        await task
        counted = f"{len(entries)} entries, {len(hand.sender.orders)} orders"
        naked = f"longest naked time {hand.keeper.naked_max_s:.1f} s"
        with capsys.disabled():
            print(  # noqa: T201 - the line that the run is for
                f"\n{HOURS} simulated hours under mixed faults: {counted}, {naked}; "
                "book = exchange, ledger exact, no violation"
            )

    in_world(script)


def test_a_desk_on_paper_has_no_way_to_send_an_order():
    async def script(world):
        desk = world.desk()
        task = asyncio.create_task(desk.run())
        await world.clock.sleep(30)
        assert desk.orders is None
        for command in (Arm(1.0), Flatten(), CloseAll()):
            answer = await asked(world, command)
            assert answer.state == "refused"
            assert "paper" in answer.text
        desk.stop("the test is over")
        await task

    in_world(script)
