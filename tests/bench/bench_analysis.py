"""What a closed candle costs for 600 series: indicators, structure and zones, and a rescan of 500 bars each."""

import statistics
import time

import numpy as np
import talib
import talib.stream
from market_series import CANDLES, random_candles, recorded_candles

from engine.analysis.bars import bars_of
from engine.analysis.changes import NO_LOG
from engine.analysis.scratch import rows_of
from engine.analysis.step import STEP, reset, run, step_rows
from engine.analysis.tables import make_tables
from engine.analysis.warm import warm

SERIES = 600
HISTORY = 500
ROUNDS = 40
RECORDED = "5m/1000PEPEUSDT-5m__catman77"


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


def row(name, unit, samples, target, ratio=None):
    return {
        "name": name,
        "unit": unit,
        "min": min(samples),
        "median": statistics.median(samples),
        "max": max(samples),
        "ratio": ratio,
        "target": target,
    }


def source():
    """Return bars of a recorded market where it lies beside the repository, else of a random one."""
    count = HISTORY + SERIES + ROUNDS
    if (CANDLES / f"{RECORDED}.parquet").exists():
        return bars_of(recorded_candles(RECORDED, 0, count)), "recorded"
    return bars_of(random_candles(1, count)), "random"


def rows():
    warm()
    bars, kind = source()
    tables = make_tables(SERIES // 3)
    every = np.arange(SERIES)

    def rescan():
        for r in every:
            reset(tables, int(r), 300_000)
            run(tables, int(r), bars[r : r + HISTORY])

    rescans = [spent(rescan) for _ in range(5)]
    views = rows_of(tables)
    windows = [tuple(np.ascontiguousarray(bars[name][r : r + HISTORY]) for name in ("h", "l", "c", "v")) for r in every]
    news = [bars[HISTORY + k : HISTORY + k + SERIES].copy() for k in range(ROUNDS)]
    whole = [spent(lambda new=new: step_rows(tables, every, new)) for new in news]
    rescan()
    indicator, peer = [], []
    for k, new in enumerate(news):
        indicator.append(spent(lambda new=new: STEP(views, every, new, NO_LOG, False)))
        if k % 10 == 0:
            peer.append(spent(lambda: [streaming(window) for window in windows]))
    alone = statistics.median(indicator)
    zones = [max(0.0, sample - alone) for sample in whole]
    name = f"a closed candle, {SERIES} series, 24 indicator values ({kind} bars)"
    return [
        row(name, "ms", indicator, "<= 0.2 ms, >= 10x", statistics.median(peer) / alone),
        row("  TA-Lib streaming, the 18 of them it knows", "ms", peer, "peer"),
        row(f"structure and zones of one candle, {SERIES} series", "ms", zones, "<= 0.5 ms"),
        row(f"both together, {SERIES} series", "ms", whole, None),
        row(f"rescan of {SERIES} x {HISTORY} bars, everything", "ms", rescans, "<= 80 ms"),
    ]
