"""Bars that come twice, late, swapped, broken or not at all: the desk stays true, counts them and heals."""

import asyncio

import numpy as np
import pytest
from simulated_desk import World
from virtual_loop import run_virtual

from engine.analysis.layout import FRAMES
from exchange.simulator.faults.control import Control

BARS = '"e":"kline"'


async def _through(world, fault, seconds):
    control = Control(world.exchange)
    serving = asyncio.create_task(world.serve())
    desk = world.desk()
    running = asyncio.create_task(desk.run())
    await asyncio.sleep(200)
    control.act({"action": "faults", "plan": {"seed": 1, "fault": [{"containing": BARS, **fault}]}})
    await asyncio.sleep(seconds)
    control.act({"action": "faults", "plan": {}})
    await asyncio.sleep(400)
    desk.stop("enough")
    await running
    serving.cancel()
    return desk


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        ({"kind": "repeated_frame"}, {"duplicate"}),
        ({"kind": "swapped_frames", "rate": 0.5}, set()),
        ({"kind": "late_frame", "seconds": 20.0}, set()),
        ({"kind": "lost_frame", "rate": 0.7}, set()),
        ({"kind": "malformed_frame", "variant": "nan", "rate": 0.5}, set()),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_whatever_becomes_of_its_frames_a_series_is_the_exchanges_own(fault, counted):
    world = World()
    desk = run_virtual(_through(world, fault, 700))
    assert desk.cycle.ready == 6
    assert counted <= {name for name, _ in world.port.snapshot().feed.odd_bars}
    if fault["kind"] == "malformed_frame":
        assert world.port.snapshot().feed.malformed > 0
    places = {listing.instrument.symbol: place for place, listing in enumerate(world.market.listings)}
    for symbol in desk.feed.symbols:
        for frame in FRAMES:
            place, ours = places[symbol], desk.feed.tape.candles(symbol, frame, 12)
            theirs = world.market.candles(place, frame, int(ours.open_time[0]), None, 12)
            assert np.array_equal(ours.open_time, theirs.open_time)
            assert np.array_equal(ours.close, theirs.close)
            assert np.array_equal(ours.high, theirs.high)
