"""`run_exchange` as a child process: its one line on stdout, its exit codes, and what ends it."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from exchange.simulator.main import RunOptions, run_exchange

START = "2026-01-05T00:00:00Z"
CHILD = """
import sys, msgspec
from exchange.simulator.main import RunOptions, run_exchange
sys.exit(run_exchange(msgspec.json.decode(sys.argv[1], type=RunOptions)))
"""
DEADLINE = 60


def start(**options):
    fields = {"symbols": 3, "start": START, "speed": 4.0} | options
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, json.dumps(fields)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(child):
    out, err = child.communicate(timeout=DEADLINE)
    return child.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_one_line_serves_and_ends_cleanly_on_a_signal(number):
    child = start()
    ready = json.loads(child.stdout.readline())
    assert ready["event"] == "ready"
    assert ready.keys() == {"event", "rest", "stream", "speed", "now", "symbols", "market", "pid", "control_token"}
    assert (ready["pid"], ready["speed"], ready["market"]) == (child.pid, 4.0, "synthetic")
    assert ready["stream"] == ready["rest"].replace("http:", "ws:")
    with urllib.request.urlopen(f"{ready['rest']}/sim/clock", timeout=DEADLINE) as answer:
        clock = json.load(answer)
    assert clock["now"] >= ready["now"] >= clock["start"] == 1_767_571_200_000
    assert clock["symbols"] == ready["symbols"]
    child.send_signal(number)
    assert finish(child) == (0, "", "")


def test_an_exchange_started_again_catches_up_with_what_has_passed_since_its_start():
    held = 1000 * (time.time() - 3600)
    child = start(start_held_ms=int(held))
    ready = json.loads(child.stdout.readline())
    assert ready["now"] >= 1_767_571_200_000 + 4 * 3_600_000
    child.terminate()
    assert finish(child)[0] == 0


def test_it_ends_with_its_parent_when_asked():
    child = start(die_with_parent=True)
    assert child.stdout.readline()
    child.stdin.close()
    child.stdin = None
    assert finish(child) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 70_000}, ["--port", "70000"]),
        ({"symbols": 0}, ["--symbols", "0"]),
        ({"speed": 0.0}, ["--speed", "0.0"]),
        ({"step_ms": 7_000}, ["--step-ms", "7000"]),
        ({"start": "yesterday"}, ["--start", "yesterday", "ISO 8601"]),
        ({"api_key": "a"}, ["--api-key", "--api-secret", "together"]),
        ({"api_key": "a", "api_secret": "-----BEGIN NOTHING"}, ["--api-secret", "Ed25519 or RSA"]),
        ({"market": "nosuch"}, ["nosuch", "synthetic"]),
    ],
)
def test_a_bad_option_is_named_with_its_value_and_ends_with_10(options, words, capsys):
    assert run_exchange(RunOptions(**options)) == 10
    said = capsys.readouterr()
    assert said.out == ""
    assert all(word in said.err for word in words), said.err
    assert said.err.count("\n") == 1


def test_an_occupied_port_is_named_with_what_to_do(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run_exchange(RunOptions(port=port)) == 10
    said = capsys.readouterr()
    assert said.out == ""
    assert f"port {port} is already in use" in said.err
    assert "--port" in said.err


def test_importing_the_command_costs_no_market_and_no_server():
    code = (
        "import sys, exchange.simulator.main\n"
        "heavy = {'numpy', 'numba', 'aiohttp', 'pyarrow', 'uvloop'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fault_plan_that_cannot_be_used_is_refused_with_its_file_fault_and_remedy(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text('[[fault]]\nkind = "lost_anser"\n')
    code, out, err = finish(start(faults=str(plan)))
    assert (code, out) == (10, "")
    assert f"--faults {plan}: fault 1" in err
    assert "did you mean lost_answer?" in err


def test_a_missing_fault_plan_and_an_unknown_switch_are_refused():
    assert "cannot be read" in finish(start(faults="/nowhere/plan.toml"))[2]
    assert (
        "'listen_key' is no switch; did you mean listen_key_per_api_key?" in finish(start(switches=["listen_key=1"]))[2]
    )
