"""Names of tasks, and which tasks are the desk's."""

import asyncio

from engine.inputs.lanes import LANE, Lanes, Stepping, on


async def nothing():
    await asyncio.sleep(0)


async def parent():
    async with asyncio.TaskGroup() as group:
        group.create_task(nothing())
        group.create_task(nothing(), name="another name")
    return LANE.get().name


def run(work, wrap=lambda _lane, work: work):
    lanes = Lanes(wrap)
    made = []
    lanes.on_task = lambda lane, _task: made.append((lane.number, lane.name))

    async def whole():
        asyncio.get_running_loop().set_task_factory(lanes.factory)
        with on(lanes.root):
            task = asyncio.create_task(work())
        outside = asyncio.create_task(nothing())
        await outside
        return await task

    return asyncio.run(whole()), made


def test_tasks_are_named_by_what_they_run_and_counted():
    found, made = run(parent)
    assert found == "parent 1"
    assert made == [(2, "parent 1"), (3, "nothing 1"), (4, "nothing 2")]


def test_what_a_port_makes_is_not_the_desks():
    async def port():
        with on(None):
            await asyncio.create_task(nothing())
        return LANE.get().name

    found, made = run(port)
    assert [name for _, name in made] == [found]


def test_each_step_is_told_except_inside_a_port():
    told = []

    async def work():
        await asyncio.sleep(0)
        lane = LANE.get()
        lane.away = True
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        lane.away = False
        await asyncio.sleep(0)
        return lane.steps

    steps, _ = run(work, lambda lane, work: Stepping(lane, work, lambda one: told.append(one.name)))
    assert steps == 5
    assert len(told) == 3  # twice before and as it goes away, once after it is back


def test_a_cancelled_task_hears_of_it_through_the_proxy():
    async def work():
        task = asyncio.create_task(asyncio.Event().wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run(work, lambda lane, work: Stepping(lane, work, lambda _lane: None))[0]
