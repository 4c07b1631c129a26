"""A live start that does not come through ends the process for its watcher, but never while something is held."""

import asyncio

from simulated_desk import World
from virtual_loop import run_virtual

START = 1_773_147_600_000
MINUTE = 60.0


def in_world(script):
    async def main():
        world = World(symbols=2, seed=5, start_ms=START, step_ms=1_000)
        serving = asyncio.create_task(world.serve())
        try:
            await script(world)
        finally:
            serving.cancel()

    run_virtual(main())


def act(world, action, **keys):
    world.exchange.control.act({"action": action, **keys})


async def ends(world, minutes, **options):
    """Run a desk for some minutes; return it, and whether it ended by itself."""
    desk = world.desk(live=True, **options)
    running = asyncio.create_task(desk.run())
    await asyncio.wait([running], timeout=minutes * MINUTE)
    by_itself = running.done()
    desk.stop("the test is over")
    await running
    return desk, by_itself


def test_a_ban_at_the_start_ends_a_desk_that_holds_nothing_with_17():
    async def script(world):
        act(world, "ban", seconds=3_600)
        desk, by_itself = await ends(world, 5, gives_up=True)
        assert by_itself
        assert desk.exit_code == 17
        assert any("did not let the desk begin" in one.text for one in world.port.events(0).events)

    in_world(script)


def test_a_desk_nobody_starts_again_waits_out_the_ban():
    async def script(world):
        act(world, "ban", seconds=600)
        desk, by_itself = await ends(world, 15)
        assert not by_itself
        assert desk.orders.hand.is_ready

    in_world(script)


def test_a_desk_told_to_wait_waits():
    async def script(world):
        act(world, "ban", seconds=600)
        desk, by_itself = await ends(world, 15, gives_up=True, orders={"start_deadline": 0.0})
        assert not by_itself
        assert desk.exit_code == 0

    in_world(script)


def test_a_desk_that_came_through_never_ends_because_of_a_later_ban():
    async def script(world):
        desk = world.desk(live=True, gives_up=True)
        running = asyncio.create_task(desk.run())
        while not desk.orders.hand.is_ready:
            await world.clock.sleep(1)
        await world.clock.sleep(5)
        act(world, "ban", seconds=3_600)
        await world.clock.sleep(30 * MINUTE)
        assert not running.done()
        desk.stop("the test is over")
        await running
        assert desk.exit_code == 0

    in_world(script)


def test_a_position_an_earlier_session_left_keeps_the_desk_waiting_for_its_exchange():
    async def script(world):
        desk = world.desk(live=True, gives_up=True)
        running = asyncio.create_task(desk.run())
        while not desk.orders.hand.is_ready:
            await world.clock.sleep(1)
        act(world, "elsewhere", method="POST", path="/fapi/v1/order",
            params={"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"})  # fmt: skip
        await world.clock.sleep(10)
        assert desk.orders.hand.state.plans
        running.cancel()
        await asyncio.wait([running])
        act(world, "ban", seconds=600)
        again, by_itself = await ends(world, 15, gives_up=True)
        assert not by_itself
        assert again.orders.hand.is_ready

    in_world(script)
