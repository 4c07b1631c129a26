"""The market's book within one step: near levels first, the rest when needed, less what was taken."""

from decimal import Decimal

import pytest

from exchange.simulator.trading.matching import FAR, NEAR, StepBook, reaches, step_trades
from exchange.simulator.trading.model import Side

D = Decimal


class Ladder:
    """A book of equal levels around 100, counting how it is read."""

    def __init__(self, depth):
        self.depth = depth
        self.reads = []

    def levels(self, listing, taker, limit):
        self.reads.append((listing, taker, limit))
        step = 1 if taker is Side.BUY else -1
        return [(D(100) + step * rank, D(2)) for rank in range(1, min(limit, self.depth) + 1)]


def test_the_best_level_is_within_the_takers_bound_or_none():
    book = StepBook(Ladder(5))
    assert book.best(0, Side.BUY, D(101)) == (D(101), D(2))
    assert book.best(0, Side.BUY, D("100.9")) is None
    assert book.best(0, Side.SELL, D(99)) == (D(99), D(2))
    assert book.best(0, Side.SELL, D("99.1")) is None


def test_what_is_taken_is_gone_until_the_next_step():
    book = StepBook(Ladder(5))
    book.best(0, Side.BUY, D(200))
    book.take(0, Side.BUY, D("1.5"))
    assert book.best(0, Side.BUY, D(200)) == (D(101), D("0.5"))
    book.take(0, Side.BUY, D("0.5"))
    assert book.best(0, Side.BUY, D(200)) == (D(102), D(2))
    assert book.best(0, Side.SELL, D(0)) == (D(99), D(2))
    assert book.best(1, Side.BUY, D(200)) == (D(101), D(2))
    book.reset()
    assert book.best(0, Side.BUY, D(200)) == (D(101), D(2))


def test_the_far_book_is_read_once_and_only_when_the_near_one_ends():
    ladder = Ladder(50)
    book = StepBook(ladder)
    taken = 0
    while book.best(0, Side.BUY, D(1000)) is not None:
        book.take(0, Side.BUY, D(2))
        taken += 1
        assert len(ladder.reads) == (1 if taken < NEAR else 2) or taken == NEAR
    assert taken == 50
    assert [limit for _, _, limit in ladder.reads] == [NEAR, FAR]


def test_counting_ends_at_enough_and_at_the_bound():
    ladder = Ladder(50)
    book = StepBook(ladder)
    assert book.available(0, Side.BUY, D(103), D(100)) == 6
    assert book.available(0, Side.BUY, D(1000), D(5)) == 6
    assert len(ladder.reads) == 1
    assert book.available(0, Side.BUY, D(1000), D(1000)) == 100


@pytest.mark.parametrize(("number", "price"), [(1, 101), (20, 120), (21, 121), (51, None)])
def test_levels_are_found_by_rank(number, price):
    assert StepBook(Ladder(50)).rank(0, Side.BUY, number) == price


def test_a_new_order_stands_behind_its_level():
    book = StepBook(Ladder(50))
    assert book.standing(0, Side.BUY, D(99)) == 2
    assert book.standing(0, Side.BUY, D("98.5")) == 0
    assert book.standing(0, Side.BUY, D("99.5")) == 0
    assert book.standing(0, Side.BUY, D(60)) == 2, "beyond what was read the farthest level speaks for the price"
    assert StepBook(Ladder(5)).standing(0, Side.BUY, D(60)) == 0, "a whole book says that nobody stands there"


def test_a_side_reaches_what_is_no_worse_than_its_bound():
    assert reaches(Side.BUY, D(5), D(5))
    assert not reaches(Side.BUY, D(5), D(6))
    assert reaches(Side.SELL, D(5), D(6))
    assert not reaches(Side.SELL, D(5), D(4))


def test_trades_of_a_step_are_summed_by_whom_they_reach():
    assert step_trades([]) is None
    trades = step_trades([(D(5), D(1), True), (D(6), D(2), False), (D(5), D(3), True)])
    assert trades is not None
    assert (trades.to_buyers, trades.to_sellers) == ({D(5): D(4)}, {D(6): D(2)})
    assert (trades.lowest, trades.highest) == (5, 6)
