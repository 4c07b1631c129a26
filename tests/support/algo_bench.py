"""An algo desk on prices, a position and an order desk that a test holds in its hands."""

from decimal import Decimal

from small_market import SYMBOLS, SmallMarket

from exchange.simulator.answers import RefusalError
from exchange.simulator.params import Params
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.trading.algo_desk import AlgoDesk
from exchange.simulator.trading.algo_request import parse_terms
from exchange.simulator.trading.model import Order, Position, PositionSide, Status
from exchange.simulator.trading.prices import MarketTrade

START = 1_795_000_000_000
CLOSE = {"closePosition": "true", "quantity": None}
TRAIL = {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "1"}
STEP = 250


class HandPrices:
    """Prices a test sets; `say` gives the trades of the next step."""

    def __init__(self):
        self.lasts = [Decimal(80_000), Decimal(3_000), Decimal("0.25"), Decimal(250)]
        self.marks = list(self.lasts)
        self.paths = {}

    def mark(self, listing):
        return self.marks[listing]

    def last(self, listing):
        return self.lasts[listing]

    def trades(self, listing):
        return self.paths.get(listing, [])


class HandAccount:
    def __init__(self):
        self.dual_side = False
        self.held = {}

    def position(self, listing, side):
        return Position(listing, side, self.held.get((listing, side), Decimal(0)))


class HandOrders:
    """Fills market children at the last price and lets limit children rest; `refusal` refuses them."""

    def __init__(self, bench):
        self.bench = bench
        self.children = []
        self.refusal = None

    def place_child(self, request, original_kind, stop_price, client_id, now_ms, accepted):
        if self.refusal is not None:
            raise RefusalError(400, *self.refusal)
        price = self.bench.prices.last(request.listing)
        child = Order(
            7_000_000_000 + len(self.children), client_id, request.listing, request.side, request.position_side,
            request.kind, request.time_in_force, request.price, request.quantity, now_ms, now_ms, original_kind,
            reduce_only=bool(request.reduce_only), close_position=request.close_position, stop_price=stop_price,
        )  # fmt: skip
        self.children.append(child)
        accepted(child)
        self.bench.events.append({"e": "ORDER_TRADE_UPDATE", "E": now_ms, "o": {"x": "NEW", "i": child.order_id}})
        if child.kind == "MARKET":
            self.fill(child, price, now_ms)
        return child

    def fill(self, child, price, now_ms):
        child.executed = child.quantity
        child.cumulative_quote = price * child.quantity
        child.status = Status.FILLED
        self.bench.events.append({"e": "ACCOUNT_UPDATE", "E": now_ms})
        self.bench.events.append({"e": "ORDER_TRADE_UPDATE", "E": now_ms, "o": {"x": "TRADE", "i": child.order_id}})
        held = self.bench.account.position(child.listing, child.position_side).quantity
        self.bench.hold(held + child.side.sign * child.quantity, child.listing, child.position_side)


class AlgoBench:
    """The desk with its surroundings; `events` holds what was published, in order."""

    def __init__(self, **questions):
        self.events = []
        self.prices = HandPrices()
        self.account = HandAccount()
        self.orders = HandOrders(self)
        self.market = SmallMarket()
        self.now = START
        self.index = {symbol: i for i, symbol in enumerate(SYMBOLS)}
        self.listings = list(self.market.listings)
        self.desk = AlgoDesk(self.listings, self.prices, self.account, self.orders, self, OpenQuestions(**questions))

    def publish(self, event):
        self.events.append(event)

    def place(self, **params):
        """Place a SELL stop of 0.010 BTCUSDT at 79000 with the parameters given laid over; None leaves one out."""
        terms = {
            "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET",
            "quantity": "0.010", "triggerPrice": "79000.00",
        }  # fmt: skip
        terms |= params
        given = Params.of({name: value for name, value in terms.items() if value is not None})
        return self.desk.place(parse_terms(given, self.index, self.now), self.now)

    def code(self, **params):
        """Return the refusal's code of a placement, 0 where it is accepted."""
        try:
            self.place(**params)
        except RefusalError as refusal:
            return refusal.code
        return 0

    def hold(self, quantity, listing=0, side=PositionSide.BOTH):
        """Let the account hold a position and tell the desk so."""
        self.account.held[listing, side] = Decimal(quantity)
        self.desk.position_changed(self.account.position(listing, side), self.now)

    def step(self, *prices, listing=0, mark=None):
        """Let one market step trade at these prices, evenly spread; the mark follows the last unless given."""
        previous, self.now = self.now, self.now + STEP
        values = [Decimal(str(price)) for price in prices]
        gap = STEP // (len(values) + 1)
        self.prices.paths = {
            listing: [MarketTrade(previous + gap * (i + 1), p, Decimal(1), False) for i, p in enumerate(values)]
        }
        if values:
            self.prices.lasts[listing] = values[-1]
        if mark is not None:
            self.prices.marks[listing] = Decimal(str(mark))
        elif values:
            self.prices.marks[listing] = values[-1]
        self.desk.step(previous, self.now)

    def told(self):
        """Return and forget (order, status) of the ALGO_UPDATE events so far."""
        told = [(event["o"]["caid"], event["o"]["X"]) for event in self.events if event["e"] == "ALGO_UPDATE"]
        self.events.clear()
        return told
