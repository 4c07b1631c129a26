from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.simulator.bar_ring import CLOSE, HIGH, LOW, OPEN, VOLUME
from exchange.simulator.market import INTERVALS, MINUTE
from exchange.simulator.replay import ReplayMarket
from exchange.simulator.replay_cleaning import clean
from exchange.simulator.replay_walk import TickBar, walk
from exchange.simulator.synthetic import SyntheticMarket

START = 1_795_000_000_000
FIVE = 5 * MINUTE


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Three contracts with 300 bars of 5m, some without volume, some of one price, some with a single lot."""
    folder = tmp_path_factory.mktemp("recording")
    for seed, symbol in enumerate(("AAAUSDT", "BBBUSDT", "CCCUSDT")):
        draw = np.random.default_rng(seed)
        path = np.round(5 + np.abs(np.cumsum(draw.normal(0, 0.02, 301))), 3)
        spread = draw.integers(0, 20, (2, 300)) / 1000
        volume = draw.integers(0, 4000, 300) / 10
        volume[::17] = 0.1
        volume[::29] = 0.0
        opened, closed = path[:-1].copy(), path[1:].copy()
        opened[::29] = closed[::29]
        high, low = np.maximum(opened, closed) + spread[0], np.minimum(opened, closed) - spread[1]
        high[::29] = low[::29] = closed[::29]
        columns = {
            "open_time": START // FIVE * FIVE + FIVE * np.arange(300),
            "open": opened,
            "high": np.round(high, 3),
            "low": np.round(low, 3),
            "close": closed,
            "volume": volume,
        }
        pq.write_table(pa.table(columns), folder / f"{symbol}-5m__law.parquet")
    return folder


def build(kind, recording, seed, step_ms):
    if kind == "synthetic":
        return SyntheticMarket(5, seed=seed, start_ms=START, step_ms=step_ms)
    return ReplayMarket(recording, seed=seed, step_ms=step_ms)


def state(market):
    """Return everything a market shows, as arrays to compare."""
    shown = [*market.columns[:-1], *market.day()]
    for interval in INTERVALS:
        bars = market.bars(interval, market.now_ms)
        shown += [np.array([bars.open_time]), *bars[1:]]
    for index in range(len(market.listings)):
        shown += [np.array(side) for side in market.depth(index, 20)]
        rows = market.recent_trades(index, None, None, 1000)
        shown += [rows[name] for name in rows.dtype.names]
    return shown


@pytest.mark.parametrize("kind", ["synthetic", "replay"])
@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.integers(1, 1_500_000), max_size=8),
    step_ms=st.sampled_from([1000, 10_000, 60_000]),
)
def test_one_advance_equals_any_split_of_it(kind, recording, seed, cuts, step_ms):
    whole, split = (build(kind, recording, seed, step_ms) for _ in range(2))
    target = whole.now_ms + 1_500_000
    whole.advance(target)
    pieces = []
    for cut in sorted(cuts):
        split.advance(target - 1_500_000 + cut)
        pieces.append(split.trades())
    split.advance(target)
    pieces.append(split.trades())
    assert whole.trades().tobytes() == np.concatenate(pieces).tobytes()
    assert whole.now_ms == split.now_ms
    for one, other in zip(state(whole), state(split), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["synthetic", "replay"])
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), step_ms=st.sampled_from([1000, 5000, 60_000]))
def test_candles_can_be_rebuilt_from_the_aggregate_trades(kind, recording, seed, step_ms):
    market = build(kind, recording, seed, step_ms)
    begin = (market.now_ms // FIVE + 1) * FIVE
    market.advance(begin)
    market.advance(begin + 3 * FIVE)
    trades = market.trades()
    assert (np.diff(trades["time"]) >= 0).all()
    assert (trades["quantity"] > 0).all()
    for index in range(len(market.listings)):
        rows = trades[trades["symbol"] == index]
        assert (rows["first"][1:] == rows["last"][:-1] + 1).all()
        candles = market.candles(index, "5m", begin, begin + 3 * FIVE - 1, 3)
        for k, open_ms in enumerate(candles.open_time):
            inside = rows[(rows["time"] >= open_ms) & (rows["time"] < open_ms + FIVE)]
            assert np.isclose(inside["quantity"].sum(), candles.volume[k], rtol=1e-9, atol=1e-12)
            assert (inside["last"] - inside["first"] + 1).sum() == candles.trades[k]
            if candles.trades[k] < 10:
                continue  # such a bar may hold fewer trades than prices it must show
            assert inside["price"][0] == candles.open[k]
            assert inside["price"].max() == candles.high[k]
            assert inside["price"].min() == candles.low[k]
            assert inside["price"][-1] == candles.close[k]
            if kind == "synthetic":
                bought = inside["quantity"][~inside["buyer_is_maker"]].sum()
                assert np.isclose(bought, candles.taker_base[k], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["synthetic", "replay"])
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), minutes=st.integers(1, 200))
def test_every_interval_is_the_join_of_the_smaller_one_and_every_bar_is_consistent(kind, recording, seed, minutes):
    market = build(kind, recording, seed, 60_000)
    market.advance(market.now_ms + minutes * MINUTE)
    for small, large in (("1m", "3m"), ("1m", "5m"), ("5m", "15m"), ("15m", "1h"), ("1h", "4h")):
        per = INTERVALS[large] // INTERVALS[small]
        for index in range(len(market.listings)):
            big = market.candles(index, large, None, None, 4)
            fine = market.candles(index, small, int(big.open_time[0]), None, 4 * per)
            assert (fine.low <= np.minimum(fine.open, fine.close)).all()
            assert (fine.high >= np.maximum(fine.open, fine.close)).all()
            group = (fine.open_time - big.open_time[0]) // INTERVALS[large]
            for k in range(len(big)):
                part = group == k
                assert part.any()
                if fine.open_time[part][0] != big.open_time[k]:
                    continue  # the finer history does not reach that far back
                assert big.open[k] == fine.open[part][0]
                assert big.high[k] == fine.high[part].max()
                assert big.low[k] == fine.low[part].min()
                assert big.close[k] == fine.close[part][-1]
                assert np.isclose(big.volume[k], fine.volume[part].sum(), rtol=1e-9, atol=1e-12)
                assert big.trades[k] == fine.trades[part].sum()


@st.composite
def tick_bars(draw):
    count = draw(st.integers(1, 4))
    prices = [sorted(draw(st.lists(st.integers(1, 5000), min_size=4, max_size=4))) for _ in range(count)]
    order = [draw(st.permutations([1, 2])) for _ in range(count)]
    lots = [draw(st.one_of(st.just(0), st.integers(1, 6), st.integers(7, 10**7))) for _ in range(count)]
    trades = [0 if not lot else draw(st.integers(1, min(lot, 5000))) for lot in lots]
    bought = [draw(st.integers(0, lot)) for lot in lots]
    columns = (
        [row[a] for row, (a, _) in zip(prices, order, strict=True)],
        [row[3] for row in prices],
        [row[0] for row in prices],
        [row[b] for row, (_, b) in zip(prices, order, strict=True)],
        lots,
        trades,
        bought,
    )
    return TickBar(*(np.array(column, dtype=float) for column in columns))


@settings(max_examples=150, deadline=None)
@given(bar=tick_bars(), steps=st.sampled_from([1, 5, 30, 300]), seed=st.integers(0, 2**32))
def test_a_walk_keeps_to_its_bar_and_loses_no_lot(bar, steps, seed):
    path = walk(bar, steps, np.random.Generator(np.random.PCG64(seed)))
    assert np.array_equal(path.lots.sum(axis=(0, 1)), bar.lots)
    assert np.array_equal(path.counts.sum(axis=(0, 1)), bar.trades)
    assert (path.lots[~path.trading] == 0).all()
    assert ((path.counts > 0) == (path.lots > 0)).all()
    assert (path.fair >= bar.low - 1e-6).all()
    assert (path.fair <= bar.high + 1e-6).all()
    for symbol in range(len(bar.open)):
        shown = path.ticks[:, :, symbol].T[path.trading[:, :, symbol].T]
        assert (len(shown) > 0) == (bar.lots[symbol] > 0)
        if len(shown):
            assert shown[0] == bar.open[symbol]
            assert shown[-1] == bar.close[symbol]
            assert shown.max() == bar.high[symbol]
            assert shown.min() == bar.low[symbol]
            assert (path.trading[-1, :, symbol] == path.trading[:, :, symbol].any(axis=0)).all()


numbers = st.one_of(st.floats(0.01, 100), st.sampled_from([np.nan, np.inf, -1.0, 0.0]))


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(-3, 25), numbers, numbers, numbers, numbers, numbers, numbers), min_size=1, max_size=40
    ),
    crooked=st.booleans(),
)
def test_whatever_a_file_holds_the_cleaned_bars_are_consistent_and_every_refusal_is_reported(rows, crooked):
    times = np.array([row[0] * FIVE for row in rows], dtype=np.int64)
    if crooked:
        times[0] += 1
    names = ("open", "high", "low", "close", "volume", "quote_volume")
    columns = {name: np.array([row[k + 1] for row in rows], dtype=float) for k, name in enumerate(names)}
    try:
        read = clean("X-5m.parquet", times, columns, 0, 20 * FIVE, FIVE)
    except ValueError as error:
        usable = error.args == ("no usable bar in the common time window",)
        assert usable
        return
    bars = read.bars
    assert bars.shape[1] == 20
    assert np.isfinite(bars).all()
    assert (bars[: CLOSE + 1] > 0).all()
    assert (bars[HIGH] >= np.maximum(bars[OPEN], bars[CLOSE])).all()
    assert (bars[LOW] <= np.minimum(bars[OPEN], bars[CLOSE])).all()
    assert (bars[VOLUME:] >= 0).all()
    inside = int(((times >= 0) & (times < 20 * FIVE)).sum())
    refused = sum(defect.bars for defect in read.defects if "refused" in defect.action)
    assert inside - refused == 20 - read.bad
