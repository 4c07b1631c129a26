"""Memory that one more symbol costs: in the desk's market (candles, analysis, quotes) and in the simulated exchange.

Each figure is the slope between a small and a large number of symbols, each in a process of its own, so that what is
there once does not count.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

SMALL, LARGE = 60, 240
ROUNDS = 3
MARKET = """
import numpy as np, sys
from engine.adapters.clock import SystemClock
from engine.adapters.entropy import RandomEntropy
from engine.market.feed import Feed
size = int(sys.argv[1])
feed = Feed(None, None, SystemClock(), RandomEntropy(), None, size)
def arrays(owner):
    values = owner if isinstance(owner, tuple) else vars(owner).values()
    return [value for value in values if isinstance(value, np.ndarray)]
for owner in (feed.tape, feed.quotes, feed.tables):
    for array in arrays(owner):
        used = array.base if array.base is not None else array
        pages = used.view(np.uint8).reshape(-1)[:: 4096]
        pages |= 0  # a page that was never written costs nothing yet
print(int(open("/proc/self/statm").read().split()[1]) * 4096, feed.quotes.slots, flush=True)
"""
EXCHANGE = """
import sys
from exchange.simulator.main import RunOptions, run_exchange
size = int(sys.argv[1])
sys.exit(run_exchange(RunOptions(symbols=size, speed=10.0, start="2026-01-05T00:00:00Z", die_with_parent=True)))
"""


def market(size):
    """Return resident bytes and the symbols there is room for."""
    done = subprocess.run([sys.executable, "-c", MARKET, str(size)], capture_output=True, text=True, check=True)
    resident, room = done.stdout.split()
    return int(resident), int(room)


def exchange(size):
    """Return resident bytes of an exchange that is ready, and its symbols."""
    with subprocess.Popen(
        [sys.executable, "-c", EXCHANGE, str(size)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        json.loads(child.stdout.readline())
        pages = int(Path(f"/proc/{child.pid}/statm").read_text(encoding="ascii").split()[1])
        child.terminate()
    return pages * os.sysconf("SC_PAGE_SIZE"), size


def slope(measure):
    """Return KiB per symbol."""
    (small, few), (large, many) = measure(SMALL), measure(LARGE)
    return (large - small) / (many - few) / 1024


def rows():
    for name, measure in (
        ("memory of one more symbol in the desk's market, 3 frames of candles, analysis and quotes", market),
        ("memory of one more symbol in the simulated exchange", exchange),
    ):
        values = [slope(measure) for _ in range(ROUNDS)]
        yield {
            "name": name, "unit": "KiB", "min": min(values), "median": median(values), "max": max(values),
        }  # fmt: skip


if __name__ == "__main__":
    for line in rows():
        print(line)
