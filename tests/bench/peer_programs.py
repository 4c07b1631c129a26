"""Peers measured in the same run: scripts of `peers/` under an interpreter that has them (`make bench-peers`)."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import numpy as np

HERE = Path(__file__).resolve().parent
PYTHON = Path(os.environ.get("PEERS_PYTHON", HERE.parents[1] / ".venv-peers" / "bin" / "python"))
MISSING = "not installed: make bench-peers"

versions = {}
"""Package and version of every peer that answered in this run."""


def arrays_of(candles, windows, length):
    """Return `t o h l c v` as [windows, length], window r beginning at bar r."""
    names = {"t": "open_time", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
    return {
        short: np.stack([getattr(candles, long)[r : r + length] for r in range(windows)])
        for short, long in names.items()
    }


def measure(script, arrays):
    """Return {name: samples} of one script; empty when the peers are not installed."""
    if not PYTHON.exists():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        np.savez(data, **arrays)
        command = [PYTHON, HERE / "peers" / f"{script}.py", data]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        print(f"peers/{script}.py ended with code {done.returncode}", file=sys.stderr)
        return {}
    found = {}
    for name, row in json.loads(done.stdout.splitlines()[-1]).items():
        if row["samples"]:
            found[name] = row["samples"]
            versions[row["package"]] = row["version"]
        else:
            print(f"peer {name} failed: {row['error']}", file=sys.stderr)
    return found


def peer_rows(found, unit, ours, *, faster_is_more=False, topic=None):
    """Return table rows of peers; the ratio says how many times our median, None where there is none, beats theirs."""
    if not found:
        return [{"name": "  other programs", "unit": MISSING, "target": "peer", "topic": topic}]
    rows = []
    for name, samples in found.items():
        middle = median(samples)
        ratio = None
        if ours is not None:
            times = ours / middle if faster_is_more else middle / ours
            ratio = f"{times:,.3g}x" if times < 1000 else f"{times:,.0f}x"
        rows.append(
            {
                "name": f"  {name}",
                "unit": unit,
                "min": min(samples),
                "median": middle,
                "max": max(samples),
                "ratio": ratio,
                "target": "peer",
                "topic": topic,
            }
        )
    return rows
