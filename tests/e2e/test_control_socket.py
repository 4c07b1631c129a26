"""A headless engine and the commands that reach it over its socket, in processes of their own."""

import json
import signal
import socket
import stat
import struct
import time

import pytest
import terminal
from desk_process import PROGRAM, cycles_until, environment, headless, run

from engine.control import SOCKET_NAME

pytestmark = pytest.mark.xdist_group("processes")


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError("not in time")


def status(folder):
    return run("--data-dir", str(folder), "--json", "status")


def ready(folder):
    done = status(folder)
    return done.returncode == 0 and json.loads(done.stdout)["ready"]


def test_status_command_and_stop_reach_a_headless_engine(tmp_path):
    folder = tmp_path / "desk"
    assert status(folder).returncode == 1
    with headless(folder) as desk:
        until(lambda: ready(folder))
        path = folder / SOCKET_NAME
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        answer = json.loads(status(folder).stdout)
        assert answer["live"]
        assert answer["trading"] == "PAPER"
        assert answer["snapshot_age_s"] < 10
        told = run("--data-dir", str(folder), "command", "mode ict")
        assert told.returncode == 0, told.stderr
        assert "strategy mode hybrid -> ict" in told.stderr
        assert json.loads(status(folder).stdout)["mode"] == "ict"
        assert "paper" in run("--data-dir", str(folder), "command", "flatten", "--yes").stderr
        assert "give --yes" in run("--data-dir", str(folder), "command", "resume").stderr
        assert run("--data-dir", str(folder), "command", "make money").returncode == 2
        assert run("--data-dir", str(folder), "stop").returncode == 0
        desk.communicate(timeout=30)
    assert desk.returncode == 0
    assert not path.exists()


def test_garbage_and_a_stopped_client_delay_nothing(tmp_path):
    folder = tmp_path / "desk"
    with headless(folder) as desk:
        until(lambda: ready(folder))
        for garbage in (b"\xff" * 64, struct.pack(">I", 5) + b"hello", struct.pack(">I", 1 << 30)):
            with socket.socket(socket.AF_UNIX) as line:
                line.connect(str(folder / SOCKET_NAME))
                line.sendall(garbage)
                line.settimeout(10)
                assert line.recv(1) == b""
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(folder / SOCKET_NAME))  # and never reads
            cycles_until(desk, lambda cycle: cycle["number"] >= 2)
            assert json.loads(status(folder).stdout)["live"]
        desk.send_signal(signal.SIGTERM)
        desk.communicate(timeout=30)


@pytest.mark.skipif(not terminal.available(), reason="tmux is not installed")
def test_an_attached_screen_gives_commands_and_leaves_the_engine_running(tmp_path):
    folder = tmp_path / "desk"
    with headless(folder) as desk:
        until(lambda: ready(folder))
        screen = terminal.Terminal(tmp_path, "attach")
        try:
            screen.start([PROGRAM, "--data-dir", str(folder), "attach"], environment())
            screen.wait("PAPER simulator")
            screen.keys("H")
            screen.wait("ENTRIES HALTED")
            screen.keys("q")
            # tmux may drop the last words of a program that ends right behind them.
            assert screen.wait_dead() == 0
        finally:
            screen.stop()
        assert desk.poll() is None
        assert "halted" in json.loads(status(folder).stdout)["entries"]
        desk.send_signal(signal.SIGTERM)
        desk.communicate(timeout=30)
