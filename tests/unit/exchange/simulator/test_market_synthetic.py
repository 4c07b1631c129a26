from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from exchange.simulator.market import MINUTE, Market
from exchange.simulator.stepped_market import MarketError
from exchange.simulator.synthetic import SyntheticMarket

START = 1_795_000_000_000


def digest(market):
    """Say everything the market shows in one number sequence."""
    columns = market.columns
    day = market.day()
    return np.concatenate(
        [
            *(np.asarray(column, dtype=float) for column in (*columns, *day)),
            market.trades()["price"],
            market.trades()["quantity"],
            market.candles(0, "1h", None, None, 500).close,
            market.candles(1, "1m", None, None, 500).volume,
            np.array(market.depth(0, 50)).ravel(),
        ]
    )


@pytest.fixture(scope="module")
def market() -> Market:
    return SyntheticMarket(240, seed=5, start_ms=START)


def test_there_are_as_many_tradable_perpetuals_as_asked_and_two_others(market):
    rules = [listing.instrument for listing in market.listings]
    tradable = [one for one in rules if one.is_usdt_perpetual and one.is_trading]
    assert len(tradable) == 240
    assert [one.status for one in rules if one.is_usdt_perpetual and not one.is_trading] == ["SETTLING"]
    assert [one.symbol for one in rules if not one.contract_type] == ["BLZUSDT"]
    assert len({one.symbol for one in rules}) == len(rules) == 242


def test_turnover_spans_several_decades_with_bitcoin_on_top(market):
    quote = market.day().quote_volume
    assert 1e9 < quote[0] < 1e11
    assert quote[:240].min() < 1e7
    assert quote.max() < 20 * quote[0]


def test_funding_intervals_are_those_of_the_venue_and_due_times_follow_them(market):
    hours = np.array([listing.funding_hours for listing in market.listings])
    assert set(hours.tolist()) == {8, 4, 1}
    columns = market.columns
    assert (columns.next_funding > market.now_ms).all()
    assert (columns.next_funding % (hours * 3_600_000) == 0).all()
    assert (columns.next_funding - market.now_ms <= hours * 3_600_000).all()
    assert (np.abs(columns.funding_rate) < 0.01).all()


@pytest.mark.parametrize(("interval", "bars"), [("1m", 1500), ("5m", 6000), ("15m", 500), ("1h", 500)])
def test_history_is_there_before_the_first_step(market, interval, bars):
    for index in (0, 100, 241):
        candles = market.candles(index, interval, None, START // MINUTE * MINUTE - 1, bars)
        assert len(candles) == bars
        assert (np.diff(candles.open_time) == candles.open_time[1] - candles.open_time[0]).all()
        assert (candles.high >= np.maximum(candles.open, candles.close)).all()
        assert (candles.low <= np.minimum(candles.open, candles.close)).all()
        assert (candles.low > 0).all()
        assert (candles.volume > 0).all()
        assert (candles.taker_base <= candles.volume).all()
        assert (candles.trades >= 1).all()


def test_trades_and_the_day_can_be_asked_for_at_once(market):
    rows = market.recent_trades(0, None, None, 500)
    assert len(rows) == 500
    assert (np.diff(rows["time"]) >= 0).all()
    assert (rows["first"][1:] == rows["last"][:-1] + 1).all()
    assert rows["time"][-1] <= market.now_ms
    assert market.day().last_id[0] == rows["last"][-1]


def test_prices_stay_within_reason_over_three_weeks(market):
    for index in range(len(market.listings)):
        candles = market.candles(index, "1h", None, None, 500)
        assert candles.high.max() / candles.low.min() < 30


def test_best_prices_stand_on_the_tick_and_never_cross(market):
    columns = market.columns
    assert (columns.bid < columns.ask).all()
    ticks = np.array([float(listing.instrument.tick) for listing in market.listings])
    for prices in (columns.bid, columns.ask, columns.last):
        assert np.abs(prices / ticks - np.rint(prices / ticks)).max() < 1e-4
    assert (columns.bid_quantity > 0).all()
    assert (columns.ask_quantity > 0).all()


def test_the_book_steps_away_from_the_best_prices(market):
    for index in (0, 50, 200):
        bids, asks = market.depth(index, 1000)
        assert bids[0] == (market.columns.bid[index], market.columns.bid_quantity[index])
        assert asks[0] == (market.columns.ask[index], market.columns.ask_quantity[index])
        assert all(high[0] > low[0] for high, low in pairwise(bids))
        assert all(low[0] < high[0] for low, high in pairwise(asks))
        assert len(asks) == 1000
        assert min(quantity for _, quantity in (*bids, *asks)) > 0
        assert market.depth(index, 1000) == (bids, asks)


def test_a_step_that_moves_nothing_repeats_no_trade():
    small = SyntheticMarket(4, seed=3, start_ms=START)
    small.advance(START + 5000)
    assert len(small.trades())
    small.advance(START + 5999)
    assert small.now_ms == START + 5000
    assert not len(small.trades())
    assert not small.columns.changed.any()


def test_spreads_widen_when_volatility_rises():
    small = SyntheticMarket(30, seed=2, start_ms=START, step_ms=60_000)
    moves, spreads = [], []
    for _ in range(600):
        before = small.columns.mark.copy()
        small.advance(small.now_ms + 60_000)
        moves.append(np.abs(np.log(small.columns.mark / before)))
        spreads.append((small.columns.ask - small.columns.bid) / small.columns.last)
    # Averages over ten minutes: a single minute's move says little about its volatility.
    moves, spreads = (np.array(rows).reshape(60, 10, -1).mean(axis=1) for rows in (moves, spreads))
    correlations = [np.corrcoef(moves[:, k], spreads[:, k])[0, 1] for k in range(5, 30)]
    assert np.median(correlations) > 0.4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"symbols": 0}, "symbols=0"),
        ({"step_ms": 7000}, "step_ms=7000"),
        ({"step_ms": 10}, "step_ms=10"),
        ({"start_ms": 5}, "start_ms=5"),
        ({"origin_ms": 5}, "origin_ms=5"),
        ({"origin_ms": START + MINUTE}, "cannot go back"),
    ],
)
def test_a_market_that_cannot_be_is_refused_with_the_value_named(arguments, words):
    with pytest.raises(MarketError, match=words):
        SyntheticMarket(**{"symbols": 4, "seed": 1, "start_ms": START, "step_ms": 1000, **arguments})


