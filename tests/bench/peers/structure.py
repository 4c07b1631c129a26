"""What smart-money structure costs in smartmoneyconcepts, and how much of its past it rewrites.

Run by the peers' interpreter: `structure.py DATA.npz` (as for `closed_candle.py`, with `t` in UTC ms). It has no
incremental call: a new candle means a rescan of the 500 bars up to it.
"""

import sys

import numpy as np
import pandas as pd
from reporting import Sink, load
from smartmoneyconcepts import smc

HISTORY = 500
SESSIONS = ("Asian kill zone", "London open kill zone", "New York kill zone", "london close kill zone")


def frame(data, r, first, last):
    names = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
    index = pd.to_datetime(data["t"][r, first:last], unit="ms")
    return pd.DataFrame({long: data[short][r, first:last] for short, long in names.items()}, index=index)


def scan(ohlc):
    """Return what a desk would read: swings of both layers and all that rests on them."""
    found = []
    for length in (5, 20):
        swings = smc.swing_highs_lows(ohlc, swing_length=length)
        found += [swings, smc.bos_choch(ohlc, swings), smc.ob(ohlc, swings), smc.liquidity(ohlc, swings)]
    found += [smc.fvg(ohlc), smc.previous_high_low(ohlc, "1D"), smc.retracements(ohlc, swings)]
    return [*found, *(smc.sessions(ohlc, session) for session in SESSIONS)]


def rescan(data, sink, part=8):
    scale = len(data["c"]) / part
    scan(frame(data, 0, 0, HISTORY))
    for k in range(3):
        rows = [frame(data, r, k, k + HISTORY) for r in range(part)]
        name = f"smartmoneyconcepts, rescan of 500 bars ({part} series, scaled)"
        sink.time(name, "smartmoneyconcepts", lambda rows=rows: [scan(row) for row in rows], scale)


def rewritten(data, sink, candles=30):
    """Count swings and breaks told of bars 0..n that a run over one more candle tells otherwise."""
    told = changed = 0
    before = None
    for k in range(candles + 1):
        ohlc = frame(data, 0, 0, HISTORY + k)
        swings = smc.swing_highs_lows(ohlc, swing_length=5)
        now = np.nan_to_num(np.column_stack([swings["HighLow"], smc.bos_choch(ohlc, swings)[["BOS", "CHOCH"]]]))
        if before is not None:
            held = before != 0
            told += int(held.sum())
            changed += int((now[: len(before)][held] != before[held]).sum())
        before = now
    sink.add(f"smartmoneyconcepts: events rewritten by {candles} new candles", "smartmoneyconcepts", changed)


if __name__ == "__main__":
    sink = Sink()
    given = load(sys.argv[1])
    for work in (rescan, rewritten):
        sink.guard(work, given)
    sink.close()
