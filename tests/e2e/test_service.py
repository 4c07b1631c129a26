"""A desk as a service: a real engine and a real notify socket, and the unit as systemd itself reads it."""

import itertools
import json
import re
import shutil
import signal
import socket
import subprocess
import time
from configparser import RawConfigParser
from pathlib import Path

import pytest
from desk_process import PROGRAM, headless, run

from tui.exit_codes import ExitCode

pytestmark = pytest.mark.xdist_group("processes")
PACKAGING = Path(__file__).parents[2] / "packaging"
UNIT = PACKAGING / "perpdesk.service"
CONTAINERFILE = PACKAGING / "Containerfile"


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


def probed(folder):
    """Ask as a container does; return exit code and answer."""
    done = run("--data-dir", str(folder), "status", "--health")
    return done.returncode, json.loads(done.stdout)


def ready(folder, desk, seconds=120):
    """Wait until the probe says ready; return its answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert desk.poll() is None, desk.stderr.read()
        code, answer = probed(folder)
        if code == ExitCode.CLEAN:
            return answer
        assert code in (ExitCode.NOT_FOUND, ExitCode.NOT_LIVE)
        time.sleep(0.3)
    raise AssertionError("not ready in time")


def test_a_probe_tells_ready_from_away_and_from_standing_still(tmp_path):
    folder = tmp_path / "desk"
    assert probed(folder) == (ExitCode.NOT_LIVE, {"live": False, "ready": False})
    with headless(folder) as desk:
        answer = ready(folder, desk)
        assert answer["live"]
        assert (answer["mode"], answer["arming"], answer["restarts"]) == ("hybrid", "paper", 0)
        assert answer["stream_age_s"]
        for name in ("journal_lag_ms", "loop_lag_p99_ms", "clock_offset_ms", "weight", "market_age_s"):
            assert answer[name] is not None, name
        desk.send_signal(signal.SIGSTOP)
        code, answer = probed(folder)
        assert (code, answer["live"]) == (ExitCode.NOT_LIVE, False)
        desk.send_signal(signal.SIGCONT)
        desk.send_signal(signal.SIGTERM)
        desk.communicate(timeout=60)


def test_a_live_desk_tells_protection_and_the_age_of_its_account_stream(tmp_path):
    folder = tmp_path / "desk"
    live = {"TRADING_ENABLED": "true", "PERPDESK_TRADING_ENVIRONMENT": "live", "XDG_STATE_HOME": str(tmp_path)}
    with headless(folder, settings=live) as desk:
        answer = ready(folder, desk)
        assert answer["arming"].startswith("not armed: ")
        assert (answer["naked"], answer["naked_max_s"], answer["unknown"]) == (0, 0.0, 0)
        assert answer["reconcile_age_s"] is not None
        assert "account" in answer["stream_age_s"]
        desk.send_signal(signal.SIGTERM)
        desk.communicate(timeout=60)


def test_the_third_restart_within_minutes_is_a_top_alert(tmp_path):
    folder = tmp_path / "desk"
    for _ in range(3):
        with headless(folder) as desk:
            ready(folder, desk)
            desk.kill()
            desk.communicate()
    with headless(folder) as desk:
        assert ready(folder, desk)["restarts"] == 3
        desk.send_signal(signal.SIGTERM)
        _, talk = desk.communicate(timeout=60)
    assert "alert   system   the engine was started again 3 times" in talk
    with headless(folder) as desk:
        assert ready(folder, desk)["restarts"] == 3, "an orderly end is no restart, and wipes out none"
        desk.send_signal(signal.SIGTERM)
        desk.communicate(timeout=60)


def test_a_live_desk_that_holds_nothing_ends_with_17_where_no_exchange_answers(tmp_path):
    live = {
        "BINANCE_API_KEY": "k", "BINANCE_API_SECRET": "s", "TRADING_ENABLED": "true",
        "PERPDESK_TRADING_ENVIRONMENT": "live", "PERPDESK_ORDERS_START_DEADLINE": "3", "XDG_STATE_HOME": str(tmp_path),
    }  # fmt: skip
    with headless(tmp_path / "desk", "--exchange", "http://127.0.0.1:1", settings=live) as desk:
        _, talk = desk.communicate(timeout=120)
    assert desk.returncode == ExitCode.VENUE
    assert "did not let the desk begin (account)" in talk
    assert "Traceback" not in talk


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


@pytest.mark.parametrize(
    ("code", "healthy"), [(ExitCode.CLEAN, True), (ExitCode.NOT_FOUND, True), (ExitCode.NOT_LIVE, False), (127, False)]
)
def test_a_container_is_healthy_while_its_desk_lives(tmp_path, code, healthy):
    """The words of HEALTHCHECK, with a stand-in for the program that ends with each code."""
    text = CONTAINERFILE.read_text().replace("\\\n", " ")
    (words,) = re.findall(r"^HEALTHCHECK .* CMD (.*)$", text, re.MULTILINE)
    stand_in = tmp_path / "perpdesk"
    stand_in.write_text(f'#!/bin/sh\n[ "$*" = "--data-dir /data status --health" ] || exit 99\nexit {int(code)}\n')
    stand_in.chmod(0o755)
    done = subprocess.run(["/bin/sh", "-c", words], env={"PATH": f"{tmp_path}:/bin"}, check=False)
    assert (done.returncode == 0) is healthy


def test_the_container_copies_every_wing_the_program_has():
    text = CONTAINERFILE.read_text()
    for wing in ("config", "exchange", "ml", "engine", "tui"):
        assert f"COPY {wing} {wing}" in text
