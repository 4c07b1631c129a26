"""Laws of check and reserve: whatever arrives in whatever order, less is never counted than there is."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.execution.exposure import Entry, Held, Reservation, Reservations
from engine.execution.intents import PositionKey
from engine.execution.limits import Limits, Standing
from exchange.account import OrderLimit

D = Decimal
KEYS = [PositionKey("AUSDT", "BOTH"), PositionKey("BUSDT", "BOTH"), PositionKey("BUSDT", "SHORT")]
STANDING = Standing(equity=D(100), wallet=D(100), day_start=D(100))
LIMITS = Limits(
    symbol_notional=D("0.3"), gross_notional=D("0.5"), margin=D("0.4"), positions=2, group_risk=D("0.05"),
    day_loss=D("0.2"), per_cycle=1000, per_minute=1000, venue=(OrderLimit(10, 40),),
)  # fmt: skip

reserves = st.tuples(st.just("reserve"), st.integers(0, 2), st.integers(1, 20), st.booleans())
news = st.tuples(
    st.sampled_from(["fill", "end", "lose", "find", "kill"]), st.integers(0, 30), st.integers(1, 20), st.booleans()
)
others = st.sampled_from([("order news",), ("position news",), ("wait",), ("read",), ("again",)])
foreign = st.tuples(st.just("foreign"), st.integers(0, 2), st.integers(-15, 15))
programs = st.lists(st.one_of(reserves, news, news, news, others, others, others, foreign), min_size=15, max_size=80)


def held(key, quantity):
    return Held(key=key, quantity=quantity, price=D(1), margin=abs(quantity) / 2, risk=abs(quantity) / 10)


class Venue:
    """The truth at the exchange, its news on the way in two queues, and a desk that hears them."""

    def __init__(self):
        self.desk = Reservations(LIMITS)
        self.now = 1_000
        self.positions = dict.fromkeys(KEYS, D(0))
        self.orders = {}
        self.of_orders, self.of_positions = [], []

    def run(self, program):
        for name, *values in program:
            getattr(self, name.replace(" ", "_"))(*values)
            yield name

    def reserve(self, place, quantity, grows):
        key = KEYS[place]
        sign = -1 if key.side == "SHORT" else 1 if grows else -1
        entry = Entry(
            client_id=f"e{len(self.orders)}", key=key, sign=sign, quantity=D(quantity), price=D(1), leverage=2,
            risk=D(quantity) / 10,
        )  # fmt: skip
        found = self.desk.reserve(entry, STANDING, self.now)
        if isinstance(found, Reservation):
            self.orders[entry.client_id] = [entry, D(0), "open"]
            for use in self.desk.used(STANDING, self.now):
                # The screen shows the largest symbol, which another hand may have filled.
                assert use.used <= use.allowed or use.name == "symbol notional", use
            assert self.truth(key.symbol) <= 30

    def _pick(self, number):
        names = [name for name, order in self.orders.items() if order[2] == "open"]
        return self.orders[names[number % len(names)]] if names else None

    def fill(self, number, size, stands_still):
        order = self._pick(number)
        if order is None:
            return
        entry = order[0]
        size = min(D(size), entry.quantity - order[1])
        self.now += not stands_still
        order[1] += size
        self.positions[entry.key] += entry.sign * size
        if order[1] == entry.quantity:
            order[2] = "over"
        self.of_orders.append((entry.client_id, order[1], self.now, order[2] == "over"))
        self.of_positions.append((entry.key, self.positions[entry.key], self.now))

    def end(self, number, _size, _still):
        order = self._pick(number)
        if order is not None:
            order[2] = "over"
            self.of_orders.append((order[0].client_id, order[1], self.now, True))

    def lose(self, *_):
        """An answer that is lost changes nothing: the entry counts until something is certain."""

    def find(self, number, *_):
        """A query finds the order as it is."""
        order = self._pick(number)
        if order is not None:
            self.desk.fill(order[0].client_id, order[1], self.now)

    def kill(self, number, *_):
        """An order that never came into being is proven dead."""
        order = self._pick(number)
        if order is not None and not order[1]:
            order[2] = "over"
            self.desk.release(order[0].client_id)

    def order_news(self):
        if self.of_orders:
            client_id, filled, at, over = self.of_orders.pop(0)
            if over:
                self.desk.release(client_id, filled, at)
            else:
                self.desk.fill(client_id, filled, at)

    def position_news(self):
        if self.of_positions:
            key, quantity, at = self.of_positions.pop(0)
            self.desk.tell(held(key, quantity), at)

    def flush(self):
        while self.of_orders:
            self.order_news()
        while self.of_positions:
            self.position_news()

    def wait(self):
        self.now += 1

    def foreign(self, place, change):
        """Another hand moves a position; its news comes at once, as everything before it does."""
        self.now += 1
        key = KEYS[place]
        self.positions[key] += change
        self.of_positions.append((key, self.positions[key], self.now))
        while self.of_positions:
            self.position_news()
        self.now += 1

    def read(self):
        """The account is read, in the middle of whatever is under way."""
        self.desk.read([held(key, size) for key, size in self.positions.items()], self.now - 1)

    def again(self):
        """What is on its way comes once more, too early."""
        for client_id, filled, at, _ in self.of_orders:
            self.desk.fill(client_id, filled, at)
        for key, quantity, at in self.of_positions[:1]:
            self.desk.tell(held(key, quantity), at)

    def truth(self, symbol="USDT"):
        """What is open and may still be opened, of one symbol or of all."""
        standing = sum((abs(size) for key, size in self.positions.items() if key.symbol.endswith(symbol)), D(0))
        open_ones = [one for one in self.orders.values() if one[2] == "open" and one[0].key.symbol.endswith(symbol)]
        return standing + sum((order[0].quantity - order[1] for order in open_ones), D(0))

    def counted(self):
        return next(use.used for use in self.desk.used(STANDING, self.now) if use.name == "gross notional")


@settings(max_examples=400, deadline=None)
@given(programs)
def test_never_is_less_counted_than_there_is(program):
    venue = Venue()
    for _ in venue.run(program):
        assert venue.counted() >= venue.truth()
        assert all(use.used >= 0 for use in venue.desk.used(STANDING, venue.now))


@settings(max_examples=200, deadline=None)
@given(programs)
def test_once_everything_is_told_exactly_what_there_is_is_counted(program):
    venue = Venue()
    for _ in venue.run(program):
        pass
    venue.flush()
    venue.now += 2
    venue.read()
    assert venue.counted() == venue.truth()
    assert venue.desk.reserved == {name for name, order in venue.orders.items() if order[2] == "open"}


@settings(max_examples=200, deadline=None)
@given(programs)
def test_a_desk_that_starts_anew_counts_no_less_than_the_one_before(program):
    venue = Venue()
    for _ in venue.run(program):
        pass
    venue.flush()
    venue.desk = Reservations(LIMITS)
    venue.read()
    for entry, filled, state in venue.orders.values():
        if state == "open":
            venue.desk.adopt(entry, filled)
    assert venue.counted() == venue.truth()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60))
def test_no_window_of_ten_seconds_holds_more_entries_than_four_fifths_of_what_the_venue_takes(gaps):
    desk, now, sent = Reservations(LIMITS), 10**6, []
    for number, gap in enumerate(gaps):
        now += gap * 10
        entry = Entry(
            client_id=f"e{number}", key=KEYS[0], sign=1, quantity=D(1), price=D(1), leverage=1, risk=D(0)
        )  # fmt: skip
        if isinstance(desk.reserve(entry, STANDING, now), Reservation):
            sent.append(now)
            desk.release(entry.client_id)
        assert sum(at > now - 10_000 for at in sent) <= 32
