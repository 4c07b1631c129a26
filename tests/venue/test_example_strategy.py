"""The example package of docs/strategies.md, installed into a folder of its own and found by its entry point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from backtest_market import small_history

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "channel-breakout"
RUN = """
import json, sys
sys.path[:0] = [{support!r}, {root!r}]
import numpy as np
from market_series import random_candles
from strategy_market import Market
from engine.adapters.installed_strategies import installed_strategies
from engine.analysis.bars import bars_of, mirrored
from engine.strategy.candidate import Candidate
from engine.strategy.panel import StrategyRules, evaluate

guests = installed_strategies()
bars = bars_of(random_candles(5, 2_496 + 576, tick=0.01))
here, there = Market([bars], 2_496), Market([mirrored(bars)], 2_496)
seen, mirror, gates = [], True, set()
while here.index < len(bars) - 1:
    here.step(), there.step()
    one, two = (
        evaluate(side.tables, side.readings(), side.now, StrategyRules(), guests=guests)[0].view("channel_breakout")
        for side in (here, there)
    )
    if isinstance(one, Candidate):
        seen.append(str(one.direction))
        mirror &= two.direction.sign == -one.direction.sign and abs(two.confidence - one.confidence) < 1e-9
    else:
        gates.add(one.gate)
print(json.dumps(dict(news=guests.news(), seen=seen, mirror=bool(mirror), gates=sorted(gates))))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The package in a folder of its own; the environment stays as it is."""
    place = tmp_path_factory.mktemp("installed")
    source = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "package")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-build-isolation", "--no-index", "--target", str(place), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


def started(folder, *words):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, env=env, cwd=ROOT)


def test_the_example_package_is_found_runs_and_obeys_the_mirror_law(folder):
    done = started(folder, "-c", RUN.format(support=str(ROOT / "tests" / "support"), root=str(ROOT)))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["news"] == ["strategy channel_breakout of perpdesk-channel-breakout 1.0.0 takes part"]
    assert set(found["seen"]) == {"LONG", "SHORT"}
    assert found["mirror"]
    assert found["gates"] == ["channel"]


def test_doctor_names_it(folder, tmp_path):
    done = started(folder, "-m", "tui.cli", "--data-dir", str(tmp_path / "desk"), "doctor", "--json")
    (line,) = [json.loads(one) for one in done.stdout.splitlines() if '"strategies"' in one]
    assert line["state"] == "ok"
    assert "channel_breakout of perpdesk-channel-breakout 1.0.0" in line["text"]


def test_without_the_folder_it_is_not_there(tmp_path):
    done = started(tmp_path, "-m", "tui.cli", "--data-dir", str(tmp_path / "desk"), "doctor", "--json")
    (line,) = [json.loads(one) for one in done.stdout.splitlines() if '"strategies"' in one]
    assert line["text"] == "the desk's own three; no package offers another"


def test_a_backtest_trades_it_and_proves_it(folder, tmp_path):
    candles = small_history(tmp_path / "candles", symbols=2)
    asked = ["--data-dir", str(tmp_path / "desk"), "--json"]
    done = started(folder, "-m", "tui.cli", *asked, "backtest", "--data", str(candles), "--prove", "2")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    (own,) = [one for one in found["strategies"] if one["strategy"] == "channel_breakout"]
    assert own["trades"] > 0
    assert "strategy channel_breakout of perpdesk-channel-breakout 1.0.0 takes part" in done.stderr
    assert [proof["divergence"] for proof in found["proofs"]] == ["", ""]
