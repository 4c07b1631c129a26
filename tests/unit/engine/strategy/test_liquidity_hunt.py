"""Liquidity hunting: which level an entry moves to, when it stays, and when slippage refuses it."""

from math import exp, inf, log

import msgspec
import numpy as np
import pytest
from signal_views import candidate, facts
from strategy_market import reading

from engine.analysis.layout import BAR, POOL_OPEN, POOL_SWEPT
from engine.analysis.step import reset, run
from engine.analysis.tables import make_tables
from engine.strategy.candidate import Candidate, Direction, NoCandidate
from engine.strategy.hunt import HuntRules, expected_slippage, hunt
from exchange.market_data import DepthSnapshot

RULES = HuntRules()
READING = reading(0, "A", 100.0)
NOTIONAL = 10_000.0


def flat_tables(low=99.99, high=100.01):
    """Sixty quiet 5m bars at 100; the pools they leave are taken away."""
    tables = make_tables(1)
    bars = np.zeros(60, BAR)
    bars["t"] = np.arange(60) * 300_000
    bars["o"] = bars["c"] = log(100.0)
    bars["h"], bars["l"], bars["v"] = log(high), log(low), 1.0
    for row in range(3):
        reset(tables, row, 300_000)
        run(tables, row, bars)
        tables.series[row]["pools"] = 0
    return tables


def add_pool(tables, price, side, touches=1, state=POOL_OPEN, row=0):
    number = int(tables.series[row]["pools"])
    pool = tables.pools[row, number]
    pool["level"], pool["side"], pool["touches"], pool["state"] = log(price), side, touches, state
    pool["at"], pool["known"] = 10, 15
    tables.series[row]["pools"] = number + 1


def book(bids=((99.99, 500.0), (99.5, 500.0)), asks=((100.01, 500.0), (100.5, 500.0))):
    return DepthSnapshot("A", 1, tuple(bids), tuple(asks), 0)


def wide(direction=Direction.LONG, **over):
    """A candidate at the market whose stop is 2 % away, with the target at 2 R."""
    return candidate(direction=direction, risk=0.02, **over)


def hunted(one, tables, depth=None, rules=RULES):
    return hunt(one, tables, READING, facts(), depth, NOTIONAL, rules)


@pytest.mark.parametrize("direction", list(Direction))
def test_the_entry_moves_to_the_strongest_far_pool_within_reach_as_a_limit(direction):
    tables, sign = flat_tables(), direction.sign
    add_pool(tables, 100 - 0.4 * sign, -sign, touches=1)
    add_pool(tables, 100 - 0.6 * sign, -sign, touches=4)
    add_pool(tables, 100 + 0.5 * sign, -sign, touches=9)  # on the other side of price
    add_pool(tables, 100 - 0.5 * sign, sign, touches=9)  # the other kind of liquidity
    add_pool(tables, 100 - 0.5 * sign, -sign, touches=9, state=POOL_SWEPT)
    one = wide(direction)
    found = hunted(one, tables, book())
    assert found.rung == "pools and order book"
    assert found.view.entry == pytest.approx(100 - 0.6 * sign)
    assert found.view.limit
    assert (found.view.stop, found.view.targets, found.view.expires) == (one.stop, one.targets, one.expires)
    assert found.view.reward_risk > one.reward_risk
    step = found.view.provenance[-1]
    assert step.step == "hunt"
    assert step.frame == "5m"
    assert 0 < step.at < step.known


def test_what_rests_in_the_book_decides_between_like_pools():
    tables = flat_tables()
    add_pool(tables, 99.5, -1, touches=2)
    add_pool(tables, 99.6, -1, touches=2)
    assert hunted(wide(), tables, book(bids=((99.99, 900.0),))).view.entry == pytest.approx(99.6)
    heavy = book(bids=((99.99, 200.0), (99.5, 9_000.0)))
    assert hunted(wide(), tables, heavy).view.entry == pytest.approx(99.5)


def test_a_candidate_of_little_confidence_is_left_alone():
    tables = flat_tables()
    add_pool(tables, 99.5, -1)
    one = wide(confidence=0.59)
    assert hunted(one, tables, book()) == (one, "")


@pytest.mark.parametrize(
    ("price", "why"),
    [(98.9, "more than 1 % away"), (98.1, "too near the stop"), (100.5, "worse than the entry")],
)
def test_a_pool_out_of_reach_or_beyond_sense_is_none(price, why):
    tables = flat_tables()
    add_pool(tables, price, -1)
    found = hunted(wide(), tables, book())
    assert found.view.entry != pytest.approx(price), why


def test_without_a_pool_the_extreme_of_the_last_hours_answers():
    found = hunted(wide(), flat_tables(low=99.3), book())
    assert found.rung == "price-range levels"
    assert found.view.entry == pytest.approx(99.3)
    assert "extreme of the last 4 hours" in found.view.provenance[-1].text


def test_with_nothing_in_reach_the_entry_stays_and_says_so():
    found = hunted(wide(), flat_tables(low=98.5), book())
    assert found.rung == "nothing near"
    assert found.view.entry == 100.0
    assert "the entry stays" in found.view.provenance[-1].text


def test_a_moved_entry_never_asks_for_more_than_the_largest_reward():
    tables = flat_tables(low=98.5)
    add_pool(tables, 99.2, -1)
    one = candidate(risk=0.02, ratio=3.0)
    assert hunted(one, tables, book()).view.entry == pytest.approx(99.2)
    assert hunted(one, tables, book(), HuntRules(max_reward_risk=4.0)).view.entry == 100.0


@pytest.mark.parametrize("side", ["bids", "asks"])
def test_a_thin_book_on_either_side_refuses_the_candidate(side):
    thin = book(**{side: ((100.0, 1.0), (100.9 if side == "asks" else 99.1, 500.0))})
    found = hunted(wide(), flat_tables(), thin)
    assert isinstance(found.view, NoCandidate)
    assert found.view.gate == "expected slippage"
    assert found.view.distance > 0.0
    assert "at most 0.30 % is tolerated" in found.view.text


def test_a_book_that_does_not_hold_the_order_within_one_percent_refuses_it():
    empty = book(asks=((100.0, 1.0), (102.0, 1e9)))
    assert expected_slippage(empty, READING, NOTIONAL) == inf
    assert "more than it holds" in hunted(wide(), flat_tables(), empty).view.text


def test_without_a_book_half_the_spread_is_what_is_known():
    tables = flat_tables()
    add_pool(tables, 99.5, -1)
    found = hunted(wide(), tables)
    assert found.rung == "pools without an order book"
    assert "no order book was read" in found.view.provenance[-1].text
    costly = msgspec.structs.replace(READING, spread_bps=80.0)
    refused = hunt(wide(), tables, costly, facts(), None, NOTIONAL, RULES).view
    assert isinstance(refused, NoCandidate)


def test_a_short_of_the_mirrored_market_is_hunted_at_the_mirrored_level():
    here, there = flat_tables(), flat_tables()
    for price, touches in ((99.4, 3), (99.7, 1)):
        add_pool(here, price, -1, touches)
        add_pool(there, exp(2 * log(100.0) - log(price)), 1, touches)
    long = hunted(wide(), here).view
    short = hunted(wide(Direction.SHORT), there).view
    assert isinstance(long, Candidate)
    assert log(short.entry / 100.0) == pytest.approx(-log(long.entry / 100.0))
