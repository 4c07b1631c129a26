"""The running desk: lateness of the engine's loop with the screen on, memory, start, splash."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from measured import row
from terminal import Terminal

PROGRAM = str(Path(sys.executable).with_name("perpdesk"))
LAG = re.compile(r"lag (\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)ms mem (\d+)M")
CYCLE = re.compile(r"cycle \d+\s+(\d+(?:\.\d+)?)ms")
SAMPLES, PAUSE = 12, 2.0
STARTS = 3


def private_mib(pid):
    """Return what the process alone holds: resident memory without pages that equal their file or are shared."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return int(re.search(r"Private_Dirty: +(\d+)", rollup)[1]) / 1024


def first_screen():
    took = []
    for start in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            terminal = Terminal(Path(folder), f"bench-{start}", (200, 50))
            try:
                began = time.monotonic()
                terminal.start([PROGRAM, "--data-dir", f"{folder}/data"], {})
                terminal.wait(r"Signals", 60, pause=0.02)
                took.append(time.monotonic() - began)
            finally:
                terminal.stop()
    return row("first screen in tmux, kernels cached, wall", "s", took, "<= 1.5")


def splash():
    took = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([PROGRAM, "--help"], capture_output=True, check=True)
        took.append(time.monotonic() - began)
    return row("`perpdesk --help`, wall", "s", took, "<= 0.15")


def rows():
    """Watch one run at 200x50 for half a minute while keys switch panels, page and resize."""
    lags, memories, own, cycles = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(Path(folder), "bench", (200, 50))
        try:
            began = time.monotonic()
            terminal.start([PROGRAM, "--data-dir", f"{folder}/data"], {})
            terminal.wait(r"ready 200/200", 120)
            ready = time.monotonic() - began
            time.sleep(20)  # the probe's window forgets the start
            for sample in range(SAMPLES):
                terminal.keys(
                    *(("3", "z", "z"), ("1", "Down", "Enter"), ("Escape",), ("PageDown", "PageUp"))[sample % 4]
                )
                if sample == SAMPLES // 2:
                    terminal.resize(160, 45)
                    terminal.resize(200, 50)
                time.sleep(PAUSE)
                shown = terminal.screen()
                if found := LAG.search(shown):
                    lags.append(float(found[1]))
                    memories.append(float(found[3]))
                if found := CYCLE.search(shown):
                    cycles.append(float(found[1]))
                own.append(private_mib(terminal.pid()))
        finally:
            terminal.stop()
    return [
        splash(),
        first_screen(),
        row("200 symbols back-filled and judged, wall", "s", [ready], "-"),
        row("engine loop lateness p99 over 20 s, screen on, keys and resize", "ms", lags, "<= 5"),
        row("live cycle of 200 symbols x 3 frames, wall, spread over the loop", "ms", cycles, "<= 60 CPU"),
        row("resident memory of desk with screen", "MiB", memories, "<= 220"),
        row("  of it written by the desk, which no file or other process shares", "MiB", own, "-"),
    ]
