"""The cheap judgement misses nothing that passes, and leaves exactly what the desk's kernels find at a close."""

import numpy as np
import pytest
from backtest_market import columns

from engine.analysis.layout import FRAMES
from engine.analysis.step import reset, run
from engine.analysis.tables import make_tables
from engine.backtest import gates
from engine.backtest.gates import ICT, LONG, SHORT, Limits, judge
from engine.backtest.history import BAR_MS, Series, Stretch
from engine.backtest.symbols import frames_of
from engine.strategy.ict_kernel import decide
from engine.strategy.market_kernel import survey
from engine.strategy.setup import PASSED
from exchange.market_data import FRAME_MS

READY = 300
BARS = 7_000
OPEN = Limits(0.0, 0.0, 0.0, 0.0, np.inf, np.inf, 0.0, np.inf)
USUAL = Limits(0.35, 0.02, 0.0014, 0.005, 0.05, 0.75, 1.5, 8.0)
ONE = np.zeros(1, np.int64)


@pytest.fixture(scope="module")
def frames():
    table = columns(7, BARS)
    names = ("open_time", "open", "high", "low", "close", "volume", "quote_volume")
    return frames_of(Series("S", *(table[name] for name in names)), Stretch(0, BARS))


@pytest.fixture(scope="module")
def plain(frames):
    """Set-up, facts and market columns of every ready close, by bar, from the desk's own calls."""
    tables = make_tables(1)
    for number, frame in enumerate(FRAMES):
        reset(tables, number, FRAME_MS[frame])
    done = [0, 0, 0]
    found = {}
    for bar in range(BARS):
        end = int(frames[0][bar]["t"]) + BAR_MS
        for number, frame in enumerate(FRAMES):
            column = frames[number]["t"] + FRAME_MS[frame]
            while done[number] < len(column) and column[done[number]] <= end:
                run(tables, number, frames[number][done[number] : done[number] + 1])
                done[number] += 1
        if min(done) >= READY:
            price = frames[0]["c"][bar : bar + 1]
            facts, market = survey(tables, ONE, price)
            found[bar] = decide(tables, ONE, price)[0], facts[0], market[0]
    return found


def judged(frames, limits):
    """Return (set-up, facts, market, bits) by bar."""
    return {
        int(bar): (setup, facts, market, int(bits))
        for closes in judge(make_tables(1), 0, frames, READY, limits)
        for bar, bits, setup, facts, market in zip(*closes, strict=True)
    }


def test_without_gates_every_set_up_that_passes_is_found(frames, plain):
    passed = {bar for bar, (setup, *_) in plain.items() if setup["gate"] == PASSED}
    found = {bar for bar, (*_, bits) in judged(frames, OPEN).items() if bits & ICT}
    assert len(passed) > 20
    assert found == passed


def test_what_is_left_of_a_close_is_what_the_desks_own_calls_return(frames, plain):
    found = judged(frames, USUAL)
    assert {bits & (LONG | SHORT) for *_, bits in found.values()} >= {0, LONG, SHORT}
    for bar, (setup, facts, market, _) in found.items():
        expected = plain[bar]
        assert setup == expected[0]
        assert facts == expected[1]
        np.testing.assert_array_equal(market, expected[2])


def test_gates_take_only_what_misses_them(frames, plain):
    found = {bar for bar, (*_, bits) in judged(frames, USUAL).items() if bits & ICT}
    for bar, (setup, facts, _) in plain.items():
        if setup["gate"] != PASSED:
            assert bar not in found
            continue
        ratio = abs(setup["target"] - setup["entry"]) / abs(setup["entry"] - setup["stop"])
        side = "up" if setup["sign"] > 0 else "down"
        swept = facts["swept_above" if setup["sign"] > 0 else "swept_below"]
        risk = 0.5 * facts[f"divergence_{side}"] + 0.5 * swept
        clears = setup["confidence"] >= 0.35 and 1.5 <= ratio <= 8.0 and risk <= 0.75
        assert (bar in found) == (clears and 0.005 <= facts["atr_1h"] <= 0.05)


def test_the_size_of_the_portions_changes_nothing(frames, monkeypatch):
    whole = judged(frames, USUAL)
    monkeypatch.setattr(gates, "CHUNK", 13)
    parts = judged(frames, USUAL)
    assert parts.keys() == whole.keys()
    assert all(parts[bar][0] == whole[bar][0] and parts[bar][3] == whole[bar][3] for bar in whole)


def test_whole_numbers_as_limits_are_judged_alike_and_compile_nothing(frames):
    closes = judged(frames, USUAL._replace(min_reward_risk=2.0))
    known = len(gates.JUDGE.signatures)
    again = judged(frames, USUAL._replace(min_reward_risk=2))
    assert again.keys() == closes.keys()
    assert len(gates.JUDGE.signatures) == known
