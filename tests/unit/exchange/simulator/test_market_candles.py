from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from exchange.simulator.bar_ring import CLOSE, FIELDS, HIGH, LOW, OPEN, TRADES, VOLUME, BarRing
from exchange.simulator.candle_store import CandleStore
from exchange.simulator.market import INTERVALS, MINUTE
from exchange.simulator.price_grid import Grid

START = 1_700_006_400_000 // 86_400_000 * 86_400_000
FIVE = 5 * MINUTE


def random_bars(count, symbols=2, seed=1):
    draw = np.random.default_rng(seed)
    bars = np.empty((FIELDS, symbols, count))
    path = 100 + np.cumsum(draw.normal(0, 0.3, (symbols, count + 1)), axis=1).round(2)
    bars[OPEN], bars[CLOSE] = path[:, :-1], path[:, 1:]
    bars[HIGH] = np.maximum(bars[OPEN], bars[CLOSE]) + draw.integers(0, 30, (symbols, count)) / 100
    bars[LOW] = np.minimum(bars[OPEN], bars[CLOSE]) - draw.integers(0, 30, (symbols, count)) / 100
    bars[VOLUME:] = draw.integers(1, 1000, (FIELDS - VOLUME, symbols, count))
    return bars


def joined(bars):
    return np.concatenate(
        [bars[OPEN, :1], [bars[HIGH].max()], [bars[LOW].min()], bars[CLOSE, -1:], bars[VOLUME:].sum(axis=1)]
    )


@pytest.fixture
def store():
    """A store that took 700 minutes live after 60 minutes of history, with all its minutes beside it."""
    bars = random_bars(760)
    minutes = BarRing(MINUTE, START, 2, 400)
    minutes.extend(bars[:, :, :60])
    fives = BarRing(FIVE, START, 2, 100)
    fives.extend(
        np.stack([[joined(bars[:, s, k : k + 5]) for s in range(2)] for k in range(0, 60, 5)]).transpose(2, 1, 0)
    )
    candles = CandleStore(minutes, fives, Grid.of([Decimal("0.001")] * 2))
    for k in range(60, 760):
        candles.close_minute(bars[:, :, k])
    return candles, bars


FLAT = np.zeros((FIELDS, 2))
FLAT[: CLOSE + 1] = 100.0


def as_matrix(candles):
    return np.array([candles.open, candles.high, candles.low, candles.close, candles.volume])


@pytest.mark.parametrize("interval", ["5m", "15m", "1h", "2h", "4h"])
def test_a_higher_bar_is_the_join_of_its_minutes(store, interval):
    candles, bars = store
    size = INTERVALS[interval]
    got = candles.candles(1, interval, None, None, 3, FLAT)
    for column, open_ms in enumerate(got.open_time[:-1]):
        first = (int(open_ms) - START) // MINUTE
        expected = joined(bars[:, 1, first : first + size // MINUTE])
        assert np.allclose(as_matrix(got)[:, column], expected[: VOLUME + 1], rtol=1e-12)
        assert got.trades[column] == expected[TRADES]


def test_the_open_bar_comes_last_and_holds_what_happened_so_far(store):
    candles, bars = store
    minute = bars[:, :, 0]
    got = candles.candles(0, "1h", None, None, 1, minute)
    inside = np.concatenate([bars[:, 0, 720:760], minute[:, :1]], axis=1)
    assert got.open_time.tolist() == [START + 720 * MINUTE]
    assert np.allclose(as_matrix(got)[:, 0], joined(inside)[: VOLUME + 1])


def test_a_start_gives_the_first_bars_from_it_and_an_end_the_last_before_it(store):
    candles, _ = store
    start, end = START + 600 * MINUTE, START + 640 * MINUTE
    assert candles.candles(0, "5m", start + 1, None, 3, FLAT).open_time.tolist() == [
        start + k * FIVE for k in (1, 2, 3)
    ]
    assert candles.candles(0, "5m", None, end, 2, FLAT).open_time.tolist() == [end - FIVE, end]
    assert candles.candles(0, "5m", start, start + FIVE, 500, FLAT).open_time.tolist() == [start, start + FIVE]
    assert len(candles.candles(0, "5m", end, start, 500, FLAT)) == 0


def test_a_question_about_times_ahead_or_long_ago_is_answered_with_nothing(store):
    candles, _ = store
    assert len(candles.candles(0, "1h", START + 10**9, None, 500, FLAT)) == 0
    assert len(candles.candles(0, "1m", None, START - 10**9, 500, FLAT)) == 0


def test_an_incomplete_oldest_bar_is_not_shown(store):
    candles, _ = store
    # The 5m ring keeps its last 100 bars: it begins at minute 260, inside the hour from 240 to 300.
    assert candles.candles(0, "1h", None, None, 500, FLAT).open_time[0] == START + 300 * MINUTE


@pytest.mark.parametrize("interval", list(INTERVALS))
def test_every_interval_answers_for_all_symbols_as_for_one(store, interval):
    candles, bars = store
    minute = bars[:, :, 3]
    for at in (candles.end_ms, candles.end_ms - 1, candles.end_ms - INTERVALS[interval] - 1):
        try:
            every = candles.bars(interval, at, minute)
        except ValueError as error:
            assert "ask for an instant between" in str(error)  # noqa: PT017
            continue
        begin = at // INTERVALS[interval] * INTERVALS[interval]
        single = candles.candles(1, interval, begin, begin, 1, minute)
        if len(single):
            assert every.open_time == single.open_time[0]
            assert every.high[1] == single.high[0]
            assert every.close[1] == single.close[0]
            assert every.volume[1] == single.volume[0]
            assert every.trades[1] == single.trades[0]


def test_a_bar_that_is_not_kept_is_named_with_what_is_kept(store):
    candles, _ = store
    with pytest.raises(ValueError, match=r"no 5m bar at .*: kept are .*; ask for an instant between"):
        candles.bars("5m", START - FIVE, FLAT)
    with pytest.raises(ValueError, match="no 5m bar"):
        candles.bars("5m", candles.end_ms + FIVE, FLAT)


def test_the_day_covers_the_minutes_kept_and_the_open_one(store):
    candles, bars = store
    minute = bars[:, :, 5]
    day = candles.day(minute, np.array([900_000, 900_000]))
    kept = np.concatenate([bars[:, 0, 360:760], minute[:, :1]], axis=1)
    assert day.high[0] == kept[HIGH].max()
    assert day.open[0] == kept[OPEN, 0]
    assert day.last[0] == minute[CLOSE, 0]
    assert day.trades[0] == kept[TRADES].sum() == day.last_id[0] - day.first_id[0] + 1


def test_a_given_series_is_shown_bar_by_bar_and_never_changed():
    series = random_bars(20)
    before = series.copy()
    ring = BarRing.revealing(FIVE, START, series, 7)
    assert ring.end_ms == START + 7 * FIVE
    kept = ring.close(np.full((FIELDS, 2), -1.0))
    assert np.array_equal(kept, before[:, :, 7])
    assert np.array_equal(ring.window(START, ring.end_ms, 1), before[:, 1, :8])
    assert np.array_equal(series, before)
