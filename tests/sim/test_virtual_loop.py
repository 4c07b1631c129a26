import asyncio
import socket
import threading

import pytest
import virtual_loop
from virtual_loop import run_virtual


def test_a_day_of_sleep_takes_no_time_and_ends_exactly():
    async def main():
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 86_400


def test_timers_fire_in_the_order_of_their_instants():
    async def main():
        order = []

        async def note(delay):
            await asyncio.sleep(delay)
            order.append(delay)

        await asyncio.gather(*(note(delay) for delay in (3, 1, 2)))
        return order

    assert run_virtual(main()) == [1, 2, 3]


def test_waiting_for_what_never_comes_is_a_deadlock():
    async def main():
        await asyncio.Event().wait()

    with pytest.raises(virtual_loop.DeadlockError):
        run_virtual(main())


def test_a_deadline_ends_a_wait_at_its_instant():
    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 5


@pytest.mark.parametrize("attempt", [lambda: socket.socket(), lambda: threading.Thread(target=print).start()])
def test_the_fence_refuses_sockets_and_threads(attempt):
    async def main():
        attempt()

    with pytest.raises(AssertionError, match="deterministic run"):
        run_virtual(main())


def test_an_executor_is_refused():
    async def main():
        await asyncio.get_running_loop().run_in_executor(None, print)

    with pytest.raises(AssertionError, match="no executor"):
        run_virtual(main())


def test_a_shuffled_order_of_ready_callbacks_repeats_with_its_seed():
    async def main():
        order = []

        async def note(name):
            await asyncio.sleep(0)
            order.append(name)

        await asyncio.gather(*(note(name) for name in range(20)))
        return order

    plain = run_virtual(main())
    shuffled = run_virtual(main(), shuffle_seed=7)
    assert shuffled == run_virtual(main(), shuffle_seed=7)
    assert sorted(shuffled) == plain
    assert shuffled != plain
