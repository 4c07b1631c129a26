"""How late the desk's loop ran, and what is said and done about it."""

from types import SimpleNamespace

import pytest

from engine.desk import Pace
from engine.positions.pending import PendingEntries
from engine.resync import Resync


class Machine:
    """A desk as far as a stall concerns it, ticking every 0.1 s."""

    def __init__(self):
        self.now = 100.0
        self.said = []
        self.desk = SimpleNamespace(
            pace=Pace(tick_s=0.1),
            identity=SimpleNamespace(speed=1.0),
            vitals=SimpleNamespace(instant=lambda: self.now),
            pending=PendingEntries(),
            chronicle=SimpleNamespace(say=lambda _kind, text, _severity: self.said.append(text)),
        )
        self.resync = Resync(self.desk)

    def tick(self, after=0.1):
        self.now += after
        self.resync.beat()


@pytest.fixture
def machine():
    made = Machine()
    made.tick()
    return made


def test_ticks_on_time_are_not_worth_a_word(machine):
    for _ in range(100):
        machine.tick()
    machine.tick(0.3)
    assert machine.said == []


def test_a_beat_between_two_ticks_is_no_stall(machine):
    machine.tick(0.01)
    machine.tick(0.09)
    assert machine.said == []


@pytest.mark.parametrize("seconds", [0.3, 4.9])
def test_a_short_stall_is_told_and_entries_go_on(machine, seconds):
    machine.tick(0.1 + seconds)
    assert machine.said == [f"the desk stood still for {seconds * 1000:.0f} ms; prices of that time were judged late"]
    assert machine.resync.reason == ""


def test_stalls_in_crowds_are_told_once_a_minute_with_their_number(machine):
    for _ in range(4):
        machine.tick(0.5)
    assert len(machine.said) == 1
    for _ in range(600):
        machine.tick()
    machine.tick(0.5)
    assert len(machine.said) == 2
    assert "(3 more in between)" in machine.said[1]


def test_a_long_stall_keeps_entries_back(machine):
    machine.tick(5.2)
    assert "stood still for 5.1 s" in machine.resync.reason
    assert machine.said == [f"{machine.resync.reason}; 0 waiting entries withdrawn, no new ones until it has been read"]


def test_at_a_venue_that_runs_faster_a_stall_is_counted_in_real_seconds(machine):
    machine.desk.identity.speed = 20.0
    machine.desk.pace = Pace(tick_s=2.0)
    machine.tick(0.1)
    machine.tick(0.3)
    assert machine.said == []
    machine.tick(5.2)
    assert machine.resync.reason
