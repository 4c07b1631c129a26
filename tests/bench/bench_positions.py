"""Virtual positions: one pass over 1,000 and 100,000, against a plain Python loop over objects in the same run.

The pass row has prices that move within every interval and no look due. The monitored rows run the smart schedule on a
random walk, looks and events included, at 20 ms a tick.
"""

from __future__ import annotations

import gc
import time
from decimal import Decimal
from statistics import median

import numpy as np

from engine.positions.book import VirtualBook
from engine.positions.costs import Costs
from engine.positions.opening import Opening
from engine.strategy.candidate import Direction

SLOTS = 500
TICK_MS = 20
START_MS = 1_700_000_000_000
STEP = 0.0003 * (TICK_MS / 1000) ** 0.5
"""Standard deviation of a tick: 0.03 % in a second, 1.8 % in an hour, a busy day of a small coin."""


class Plain:
    """A position as an object, judged the plain way."""

    __slots__ = ("best", "due", "last", "long", "low", "peak", "slot", "stop", "target", "worst")

    def __init__(self, slot: int, long: bool) -> None:
        self.slot, self.long = slot, long
        self.stop, self.target = (98.0, 104.0) if long else (102.0, 96.0)
        self.peak = self.low = self.last = 100.0
        self.due = START_MS + 10**9


def plain_pass(positions: list[Plain], now: int, high: list[float], low: list[float], last: list[float]) -> int:
    """Do what the kernel does without a look: judge the trigger, keep the extremes, ask the schedule."""
    found = 0
    for position in positions:
        up, down, price = high[position.slot], low[position.slot], last[position.slot]
        if not 0.0 < down <= price <= up:
            continue
        if position.long:
            ended = down <= position.stop or up >= position.target
        else:
            ended = up >= position.stop or down <= position.target
        position.peak = max(position.peak, up)
        position.low = min(position.low, down)
        if ended or now >= position.due or abs(price - position.last) > 1.0:
            found += 1
    return found


def filled(count: int) -> VirtualBook:
    book = VirtualBook(count)
    for index in range(count):
        long = index % 2 == 0
        direction = Direction.LONG if long else Direction.SHORT
        stop, target = (98.0, 104.0) if long else (102.0, 96.0)
        start = Opening(
            "ict", f"S{index}", index % SLOTS, 2, direction, 100.0, stop, target, Decimal(1), 2.0, 2, Costs(), 0.6
        )
        book.open(start, START_MS)
    return book


def spread(seconds: list[float], name: str, target: str, peer: float | None = None) -> dict[str, object]:
    milliseconds = sorted(1000 * value for value in seconds)
    middle = median(milliseconds)
    ratio = "" if peer is None else f"{peer * 1000 / middle:.0f}x a plain Python loop"
    row = {"name": name, "unit": "ms", "min": milliseconds[0], "median": middle, "max": milliseconds[-1]}
    return row | {"ratio": ratio, "target": target, "topic": "positions"}


def passes(count: int, repeats: int) -> tuple[list[float], list[float]]:
    """Return CPU seconds per pass of the book and of the plain loop, interleaved."""
    book, plain = filled(count), [Plain(index % SLOTS, index % 2 == 0) for index in range(count)]
    rng = np.random.default_rng(7)
    ours, theirs = [], []
    for _ in range(repeats):
        last = 100.0 + rng.uniform(-0.3, 0.3, SLOTS)
        high, low = last + 0.05, last - 0.05
        began = time.process_time()
        events = book.tick(START_MS + TICK_MS, high, low, last)
        ours.append(time.process_time() - began)
        assert not events
        lists = high.tolist(), low.tolist(), last.tolist()
        began = time.process_time()
        assert plain_pass(plain, START_MS + TICK_MS, *lists) == 0
        theirs.append(time.process_time() - began)
    return ours, theirs


def monitored(count: int, seconds: int) -> tuple[list[float], float]:
    """Return CPU seconds per tick over a random walk with all looks and events, and the events per second."""
    book = filled(count)
    rng = np.random.default_rng(11)
    price, now, told, spent = np.full(SLOTS, 100.0), START_MS, 0, []
    for _ in range(seconds * 1000 // TICK_MS):
        now += TICK_MS
        after = price * np.exp(rng.normal(0.0, STEP, SLOTS))
        high, low = np.maximum(price, after), np.minimum(price, after)
        began = time.process_time()
        told += len(book.tick(now, high, low, after))
        spent.append(time.process_time() - began)
        price = after
    return spent, told / seconds


def rows() -> list[dict[str, object]]:
    """Measure and return the table rows."""
    passes(10, 3)
    gc.collect()
    found = []
    for count, repeats, target in ((1_000, 400, "<= 0.1"), (100_000, 30, "<= 2")):
        ours, theirs = passes(count, repeats)
        found.append(spread(ours, f"{count:,} virtual positions, one pass", target, median(theirs)))
    spent, events = monitored(1_000, 60)
    share = 100 * sum(spent) / 60
    found.append(
        {
            "name": f"1,000 virtual positions monitored, {events:.0f} events/s",
            "unit": "% of a core",
            "min": share,
            "median": share,
            "max": share,
            "ratio": "",
            "target": "<= 0.5",
            "topic": "positions",
        }
    )
    book = filled(1_000)
    drawn = []
    for _ in range(20):
        began = time.process_time()
        book.rows(600)
        drawn.append(time.process_time() - began)
    found.append(spread(drawn, "600 rows of the virtual book for a snapshot", ""))
    return found


if __name__ == "__main__":
    for row in rows():
        print(row)
