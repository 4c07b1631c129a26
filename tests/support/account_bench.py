"""An account book on prices a test sets by hand, with the real order store and a desk that liquidates by the book."""

from dataclasses import dataclass, field
from decimal import Decimal

from small_market import instrument

from exchange.simulator.listings import chain
from exchange.simulator.market import Listing
from exchange.simulator.trading.account_book import AccountBook
from exchange.simulator.trading.model import Execution, Order, PositionSide, Side, Status
from exchange.simulator.trading.order_store import OrderStore

START = 1_795_000_020_000
BTC, ETH, DOGE = 0, 1, 2
D = Decimal
NOTHING = D(0)
TEN_THOUSAND = D(10_000)
ONE_WAY, LONG, SHORT = PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT

BTC_BRACKETS = chain(
    (300_000, 800_000, 3_000_000, 12_000_000, 70_000_000, 100_000_000, 230_000_000, 480_000_000, 600_000_000,
     800_000_000, 1_200_000_000, 1_800_000_000),
    (150, 100, 75, 50, 25, 20, 10, 5, 4, 3, 2, 1),
    ("0.004", "0.005", "0.0065", "0.01", "0.02", "0.025", "0.05", "0.1", "0.125", "0.15", "0.25", "0.5"),
)  # fmt: skip
"""BTCUSDT in September 2026, as the contract lists it."""
SMALL_BRACKETS = chain((5_000, 25_000, 100_000), (75, 20, 5), ("0.01", "0.025", "0.1"))

LISTINGS = (
    Listing(instrument("BTCUSDT", 2, "0.10"), BTC_BRACKETS, 8, "test"),
    Listing(instrument("ETHUSDT", 2, "0.01"), BTC_BRACKETS, 4, "test"),
    Listing(instrument("DOGEUSDT", 5, "0.00001"), SMALL_BRACKETS, 1, "test"),
)


@dataclass
class HandPrices:
    marks: list = field(default_factory=lambda: [D(80_000), D(3_000), D("0.25")])
    rates: list = field(default_factory=lambda: [D("0.0001"), D("0.0001"), D("0.0001")])

    def mark(self, listing):
        return self.marks[listing]

    last = bid = ask = mark

    def funding_rate(self, listing):
        return self.rates[listing]


class Heard:
    def __init__(self):
        self.events = []

    def publish(self, event):
        self.events.append(event)

    def named(self, name):
        return [event for event in self.events if event["e"] == name]


class HandDesk:
    """Fills liquidations at the mark, never beyond the bankruptcy price unless told that nobody stops there."""

    def __init__(self, bench):
        self.bench = bench
        self.cancelled = []
        self.beyond = False

    def cancel_for_liquidation(self, listing, now_ms):
        self.cancelled.append(listing)
        store = self.bench.store
        for each in store.open_listings() if listing is None else [listing]:
            for order in store.open_of(each):
                order.status = Status.EXPIRED
                store.close(order)

    def place_liquidation(self, position, bankruptcy_price, client_id, now_ms):
        mark = self.bench.prices.mark(position.listing)
        stop = max if position.quantity > 0 else min
        price = mark if self.beyond else stop(mark, bankruptcy_price)
        self.close_at(position, abs(position.quantity), price, client_id, now_ms)

    def close_at(self, position, quantity, price, client_id, now_ms):
        side = Side.SELL if position.quantity > 0 else Side.BUY
        order = self.bench.order(
            position.listing, side, quantity, price, position.side, client_id=client_id, by_venue=True
        )
        self.bench.execute(order, price, now_ms=now_ms)


class Bench:
    def __init__(self, balance=TEN_THOUSAND, *, hedge=False, isolated=(), leverage=None, **options):
        self.prices = HandPrices()
        self.store = OrderStore()
        self.heard = Heard()
        self.book = AccountBook(LISTINGS, self.prices, self.store, self.heard, START, balance, **options)
        self.desk = HandDesk(self)
        self.book.liquidator = self.desk
        self.now = START
        if hedge:
            self.book.set_dual_side(True, START)
        for listing in isolated:
            self.book.set_margin_type(listing, True, START)
        for listing, value in (leverage or {}).items():
            self.book.set_leverage(listing, value, START)
        self.heard.events.clear()

    def order(self, listing, side, quantity, price=NOTHING, position_side=ONE_WAY, *, client_id="c", **more):
        return Order(
            order_id=self.store.next_order_id(listing),
            client_id=client_id,
            listing=listing,
            side=side,
            position_side=position_side,
            kind=more.pop("kind", "LIMIT" if price else "MARKET"),
            time_in_force=more.pop("time_in_force", "GTC"),
            price=D(price),
            quantity=D(quantity),
            created_ms=self.now,
            updated_ms=self.now,
            original_kind="LIMIT",
            **more,
        )

    def rest(self, listing, side, quantity, price, position_side=ONE_WAY, **more):
        order = self.order(listing, side, quantity, price, position_side, **more)
        self.store.add(order)
        return order

    def execute(self, order, price, quantity=None, *, maker=False, now_ms=None):
        size = order.remaining if quantity is None else D(quantity)
        order.executed += size
        order.cumulative_quote += size * D(price)
        order.status = Status.PARTIALLY_FILLED if order.remaining else Status.FILLED
        if not order.remaining:
            self.store.close(order)
        at = self.now if now_ms is None else now_ms
        return self.book.fill(Execution(order, D(price), size, maker, self.store.next_trade_id(), at))

    def trade(self, listing, side, quantity, price, position_side=ONE_WAY, *, maker=False, **more):
        order = self.order(listing, Side(side), quantity, price, position_side, **more)
        return self.execute(order, price, maker=maker)

    def step(self, ms=250):
        previous, self.now = self.now, self.now + ms
        self.book.step(previous, self.now)

    def balances(self):
        """Return opening balance plus all income, and the wallet: the law says they are one number."""
        return self.book.opening + self.book.income.total, self.book.wallet
