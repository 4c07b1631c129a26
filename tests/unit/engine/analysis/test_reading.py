import math

import numpy as np
import pytest
import talib
from market_series import random_candles

from engine.analysis import layout
from engine.analysis.bars import bars_of, bars_of_updates
from engine.analysis.blocks import block_weight
from engine.analysis.chart import chart
from engine.analysis.layout import DOWN, UP
from engine.analysis.ranges import DealingRange
from engine.analysis.reading import (
    bar_time,
    close_time,
    dealing_range,
    indicators,
    last_bars,
    live_blocks,
    live_gaps,
    open_pools,
    ote_zone,
    pool_strength,
    premium,
    recent_breaks,
    recent_swings,
)
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables, row_of
from exchange.market_data import KlineUpdate

HOUR = 3_600_000
CANDLES = random_candles(4, 700)


@pytest.fixture(scope="module")
def tables():
    made = make_tables(2)
    reset(made, row_of(1, "5m"), 300_000)
    run(made, row_of(1, "5m"), bars_of(CANDLES))
    return made


def test_rows_stand_three_to_a_slot_in_the_order_of_the_frames():
    assert [row_of(2, frame) for frame in layout.FRAMES] == [6, 7, 8]
    assert row_of(2, layout.FRAME_1H) == 8


def test_bars_and_times_come_back_as_they_went_in(tables):
    row = row_of(1, "5m")
    held = last_bars(tables, row, 10)
    assert held["t"].tolist() == CANDLES.open_time[-10:].tolist()
    assert np.exp(held["c"]) == pytest.approx(CANDLES.close[-10:])
    assert bar_time(tables, row, 3) == CANDLES.open_time[3]
    assert close_time(tables, row, 699) == CANDLES.open_time[699] + 300_000


def test_levels_come_back_as_prices_and_measures_stay_relative(tables):
    values = indicators(tables, row_of(1, "5m"))
    assert values["ema20"] == pytest.approx(math.exp(talib.EMA(np.log(CANDLES.close), 20)[-1]))
    logs = [np.log(getattr(CANDLES, name)) for name in ("high", "low", "close")]
    assert values["atr14"] == pytest.approx(talib.ATR(*logs, 14)[-1])


def test_objects_are_read_newest_first_and_only_while_they_live(tables):
    row = row_of(1, "5m")
    for objects in (recent_swings(tables, row), recent_breaks(tables, row), live_gaps(tables, row)):
        assert objects
        assert [o.known for o in objects] == sorted((o.known for o in objects), reverse=True)
    assert len(recent_swings(tables, row, limit=2)) == 2
    states = {b.state for b in live_blocks(tables, row)}
    assert states <= {layout.BLOCK_FRESH, layout.BLOCK_TESTED}
    last = float(CANDLES.close[-1])
    for pool in open_pools(tables, row):
        assert 0 < pool.strength <= 1
        assert (pool.level > last) == (pool.side == UP) or abs(pool.level / last - 1) < 0.02


def test_the_dealing_range_lies_between_the_last_confirmed_swings(tables):
    row = row_of(1, "5m")
    anchor = dealing_range(tables, row)
    assert anchor is not None
    pivots = recent_swings(tables, row)
    assert anchor.high == next(p.level for p in pivots if p.side == UP)
    assert anchor.low == next(p.level for p in pivots if p.side == DOWN)
    fresh = make_tables(1)
    reset(fresh, 0, 300_000)
    assert dealing_range(fresh, 0) is None


def test_premium_and_ote_are_measured_in_ratios_and_mirror_each_other():
    anchor = DealingRange(100.0, 121.0, 0, 9, 14)
    assert premium(anchor, 110.0) == pytest.approx(0.5)
    assert premium(anchor, 100.0) == 0.0
    assert premium(anchor, 121.0) == pytest.approx(1.0)
    longs, shorts = ote_zone(anchor, UP), ote_zone(anchor, DOWN)
    assert premium(anchor, longs.low) == pytest.approx(0.21)
    assert premium(anchor, longs.high) == pytest.approx(0.38)
    assert premium(anchor, shorts.low) == pytest.approx(0.62)
    assert premium(anchor, shorts.high) == pytest.approx(0.79)


