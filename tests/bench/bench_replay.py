"""Bars per CPU second: the kernels alone, the whole desk over history, and other backtesting programs on one symbol."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from market_series import CANDLES, random_candles, recorded_candles
from measured import row
from peer_programs import arrays_of, measure, peer_rows

from engine.analysis.bars import bars_of
from engine.analysis.step import reset, run
from engine.analysis.tables import make_tables
from engine.backtest.symbols import first_beyond

TOPIC = "replay"
LONG = 500_000
ONE = "5m/ETHUSDT-5m__catman77"


def rate(bars, work):
    start = time.process_time_ns()
    work()
    return bars * 1e9 / (time.process_time_ns() - start)


def kernels():
    """Return the rates of the search for stop or target, and of indicators with structure, in million bars a second."""
    bars = bars_of(random_candles(1, LONG))
    high, low = bars["h"].copy(), bars["l"].copy()
    ceiling, floor = high.max() + 1.0, low.min() - 1.0  # never met: the search reads every bar
    tables = make_tables(1)

    def search():
        for _ in range(20):
            first_beyond(high, low, 0, LONG, ceiling, floor)

    def structure():
        reset(tables, 0, 300_000)
        run(tables, 0, bars)

    search()
    return [rate(20 * LONG, search) / 1e6 for _ in range(9)], [rate(LONG, structure) / 1e6 for _ in range(5)]


def replayed(kind):
    """Return what `replay_once.py` tells of one history."""
    command = [sys.executable, Path(__file__).with_name("replay_once.py"), CANDLES / "5m", kind]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def desk_rows(runs):
    """Yield the rows of the whole desk; `runs` is three runs per kind of history."""
    names = {
        "one": "perpdesk, whole desk, three strategies, one symbol, {bars:,} bars",
        "fifty": "perpdesk, whole desk, three strategies, 50 symbols, {bars:,} bars",
        "all": "perpdesk, whole desk, three strategies, every recorded symbol, {bars:,} bars, reading included",
    }
    for kind, told in runs.items():
        name = names[kind].format(**told[0])
        yield row(name, "bars/s", [one["rate"] for one in told], ">= 200,000", topic=TOPIC)
        per = [1_000 * one["decisions"] / one["bars"] for one in told]
        yield row("  its decisions", "per 1,000 bars", per, "-", topic=TOPIC)
    whole = runs["all"]
    yield row(
        "  every symbol, start of the program included",
        "bars/s",
        [one["with_start"] for one in whole],
        "-",
        topic=TOPIC,
    )
    grown = [(one["peak_mib"] - one["rest_mib"]) / one["data_mib"] for one in whole]
    name = "  peak memory above the program with its libraries, as a multiple of the data"
    yield row(name, "x", grown, "<= 2", topic=TOPIC)
    yield row("  peak memory of the process", "MiB", [one["peak_mib"] for one in whole], "-", topic=TOPIC)


def rows():
    simple, structure = kernels()
    yield row(f"kernel: search for stop or target, {LONG:,} bars", "M bars/s", simple, ">= 50", topic=TOPIC)
    yield row(f"kernel: 24 indicators and all structure, {LONG:,} bars", "M bars/s", structure, ">= 2", topic=TOPIC)
    recorded = (CANDLES / f"{ONE}.parquet").exists()
    ours = None
    if recorded:
        runs = {kind: [replayed(kind) for _ in range(3)] for kind in ("one", "fifty", "all")}
        yield from desk_rows(runs)
        ours = statistics.median(one["rate"] for one in runs["one"])
    candles = recorded_candles(ONE, 0, 200_000) if recorded else random_candles(1, 140_000)
    others = measure("backtests", arrays_of(candles, 1, len(candles)))
    yield from peer_rows(others, "bars/s", ours, faster_is_more=True, topic=TOPIC)
