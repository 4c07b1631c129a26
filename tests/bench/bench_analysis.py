"""What a closed candle costs for 600 series: indicators, structure and zones, and a rescan of 500 bars each.

Our own work is measured before and after the peers, so that a machine that changes its pace in between shows in the
spread of our row instead of in the ratio.
"""

import statistics
import time

import numpy as np
import talib
import talib.stream
from market_series import CANDLES, random_candles, recorded_candles
from measured import row
from peer_programs import arrays_of, measure, peer_rows

from engine.analysis.bars import bars_of
from engine.analysis.changes import NO_LOG, changes_since, make_log
from engine.analysis.scratch import rows_of
from engine.analysis.step import STEP, reset, run, step_rows
from engine.analysis.tables import make_tables
from engine.analysis.warm import warm

SERIES = 600
HISTORY = 500
ROUNDS = 40
RECORDED = "5m/1000PEPEUSDT-5m__catman77"
CANDLE, STRUCTURE = "closed candle", "structure"
"""Topics: the rows of the performance targets that these measurements answer."""


def spent(work):
    """CPU milliseconds of one call."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e6


def streaming(window):
    """The indicator values TA-Lib's streaming functions give for one new candle of one series."""
    high, low, close, volume = window
    stream = talib.stream
    for period in (20, 50, 100, 200):
        stream.EMA(close, period)
    stream.RSI(close, 14)
    stream.ATR(high, low, close, 14)
    stream.ATR(high, low, close, 200)
    stream.ADX(high, low, close, 14)
    stream.PLUS_DI(high, low, close, 14)
    stream.MINUS_DI(high, low, close, 14)
    stream.MACD(close, 12, 26, 9)
    stream.BBANDS(close, 20, 2, 2)
    stream.SMA(volume, 20)
    stream.OBV(close, volume)


def source():
    """Return candles of a recorded market where it lies beside the repository, else of a random one."""
    count = HISTORY + SERIES + ROUNDS
    if (CANDLES / f"{RECORDED}.parquet").exists():
        return recorded_candles(RECORDED, 0, count), "recorded"
    return random_candles(1, count), "random"


def rewritten(bars, candles=30):
    """Return how many events that were told of bars 0..n a run over one more candle tells otherwise."""
    tables, before, changed = make_tables(1), None, 0
    for k in range(candles + 1):
        log = make_log()
        reset(tables, 0, 300_000)
        run(tables, 0, bars[: HISTORY + k], log)
        told = [str(change) for change in changes_since(log, 0)[0].tolist()]
        if before is not None:
            changed += sum(old != new for old, new in zip(before, told, strict=False))
        before = told
    return changed


class Work:
    """The measurements of our own side, repeatable."""

    def __init__(self, bars):
        self.tables = make_tables(SERIES // 3)
        self.views = rows_of(self.tables)
        self.every = np.arange(SERIES)
        self.bars = bars
        self.news = [bars[HISTORY + k : HISTORY + k + SERIES].copy() for k in range(ROUNDS)]
        self.rescans, self.whole, self.indicators = [], [], []

    def rescan(self):
        for r in self.every:
            reset(self.tables, int(r), 300_000)
            run(self.tables, int(r), self.bars[r : r + HISTORY])

    def measure(self):
        self.rescans += [spent(self.rescan) for _ in range(5)]
        self.whole += [spent(lambda new=new: step_rows(self.tables, self.every, new)) for new in self.news]
        self.rescan()
        for new in self.news:
            self.indicators.append(spent(lambda new=new: STEP(self.views, self.every, new, NO_LOG, False)))


def rows():
    warm()
    candles, kind = source()
    bars = bars_of(candles)
    work = Work(bars)
    work.measure()
    windows = [tuple(np.ascontiguousarray(bars[name][r : r + HISTORY]) for name in "hlcv") for r in work.every]
    stream = [spent(lambda: [streaming(window) for window in windows]) for _ in range(4)]
    arrays = arrays_of(candles, SERIES, HISTORY + ROUNDS)
    others, structure = measure("closed_candle", arrays), measure("structure", arrays)
    told = {name: structure.pop(name) for name in list(structure) if "rewritten" in name}
    work.measure()
    alone, whole = statistics.median(work.indicators), statistics.median(work.whole)
    zones = [max(0.0, sample - alone) for sample in work.whole]
    name = f"a closed candle, {SERIES} series, 24 indicator values ({kind} bars)"
    yield row(name, "ms", work.indicators, "<= 0.2 ms, >= 10x TA-Lib streaming", topic=CANDLE)
    streams = {"TA-Lib streaming, the 18 of them it knows": stream}
    yield from peer_rows(streams | others, "ms", alone, topic=CANDLE)
    yield row(f"structure and zones of one candle, {SERIES} series", "ms", zones, "<= 0.5 ms", topic=STRUCTURE)
    yield row(f"both together, {SERIES} series", "ms", work.whole, None, topic=STRUCTURE)
    yield from peer_rows(structure, "ms", whole, topic=STRUCTURE)
    name = f"rescan of {SERIES} x {HISTORY} bars, indicators and structure"
    rescan = statistics.median(work.rescans)
    against = {name.replace("rescan", "its rescan"): samples for name, samples in structure.items()}
    yield row(name, "ms", work.rescans, "<= 80 ms", topic=STRUCTURE)
    yield from peer_rows(against, "ms", rescan, topic=STRUCTURE) if against else ()
    yield row("events rewritten by 30 new candles", "events", [rewritten(bars)], "0", topic=STRUCTURE)
    for name, samples in told.items():
        yield row(f"  {name}", "events", samples, "peer", topic=STRUCTURE)
