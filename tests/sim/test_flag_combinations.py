"""Any combination of flags works, and the optimisations leave no trace: the same day is stored to the same bytes."""

import asyncio

import numpy as np
from simulated_desk import World
from virtual_loop import run_virtual

from config.flags import SPECS
from engine.commands import SetFlag

OPTIMISATIONS = (
    "ENABLE_INCREMENTAL_CACHE",
    "ENABLE_MEMORY_MAPPED_STORAGE",
    "ENABLE_BATCH_PREDICTION",
    "ENABLE_QUANTIZATION",
)
SETTINGS = {"strategy": {"min_confidence": 0.0}, "liquidity_hunting": {"confidence": 0.0}}


async def run_until(world, desk, cycles, at=lambda number: None):
    """Run a desk for so many cycles, calling `at` after each, and end it in an orderly way."""
    serving = asyncio.create_task(world.serve())

    def cycle(view):
        at(view.number)
        if view.number == cycles:
            desk.stop("seen enough")

    desk.on_cycle = cycle
    await desk.run()
    serving.cancel()


def hours(flags_off=(), cycles=110):
    """Run almost two hours, so that frames of every length close; return trace and desk."""
    world = World(symbols=6, seed=1)

    async def scenario():
        desk = world.desk(**SETTINGS)
        for name in flags_off:
            desk.flags.set(name, False, 0, "test")
            desk.operator._follow_flag(name, False)
        await run_until(world, desk, cycles)
        return desk

    return run_virtual(scenario()), world.trace()


def test_a_day_without_the_optimisations_is_stored_to_the_same_bytes():
    on, trace = hours()
    off, plain = hours(OPTIMISATIONS)
    assert sum(count for _, count in on.book.event_counts()) > 0
    assert not off.feed.incremental
    assert off.store.rung == "plain columns in memory"
    assert plain == trace


def test_any_combination_of_flags_works_and_none_of_their_modules_fails():
    names = [spec.name for spec in SPECS]
    rng = np.random.default_rng(8)
    plan = rng.integers(0, 2, (40, len(names))).astype(bool)
    for a in range(len(names)):
        for b in range(a):
            assert len({(x, y) for x, y in plan[:, [a, b]].tolist()}) == 4, "every pair meets in every state"
    world = World(symbols=6, seed=1)
    done = []

    async def scenario():
        desk = world.desk(**SETTINGS)

        def switch(number):
            if number <= len(plan):
                for name, value in zip(names, plan[number - 1].tolist(), strict=True):
                    done.append(desk.operator.take(SetFlag(name, value), "test")[0])

        await run_until(world, desk, len(plan) + 1, switch)
        return desk

    desk = run_virtual(scenario())
    assert len(done) == plan.size
    assert all(done)
    assert {name: desk.modules[name].errors for name in names} == dict.fromkeys(names, 0)
    assert desk.modules["ENABLE_MARKET_REGIME_PREDICTION"].calls > 0
    assert desk.modules["ENABLE_DYNAMIC_FEATURES"].calls > 0
