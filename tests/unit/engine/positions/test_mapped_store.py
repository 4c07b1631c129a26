"""The mapped and the plain store of the virtual book hold the same numbers, and one becomes the other while running."""

from decimal import Decimal

import numpy as np
import pytest

from engine.adapters.disk import DirectoryDisk
from engine.adapters.memory_disk import MemoryDisk
from engine.positions.book import VirtualBook
from engine.positions.columns import bytes_of
from engine.positions.opening import Opening
from engine.positions.store import FILE, ColumnStore
from engine.strategy.candidate import Direction

SLOTS = 40


def opening(number):
    long = number % 2 == 0
    stop, target = (98.0, 104.0) if long else (102.0, 96.0)
    direction = Direction.LONG if long else Direction.SHORT
    return Opening("ict", f"S{number}", number % SLOTS, 2, direction, 100.0, stop, target, Decimal(1), 2.0, 2)


def book_in(store, count=60, capacity=8):
    book = VirtualBook(capacity, make=store)
    for number in range(count):
        book.open(opening(number), 0)
    return book


def walk(book, ticks=400, seed=3, at=lambda tick: None):
    """Return every event of a random walk; `at` is called before each tick."""
    rng = np.random.default_rng(seed)
    price, told = np.full(SLOTS, 100.0), []
    for tick in range(1, ticks + 1):
        at(tick)
        after = price * np.exp(rng.normal(0.0, 0.001, SLOTS))
        told += book.tick(tick * 200, np.maximum(price, after), np.minimum(price, after), after)
        price = after
    return told


def stores(tmp_path):
    return ColumnStore(DirectoryDisk(tmp_path), True, 1000), ColumnStore(DirectoryDisk(tmp_path), False, 1000)


def test_a_mapped_and_a_plain_book_tell_the_same_events(tmp_path):
    mapped, plain = stores(tmp_path)
    told = walk(book_in(mapped))
    assert told == walk(book_in(plain))
    assert any(event.event == "closed" for event in told)
    assert (tmp_path / FILE).stat().st_size == bytes_of(64)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("begin", [True, False])
def test_switching_the_store_while_positions_are_open_changes_no_event(tmp_path, begin):
    store = ColumnStore(DirectoryDisk(tmp_path), begin, 1000)
    book = book_in(store)

    def switch(tick):
        if tick % 50 == 0:
            store.mapped = not store.mapped
            book.move()

    _, plain = stores(tmp_path)
    assert walk(book, at=switch) == walk(book_in(plain))


def test_what_the_book_knows_lies_in_the_file(tmp_path):
    book = book_in(stores(tmp_path)[0], capacity=64)
    walk(book, 5)
    stored = np.frombuffer((tmp_path / FILE).read_bytes(), np.int32, 64)
    np.testing.assert_array_equal(stored, book._roster.columns.slot)


def test_a_book_that_outgrows_the_store_moves_to_memory_and_says_so(tmp_path):
    store = ColumnStore(DirectoryDisk(tmp_path), True, 10)
    book = book_in(store, count=16)
    assert store.rung.startswith(FILE)
    book.open(opening(16), 0)
    assert store.rung == "plain columns in memory: the mapped store takes 16 positions"
    assert len(book) == 17


def test_a_file_that_cannot_be_mapped_leaves_the_book_in_memory_with_the_reason():
    store = ColumnStore(MemoryDisk(lambda what, name: "disk full" if what == "map" else None), True, 100)
    book = book_in(store)
    assert store.fault == f"cannot map {FILE}: disk full"
    assert "disk full" in store.rung
    assert len(walk(book)) > 0


def test_a_failing_disk_is_told_with_path_and_reason(tmp_path):
    (tmp_path / FILE).mkdir()
    store = ColumnStore(DirectoryDisk(tmp_path), True, 100)
    book_in(store)
    assert str(tmp_path / FILE) in store.fault
