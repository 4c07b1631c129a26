"""Series that hold too little, stand still or jump: analysis takes them, strategies propose nothing and say why."""

import numpy as np
import pytest
from market_series import random_candles

from engine.analysis.bars import bars_of
from engine.analysis.layout import FRAMES
from engine.analysis.step import reset, run
from engine.analysis.tables import make_tables, row_of
from engine.strategy.candidate import NoCandidate
from engine.strategy.panel import StrategyRules, evaluate
from engine.strategy.reading import Reading
from exchange.market_data import FRAME_MS, Candles

PRICE_COLUMNS = ("open", "high", "low", "close")


def walk(count, interval):
    return random_candles(1, count, interval)


def constant(count, interval):
    candles = walk(count, interval)
    return Candles(**{n: np.full_like(getattr(candles, n), 100.0) if n in PRICE_COLUMNS else getattr(candles, n)
                      for n in Candles.__struct_fields__})  # fmt: skip


def without_volume(count, interval):
    candles = walk(count, interval)
    return Candles(**{n: getattr(candles, n) * 0 if n in {"volume", "quote_volume"} else getattr(candles, n)
                      for n in Candles.__struct_fields__})  # fmt: skip


def judged(make, count):
    """The three views of a symbol whose frames all hold `count` bars of a kind."""
    tables = make_tables(1)
    for number, frame in enumerate(FRAMES):
        candles = make(count, FRAME_MS[frame])
        reset(tables, row_of(0, number), FRAME_MS[frame])
        run(tables, row_of(0, number), bars_of(candles))
    close = float(candles.close[-1]) if count else 100.0
    reading = Reading(
        slot=0, symbol="AUSDT", price=close, mark=close, bid=close * 0.9999, ask=close * 1.0001, spread_bps=2.0,
        funding_rate=0.0001, quote_volume=1e8, volume_rank=1, completeness=1.0, updated_ms=0, tick=0.01, decimals=2,
    )  # fmt: skip
    (views,) = evaluate(tables, [reading], 0, StrategyRules())
    return tables, views


@pytest.mark.parametrize(
    ("make", "count"),
    [(walk, 0), (walk, 1), (walk, 199), (constant, 500), (without_volume, 500)],
    ids=["empty", "one bar", "warming up", "constant price", "zero volume"],
)
def test_a_series_without_substance_gives_no_candidate_and_every_strategy_says_why(make, count):
    _, views = judged(make, count)
    assert not views.facts.ready
    for view in (views.ict, views.self_learning, views.hybrid):
        assert isinstance(view, NoCandidate)
        assert view.gate
        assert view.text
    assert views.self_learning.text == "indicators warm up, or price or volume stand still"


@pytest.mark.parametrize("make", [constant, without_volume], ids=["constant price", "zero volume"])
def test_indicators_of_a_series_that_stands_still_are_finite_or_unknown_never_infinite(make):
    tables, _ = judged(make, 500)
    for name in ("ema200", "rsi14", "atr14", "atr200", "adx14", "macd", "bb_width", "vol_z", "vwap", "er10", "rv20"):
        assert np.isfinite(tables.series[name]).all(), name
    assert not np.isinf(tables.series["bb_width_pct"]).any()


def test_a_constant_price_has_no_structure_no_gap_and_no_direction():
    tables, _ = judged(constant, 500)
    assert (tables.series["bias"] == 0).all()
    assert (tables.series["gaps"] == 0).all()
    assert (tables.series["blocks"] == 0).all()
    assert (tables.series["atr14"] == 0).all()
