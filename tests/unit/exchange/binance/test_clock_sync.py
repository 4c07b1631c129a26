import re

import pytest
from venue_fakes import ScriptedEntropy, ScriptedRest, answer
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.client import BinanceClient
from exchange.binance.clock_sync import DRIFT, ClockSync, ClockTracker
from exchange.binance.gate import OpenGate
from exchange.binance.signing import Credentials
from exchange.binance.weights import WeightLedger
from exchange.errors import ClockError
from exchange.ports import LostError
from exchange.priority import Priority

EPOCH = 1_800_000_000_000


def trip(tracker, offset, length, monotonic):
    sent = EPOCH + int(monotonic * 1000)
    return tracker.sample(sent, sent + length, sent + length // 2 + offset, monotonic)


def test_a_round_trip_gives_the_offset_of_its_midpoint_within_half_its_length():
    assert trip(ClockTracker(), 250, 40, 0.0) == ClockSync(250, 20)


def test_a_slow_trip_does_not_replace_a_tight_one_until_drift_has_outgrown_it():
    tracker = ClockTracker()
    trip(tracker, 100, 10, 0.0)
    assert trip(tracker, 110, 60, 10.0).offset_ms == 100
    late = 25 / 1000 / DRIFT
    assert trip(tracker, 110, 60, late + 1.0).offset_ms == 110


def test_a_tighter_trip_replaces_a_looser_one_at_once():
    tracker = ClockTracker()
    trip(tracker, 100, 80, 0.0)
    assert trip(tracker, 110, 20, 1.0) == ClockSync(110, 10)


def test_a_trip_that_excludes_what_was_believed_proves_a_step_and_counts_at_once():
    tracker = ClockTracker()
    trip(tracker, 0, 10, 0.0)
    assert trip(tracker, 5_000, 200, 1.0).offset_ms == 5_000
    assert (tracker.steps, tracker.last_step_ms) == (1, 5_000)


def test_a_small_step_is_followed_without_being_called_large():
    tracker = ClockTracker()
    trip(tracker, 0, 10, 0.0)
    assert trip(tracker, 100, 10, 1.0).offset_ms == 100
    assert tracker.steps == 0


def test_after_a_refused_timestamp_the_next_trip_is_believed_however_slow():
    tracker = ClockTracker()
    trip(tracker, 0, 10, 0.0)
    tracker.doubt()
    assert trip(tracker, 30, 100, 1.0) == ClockSync(30, 50)
    assert trip(tracker, 31, 101, 2.0) == ClockSync(30, 50), "believing anything ends with that trip"


def test_a_step_that_only_a_refusal_showed_is_noticed_as_well():
    tracker = ClockTracker()
    trip(tracker, 0, 10, 0.0)
    tracker.doubt()
    trip(tracker, 40_000, 10, 1.0)
    assert (tracker.steps, tracker.last_step_ms) == (1, 40_000)


@pytest.mark.parametrize(("step_ms", "seen"), [(0, False), (400, False), (600, True), (-600, True), (3_600_000, True)])
def test_a_wall_clock_that_leaves_its_monotonic_line_is_noticed(step_ms, seen):
    tracker = ClockTracker()
    trip(tracker, 0, 10, 0.0)
    assert tracker.wall_stepped(EPOCH + 60_000 + step_ms, 60.0) is seen


def test_nothing_is_noticed_before_the_first_trip():
    assert not ClockTracker().wall_stepped(EPOCH, 0.0)


class Desk:
    def __init__(self, venue):
        self.clock = VirtualClock(EPOCH)
        self.rest = ScriptedRest(venue)
        self.client = BinanceClient(
            self.rest, self.clock, WeightLedger(), OpenGate(), ScriptedEntropy(), Credentials("key", "secret")
        )

    def paths(self):
        return [request[1] for request in self.rest.requests]


def strict_venue(desk_of):
    """Tells its own time and refuses stamps more than a second away from it."""

    def venue(_method, path, query):
        now = EPOCH + int(desk_of().clock.monotonic() * 1000)
        if path.endswith("time"):
            return answer({"serverTime": now})
        stamp = int(re.search(r"timestamp=(\d+)", query.decode())[1])
        return answer([]) if abs(stamp - now) <= 1_000 else answer({"code": -1021, "msg": "ahead"}, 400)

    return venue


def test_a_step_of_our_wall_clock_is_cured_before_the_venue_refuses_anything():
    desk = Desk(strict_venue(lambda: desk))

    async def main():
        await desk.client.sync_clock(1)
        desk.clock.error_ms = 90_000
        await desk.client.positions()

    run_virtual(main())
    assert desk.paths() == ["/fapi/v1/time", "/fapi/v1/time", "/fapi/v3/positionRisk"]
    assert desk.client.clock_sync.offset_ms == -90_000
    assert desk.client.clock_steps == 1


def test_a_clock_that_cannot_be_read_keeps_no_exit_waiting():
    answers = iter([answer({"serverTime": EPOCH}), LostError("reset"), answer([])])
    desk = Desk(lambda *_: next(answers))

    async def main():
        await desk.client.sync_clock(1)
        desk.clock.error_ms = 90_000
        return await desk.client.positions(priority=Priority.CRITICAL)

    assert run_virtual(main()) == ()
    assert desk.paths() == ["/fapi/v1/time", "/fapi/v1/time", "/fapi/v3/positionRisk"]


def test_a_refused_timestamp_stays_a_refusal_when_the_clock_cannot_be_read():
    def venue(_method, path, _query):
        return LostError("reset") if path.endswith("time") else answer({"code": -1021, "msg": "ahead"}, 400)

    desk = Desk(venue)

    async def main():
        with pytest.raises(ClockError):
            await desk.client.positions()

    run_virtual(main())
    assert desk.paths() == ["/fapi/v3/positionRisk", "/fapi/v1/time"]
