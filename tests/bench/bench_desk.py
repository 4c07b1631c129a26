"""The running desk: lateness of the engine's loop with the screen on, memory, start, splash."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from terminal import Terminal

PROGRAM = str(Path(sys.executable).with_name("perpdesk"))
LAG = re.compile(r"lag (\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)ms mem (\d+)M")
CYCLE = re.compile(r"cycle \d+\s+(\d+(?:\.\d+)?)ms")
SAMPLES, PAUSE = 12, 2.0


def row(name, unit, values, target):
    return {
        "name": name,
        "unit": unit,
        "min": min(values),
        "median": median(values),
        "max": max(values),
        "target": target,
    }


def splash():
    took = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([PROGRAM, "--help"], capture_output=True, check=True)
        took.append(time.monotonic() - began)
    return row("`perpdesk --help`, wall", "s", took, "<= 0.15")


def rows():
    """Watch one run at 200x50 for half a minute while keys switch panels, page and resize."""
    lags, memories, cycles = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(Path(folder), "bench", (200, 50))
        try:
            began = time.monotonic()
            terminal.start([PROGRAM, "--data-dir", f"{folder}/data"], {})
            terminal.wait(r"Signals", 60)
            first = time.monotonic() - began
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
        finally:
            terminal.stop()
    return [
        splash(),
        row("first screen in tmux, kernels cached, wall", "s", [first], "<= 1.5"),
        row("200 symbols back-filled and judged, wall", "s", [ready], "-"),
        row("engine loop lateness p99 over 20 s, screen on, keys and resize", "ms", lags, "<= 5"),
        row("live cycle of 200 symbols x 3 frames, wall, spread over the loop", "ms", cycles, "<= 60 CPU"),
        row("resident memory of desk with screen", "MiB", memories, "<= 220"),
    ]
