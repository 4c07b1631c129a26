"""Hand-filled tables that hold one complete long set-up of either ICT pattern, in x space around `BASE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.analysis.layout import BARS, BLOCK_FRESH, CHOCH, INTERNAL, LABEL_HH, LABEL_HL, MSS, POOL_SWING, SWING
from engine.analysis.tables import make_tables

if TYPE_CHECKING:
    from engine.analysis.layout import Tables

BASE = 4.6
NOW = 1_700_002_800_000  # a whole hour
N = 300
INTERVALS = (300_000, 900_000, 3_600_000)
ATR = (0.001, 0.002, 0.006)
PRICE = BASE + 0.0006
ENTRY, STOP, TARGET = BASE - 0.0008, BASE - 0.0041, BASE + 0.006


def quiet() -> Tables:
    """Return warm tables of one symbol without any object; the 1h structure points up, price stands at BASE."""
    tables = make_tables(1)
    for frame in range(3):
        s = tables.series[frame]
        s["n"], s["interval"], s["last_open"] = N, INTERVALS[frame], NOW - INTERVALS[frame]
        s["ema20"], s["ema50"], s["ema100"], s["ema200"] = BASE, BASE, BASE, BASE
        s["rsi14"], s["macd_hist"], s["bb_width_pct"], s["adx14"] = 50.0, 0.0, 0.5, 20.0
        s["bb_mid"], s["bb_upper"], s["bb_lower"], s["bb_width"] = BASE, BASE + 0.01, BASE - 0.01, 0.02
        s["atr14"], s["atr200"], s["vol_mean"], s["vwap"] = ATR[frame], ATR[frame], 10.0, BASE
        s["last_high"], s["last_low"] = -1, -1
        for i in range(BARS):
            tables.bars[frame, i] = (0, BASE, BASE + 0.0005, BASE - 0.0005, BASE, 10.0)
    tables.series["bias"][2, SWING] = 1
    swing_range(tables, 1, BASE - 0.006, BASE + 0.008)
    return tables


def swing_range(tables: Tables, frame: int, low: float, high: float) -> None:
    """Give a frame a dealing range with rising labels."""
    tables.swings[frame, SWING, 0] = (1, LABEL_HH, 200, 220, high, -1)
    tables.swings[frame, SWING, 1] = (-1, LABEL_HL, 230, 250, low, -1)
    tables.series["swings"][frame, SWING] = 2
    tables.series["last_high"][frame, SWING], tables.series["last_low"][frame, SWING] = 0, 1


def bar(tables: Tables, index: int, low: float, high: float, close: float) -> None:
    """Set a 5m bar, offsets from BASE."""
    tables.bars[0, index % BARS] = (0, BASE, BASE + high, BASE + low, BASE + close, 10.0)


def sweep(tables: Tables) -> None:
    """Sweep sell-side liquidity on 5m at bar 290, reclaimed at 291."""
    bar(tables, 290, -0.004, 0.0005, 0.0)
    tables.sweeps[0, 0] = (-1, POOL_SWING, 290, 291, BASE - 0.0035, BASE - 0.004, 0.5)
    tables.series["sweeps"][0] = 1


def shift(tables: Tables, known: int = 297, displacement: float = 2.25) -> None:
    """Change character upwards on 5m at the close of bar `known`."""
    bar(tables, known, -0.0005, 0.0018, 0.0015)
    kind = MSS if displacement > 0 else CHOCH
    tables.breaks[0, INTERNAL, 0] = (kind, 1, 280, known, BASE + 0.001, displacement)
    tables.series["breaks"][0, INTERNAL] = 1


def gap(tables: Tables, known: int = 296) -> None:
    """Leave a fair value gap whose middle is ENTRY."""
    tables.gaps[0, 0] = (1, 0, known - 1, known, BASE - 0.0012, BASE - 0.0004, known)
    tables.series["gaps"][0] = 1


def pool(tables: Tables, level: float = TARGET, side: int = 1) -> None:
    """Add an open swing pool on 15m."""
    row = tables.pools[1, int(tables.series["pools"][1])]
    row["side"], row["kind"], row["state"], row["at"], row["known"], row["level"] = side, POOL_SWING, 0, 200, 220, level
    tables.series["pools"][1] += 1


def block(
    tables: Tables, high: float = 0.0004, low: float = -0.002, known: int = 250, state: int = BLOCK_FRESH
) -> None:
    """Add a demand block on 15m, offsets from BASE."""
    row = tables.blocks[1, int(tables.series["blocks"][1])]
    row["side"], row["state"], row["at"], row["known"] = 1, state, known - 5, known
    row["low"], row["high"], row["refined"], row["quality"] = BASE + low, BASE + high, BASE + high, 0.8
    tables.series["blocks"][1] += 1


def reversal() -> Tables:
    """Return tables that hold a whole sweep reversal, known at the close of bar 297 and two bars old."""
    tables = quiet()
    sweep(tables)
    shift(tables)
    gap(tables)
    pool(tables)
    bar(tables, 298, 0.0003, 0.0016, 0.0008)
    bar(tables, 299, 0.0003, 0.0016, 0.0008)
    return tables


def trend_block() -> Tables:
    """Return tables that hold price at a fresh 15m block of the 1h and 15m direction, arrived with the last bar."""
    tables = quiet()
    tables.series["bias"][1, SWING] = 1
    for index in range(280, 299):
        bar(tables, index, 0.002, 0.003, 0.0025)
    bar(tables, 299, 0.0006, 0.0025, 0.0007)
    block(tables)
    pool(tables, BASE + 0.009)
    return tables
