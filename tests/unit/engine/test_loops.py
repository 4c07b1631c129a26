import asyncio
import contextlib
from itertools import pairwise

from virtual_loop import VirtualClock, run_virtual

from engine.loops import Periodic


def watch(seconds, period, cost):
    async def main():
        clock = VirtualClock(0)
        starts = []

        async def body():
            starts.append(clock.monotonic())
            await clock.sleep(cost(len(starts)))

        periodic = Periodic(clock, period, body)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await periodic.run()
        return periodic, starts

    return run_virtual(main())


def test_the_body_runs_on_a_fixed_grid_whatever_it_costs_within_the_period():
    periodic, starts = watch(35, 10, lambda run: 3 if run == 2 else 0)
    assert starts == [0, 10, 20, 30]
    assert periodic.overruns == 0


def test_a_run_that_overruns_skips_the_covered_grid_points_and_counts_them():
    periodic, starts = watch(55, 10, lambda run: 25 if run == 1 else 0)
    assert starts == [0, 30, 40, 50]
    assert periodic.overruns == 2


def test_runs_never_overlap():
    _, starts = watch(100, 10, lambda _run: 9.5)
    assert all(later - earlier >= 9.5 for earlier, later in pairwise(starts))
