"""The kernels against an independent reading of the specification that looks at whole arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_series import random_candles, recorded_candles
from reference_structure import Block, Break, Gap, Pivot, Pool, Reference, Sweep

from engine.analysis.bars import bars_of
from engine.analysis.changes import (
    BORN,
    OF_BLOCK,
    OF_BREAK,
    OF_GAP,
    OF_POOL,
    OF_SWEEP,
    OF_SWING,
    PROMOTED,
    TEST,
    changes_since,
    make_log,
)
from engine.analysis.step import reset, run
from engine.analysis.tables import make_tables

LABELS = ("", "HH", "LH", "HL", "LL")
BREAKS = ("BOS", "CHoCH", "MSS")
GAP_STATES = ("open", "touched", "CE", "filled", "inverted")
BLOCK_STATES = ("fresh", "tested", "mitigated", "invalid", "breaker")
POOL_KINDS = ("equal", "swing", "day", "week", "session")
POOL_STATES = ("open", "pierced", "swept", "run", "merged")


class Kernels:
    """The objects the kernels reported, put together from the change log."""

    def __init__(self, bars, interval):
        tables, log = make_tables(1), make_log()
        reset(tables, 0, interval)
        run(tables, 0, bars, log)
        changes, lost = changes_since(log, 0)
        assert lost == 0
        self.tables = tables
        self.pivots = [[], []]
        self.breaks = [[], []]
        self.gaps, self.blocks, self.pools, self.sweeps = [], [], [], []
        for change in changes:
            self._take(*change.item()[1:])

    def _take(self, of, layer, what, side, kind, number, at, known, value):
        a, b, c = (float(x) for x in value)
        if of == OF_SWING:
            self.pivots[layer].append(Pivot(side, LABELS[kind], at, known, a))
        elif of == OF_BREAK:
            self.breaks[layer].append(Break(BREAKS[kind], side, at, known, a, b, int(c)))
        elif of == OF_GAP and what == BORN:
            self.gaps.append(Gap(side, at, known, a, b, ()))
        elif of == OF_GAP:
            self._live(self.gaps, number, known, GAP_STATES[what])
        elif of == OF_BLOCK and what == BORN:
            self.blocks.append(Block(side, at, known, a, b, c, ()))
        elif of == OF_BLOCK:
            self._live(self.blocks, number, known, f"test {kind}" if what == TEST else BLOCK_STATES[what])
        elif of == OF_POOL and what == BORN:
            self.pools.append(Pool(side, POOL_KINDS[kind], at, known, a, int(b), ()))
        elif of == OF_POOL and what != PROMOTED:
            self._live(self.pools, number, known, POOL_STATES[what])
        elif of == OF_SWEEP:
            self.sweeps.append(Sweep(side, POOL_KINDS[kind], at, known, a, b, c))

    @staticmethod
    def _live(objects, number, known, state):
        objects[number] = objects[number]._replace(life=(*objects[number].life, (known, state)))


def compare(bars, interval):
    ours, theirs = Kernels(bars, interval), Reference(bars, interval)
    for name in ("pivots", "breaks"):
        for layer in (0, 1):
            assert_equal(getattr(ours, name)[layer], getattr(theirs, name)[layer], f"{name} of layer {layer}")
    for name in ("gaps", "pools", "sweeps", "blocks"):
        assert_equal(getattr(ours, name), getattr(theirs, name), name)
    ours.dropped = theirs.dropped
    return ours


def assert_equal(ours, theirs, name):
    for k, (a, b) in enumerate(zip(ours, theirs, strict=False)):
        for field, x, y in zip(a._fields, a, b, strict=True):
            same = x == pytest.approx(y, rel=1e-9, abs=1e-12) if isinstance(x, float) else x == y
            assert same, f"{name} {k}: {field} {x} != {y}\n{a}\n{b}"
    assert len(ours) == len(theirs), name


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(60, 700), tick=st.sampled_from([0.01, 0.05, 0.2]))
def test_random_series_hold_the_objects_the_specification_describes(seed, count, tick):
    compare(bars_of(random_candles(seed, count, tick=tick)), 300_000)


@pytest.mark.parametrize("interval", [900_000, 3_600_000])
def test_days_weeks_and_sessions_are_found_in_longer_frames(interval):
    ours = compare(bars_of(random_candles(7, 900, interval=interval)), interval)
    kinds = {pool.kind for pool in ours.pools}
    assert {"session", "day", "swing"} <= kinds
    assert "week" in kinds


def test_a_long_series_shows_every_kind_of_object_and_every_turn_of_its_life():
    ours = compare(bars_of(random_candles(11, 2500, tick=0.2)), 300_000)
    assert {b.kind for b in ours.breaks[0]} == {"BOS", "CHoCH", "MSS"}
    assert {p.label for p in ours.pivots[0]} == {"", "HH", "LH", "HL", "LL"}
    assert {step for gap in ours.gaps for _, step in gap.life} == {"touched", "CE", "filled", "inverted"}
    turns = {step for block in ours.blocks for _, step in block.life}
    assert {"test 1", "test 2", "mitigated", "invalid", "breaker"} <= turns
    assert {step for pool in ours.pools for _, step in pool.life} == {"pierced", "swept", "run", "merged"}
    assert {s.side for s in ours.sweeps} == {1, -1}


def test_a_full_table_loses_its_oldest_pools_but_not_the_extremes_of_the_week_before():
    interval = 3_600_000
    ours = compare(bars_of(random_candles(5, 2500, interval=interval)), interval)
    assert ours.dropped > 0
    numbers = ours.tables.pools[0]["number"].tolist()
    assert len(set(numbers)) == len(numbers)
    weeks = [k for k, pool in enumerate(ours.pools) if pool.kind == "week"]
    standing = [k for k in weeks[-2:] if ours.pools[k].life == ()]
    assert set(standing) <= set(numbers)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("5m/ADAUSDT-5m__Alpergulsen", 300_000),
        ("15m/1000BONKUSDT-15m__nmtrong062000", 900_000),
        ("1h/BTCUSDT-1h__Roshan7869", 3_600_000),
    ],
)
def test_recorded_series_hold_the_objects_the_specification_describes(name, interval):
    bars = bars_of(recorded_candles(name, 0, 1500))
    # Holes would make bars of equal index stand at other times in the two readings.
    assert (np.diff(bars["t"]) == interval).all()
    compare(bars, interval)
