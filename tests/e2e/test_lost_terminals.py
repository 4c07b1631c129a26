"""A terminal that is closed, hangs or sends a stop signal takes nothing from the engine behind it."""

import signal
import time
from pathlib import Path

import pytest
from desk_process import (
    PROGRAM,
    QUICK,
    BareTerminal,
    cycles_until,
    environment,
    headless,
    journal_bytes,
    wait_for_growth,
)

from engine.adapters.disk import DirectoryDisk
from engine.journal.log import replay, verify
from engine.journal.record import PositionRecord, SessionRecord
from engine.positions.lifecycle import EventName, fold_all

pytestmark = pytest.mark.xdist_group("processes")
STOP_LIMIT_S = 30
"""Generous, since machines are shared; an end that waits for a terminal never comes."""


def command(folder, *more):
    return [PROGRAM, *more, "--data-dir", str(folder), "--sim-symbols", "40"]


def state_of(process):
    """Return the kernel's letter for the state of a process; T is stopped."""
    return Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


def assert_ended_in_order(folder):
    disk = DirectoryDisk(folder)
    assert not verify(disk).faults
    sessions = [entry.record for entry in replay(disk) if isinstance(entry.record, SessionRecord)]
    assert [(one.event, one.exit_code) for one in sessions] == [("start", None), ("stop", 0)]


def test_an_engine_whose_terminal_was_closed_goes_on_and_sigterm_ends_it_in_order(tmp_path):
    folders = {"screen": tmp_path / "screen", "headless": tmp_path / "headless"}
    desks = {
        name: BareTerminal(
            command(folder, *(["--headless"] if name == "headless" else [])), environment(**QUICK), session=True
        )
        for name, folder in folders.items()
    }
    try:
        for name, desk in desks.items():
            wait_for_growth(folders[name], desk.process, 10_000)
        for desk in desks.values():
            desk.hang_up()
        sizes = {name: journal_bytes(folder) for name, folder in folders.items()}
        for _ in range(2):  # what was under way may still have been written: it must grow again
            sizes = {name: wait_for_growth(folders[name], desks[name].process, size) for name, size in sizes.items()}
        for desk in desks.values():
            desk.process.send_signal(signal.SIGTERM)
        assert [desk.process.wait(STOP_LIMIT_S) for desk in desks.values()] == [0, 0]
    finally:
        for desk in desks.values():
            desk.stop()
    for folder in folders.values():
        assert_ended_in_order(folder)
    log = (folders["screen"] / "perpdesk.log").read_text(encoding="utf-8")
    assert "the engine goes on" in log
    assert "Traceback" not in log
    assert not (folders["headless"] / "perpdesk.log").exists()


def test_a_workstation_ignores_a_stop_signal_and_ends_at_a_terminal_that_hangs(tmp_path):
    desk = BareTerminal(command(tmp_path), environment(**QUICK), session=False)
    try:
        size = wait_for_growth(tmp_path, desk.process, 10_000)
        desk.process.send_signal(signal.SIGTSTP)
        size = wait_for_growth(tmp_path, desk.process, size)
        assert state_of(desk.process) != "T"
        desk.stop_reading()
        time.sleep(1)  # long enough for the screen to fill what a terminal buffers
        for _ in range(2):
            size = wait_for_growth(tmp_path, desk.process, size)
        desk.process.send_signal(signal.SIGTERM)
        assert desk.process.wait(STOP_LIMIT_S) == 0
    finally:
        desk.stop()
    assert_ended_in_order(tmp_path)


def test_a_stopped_process_says_so_when_it_continues_and_opens_nothing_twice(tmp_path):
    with headless(tmp_path, settings=QUICK, process_group=0) as desk:
        cycles_until(desk, lambda cycle: cycle["ready"] == 40 and cycle["accepted"])
        desk.send_signal(signal.SIGTSTP)
        number = cycles_until(desk, lambda cycle: True)["number"]
        assert state_of(desk) != "T"
        desk.send_signal(signal.SIGSTOP)
        time.sleep(6)
        assert state_of(desk) == "T"
        desk.send_signal(signal.SIGCONT)
        cycles_until(desk, lambda cycle: cycle["number"] >= number + 3 and cycle["ready"] == 40)
        desk.send_signal(signal.SIGTERM)
        _, err = desk.communicate(timeout=STOP_LIMIT_S)
    assert desk.returncode == 0, err
    assert "stop signal (Ctrl-Z) is ignored" in err
    at = err.index("the desk stood still for 6")
    assert err.index("the exchange was read again after the stall") > at
    assert "Traceback" not in err
    events = [entry.record for entry in replay(DirectoryDisk(tmp_path)) if isinstance(entry.record, PositionRecord)]
    created = [record for record in events if record.event.event is EventName.CREATED]
    assert created
    assert len({record.ref for record in created}) == len({record.cause for record in created}) == len(created)
    fold_all(record.event for record in events)
    assert_ended_in_order(tmp_path)
