"""The loop that does nothing by itself."""

import asyncio
from contextlib import contextmanager

import pytest

from engine.inputs.step_loop import StepLoop


@contextmanager
def stepping():
    loop = StepLoop(lambda: 10.0)
    asyncio._set_running_loop(loop.loop)
    try:
        yield loop
    finally:
        loop.run_all()
        asyncio._set_running_loop(None)


def test_a_task_goes_on_when_it_is_told_to_and_not_before():
    seen = []

    async def work(name):
        seen.append(name)

    with stepping() as loop:
        first, second = loop.create_task(work("first")), loop.create_task(work("second"))
        assert seen == []
        assert loop.run_task(second)
        assert seen == ["second"]
        assert not loop.run_task(second)
        assert loop.run_task(first)


def test_callbacks_that_were_ready_earlier_run_before_a_task():
    seen = []

    async def work():
        seen.append("task")

    with stepping() as loop:
        loop.call_soon(seen.append, "earlier")
        cancelled = loop.call_soon(seen.append, "cancelled")
        task = loop.create_task(work())
        loop.call_soon(seen.append, "later")
        cancelled.cancel()
        assert loop.run_task(task)
        assert seen == ["earlier", "task"]


def test_a_group_of_tasks_ends_when_its_tasks_do():
    async def child(future):
        return await future

    async def parent(future):
        async with asyncio.TaskGroup() as group:
            one = group.create_task(child(future))
        return one.result()

    with stepping() as loop:
        future = loop.create_future()
        task = loop.create_task(parent(future))
        loop.run_all()
        assert not task.done()
        future.set_result(7)
        loop.run_all()
        assert task.result() == 7


def test_a_deadline_passes_only_when_it_is_fired_the_earliest_first():
    async def work(seconds):
        async with asyncio.timeout(seconds):
            await loop.create_future()

    with stepping() as loop:
        late, early = loop.create_task(work(9)), loop.create_task(work(3))
        loop.run_all()
        assert loop.fire()
        loop.run_all()
        assert isinstance(early.exception(), TimeoutError)
        assert not late.done()
        assert loop.fire()
        loop.run_all()
        assert isinstance(late.exception(), TimeoutError)
        assert not loop.fire()


def test_whoever_wants_a_socket_of_it_fails_at_once():
    async def work():
        await asyncio.open_connection("localhost", 1)

    with stepping() as loop:
        task = loop.create_task(work())
        loop.run_all()
        with pytest.raises(AttributeError):
            task.result()
