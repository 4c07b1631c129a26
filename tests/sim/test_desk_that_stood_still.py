"""A desk whose process was stopped takes no entry on what it knew before (reliability F47)."""

import asyncio

import pytest
from simulated_desk import StillVitals, World
from virtual_loop import run_virtual

from exchange.ports import NotSentError

BEFORE_S, AWAY_S, AFTER_S = 600, 1200, 1800


class Jumps(StillVitals):
    """Vitals of a process that was stopped: the machine's clock is further on than the loop knows."""

    def __init__(self):
        self.stopped_s = 0.0

    def instant(self):
        return super().instant() + self.stopped_s


def created(desk):
    return dict(desk.book.event_counts())["created"]


async def _refused(*_arguments):
    raise NotSentError("connection refused")


async def stalled(world, seconds):
    """Let a desk stand still for so long while the exchange answers no request for a while; return what it did."""
    serving = asyncio.create_task(world.serve())
    desk = world.desk(strategy={"min_confidence": 0.2})
    desk.vitals = Jumps()
    running = asyncio.create_task(desk.run())
    await asyncio.sleep(BEFORE_S)
    first = created(desk)
    send, world.front.rest.send = world.front.rest.send, _refused
    desk.vitals.stopped_s = seconds
    await asyncio.sleep(AWAY_S)
    second = created(desk)
    seen = {
        "reason": desk.resync.reason,
        "shown": world.port.snapshot().entries,
        "waiting": len(desk.pending),
        "ready": desk.cycle.ready,
        "opened while away": second - first,
    }
    world.front.rest.send = send
    await asyncio.sleep(AFTER_S)
    desk.stop("enough")
    await running
    serving.cancel()
    return seen | {"reason later": desk.resync.reason, "opened later": created(desk) - second}


@pytest.fixture(scope="module")
def steady():
    return run_virtual(stalled(World(symbols=40), 0.0))


@pytest.fixture(scope="module")
def stood():
    world = World(symbols=40)
    return world, run_virtual(stalled(world, 20.0))


def test_without_a_stall_streams_alone_are_enough_for_entries(steady):
    assert steady["shown"] == "open"
    assert steady["opened while away"] > 0


def test_no_entry_happens_between_a_long_stall_and_the_exchange_having_been_read(stood):
    _, seen = stood
    assert seen["ready"] == 40
    assert "stood still for" in seen["reason"]
    assert seen["shown"] == f"halted: {seen['reason']}"
    assert (seen["waiting"], seen["opened while away"]) == (0, 0)


def test_once_the_exchange_was_read_entries_go_on(stood):
    world, seen = stood
    assert seen["reason later"] == ""
    assert seen["opened later"] > 0
    texts = [event.text for event in world.port.events(0).events]
    stalls = [at for at, text in enumerate(texts) if "stood still" in text]
    assert len(stalls) == 1
    assert any("read again after the stall" in text for text in texts[stalls[0] :])
