"""Notices arrive at a real datagram socket, and a manager that is not there holds nothing up."""

import contextlib
import os
import socket

import pytest

from engine.adapters.service_manager import ServiceManager

ALIVE = ("READY=1", "WATCHDOG=1", "STATUS=well")


@contextlib.contextmanager
def listening(address):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(address)
        heard.settimeout(5)
        yield heard


@pytest.mark.parametrize("abstract", [False, True])
def test_assignments_arrive_as_lines_of_one_datagram(tmp_path, abstract):
    name = f"perpdesk-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with listening("\0" + name if abstract else name) as heard:
        manager = ServiceManager({"NOTIFY_SOCKET": "@" + name if abstract else name})
        manager.tell(ALIVE)
        assert heard.recv(4096) == b"READY=1\nWATCHDOG=1\nSTATUS=well"
        manager.close()


def test_only_the_watchdog_hears_the_same_twice(tmp_path):
    path = str(tmp_path / "notify")
    with listening(path) as heard:
        manager = ServiceManager({"NOTIFY_SOCKET": path})
        for assignments in (ALIVE, ALIVE, ("STATUS=x",), ("STATUS=x",), ALIVE):
            manager.tell(assignments)
        manager.close()
        told = [heard.recv(4096).split(b"\n") for _ in range(4)]
    assert [one[-1] for one in told] == [b"STATUS=well", b"WATCHDOG=1", b"STATUS=x", b"STATUS=well"]


def test_without_a_manager_nothing_is_sent_and_one_that_left_is_no_fault(tmp_path):
    assert not ServiceManager({}).listens
    assert not ServiceManager({"NOTIFY_SOCKET": "relative"}).listens
    gone = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")})
    gone.tell(ALIVE)
    gone.close()
    gone.tell(ALIVE)


def test_a_manager_that_does_not_read_holds_nothing_up(tmp_path):
    path = str(tmp_path / "notify")
    with listening(path):
        manager = ServiceManager({"NOTIFY_SOCKET": path})
        for _ in range(2_000):
            manager.tell(ALIVE)
        manager.close()


@pytest.mark.parametrize(
    ("environ", "period"),
    [
        ({}, 1.0),
        ({"WATCHDOG_USEC": "20000000"}, 1.0),
        ({"WATCHDOG_USEC": "600000"}, 0.2),
        ({"WATCHDOG_USEC": "600000", "WATCHDOG_PID": "1"}, 1.0),
        ({"WATCHDOG_USEC": "soon"}, 1.0),
    ],
)
def test_the_watchdog_is_fed_three_times_within_its_time_where_it_is_meant_for_this_process(environ, period):
    assert ServiceManager(environ).period_s == pytest.approx(period)
