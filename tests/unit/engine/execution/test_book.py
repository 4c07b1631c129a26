"""The book: a position that readings call closed comes back when a later reading shows it, whatever the clocks say."""

from decimal import Decimal

from account_samples import account_update

from engine.execution.book import Book
from engine.execution.intents import PositionKey
from exchange.account import PositionRisk

KEY = PositionKey("BTCUSDT", "BOTH")
NONE = Decimal(0)


def shown(quantity, at_ms):
    """A position as REST shows it, updated at an instant of the exchange."""
    size = Decimal(quantity)
    return PositionRisk("BTCUSDT", "BOTH", size, Decimal(80_000), Decimal(80_000), *[NONE] * 6, at_ms)


def dropped():
    """A book whose position two readings missed, the later one begun at second 10, instant 30,000 by the desk."""
    book = Book()
    book.take_positions([shown("0.01", 5_000)], 5.0)
    book.drop_position(KEY, 30_000, 10.0)
    return book


def test_a_clock_that_was_thought_too_far_ahead_hides_no_position_from_a_later_reading():
    book = dropped()
    book.take_positions([shown("0.02", 12_000)], 12.0)
    assert book.positions[KEY].quantity == Decimal("0.02")


def test_a_reading_begun_before_a_position_was_found_closed_does_not_bring_it_back():
    book = dropped()
    book.take_positions([shown("0.01", 5_000)], 9.0)
    assert not book.positions


def test_an_event_of_before_a_position_was_found_closed_does_not_bring_it_back_and_a_later_one_does():
    book = dropped()
    book.apply(account_update(29_999))
    assert not book.positions
    book.apply(account_update(30_001))
    assert KEY in book.positions
