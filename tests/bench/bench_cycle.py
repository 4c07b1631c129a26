"""CPU of one live cycle for 200 symbols x 3 frames: analysis of what closed, all three strategies, selection.

The strategies run in groups, as in the live cycle; the longest stay on the loop is the longest group or selection. What
closed is taken at once here, where the feed takes a few bars per turn of the loop. Models, journal and screen are not
in it.
"""

import statistics
import time

from market_series import CANDLES, random_candles, recorded_candles
from strategy_market import Market, from_whole_hour, same_time

from config.settings import Settings
from engine.adapters.process import tune_interpreter
from engine.analysis.bars import bars_of
from engine.live_cycle import GROUP
from engine.positions.track import TrackRecord
from engine.rules import signal_rules
from engine.signals.select import select
from engine.strategy.candidate import StrategyName
from engine.strategy.panel import StrategyRules, evaluate

SYMBOLS = 200
FIRST = 6_480  # a warm 1h frame needs 500 bars of twelve
CLOSES = 48  # four hours: each twelfth close is one of all three frames
RECORDED = "5m/*-5m__Alpergulsen.parquet"
TOPIC = "cycle"


def source():
    """Return [SYMBOLS] series of equal times and where they come from: recorded markets, each used at some offsets."""
    count = FIRST + CLOSES + 24
    series = []
    names = sorted(path.stem for path in CANDLES.glob(RECORDED))
    for offset in range(0, 2_000, 360):
        for name in names:
            candles = recorded_candles(f"5m/{name}", offset, count)
            if len(series) < SYMBOLS and len(candles) == count:
                series.append(from_whole_hour(bars_of(candles))[: count - 12])
    if len(series) == SYMBOLS:
        return same_time(series), "recorded"
    return [from_whole_hour(bars_of(random_candles(seed, count)))[: count - 12] for seed in range(SYMBOLS)], "random"


def cycle(market, rules):
    """Run one close and one cycle; return CPU ms of its parts and the longest stay."""
    clock = time.process_time_ns
    began = clock()
    market.step()
    analysis = clock() - began
    stays = []
    readings = market.readings()
    views = []
    strategies = 0
    for first in range(0, SYMBOLS, GROUP):
        start = clock()
        views += evaluate(market.tables, readings[first : first + GROUP], market.now, StrategyRules())
        stays.append(clock() - start)
        strategies += stays[-1]
    start = clock()
    select(views, StrategyName.HYBRID, TrackRecord(), rules, market.now)
    stays.append(clock() - start)
    return [part / 1e6 for part in (clock() - began, analysis, strategies, stays[-1], max(stays))]


def rows():
    series, kind = source()
    market = Market(series, FIRST)
    rules = signal_rules(Settings())
    cycle(market, rules)  # compiles
    tune_interpreter()  # as the runtime does once the desk stands
    parts = zip(*(cycle(market, rules) for _ in range(CLOSES - 1)), strict=True)
    names = (
        (f"one cycle, {SYMBOLS} symbols x 3 frames, three strategies and selection ({kind} bars)", "<= 25 ms CPU"),
        ("  analysis of the bars that closed", "-"),
        ("  three strategies", "-"),
        ("  quality, rank and balance", "-"),
        ("longest stay of the cycle on the loop", "<= 2 ms"),
    )
    for (name, target), samples in zip(names, parts, strict=True):
        yield {
            "name": name, "unit": "ms", "min": min(samples), "median": statistics.median(samples), "max": max(samples),
            "target": target, "topic": TOPIC,
        }  # fmt: skip
