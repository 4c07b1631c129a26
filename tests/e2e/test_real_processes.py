"""The program as its user meets it: real processes, real sockets on loopback, a real terminal."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from desk_process import PROGRAM, cycles_until, environment, headless, run
from terminal import Terminal, available

ROOT = Path(__file__).resolve().parents[2]
needs_tmux = pytest.mark.skipif(not available(), reason="tmux is not installed (apt-get install tmux)")
pytestmark = pytest.mark.xdist_group("processes")


def test_a_headless_run_prints_a_line_per_cycle_and_ends_cleanly_after_its_time(tmp_path):
    with headless(tmp_path, "--for", "15s") as process:
        out, err = process.communicate(timeout=120)
    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == 0, err
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[-1]["universe"] == lines[-1]["ready"] == 40
    assert set(lines[-1]["candidates"]) == {"ict", "self_learning", "hybrid"}
    assert {"kept", "dropped"} == set(lines[-1]["dimensions"]["confidence"])


def test_a_simulator_that_dies_is_started_again_and_every_symbol_comes_back(tmp_path):
    with headless(tmp_path) as desk:
        cycles_until(desk, lambda cycle: cycle["ready"] == 40)
        children = Path(f"/proc/{desk.pid}/task/{desk.pid}/children").read_text(encoding="ascii").split()
        assert len(children) == 1
        os.kill(int(children[0]), signal.SIGKILL)
        died = cycles_until(desk, lambda cycle: cycle["number"] > 0)["number"]
        cycles_until(desk, lambda cycle: cycle["number"] >= died + 8 and cycle["ready"] == 40)
        desk.send_signal(signal.SIGTERM)
        _, err = desk.communicate(timeout=30)
    assert desk.returncode == 0
    assert "the simulated exchange ended" in err
    assert "the simulated exchange is back" in err
    assert "streams are back" in err
    assert "Traceback" not in err


def test_a_second_desk_on_the_same_folder_is_refused(tmp_path):
    with headless(tmp_path) as first:
        cycles_until(first, lambda cycle: cycle["number"] >= 1)
        second = run("--headless", "--for", "5s", "--data-dir", str(tmp_path))
        first.send_signal(signal.SIGINT)
        assert first.wait(timeout=30) == 0
    assert second.returncode == 12


def test_a_bad_market_is_told_in_one_line_without_a_traceback(tmp_path):
    done = run("--headless", "--sim-market", "replay:/no/such/folder", "--data-dir", str(tmp_path))
    assert done.returncode == 10
    assert "/no/such/folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_engine_and_a_headless_run_import_no_screen():
    code = "import sys, engine.headless, engine.runtime; print('textual' in sys.modules, 'tui' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "False"]


@needs_tmux
def test_the_workstation_in_a_terminal_shows_panels_obeys_keys_and_leaves_when_asked(tmp_path):
    terminal = Terminal(tmp_path, "e2e", (120, 40))
    try:
        terminal.start([PROGRAM, "--data-dir", str(tmp_path / "data"), "--sim-symbols", "40"], environment())
        terminal.wait(r"Signals 40", 90)
        terminal.wait(r"ready 40/40", 90)
        terminal.keys("H")
        terminal.wait(r"(?i)halted")
        terminal.keys("L")
        terminal.wait(r"ENABLE_SMART_MONITORING")
        terminal.escape(r"ENABLE_SMART_MONITORING")
        terminal.keys("?")
        terminal.wait(r"strategy mode")
        terminal.escape(r"strategy mode")
        terminal.resize(80, 24)
        terminal.wait(r"\[1 Sig\]")
        terminal.keys("q")
        shown = terminal.wait(r"Leave perpdesk\?[\s\S]*(esc|any other key) leaves")
        if "type QUIT" in shown:
            terminal.wait(r"> _")
            terminal.type("QUIT")
            terminal.wait(r"> QUIT")
            terminal.keys("Enter")
        else:
            terminal.keys("y")
        assert terminal.wait_dead() == 0
    finally:
        terminal.stop()
