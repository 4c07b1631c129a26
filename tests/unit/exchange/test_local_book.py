from exchange.local_book import BookState, LocalBook
from exchange.market_data import DepthSnapshot, DepthUpdate


def update(first, last, previous, bids=(), asks=()):
    return DepthUpdate("X", first, last, previous, tuple(bids), tuple(asks), last)


def snapshot(update_id, bids=((10.0, 1.0), (9.0, 2.0)), asks=((11.0, 1.0), (12.0, 2.0))):
    return DepthSnapshot("X", update_id, tuple(bids), tuple(asks), update_id)


def whole():
    book = LocalBook("X")
    book.settle(snapshot(100), 1000)
    assert book.take(update(95, 105, 90))
    assert book.is_whole
    return book


def test_changes_before_the_snapshot_are_left_out_and_the_spanning_one_joins():
    book = LocalBook("X")
    for change in (
        update(80, 90, 70, bids=[(1.0, 9.0)]),
        update(91, 101, 90, bids=[(10.0, 5.0)]),
        update(103, 110, 101, asks=[(11.0, 0.0)]),
    ):
        assert book.take(change)
    assert book.settle(snapshot(100), 1000)
    assert book.bids(9) == ((10.0, 5.0), (9.0, 2.0))
    assert book.asks(9) == ((12.0, 2.0),)
    assert book.update_id == 110


def test_a_snapshot_older_than_what_was_kept_is_fetched_again():
    book = LocalBook("X")
    book.take(update(150, 160, 140))
    assert not book.settle(snapshot(100), 1000)
    assert book.state is BookState.WANTS_SNAPSHOT
    assert "older" in book.reason
    assert book.settle(snapshot(155), 1000)
    assert book.is_whole


def test_a_snapshot_may_wait_for_the_change_that_joins_it():
    book = LocalBook("X")
    assert book.settle(snapshot(100), 1000)
    assert book.state is BookState.JOINING
    assert book.bids(1) == ()
    assert book.take(update(80, 90, 70)), "an old change says nothing"
    assert book.take(update(101, 105, 100)), "one that follows the snapshot exactly joins as well"
    assert book.is_whole


def test_ids_may_jump_but_a_missing_link_makes_the_book_begin_anew():
    book = whole()
    assert book.take(update(900, 950, 105, bids=[(10.5, 1.0)]))
    assert book.bids(1) == ((10.5, 1.0),)
    assert book.take(update(900, 950, 105)), "a repeated change is no gap"
    assert not book.take(update(990, 999, 970))
    assert book.bids(1) == ()
    assert "missing" in book.reason
    assert book.rebuilds == 1
    assert book.settle(snapshot(995), 1000), "the change after the gap was kept and joins the next snapshot"
    assert book.is_whole


def test_a_crossed_book_is_refused():
    book = whole()
    assert not book.take(update(106, 110, 105, bids=[(11.0, 1.0)]))
    assert book.state is BookState.WANTS_SNAPSHOT
    assert "crossed" in book.reason


def test_removing_a_level_that_is_not_there_is_normal():
    book = whole()
    assert book.take(update(106, 110, 105, bids=[(3.0, 0.0)], asks=[(11.0, 0.0)]))
    assert book.asks(9) == ((12.0, 2.0),)


def test_only_what_the_snapshot_reached_is_told():
    book = LocalBook("X")
    book.settle(snapshot(100), 2)
    assert not book.is_shallow(2)
    book.take(update(95, 105, 90, bids=[(8.0, 3.0), (9.5, 1.0)], asks=[(11.0, 0.0), (12.5, 1.0)]))
    assert book.bids(9) == ((10.0, 1.0), (9.5, 1.0), (9.0, 2.0))
    assert book.asks(9) == ((12.0, 2.0),)
    assert book.is_shallow(2)


def test_a_book_grown_beyond_bounds_is_built_anew(monkeypatch):
    monkeypatch.setattr("exchange.local_book.LEVELS", 5)
    book = whole()
    assert not book.take(update(106, 110, 105, bids=[(price / 10, 1.0) for price in range(1, 9)]))
    assert "levels" in book.reason
