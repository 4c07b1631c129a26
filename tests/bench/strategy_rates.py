"""How often each strategy proposes on recorded candles, and how its confidence, R:R and sub-scores are spread.

`python tests/bench/strategy_rates.py [--source NAME] [--every N]` replays the recorded 5m series beside the repository.
What it says of outcomes is one stretch of one market, with overlapping trades: a description, no proof of anything.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from strategy_market import Market, from_whole_hour, same_time

from engine.analysis.layout import BAR
from engine.positions.track import TrackRecord
from engine.signals.rules import SignalRules
from engine.signals.select import select
from engine.strategy.candidate import Candidate, NoCandidate, StrategyName
from engine.strategy.costs import reward_risk_of, risk_of
from engine.strategy.panel import StrategyRules, evaluate

if TYPE_CHECKING:
    from engine.signals.signal import Selection, Signal

CANDLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "market" / "candles" / "um" / "5m"
WARM = 2496  # 208 hours: ema200 of 1h stands


def load(directory: Path, source: str) -> list[np.ndarray]:
    """Return the series of one source, cut to the bars they share in number from their first whole hour."""
    series = []
    for path in sorted(directory.glob(f"*__{source}.parquet")):
        table = pq.read_table(path)
        bars = np.empty(len(table), BAR)
        bars["t"] = table.column("open_time").to_numpy()
        for name, column in zip("ohlc", ("open", "high", "low", "close"), strict=True):
            bars[name] = np.log(table.column(column).to_numpy())
        bars["v"] = table.column("volume").to_numpy()
        series.append(from_whole_hour(bars))
    shortest = min(len(bars) for bars in series) // 12 * 12
    return same_time([bars[:shortest] for bars in series])


def spread(values: list[float]) -> str:
    """Return minimum, quartiles and maximum."""
    if not values:
        return "none"
    q = np.quantile(values, [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0])
    return " ".join(f"{value:6.3f}" for value in q)


def outcome(candidate: Candidate, bars: np.ndarray, index: int) -> float | None:
    """Return the R of a trade taken at bar `index` on the triple barrier of 96 h, None when it never filled or ended.

    Stop before target within a bar; a limit fills while its set-up lives and is given up afterwards.
    """
    sign = candidate.direction.sign
    entry, stop, target = (sign * np.log(p) for p in (candidate.entry, candidate.stop, candidate.targets[0]))
    low, high = (bars["l"], bars["h"]) if sign > 0 else (-bars["h"], -bars["l"])
    start = index
    if candidate.limit and sign * bars["c"][index - 1] > entry:
        while start < len(bars) and bars["t"][start] < candidate.expires and low[start] > entry:
            start += 1
        if start >= len(bars) or low[start] > entry:
            return None
    for i in range(start, min(start + 1152, len(bars))):
        if low[i] <= stop:
            return -1.0
        if high[i] >= target:
            return reward_risk_of(candidate)
    return None


class Tally:
    """What one strategy proposed over a replay."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.first: dict[str, Signal] = {}
        self.results: list[tuple[float, Signal]] = []
        self.accepted: set[str] = set()
        self.shown = 0
        self.gates: Counter[str] = Counter()

    def take(self, pick: Selection, series: list[np.ndarray], index: int) -> None:
        """Count one cycle in which the strategy acted."""
        self.accepted |= {signal.signal_id for signal in pick.accepted}
        for signal in pick.signals:
            if signal.candidate.strategy is not pick.mode:
                continue
            self.shown += 1
            if signal.signal_id not in self.first:
                self.first[signal.signal_id] = signal
                r = outcome(signal.candidate, series[int(signal.candidate.symbol[1:-4])], index)
                if r is not None:
                    self.results.append((r, signal))

    def report(self, strategy: StrategyName, days: float, cycles: int) -> None:
        """Print the block of one strategy."""
        candidates = [signal.candidate for signal in self.first.values()]
        print(f"\n{strategy}: {len(candidates) / days:.1f} set-ups a day, {self.shown / cycles:.2f} a cycle,")
        print(f"  accepted a day {len(self.accepted) / days:.1f}")
        print("  patterns", Counter(c.pattern for c in candidates), Counter(str(c.direction) for c in candidates))
        print("  confidence ", spread([c.confidence for c in candidates]))
        print("  R:R        ", spread([reward_risk_of(c) for c in candidates]))
        print("  risk %     ", spread([100 * risk_of(c) for c in candidates]))
        for name in candidates[0].sub_scores if candidates else ():
            print(f"  {name:11s}", spread([c.sub_scores[name] for c in candidates]))
        if self.results:
            won = np.mean([r > 0 for r, _ in self.results])
            gross, costs = np.mean([(r, signal.costs_r) for r, signal in self.results], axis=0)
            print(f"  ended {len(self.results)}: won {won:.3f}, mean {gross:+.3f} R before costs of {costs:.3f} R")
        print("  gates", self.gates.most_common())


def main() -> None:
    """Replay and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--every", type=int, default=1, help="evaluate every Nth 5m close")
    options.add_argument("--source", default="Alpergulsen", help="recorder of the series")
    chosen = options.parse_args()
    series = load(CANDLES, chosen.source)
    market = Market(series, WARM)
    tallies = {name: Tally() for name in StrategyName}
    dimensions: Counter[str] = Counter()
    spent, cycles = 0.0, 0
    while market.index < len(series[0]) - 1:
        market.step()
        if market.index % chosen.every:
            continue
        began = time.process_time()
        views = evaluate(market.tables, market.readings(), market.now, StrategyRules())
        picks = [select(views, mode, TrackRecord(), SignalRules(), market.now) for mode in StrategyName]
        spent += time.process_time() - began
        cycles += 1
        for pick in picks:
            tallies[pick.mode].take(pick, series, market.index)
            tallies[pick.mode].gates.update(
                one.gate for one in (view.view(pick.mode) for view in views) if isinstance(one, NoCandidate)
            )
        dimensions.update({count.name: count.dropped for count in picks[0].dimensions})
    days = (len(series[0]) - WARM) / 288
    print(f"{len(series)} symbols, {days:.1f} days, {cycles} cycles, {1000 * spent / cycles:.2f} ms CPU a cycle")
    for strategy, tally in tallies.items():
        tally.report(strategy, days, cycles)
    print("\ndropped by", dict(dimensions))


if __name__ == "__main__":
    main()
