"""Bars per CPU second: the kernels alone, the whole desk over history, and other backtesting programs on one symbol."""

import json
import os
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
PROGRAM = str(Path(sys.executable).with_name("perpdesk"))


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


def desk(files):
    """Return bars a CPU second of `perpdesk backtest`, start of the program included, its peak MiB and its bars."""
    command = [PROGRAM, "backtest", "--data", str(files), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        said = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        return None
    bars = json.loads(said)["bars"]
    return bars / (used.ru_utime + used.ru_stime), used.ru_maxrss / 1024, bars


def rows():
    simple, structure = kernels()
    yield row(f"kernel: search for stop or target, {LONG:,} bars", "M bars/s", simple, ">= 50", topic=TOPIC)
    yield row(f"kernel: 24 indicators and all structure, {LONG:,} bars", "M bars/s", structure, ">= 2", topic=TOPIC)
    folder = CANDLES / "5m"
    whole = desk(folder) if folder.exists() else None
    ours = None
    if whole is not None:
        ours, peak, bars = whole
        name = f"perpdesk backtest, whole desk, three strategies, every recorded symbol, {bars:,} bars"
        yield row(name, "bars/s", [ours], ">= 200,000", topic=TOPIC)
        yield row("  its peak memory", "MiB", [peak], "-", topic=TOPIC)
    recorded = (CANDLES / f"{ONE}.parquet").exists()
    candles = recorded_candles(ONE, 0, 200_000) if recorded else random_candles(1, 140_000)
    others = measure("backtests", arrays_of(candles, 1, len(candles)))
    yield from peer_rows(others, "bars/s", ours, faster_is_more=True, topic=TOPIC)
