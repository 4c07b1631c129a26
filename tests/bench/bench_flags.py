"""Both sides of every optimisation that a feature flag switches, against the claims it came with.

Baselines: the flag's own other side, and where a claim was made against another design (a task and a dict per position)
that design, plainly written here. With `--write` the table also goes into docs/feature-flags.md:
`PYTHONPATH=tests/support .venv/bin/python tests/bench/bench_flags.py --write`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from bench_positions import SLOTS, START_MS, STEP, filled
from market_series import random_candles

from engine.adapters.disk import DirectoryDisk
from engine.analysis.bars import bars_of
from engine.analysis.recompute import Recompute
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables
from engine.positions import book as book_module
from engine.positions.columns import allocate, copy_into
from engine.positions.store import ColumnStore
from engine.strategy.hours_kernel import HourReader

HERE = Path(__file__).resolve()
DOC = HERE.parents[2] / "docs" / "feature-flags.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SERIES = 600
DESK_TICK_MS = 100


def cpu_ms(work):
    began = time.process_time_ns()
    work()
    return (time.process_time_ns() - began) / 1e6


def feature_cache(rounds=12):
    """CPU of one closed bar on 600 series: stepped, recomputed from a checkpoint, recomputed from nothing."""
    bars = bars_of(random_candles(1, 512 + SERIES + rounds))
    on, off = make_tables(SERIES // 3), make_tables(SERIES // 3)
    recompute = Recompute(off)
    every = np.arange(SERIES)
    for r in range(SERIES):
        for tables in (on, off):
            reset(tables, r, 300_000)
            run(tables, r, bars[r : r + 500])
        recompute.begin(r, bars[r : r + 500])
    stepped, recomputed, rescanned = [], [], []

    def rescan(k):
        for r in range(SERIES):
            reset(off, r, 300_000)
            run(off, r, bars[r + k : r + k + 500])

    for k in range(rounds):
        new = np.array([bars[r + 500 + k] for r in range(SERIES)])
        stepped.append(cpu_ms(lambda new=new: step_rows(on, every, new)))
        recomputed.append(
            cpu_ms(lambda k=k: [recompute.advance(r, bars[r : r + 501 + k][-512:], 1) for r in range(SERIES)])
        )
    equal = all(
        a[field].tobytes() == b[field].tobytes()
        for a, b in ((on.series, off.series), (on.scratch, off.scratch))
        for field in a.dtype.names
    )
    assert equal, "the two sides of the cache differ"
    rescanned = [cpu_ms(lambda k=k: rescan(k)) for k in range(5)]
    return stepped, recomputed, rescanned


def monitoring(smart, seconds=60):
    """CPU % of a core and looks per second of 1,000 positions on a random walk at the desk's tick."""
    rng = np.random.default_rng(11)
    book = filled(1_000)
    book.set_smart(smart, START_MS)
    price, now, spent = np.full(SLOTS, 100.0), START_MS, 0.0
    looks = 0
    for _ in range(seconds * 1000 // DESK_TICK_MS):
        now += DESK_TICK_MS
        after = price * np.exp(rng.normal(0.0, STEP * np.sqrt(DESK_TICK_MS / 20), SLOTS))
        high, low = np.maximum(price, after), np.minimum(price, after)
        began = time.process_time()
        told = book.tick(now, high, low, after)
        spent += time.process_time() - began
        looks += sum(event.event == book_module.EventName.PRICE_UPDATED for event in told)
        price = after
    return 100 * spent / seconds, looks / seconds


def task_per_position(period=0.1, seconds=4.0, count=1_000):
    """CPU % of a core of the design the claim was made against: a task per position that wakes, judges, sleeps."""
    price = [100.0]

    async def watch(stop, target, until):
        best = worst = 100.0
        while time.monotonic() < until:
            now = price[0]
            best, worst = max(best, now), min(worst, now)
            if now <= stop or now >= target:
                return
            await asyncio.sleep(period)

    async def whole():
        until = time.monotonic() + seconds
        await asyncio.gather(*(watch(98.0, 104.0, until) for _ in range(count)))

    began = time.process_time()
    asyncio.run(whole())
    return 100 * (time.process_time() - began) / seconds


def memory(kind, count):
    """KiB that `count` positions add to a fresh process: (resident, of it not backed by a file)."""
    done = subprocess.run(
        [sys.executable, str(HERE), "--memory", kind, str(count)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return json.loads(done.stdout)


def resident():
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return tuple(int(fields[name].split()[0]) for name in ("VmRSS", "RssAnon"))


def memory_child(kind, count):
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        make = ColumnStore(DirectoryDisk(Path(folder)), kind == "mapped", 1 << 24)
        warm = copy_into(make(8), allocate(8))
        before = resident()
        if kind == "objects":
            names = allocate(1)._fields
            kept = [{name: float(rng.random()) for name in names} for _ in range(count)]
        else:
            kept = make(count)
            for column in kept:
                column[:] = 1
        after = resident()
        assert len(kept) > 0
        assert len(warm) > 0
    print(json.dumps([after[0] - before[0], after[1] - before[1]]))


def passes(count, mapped):
    """CPU ms of one pass over a book in either store."""
    with tempfile.TemporaryDirectory() as folder:
        store = ColumnStore(DirectoryDisk(Path(folder)), mapped, 1 << 24)
        book = filled(count)
        book._roster._make = store
        book.move()
        rng = np.random.default_rng(7)
        spent = []
        for _ in range(60):
            last = 100.0 + rng.uniform(-0.3, 0.3, SLOTS)
            spent.append(cpu_ms(lambda last=last: book.tick(START_MS + 1, last + 0.05, last - 0.05, last)))
        return spent


def spread(name, unit, samples, ratio="", target=""):
    values = samples if isinstance(samples, list) else [samples]
    return {
        "name": name,
        "unit": unit,
        "min": min(values),
        "median": median(values),
        "max": max(values),
        "ratio": ratio,
        "target": target,
    }


def saved(on, off):
    """Say how much less `on` takes than `off`, or how much more."""
    change = 100 * (on / off - 1)
    return f"{change:+.1f} %" if abs(change) < 1000 else f"{on / off:.0f}x"


def rows():
    """Measure and return the table rows."""
    feature_cache(2)
    stepped, recomputed, rescanned = feature_cache()
    one = median(stepped)
    found = [
        spread("feature cache on: a closed bar, 600 series", "ms CPU", stepped, "", "claim: -80 % time"),
        spread("feature cache off: recomputed to the same bits", "ms CPU", recomputed, saved(one, median(recomputed))),
        spread("  rescan of 500 bars from nothing (other values)", "ms CPU", rescanned, saved(one, median(rescanned))),
    ]
    monitoring(True, 2)
    (on, on_looks), (off, off_looks) = monitoring(True), monitoring(False)
    tasks = task_per_position()
    found += [
        spread("smart monitoring on: 1,000 positions", "% of a core", on, "", "claim: -60..-80 % CPU"),
        spread("smart monitoring off: looks every 10 s", "% of a core", off, saved(on, off)),
        spread("  a task per position, a look every 100 ms", "% of a core", tasks, saved(on, tasks)),
        spread("smart monitoring on: looks with a new price", "per s", on_looks),
        spread("smart monitoring off: looks with a new price", "per s", off_looks, saved(on_looks, off_looks)),
        spread("  every position every 100 ms", "per s", 10_000.0, saved(on_looks, 10_000.0)),
    ]
    for count in (1_000, 100_000):
        mapped, plain = passes(count, True), passes(count, False)
        found += [
            spread(f"mapped store: one pass over {count:,}", "ms CPU", mapped, "", "claim: 1,000+ positions"),
            spread(f"plain columns: one pass over {count:,}", "ms CPU", plain, saved(median(mapped), median(plain))),
        ]
    count = 100_000
    sizes = {kind: memory(kind, count) for kind in ("mapped", "plain", "objects")}
    whole, anonymous = sizes["mapped"]
    found += [
        spread(f"mapped store: {count:,} positions, resident", "KiB", float(whole), "", "claim: -50..-70 % memory"),
        spread("  of it not backed by the file", "KiB", float(anonymous)),
        spread("plain columns, resident", "KiB", float(sizes["plain"][0]), saved(whole, sizes["plain"][0])),
        spread("  a dict per position, resident", "KiB", float(sizes["objects"][0]), saved(whole, sizes["objects"][0])),
    ]
    reader, hours = HourReader(), bars_of(random_candles(2, 500, 3_600_000))
    reader.read(hours, 10)
    each = [cpu_ms(lambda: [reader.read(hours, 10) for _ in range(200)]) for _ in range(5)]
    found.append(spread("regime and dynamic features: 200 symbols, once an hour", "ms CPU", each))
    return found


def write(found):
    """Put the table between the marks of the document."""
    lines = ["| measurement | unit | median | the `on` side against this one | claim |", "|---|---|---|---|---|"]
    for row in found:
        value = row["median"]
        shown = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
        cells = (row["name"].replace("  ", "&nbsp; ", 1), row["unit"], shown, row["ratio"], row["target"])
        lines.append("| " + " | ".join(cells) + " |")
    text = DOC.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    DOC.write_text(head + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + tail, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        memory_child(sys.argv[2], int(sys.argv[3]))
    else:
        measured = rows()
        for row in measured:
            print(f"{row['name']:56} {row['median']:12.4f} {row['unit']:12} {row['ratio']:>10} {row['target']}")
        if "--write" in sys.argv:
            write(measured)
