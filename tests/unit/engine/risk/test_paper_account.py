"""What the account would hold and have made, had it traded what it was sized for."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
import pytest

from engine.positions.book import VirtualBook
from engine.positions.costs import Costs
from engine.positions.opening import Opening
from engine.risk.paper import Exposure, Intent, PaperAccount, intent_of
from engine.snapshot import LeverageRow
from engine.strategy.candidate import Direction

D = Decimal
EXPOSURE = Exposure("BTCUSDT", 1, D(100), D(1_000))
INTENT = Intent("S1", 0, EXPOSURE, D(50))
ROW = LeverageRow(
    7, "BTCUSDT", "ict", "SHORT", 1.0, 0.55, 0.5, 0, 0, 1.0, (), "formula", 1.0, 1, 5_000.0, 1_000.0, 50.0, 1.0,
    "sized",
    purpose="account", signal_id="S1", risk=100.0,
)  # fmt: skip


def opening(**changes) -> Opening:
    free = Costs(D(0), D(0), D(0))
    plain = Opening("ict", "BTCUSDT", 0, 2, Direction.LONG, 100.0, 98.0, 104.0, D(1), 2.0, 2, free, 0.6, "S1")
    return msgspec.structs.replace(plain, **changes)


@pytest.fixture
def book() -> VirtualBook:
    return VirtualBook(4)


def see(book: VirtualBook, price: float, now: int):
    one = np.array([price])
    return book.tick(now, one, one, one)


def feed(paper: PaperAccount, events) -> list[Decimal]:
    return [result for event in events if (result := paper.take(event)) is not None]


def test_an_intent_of_a_standing_signal_carries_risk_and_one_whose_signal_went_does_not():
    paper = PaperAccount()
    paper.intend(INTENT)
    assert paper.exposures() == [EXPOSURE]
    assert paper.exposures(besides="S1") == []
    paper.stand(["S2"])
    assert paper.exposures() == []
    paper.stand(["S1"])
    assert paper.exposures() == [EXPOSURE]


def test_a_trade_follows_its_position_at_the_accounts_own_quantity(book):
    paper = PaperAccount()
    paper.intend(INTENT)
    feed(paper, book.open(opening(), 1))
    assert paper.trades("S1")
    assert feed(paper, see(book, 101.0, 20_000)) == []
    assert paper.realised == 0
    paper.stand([])
    assert paper.exposures() == [EXPOSURE]
    assert feed(paper, see(book, 104.0, 30_000)) == [D(200)]
    assert (paper.realised, paper.exposures()) == (D(200), [])


def test_a_loss_is_a_loss(book):
    paper = PaperAccount()
    paper.intend(INTENT)
    feed(paper, book.open(opening(), 1))
    assert feed(paper, see(book, 98.0, 20_000)) == [D(-100)]


def test_positions_of_signals_the_account_was_not_sized_for_are_not_its_trades(book):
    paper = PaperAccount()
    paper.intend(INTENT)
    feed(paper, book.open(opening(signal_id="S2"), 1))
    assert not paper.trades("S2")
    assert feed(paper, see(book, 104.0, 20_000)) == []


def test_old_intents_are_forgotten():
    paper = PaperAccount()
    paper.intend(INTENT)
    paper.intend(msgspec.structs.replace(INTENT, signal_id="S2", time=345_600_001))
    paper.stand(["S1", "S2"])
    assert len(paper.exposures()) == 1


def test_the_decisions_line_holds_the_whole_intent():
    assert intent_of(ROW) == Intent("S1", 7, Exposure("BTCUSDT", -1, D("100.0"), D("1000.0")), D("50.0"))


def test_a_refused_decision_and_one_for_the_virtual_book_are_no_intents():
    assert intent_of(msgspec.structs.replace(ROW, quantity=0.0, outcome="no room")) is None
    assert intent_of(msgspec.structs.replace(ROW, purpose="virtual")) is None
    assert intent_of(msgspec.structs.replace(ROW, purpose="")) is None
