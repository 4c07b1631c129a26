"""The laws of specification section 3, each as a check over one series of any length."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.analysis.bars import bars_of, mirrored
from engine.analysis.changes import OF_BLOCK, OF_BREAK, OF_GAP, OF_POOL, OF_SWING, changes_since, make_log
from engine.analysis.layout import LABEL_HH, LABEL_HL, LABEL_LH, LABEL_LL, LABEL_NONE
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.analysis.layout import Tables
    from exchange.market_data import Candles

    Rows = npt.NDArray[np.void]

PIECE = 1000  # bars whose changes surely fit the log
PRICES = ("open", "high", "low", "close")
MIRRORED_LABEL = {
    LABEL_NONE: LABEL_NONE,
    LABEL_HH: LABEL_LL,
    LABEL_LL: LABEL_HH,
    LABEL_LH: LABEL_HL,
    LABEL_HL: LABEL_LH,
}


def analysed(bars: Rows, interval: int = 300_000) -> tuple[Tables, Rows]:
    """Run a whole series; return its tables and every change of every object."""
    tables, log = make_tables(1), make_log()
    reset(tables, 0, interval)
    seen, pieces = 0, []
    for first in range(0, len(bars), PIECE):
        run(tables, 0, bars[first : first + PIECE], log)
        changes, lost = changes_since(log, seen)
        assert lost == 0
        seen += len(changes)
        pieces.append(changes)
    return tables, np.concatenate(pieces)


def prefix_law(bars: Rows, interval: int, cuts: list[int]) -> None:
    """What is known at each cut equals what the whole series says was known there, change by change."""
    _, whole = analysed(bars, interval)
    for cut in cuts:
        _, part = analysed(bars[:cut], interval)
        known = whole[whole["known"] < cut]
        assert len(known) == len(part), f"at bar {cut}"
        for name in part.dtype.names:
            assert np.array_equal(known[name], part[name]), f"{name} at bar {cut}"


def mirror_law(bars: Rows, interval: int) -> None:
    """Mirrored prices give the mirrored objects and indicators, bit for bit."""
    tables, changes = analysed(bars, interval)
    other_tables, other = analysed(mirrored(bars), interval)
    expected = sorted(_reflected(change) for change in changes)
    assert sorted(_plain(change) for change in other) == expected
    s, m = tables.series[0], other_tables.series[0]
    for name in ("ema20", "ema50", "ema100", "ema200", "macd", "macd_signal", "macd_hist", "bb_mid", "vwap"):
        _assert_same(m[name], -s[name])
    for name in ("atr14", "atr200", "adx14", "bb_width", "bb_width_pct", "vol_mean", "vol_z", "er10", "rv20"):
        _assert_same(m[name], s[name])
    _assert_same(m["plus_di"], s["minus_di"])
    _assert_same(m["bb_upper"], -s["bb_lower"])
    assert m["rsi14"] == pytest.approx(100 - s["rsi14"], abs=1e-9, nan_ok=True) or s["rsi14"] == m["rsi14"] == 0
    assert m["bias"].tolist() == (-s["bias"]).tolist()


def _assert_same(a: float, b: float) -> None:
    assert a == b or (math.isnan(a) and math.isnan(b))


def _plain(change: np.void) -> tuple[float, ...]:
    """Return a change without its number: two objects of one bar may be numbered in either order."""
    row, of, layer, what, side, kind, _, at, known, value = change.item()
    return (known, of, layer, what, side, kind, at, *(float(x) + 0.0 for x in value), row)


def _reflected(change: np.void) -> tuple[float, ...]:
    known, of, layer, what, side, kind, at, a, b, c, row = _plain(change)
    if of == OF_SWING:
        return (known, of, layer, what, -side, MIRRORED_LABEL[int(kind)], at, -a + 0.0, b, c, row)
    if of in {OF_GAP, OF_BLOCK}:
        return (known, of, layer, what, -side, kind, at, -b + 0.0, -a + 0.0, c, row)
    if of == OF_BREAK:
        return (known, of, layer, what, -side, kind, at, -a + 0.0, b, c, row)
    # The birth of a pool carries its touches; every other change of a pool, and a sweep, the deepest trade.
    deepest = b if of == OF_POOL and what < 0 else -b + 0.0
    return (known, of, layer, what, -side, kind, at, -a + 0.0, deepest, c, row)


def scale_law(candles: Candles, interval: int, factor: float) -> None:
    """Prices times a factor give the same objects at scaled levels, and the same scale-free indicators."""
    scaled = type(candles)(
        **{
            name: getattr(candles, name) * factor if name in PRICES else getattr(candles, name)
            for name in candles.__struct_fields__
        }
    )
    tables, changes = analysed(bars_of(candles), interval)
    other_tables, other = analysed(bars_of(scaled), interval)
    for name in ("of", "layer", "what", "side", "kind", "number", "at", "known"):
        assert np.array_equal(other[name], changes[name]), name
    shift = math.log(factor)
    assert np.allclose(other["value"][:, 0], changes["value"][:, 0] + shift, rtol=0, atol=1e-9)
    s, m = tables.series[0], other_tables.series[0]
    for name in ("rsi14", "atr14", "adx14", "macd", "bb_width", "vol_z", "er10", "rv20"):
        assert m[name] == pytest.approx(s[name], rel=1e-6, abs=1e-9, nan_ok=True)


def incremental_law(bars: Rows, interval: int) -> None:
    """Bar by bar equals batch, bit for bit, in every table."""
    batch, _ = analysed(bars, interval)
    steps = make_tables(1)
    reset(steps, 0, interval)
    rows = np.zeros(1, np.int64)
    for k in range(len(bars)):
        step_rows(steps, rows, bars[k : k + 1])
    for name, ours, theirs in zip(batch._fields, steps, batch, strict=True):
        assert ours.tobytes() == theirs.tobytes(), name
