"""Count what each strategy proposes in the first simulated minutes of a synthetic market, seed by seed.

`python tests/bench/scan_demo_starts.py [--seeds 1-40] [--start ISO] [--closes 5]` was used to choose the demo's start
(`simulator.seed` and `simulator.start`): the strategies are the desk's own, with their own thresholds.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from math import exp
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from strategy_market import Market, from_whole_hour, reading

from config.settings import Settings
from engine.analysis.layout import BAR
from engine.positions.track import TrackRecord
from engine.rules import signal_rules
from engine.signals.select import select
from engine.strategy.candidate import StrategyName
from engine.strategy.panel import StrategyRules, evaluate
from exchange.simulator.candle_store import FIVE
from exchange.simulator.synthetic import SyntheticMarket

WATCHED = 200


def bars_of(market: SyntheticMarket, index: int) -> np.ndarray:
    """Return the closed 5m bars of one symbol in log prices."""
    shown = market.candles(index, "5m", None, None, 6000)
    bars = np.empty(len(shown.open_time), BAR)
    bars["t"], bars["v"] = shown.open_time, shown.volume
    for name in ("open", "high", "low", "close"):
        bars[name[0]] = np.log(getattr(shown, name))
    return from_whole_hour(bars[:-1])


def counts(seed: int, start_ms: int, closes: int) -> list[str]:
    """Return candidates and accepted signals per strategy at each of the first closes."""
    market = SyntheticMarket(240, seed=seed, start_ms=start_ms, step_ms=60_000)
    market.advance(start_ms + closes * FIVE)
    series = [bars_of(market, index) for index in range(WATCHED)]
    first = int(np.searchsorted(series[0]["t"], start_ms - FIVE)) // 12 * 12
    desk = Market(series, first)
    said = []
    while desk.index < len(series[0]):
        desk.step()
        if desk.now < start_ms:
            continue
        readings = [
            reading(slot, market.listings[slot].instrument.symbol, exp(close), updated_ms=desk.now)
            for slot, close in enumerate(desk.closes())
        ]
        views = evaluate(desk.tables, readings, desk.now, StrategyRules())
        cell = []
        for name in StrategyName:
            pick = select(views, name, TrackRecord(), signal_rules(Settings()), desk.now)
            cell.append(f"{dict(pick.candidates)[str(name)]}/{len(pick.accepted)}")
        said.append(" ".join(cell))
    return said


def main() -> None:
    """Print one line per seed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", default="7-7", help="first and last seed")
    options.add_argument("--start", default=Settings().simulator.start)
    options.add_argument("--closes", type=int, default=5)
    chosen = options.parse_args()
    first, last = (int(part) for part in chosen.seeds.split("-"))
    start_ms = round(datetime.fromisoformat(chosen.start).timestamp() * 1000)
    print("candidates/accepted of", ", ".join(StrategyName), "at each 5m close from", chosen.start)
    for seed in range(first, last + 1):
        print(seed, " | ".join(counts(seed, start_ms, chosen.closes)), flush=True)


if __name__ == "__main__":
    main()
