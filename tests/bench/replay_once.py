"""Replay one history in a process of its own: `replay_once.py FOLDER {one|fifty|all}` prints what it took as JSON.

`one`: BTCUSDT's recorded bars, and again behind a hole, up to 500,000. `fifty`: the first 10,000 bars of 50 symbols;
most were recorded for a month and have 8,638. `all`: everything there is, reading included.
"""

import gc
import json
import sys
import time
from pathlib import Path

import numpy as np

from config.flags import FlagBoard
from config.settings import Settings
from engine.backtest.history import BAR_MS, History, Series, read_history
from engine.replay import Replay
from engine.warm import warm_backtest

LONG, PART, MANY = 500_000, 10_000, 50


def twice(one):
    """Return a series and itself behind a hole of a day, cut to the wanted length."""
    later = int(one.open_time[-1] - one.open_time[0]) + 288 * BAR_MS
    times = np.concatenate([one.open_time, one.open_time + later])[:LONG]
    return Series(one.symbol, times, *(np.concatenate([column, column])[:LONG] for column in one[2:]))


def history(folder, kind):
    if kind == "one":
        (one,) = read_history(folder, symbols=("BTCUSDT",)).series
        return History((twice(one),), LONG, 0, 0, ())
    held = read_history(folder)
    if kind == "fifty":
        parts = tuple(one.part(0, PART) for one in held.series[:MANY])
        return History(parts, sum(len(one.open_time) for one in parts), 0, 0, ())
    return held


def memory_mib(what):
    """Return VmRSS or VmHWM, the peak; what `getrusage` tells begins with the peak of whoever started the program."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) / 1024


def main():
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    warm_backtest()
    read_history(folder, symbols=("ETCUSDT",))  # loads what reading needs
    rest = memory_mib("VmRSS")
    gc.disable()
    began = time.process_time()
    held = history(folder, kind)
    read = time.process_time()
    outcome = Replay(held, Settings(), FlagBoard.defaults(0)).run()
    ended = time.process_time()
    used = ended - (began if kind == "all" else read)
    told = {
        "bars": held.bars,
        "rate": held.bars / used,
        "with_start": held.bars / ended,
        "decisions": len(outcome.decisions),
        "trades": len(outcome.trades),
        "data_mib": held.bytes / 2**20,
        "rest_mib": rest,
        "peak_mib": memory_mib("VmHWM"),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