def test_another_seed_is_another_market():
    one, other = (SyntheticMarket(4, seed=seed, start_ms=START) for seed in (1, 2))
    assert one.columns.last[0] != other.columns.last[0]


def test_the_same_seed_gives_the_same_numbers_under_any_hash_seed():
    script = (
        "import hashlib; from exchange.simulator.synthetic import SyntheticMarket;"
        f"m = SyntheticMarket(6, seed=11, start_ms={START}); m.advance({START} + 90_000);"
        "print(hashlib.sha256(m.trades().tobytes() + m.columns.last.tobytes() + m.columns.mark.tobytes()"
        "+ m.candles(2, '1h', None, None, 500).close.tobytes()).hexdigest(),"
        "[listing.instrument.symbol for listing in m.listings])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_the_market_never_stops(market):
    assert market.exhausted is False


BARS = ("open_time", "open", "high", "low", "close", "volume", "trades")


@pytest.mark.parametrize("lived", [1_000, 7 * MINUTE + 30_000, 9 * 3_600_000])
def test_a_later_start_of_the_same_origin_continues_the_market(lived):
    first = SyntheticMarket(12, seed=4, start_ms=START)
    first.advance(START + lived)
    second = SyntheticMarket(12, seed=4, start_ms=START + lived, origin_ms=START)
    for market in (first, second):
        assert market.now_ms == START + lived
    assert second.listings == first.listings
    for shown in ("last", "bid", "ask", "mark", "index_price"):
        assert np.array_equal(getattr(second.columns, shown), getattr(first.columns, shown))
    for market in (first, second):
        market.advance(START + lived + 11 * MINUTE)
    for index in range(12):
        for interval in ("1m", "5m", "1h"):
            before, after = (market.candles(index, interval, None, None, 480) for market in (first, second))
            for name in BARS:
                assert np.array_equal(getattr(after, name), getattr(before, name)), (interval, name)
        assert second.recent_trades(index, None, None, 1) == first.recent_trades(index, None, None, 1)


def test_the_closed_bars_are_the_same_whatever_the_step():
    fine, coarse = (SyntheticMarket(6, seed=9, start_ms=START, step_ms=step) for step in (500, 60_000))
    for market in (fine, coarse):
        market.advance(START + 30 * MINUTE)
    for index in range(6):
        ours, theirs = (one.candles(index, "1m", START - MINUTE, one.now_ms - 1, 30) for one in (fine, coarse))
        assert len(ours) == 30
        for name in BARS:
            assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
