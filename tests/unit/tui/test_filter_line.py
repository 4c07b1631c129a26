"""The filter line."""

from __future__ import annotations

import math

import pytest

from tui.filtering import FilterError, parse

FIELDS = {"symbol": str, "sig": str, "conf": float, "vol": float}
BTC = {"symbol": "BTCUSDT", "sig": "LONG", "conf": 0.81, "vol": 9.1e9}
ETH = {"symbol": "ETHUSDT", "sig": "SHORT", "conf": math.nan, "vol": 4e9}


@pytest.mark.parametrize(
    ("text", "btc", "eth"),
    [
        ("", True, True),
        ("btc", True, False),
        ("!btc", False, True),
        ("sig:long conf>.7", True, False),
        ("sig:LO", True, False),
        ("conf<.7", False, False),
        ("!conf>.7", False, True),
        ("vol>=4B vol<5000M", False, True),
        ("conf=.81", True, False),
        ("conf:.81", True, False),
        ("usdt !short", True, False),
    ],
)
def test_filter_keeps_what_it_says(text, btc, eth):
    predicate = parse(text, FIELDS)
    assert (predicate(BTC), predicate(ETH)) == (btc, eth)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cnf>1", "did you mean conf"),
        ("zzz>1", "known: conf sig symbol vol"),
        ("conf>", "needs a value"),
        ("conf>high", "is no number"),
        ("sig>3", "write sig:3"),
        ("!", "stands alone"),
    ],
)
def test_wrong_filter_says_which_term_and_what_would_be_right(text, words):
    with pytest.raises(FilterError, match=words):
        parse(text, FIELDS)