def test_a_block_keeps_its_weight_for_two_days_and_loses_it_within_the_third():
    assert [block_weight(h * HOUR) for h in (0, 48, 54, 60, 72, 99)] == [1.0, 1.0, 0.75, 0.5, 0.0, 0.0]


def test_stronger_pools_are_older_touched_more_often_or_of_a_longer_span():
    weak = pool_strength(layout.POOL_SWING, 1, 0, 0)
    assert weak < pool_strength(layout.POOL_SWING, 1, 0, 24 * HOUR)
    assert weak < pool_strength(layout.POOL_SWING, 1, 1, 0)
    assert weak < pool_strength(layout.POOL_EQUAL, 2, 0, 0) < pool_strength(layout.POOL_EQUAL, 3, 0, 0)
    assert pool_strength(layout.POOL_DAY, 1, 0, 0) < pool_strength(layout.POOL_WEEK, 1, 0, 0) <= 1.0


def kline(k, **values):
    fields = {name: getattr(CANDLES, name)[k].item() for name in CANDLES.__struct_fields__}
    fields |= {"symbol": "AAAUSDT", "interval": "5m", "close_time": 0, "closed": True, "event_time": 0}
    return KlineUpdate(**(fields | values))


def test_a_bar_has_the_same_bits_from_the_stream_as_from_rest():
    assert bars_of_updates([kline(k) for k in range(700)]).tobytes() == bars_of(CANDLES).tobytes()
    assert bars_of_updates([kline(5)]).tobytes() == bars_of(CANDLES)[5:6].tobytes()
    assert len(bars_of_updates([])) == 0


def test_a_chart_shows_the_newest_bars_with_their_objects_and_the_forming_one_last(tables):
    coming = kline(699, open_time=int(CANDLES.open_time[-1]) + 300_000, close=123.0, closed=False)
    drawing = chart(tables, 1, "5m", symbol="AAAUSDT", decimals=2, as_of_ms=7, limit=120, forming=coming)
    assert drawing.forming
    assert len(drawing.time) == len(drawing.close) == len(drawing.ema50) == 120
    assert drawing.time[-1] == coming.open_time
    assert drawing.close[-1] == 123.0
    assert drawing.close[:-1] == pytest.approx(CANDLES.close[-119:].tolist())
    closed = chart(tables, 1, "5m", symbol="AAAUSDT", decimals=2, as_of_ms=7, limit=512)
    # The chart's average begins with the held bars: with 490 more its seed no longer shows.
    assert closed.ema20[-1] == pytest.approx(indicators(tables, row_of(1, "5m"))["ema20"], rel=1e-12)
    assert math.isnan(closed.ema20[18])
    assert not math.isnan(closed.ema20[19])
    assert {z.kind for z in closed.zones} == {"block", "gap"}
    assert {m.kind for m in closed.marks} >= {"HH", "LL", "BOS", "sweep"}
    assert list(closed.marks) == sorted(closed.marks, key=lambda m: m.at)


def test_a_forming_bar_of_another_frame_or_of_the_past_is_not_drawn(tables):
    for stale in (kline(650), kline(699, interval="15m", open_time=2**60)):
        drawing = chart(tables, 1, "5m", symbol="AAAUSDT", decimals=2, as_of_ms=7, forming=stale)
        assert not drawing.forming
        assert drawing.time[-1] == CANDLES.open_time[-1]


def test_an_empty_row_makes_an_empty_chart():
    made = make_tables(1)
    reset(made, 0, 300_000)
    drawing = chart(made, 0, "5m", symbol="AAAUSDT", decimals=2, as_of_ms=7)
    assert drawing.close == drawing.zones == drawing.marks == drawing.levels == ()


def test_stepping_refuses_rows_and_bars_of_different_number(tables):
    with pytest.raises(ValueError, match="2 rows but 1 bars"):
        step_rows(tables, np.array([0, 1]), bars_of(CANDLES)[:1])


def test_tables_need_at_least_one_slot():
    with pytest.raises(ValueError, match="slots is 0"):
        make_tables(0)
