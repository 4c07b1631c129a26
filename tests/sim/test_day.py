"""The whole desk for 24 simulated hours, twice, under two hash seeds: one trace."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SUPPORT = Path(__file__).resolve().parents[1] / "support"


def start(hash_seed, hours, seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(SUPPORT)}
    return subprocess.Popen(
        [sys.executable, str(SUPPORT / "simulated_desk.py"), str(hours), str(seed)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(process, seconds=280):
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.mark.xdist_group("day")
def test_a_day_of_the_whole_desk_leaves_one_trace_under_two_hash_seeds():
    runs = [start(0, 24, 1), start(31_337, 24, 1)]
    first, second = (result(run) for run in runs)
    assert first == second
    assert first["cycles"] == 1440
    assert first["ready"] == 6
    assert first["positions"] > 5
    assert first["closed"] > 0


@pytest.mark.xdist_group("day")
def test_another_seed_leaves_another_trace():
    first, other = (result(run) for run in [start(0, 0.5, 1), start(0, 0.5, 2)])
    assert first["trace"] != other["trace"]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("day")
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_days_of_other_markets_leave_one_trace_each_under_two_hash_seeds(seed):
    first, second = (result(run, 800) for run in [start(0, 24, seed), start(seed * 7_919, 24, seed)])
    assert first == second
    assert first["cycles"] == 1440
    assert first["ready"] == 6
    assert first["closed"] > 0
