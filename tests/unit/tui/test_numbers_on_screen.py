"""How numbers, ages and instants read."""

from __future__ import annotations

import math

import pytest

from tui import numbers


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (numbers.price(64_980.1, 2), "64 980.10"),
        (numbers.price(0.01204, 5), "0.01204"),
        (numbers.price(math.nan, 2), "-"),
        (numbers.price(math.inf, 2), "-"),
        (numbers.signed(1.239), "+1.24"),
        (numbers.signed(-0.001), "+0.00"),
        (numbers.signed(-1234.5, 1), "-1 234.5"),
        (numbers.signed(math.nan), "-"),
        (numbers.share(0.814), ".81"),
        (numbers.share(1.0), "1.0"),
        (numbers.share(0.0), ".00"),
        (numbers.share(math.nan), "-"),
        (numbers.percent(0.571), "57%"),
        (numbers.compact(9.1e9), "9.1B"),
        (numbers.compact(820e6), "820.0M"),
        (numbers.compact(2043), "2.0k"),
        (numbers.compact(7), "7"),
        (numbers.span(3), "3s"),
        (numbers.span(134), "2m"),
        (numbers.span(4 * 86400), "4d"),
        (numbers.span(-2), "0s"),
        (numbers.span_fine(134), "2m14s"),
        (numbers.age(10_000, 7_000), "3s"),
        (numbers.age(10_000, 0), "-"),
        (numbers.countdown(0, 41_000), "0:41"),
        (numbers.countdown(41_000, 40_000), "0:00"),
        (numbers.countdown(5, 0), "-"),
        (numbers.clock(1_700_000_645_000), "22:24:05"),
        (numbers.milliseconds(1.62), "1.6"),
        (numbers.milliseconds(41.2), "41"),
        (numbers.milliseconds(12_000), "12s"),
    ],
)
def test_numbers_read_as_the_guide_draws_them(shown, wanted):
    assert shown == wanted
