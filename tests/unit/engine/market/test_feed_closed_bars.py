"""Closed bars on their way into the analysis: batches with corrections, and the plain way without incremental cache."""

import numpy as np
import pytest
from market_series import START, random_candles
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock

from engine.market.feed import Feed
from exchange.market_data import FRAME_MS, KlineUpdate

COUNT = 500


class Silent:
    """A chronicle nobody reads."""

    def say(self, *words):
        pass


def update(candles, k, **over):
    values = {name: getattr(candles, name)[k].item() for name in candles.__struct_fields__} | over
    return KlineUpdate(
        symbol="AUSDT",
        interval="5m",
        close_time=values["open_time"] + FRAME_MS["5m"] - 1,
        closed=True,
        event_time=0,
        **values,
    )


def part(candles, first, last):
    return type(candles)(**{name: getattr(candles, name)[first:last] for name in candles.__struct_fields__})


def feed_with(candles, *, incremental=True):
    feed = Feed(None, None, VirtualClock(START), ScriptedEntropy(), Silent(), 1)
    feed.incremental = incremental
    slot = feed.tape.assign("AUSDT")
    feed._slots["AUSDT"] = slot
    feed.quotes.clear(slot)
    feed.tape.load("AUSDT", "5m", part(candles, 0, COUNT), 2**62)
    feed.rebuild("AUSDT", "5m")
    return feed


def take(feed, *updates):
    for one in updates:
        feed._closed.append(one)
    while feed.flush():
        pass


def same(one, other):
    row = one.tape.row("AUSDT", "5m")
    return all(
        a[row][field].tobytes() == b[row][field].tobytes()
        for a, b in zip(one.tables, other.tables, strict=True)
        for field in a.dtype.names
    )


def test_a_correction_and_a_new_bar_in_one_batch_count_each_bar_once():
    candles = random_candles(1, COUNT + 3)
    feed = feed_with(candles)
    other = update(candles, COUNT - 1, close=float(candles.high[COUNT - 1]))
    take(feed, update(candles, COUNT), other, update(candles, COUNT + 1))
    assert feed.tables.series["n"][feed.tape.row("AUSDT", "5m")] == COUNT + 2


@pytest.mark.parametrize("switch", [0, 40])
def test_without_the_incremental_cache_every_series_holds_the_same_bits(switch):
    candles = random_candles(2, COUNT + 200)
    on, off = feed_with(candles), feed_with(candles, incremental=switch > 0)
    for k in range(COUNT, COUNT + 200):
        if k == COUNT + switch:
            off.incremental = False
        take(on, update(candles, k))
        take(off, update(candles, k))
        assert same(on, off)
    off.incremental = True
    assert off.incremental
    assert np.isfinite(off.tables.series["ema200"][off.tape.row("AUSDT", "5m")])


def test_a_hole_repaired_over_rest_is_recomputed_to_the_same_bits():
    candles = random_candles(4, COUNT + 60)
    on, off = feed_with(candles), feed_with(candles, incremental=False)
    for feed in (on, off):
        feed.extend("AUSDT", "5m", part(candles, COUNT, COUNT + 50), 2**62)
        take(feed, update(candles, COUNT + 50))
    assert same(on, off)
