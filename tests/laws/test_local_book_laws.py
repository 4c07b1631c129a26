"""The book kept at home is the venue's, or it says that it is not: whatever is lost, late or repeated on the way."""

import math

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exchange.local_book import BookState, LocalBook
from exchange.market_data import DepthSnapshot, DepthUpdate

PRICES = st.integers(1, 20)


class VenueBook(RuleBasedStateMachine):
    """A full book with global, jumping ids; frames of changes that may be lost; snapshots that may be old."""

    def __init__(self):
        super().__init__()
        self.ids = 100
        self.bids, self.asks = {10.0: 1.0}, {11.0: 1.0}
        self.sent_id = self.ids
        self.changed = {}
        self.first = None
        self.wire = []
        self.told = []
        self.history = {}
        self.snapshot = None
        self.book = LocalBook("X")
        self.note()

    def note(self):
        self.history[self.ids] = (dict(self.bids), dict(self.asks))

    @rule(price=PRICES, quantity=st.integers(0, 3), jump=st.integers(1, 40))
    def change(self, price, quantity, jump):
        """Change one level; the side follows from the price, so that the venue's book never crosses."""
        self.ids += jump
        level = float(price)
        best_ask = min(self.asks, default=math.inf)
        best_bid = max(self.bids, default=0.0)
        side, name = (self.asks, "a") if level > best_bid else (self.bids, "b")
        if name == "b" and level >= best_ask:
            return
        if quantity:
            side[level] = float(quantity)
        else:
            side.pop(level, None)
        self.changed[name, level] = float(quantity)
        self.first = self.first or self.ids
        self.note()

    @precondition(lambda self: self.changed)
    @rule()
    def publish(self):
        bids, asks = (
            tuple((level, amount) for (side, level), amount in self.changed.items() if side == name) for name in "ba"
        )
        self.wire.append(DepthUpdate("X", self.first, self.ids, self.sent_id, bids, asks, self.ids))
        self.sent_id, self.changed, self.first = self.ids, {}, None

    @precondition(lambda self: self.wire)
    @rule(count=st.integers(1, 3))
    def deliver(self, count):
        for _ in range(min(count, len(self.wire))):
            update = self.wire.pop(0)
            self.told.append(update)
            self.book.take(update)

    @precondition(lambda self: self.wire)
    @rule()
    def lose(self):
        self.wire.pop(0)

    @precondition(lambda self: self.told)
    @rule()
    def repeat(self):
        if self.book.is_whole:
            self.book.take(self.told[-1])

    @rule(limit=st.sampled_from([2, 5, 1000]))
    def take_snapshot(self, limit):
        bids = tuple(sorted(self.bids.items(), reverse=True)[:limit])
        asks = tuple(sorted(self.asks.items())[:limit])
        self.snapshot = (DepthSnapshot("X", self.ids, bids, asks, self.ids), limit)

    @precondition(lambda self: self.snapshot is not None and self.book.state is BookState.WANTS_SNAPSHOT)
    @rule()
    def settle(self):
        snapshot, limit = self.snapshot
        self.book.settle(snapshot, limit)

    @invariant()
    def a_whole_book_is_the_venue_s_of_its_id(self):
        if not self.book.is_whole:
            assert self.book.bids(5) == self.book.asks(5) == ()
            assert self.book.reason
            return
        bids, asks = self.history[self.book.update_id]
        mine = self.book.bids(1000), self.book.asks(1000)
        assert mine[0] == tuple(sorted(bids.items(), reverse=True)[: len(mine[0])])
        assert mine[1] == tuple(sorted(asks.items())[: len(mine[1])])

    @invariant()
    def nothing_lost_stays_unnoticed(self):
        if self.book.is_whole and self.told and self.book.update_id < self.told[-1].last_id:
            raise AssertionError("a change was taken and not applied")


TestVenueBook = VenueBook.TestCase
TestVenueBook.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
