"""Whatever is lost, repeated or read late: after the last reading the book is the venue's, every fill booked once."""

from decimal import Decimal

from account_samples import account_update, order_update
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exchange.account_events import OrderUpdate, Resync
from exchange.account_merge import AccountMerge, Reading

SYMBOLS = ("BTCUSDT", "ETHUSDT")


class PrivateStream(RuleBasedStateMachine):
    """A venue whose account changes, a stream that loses and repeats, a book fed through the merge."""

    def __init__(self):
        super().__init__()
        self.now = 0
        self.trades = 0
        self.size = dict.fromkeys(SYMBOLS, 0)
        self.changed = dict.fromkeys(SYMBOLS, 0)
        self.filled = {}
        self.wire, self.delivered = [], []
        self.open = False
        self.merge = AccountMerge()
        self.reading = None
        self.book = dict.fromkeys(SYMBOLS, 0)
        self.booked = []

    @rule(symbol=st.sampled_from(SYMBOLS), side=st.sampled_from((1, -1)), later=st.integers(0, 2))
    def fill(self, symbol, side, later):
        self.now += later
        self.trades += 1
        self.size[symbol] += side
        self.changed[symbol] = self.now
        trade = order_update(self.now, trade_id=self.trades, order_id=self.trades, symbol=symbol)
        self.filled[trade.trade] = trade
        if self.open:
            wallet = str(Decimal(10) - self.trades)  # every fill costs a fee: no two updates are alike
            self.wire += [
                account_update(self.now, symbol=symbol, quantity=str(self.size[symbol]), wallet=wallet),
                trade,
            ]

    @precondition(lambda self: self.open and self.wire)
    @rule(count=st.integers(1, 4))
    def deliver(self, count):
        for _ in range(min(count, len(self.wire))):
            event = self.wire.pop(0)
            self.delivered.append(event)
            self.apply(self.merge.take(event))

    @precondition(lambda self: self.delivered)
    @rule(back=st.integers(1, 3))
    def repeat(self, back):
        """The overlapping second socket tells the newest events again."""
        for event in self.delivered[-back:]:
            self.apply(self.merge.take(event))

    @rule()
    def reconnect(self):
        """Everything under way is lost; a new epoch begins."""
        self.wire = []
        self.open = True
        self.apply(self.merge.take(Resync("lost", 1.0)))

    @precondition(lambda self: self.open and self.reading is None)
    @rule()
    def read(self):
        positions = {(symbol, "BOTH"): self.changed[symbol] for symbol in SYMBOLS}
        self.reading = (self.merge.begin(), dict(self.size), Reading(positions, trades=frozenset(self.filled)))

    @precondition(lambda self: self.reading is not None)
    @rule()
    def settle(self):
        (ticket, size, reading), self.reading = self.reading, None
        follow = self.merge.settle(ticket, reading)
        if follow is None:
            return
        self.book = size
        self.booked += [trade for trade in reading.trades if trade not in self.booked]
        self.apply(follow)

    def apply(self, events):
        for event in events:
            if not isinstance(event, OrderUpdate):
                for row in event.positions:
                    self.book[row.symbol] = row.quantity
            elif event.trade is not None:
                self.booked.append(event.trade)

    @invariant()
    def no_fill_is_booked_twice(self):
        assert len(set(self.booked)) == len(self.booked)

    @invariant()
    def the_book_is_the_venue_s_once_everything_has_come(self):
        if self.open and not self.wire and self.merge.wanted is None:
            assert {symbol: Decimal(size) for symbol, size in self.book.items()} == self.size
            assert set(self.booked) == set(self.filled)


TestPrivateStream = PrivateStream.TestCase
TestPrivateStream.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
