"""Reading few levels of a book gives the first of the whole."""

import pytest

from exchange.simulator.market_factory import make_market
from exchange.simulator.tape import Tape
from exchange.simulator.trading.model import Side
from exchange.simulator.trading.prices import Prices

START = 1_767_571_200_000


@pytest.fixture
def tape():
    market = make_market("synthetic", symbols=12, seed=3, start_ms=START, step_ms=250)
    tape = Tape(market)
    for _ in range(8):
        market.advance(market.now_ms + 250)
        tape.tick(market.now_ms)
    return tape


@pytest.mark.parametrize("limit", [1, 20, 500, 1_000])
def test_the_near_book_is_the_beginning_of_the_whole(tape, limit):
    for index in range(12):
        near = tape.near_book(index, limit)
        bids, asks = tape.book(index)
        assert near == (bids[:limit], asks[:limit])
        assert tape.near_book(index, limit) == near


def test_a_contract_that_stands_still_shows_what_it_stopped_with(tape):
    tape.stop(0, tape.market.now_ms)
    before = tape.near_book(0, 5)
    for _ in range(200):
        tape.market.advance(tape.market.now_ms + 250)
        tape.tick(tape.market.now_ms)
    assert tape.near_book(0, 5) == before


def test_a_taker_meets_the_other_sides_levels_best_first(tape):
    prices = Prices(tape)
    asks, bids = prices.levels(2, Side.BUY, 20), prices.levels(2, Side.SELL, 20)
    assert asks == sorted(asks)
    assert bids == sorted(bids, reverse=True)
    assert (asks[0][0], bids[0][0]) == (prices.ask(2), prices.bid(2))
    assert bids[0][0] < asks[0][0]
