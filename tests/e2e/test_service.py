"""A desk as a service: a real engine and a real notify socket, and the unit as systemd itself reads it."""

import itertools
import shutil
import signal
import socket
import subprocess
import time
from configparser import RawConfigParser
from pathlib import Path

import pytest
from desk_process import PROGRAM, headless

from tui.exit_codes import ExitCode

pytestmark = pytest.mark.xdist_group("processes")
UNIT = Path(__file__).parents[2] / "packaging" / "perpdesk.service"


def told_until(heard, word, seconds=120):
    """Collect what a desk tells its manager until it tells `word`."""
    said = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        said += heard.recv(65536).decode().split("\n")
        if word in said:
            return said
    raise AssertionError(f"{word} was not told; told was {said}")


def test_an_engine_tells_its_manager_that_it_is_ready_alive_and_ending(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(path)
        heard.settimeout(120)
        with headless(tmp_path / "desk", settings={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000"}) as desk:
            before = told_until(heard, "READY=1")
            assert before[0] == "STATUS=starting"
            fed = [told_until(heard, "WATCHDOG=1") and time.monotonic() for _ in range(4)]
            assert max(later - earlier for earlier, later in itertools.pairwise(fed)) < 3.0
            desk.send_signal(signal.SIGTERM)
            told_until(heard, "STOPPING=1")
            desk.communicate(timeout=60)
        assert desk.returncode == 0


def test_a_start_that_is_impossible_is_never_told_as_ready(tmp_path):
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(path)
        heard.settimeout(120)
        more = ("--exchange", "http://127.0.0.1:1")
        live = {"NOTIFY_SOCKET": path, "TRADING_ENABLED": "true", "PERPDESK_TRADING_ENVIRONMENT": "live"}
        with headless(tmp_path / "desk", *more, settings=live) as desk:
            said = told_until(heard, "STOPPING=1")
            desk.communicate(timeout=60)
        assert desk.returncode == ExitCode.CREDENTIALS
        assert "READY=1" not in said


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_every_line_of_the_unit(tmp_path):
    unit = tmp_path / "perpdesk.service"
    unit.write_text(UNIT.read_text().replace("/opt/perpdesk/.venv/bin/perpdesk", PROGRAM))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_unit_starts_nothing_again_after_the_codes_that_forbid_it():
    unit = RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(UNIT)
    forbidden = {int(code) for code in unit["Service"]["RestartPreventExitStatus"].split()}
    assert forbidden == {
        ExitCode.CONFIG, ExitCode.CREDENTIALS, ExitCode.LOCK_HELD, ExitCode.JOURNAL_DAMAGED, ExitCode.INVARIANT,
        ExitCode.OPERATOR_HALT,
    }  # fmt: skip
    assert unit["Service"]["Type"] == "notify"
    assert (unit["Unit"]["StartLimitBurst"], unit["Unit"]["StartLimitIntervalSec"]) == ("5", "10min")
