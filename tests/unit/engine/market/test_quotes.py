import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.market.quotes import Quotes
from exchange.market_data import BookTop, KlineUpdate, MarkPrice

M5 = 300_000


def top(bid, time):
    return BookTop("A", bid, 1.0, bid + 1.0, 1.0, time)


def bar(close, high, low, opened=M5, time=M5 + 1):
    return KlineUpdate(
        "A", "5m", opened, opened + M5 - 1, close, high, low, close, 1.0, 1.0, 1, 0.5, 0.5, False, time
    )  # fmt: skip


def test_an_older_book_is_ignored_and_one_of_the_same_instant_is_not():
    quotes = Quotes(3)
    for one in (top(10.0, 100), top(11.0, 99), top(12.0, 100)):
        quotes.on_book(1, one)
    assert (quotes.bid[1], quotes.ask[1], quotes.book_time[1]) == (12.0, 13.0, 100)
    assert math.isnan(quotes.bid[0])
    assert math.isnan(quotes.bid[2])


def test_the_spread_of_one_slot_is_that_of_all_slots_and_unknown_before_a_quote():
    quotes = Quotes(2)
    quotes.on_book(1, top(10.0, 100))
    assert quotes.spread_of(1) == quotes.spread_bps()[1] > 0
    assert math.isnan(quotes.spread_of(0))
    quotes.bid[0] = quotes.ask[0] = 0.0
    assert math.isnan(quotes.spread_of(0))


def test_a_slot_that_is_cleared_takes_the_books_of_its_next_symbol():
    quotes = Quotes(2)
    quotes.on_book(0, top(10.0, 100))
    quotes.clear(0)
    quotes.on_book(0, top(20.0, 50))
    assert (quotes.bid[0], quotes.book_time[0]) == (20.0, 50)


def test_extremes_between_two_drains_are_those_that_are_new():
    quotes = Quotes(1)
    quotes.on_bar(0, bar(10.0, 30.0, 5.0))
    seen = quotes.drain()
    assert (seen.high[0], seen.low[0], seen.last[0]) == (10.0, 10.0, 10.0), "older extremes were seen by nobody here"
    quotes.on_bar(0, bar(11.0, 31.0, 5.0))
    quotes.on_bar(0, bar(12.0, 31.0, 4.0))
    seen = quotes.drain()
    assert (seen.high[0], seen.low[0], seen.last[0]) == (31.0, 4.0, 12.0)
    quotes.on_bar(0, bar(9.0, 9.5, 8.0, opened=2 * M5))
    seen = quotes.drain()
    assert (seen.high[0], seen.low[0], seen.last[0]) == (9.5, 8.0, 9.0), "a new bar happened after the last look"
    seen = quotes.drain()
    assert all(math.isnan(column[0]) for column in seen)


def test_the_change_of_a_minute_starts_from_the_last_price_of_the_minute_before():
    quotes = Quotes(1)
    quotes.on_bar(0, bar(100.0, 100.0, 100.0, time=M5 + 59_000))
    quotes.on_bar(0, bar(110.0, 110.0, 100.0, time=M5 + 60_000))
    quotes.on_bar(0, bar(121.0, 121.0, 100.0, time=M5 + 61_000))
    assert np.isclose(quotes.change_1m()[0], 21.0)


def test_a_frame_that_comes_after_a_newer_one_moves_no_price_and_is_counted():
    quotes = Quotes(1)
    quotes.on_bar(0, bar(10.0, 12.0, 9.0, time=M5 + 2_000))
    quotes.drain()
    quotes.on_bar(0, bar(11.0, 12.0, 9.0, time=M5 + 1_000))
    quotes.on_bar(0, bar(50.0, 90.0, 40.0, opened=0, time=1_000))
    assert not quotes.dirty
    assert (quotes.last[0], quotes.late) == (10.0, 2)


def test_the_last_frame_of_the_bar_before_brings_the_extremes_nobody_saw_and_leaves_the_price():
    quotes = Quotes(1)
    quotes.on_bar(0, bar(10.0, 12.0, 9.0, time=M5 + 299_000))
    quotes.on_bar(0, bar(10.5, 10.5, 10.5, opened=2 * M5, time=2 * M5 + 1))
    quotes.drain()
    quotes.on_bar(0, bar(10.0, 14.0, 9.0, time=M5 + 299_999))
    seen = quotes.drain()
    assert (seen.high[0], seen.low[0], seen.last[0]) == (14.0, 10.5, 10.5)
    quotes.on_bar(0, bar(10.0, 14.0, 9.0, time=M5 + 299_999))
    assert not quotes.dirty, "the same frame again brings nothing"


def test_an_older_mark_is_ignored_and_funding_is_not_noted_twice():
    quotes = Quotes(1)
    for time, price, due in ((100, 10.0, 200), (250, 11.0, 400), (150, 12.0, 200), (260, 13.0, 400)):
        quotes.on_mark(0, MarkPrice("A", price, price, 0.0001, due, time))
    assert (quotes.mark[0], quotes.mark_time[0], quotes.late) == (13.0, 260, 1)
    assert [one.time for one in quotes.take_fundings()] == [200]


PRICES = st.floats(min_value=0.001, max_value=1e9)


@given(st.lists(st.tuples(PRICES, PRICES, PRICES, st.integers(1, 3)).map(lambda t: (sorted(t[:3]), t[3])), max_size=12))
def test_high_and_low_are_the_extremes_of_all_that_was_new(steps):
    quotes = Quotes(1)
    steps = sorted(steps, key=lambda step: step[1])
    new, opened_before, high_before, low_before = [], 0, math.inf, -math.inf
    for (low, close, high), number in steps:
        opened = number * M5
        quotes.on_bar(0, bar(close, high, low, opened=opened))
        new.append(close)
        if opened == opened_before:
            new += [price for price in (high,) if price > high_before] + [
                price for price in (low,) if price < low_before
            ]
        elif opened_before:
            new += [high, low]
        opened_before, high_before, low_before = opened, high, low
    seen = quotes.drain()
    if not new:
        assert math.isnan(seen.high[0])
        return
    assert (seen.high[0], seen.low[0], seen.last[0]) == (max(new), min(new), steps[-1][0][1])
