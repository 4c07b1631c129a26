"""The simulated venue on a market whose books, marks and trades a test sets, and a trader who signs requests to it."""

import json
from decimal import Decimal
from urllib.parse import urlencode

import numpy as np
from small_market import START, STEP, SYMBOLS, SmallMarket

from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET, sign
from exchange.simulator.core import Exchange
from exchange.simulator.market import TRADE_ROW
from exchange.simulator.venue import ExchangeOptions

NEVER_LIMITED = 10**9


def ladder(best, step, sizes):
    """Return levels from a best price outwards, one per size."""
    return [(round(best + step * rank, 4), float(size)) for rank, size in enumerate(sizes)]


class HandMarket(SmallMarket):
    """SmallMarket's contracts with books set by hand. BTCUSDT starts at 79,999.9 / 80,000.1, ten levels of 1.0."""

    def __init__(self, start_ms=START):
        super().__init__(start_ms=start_ms)
        self.books = {
            index: (ladder(price - tick, -tick, [1] * 10), ladder(price + tick, tick, [1] * 10))
            for index, (price, tick) in enumerate(zip(self._price.tolist(), (0.1, 0.01, 0.0001, 0.01), strict=True))
        }
        self.marks = self._price.copy()
        self.rates = np.full(4, 0.0001)
        self.pending = []
        self.ids = 0

    @property
    def columns(self):
        best = [[self.books[i][side][0] for i in range(4)] for side in (0, 1)]
        (bid, bid_quantity), (ask, ask_quantity) = (np.array(rows).T for rows in best)
        return super().columns._replace(
            bid=bid, bid_quantity=bid_quantity, ask=ask, ask_quantity=ask_quantity, mark=self.marks,
            funding_rate=self.rates,
        )  # fmt: skip

    def set_book(self, bid, ask, index=0, tick=0.1, sizes=(1,) * 10):
        """Put the best prices somewhere; the mark and the last price follow to the middle."""
        self.books[index] = (ladder(bid, -tick, sizes), ladder(ask, tick, sizes))
        middle = (bid + ask) / 2
        self.marks = self.marks.copy()
        self.marks[index] = middle

    def trade(self, price, quantity, *, buyer_is_maker, index=0):
        """Let a trade happen in the next step."""
        self.ids += 1
        self.pending.append((index, self.now_ms + STEP - 1, price, quantity, buyer_is_maker, self.ids, self.ids))

    def _step(self):
        self._rows, self.pending = self.pending, []
        self._moved = np.zeros(4, np.bool_)
        for index, _, price, *_ in self._rows:
            self._price[index] = price
            self._moved[index] = True

    def trades(self):
        return np.array(self._rows, dtype=TRADE_ROW)

    def depth(self, index, limit):
        bids, asks = self.books[index]
        return bids[:limit], asks[:limit]


class RefusedError(Exception):
    """An error answer."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body}")
        self.status, self.code, self.text = status, body["code"], body["msg"]


class Trader:
    """One account at the venue: its requests, and the events of its user stream."""

    def __init__(self, market=None, balance=10_000, **options):
        self.market = market or HandMarket()
        options |= {"weight_limit": NEVER_LIMITED, "balance": Decimal(balance)}
        self.exchange = Exchange(self.market, options=ExchangeOptions(**options))
        self.house = self.exchange.venue.house
        key = self.call("POST", "/fapi/v1/listenKey")["listenKey"]
        self._session = self.exchange.open(f"/private/ws?listenKey={key}", self.now)

    @property
    def now(self):
        return self.exchange.now_ms

    def answer(self, method, path, **params):
        """Send a signed request with its parameters in the query, and return status and body."""
        params.setdefault("timestamp", self.now)
        query = urlencode({name: value for name, value in params.items() if value is not None})
        query += f"&signature={sign(DEMO_SECRET, query.encode())}"
        return self.exchange.request(method, path, query.encode(), b"", {"x-mbx-apikey": DEMO_KEY}, self.now)

    def call(self, method, path, **params):
        """Return the body of an answer. Raises RefusedError on an error."""
        answer = self.answer(method, path, **params)
        body = json.loads(answer.body)
        if answer.status != 200:
            raise RefusedError(answer.status, body)
        return body

    def order(self, **params):
        """Place an order: BTCUSDT, BUY, LIMIT GTC 0.010 at 79,000 unless told otherwise."""
        kind = params.get("type", "LIMIT")
        usual = {"symbol": SYMBOLS[0], "side": "BUY", "type": kind, "quantity": "0.010"}
        if kind == "LIMIT":
            usual |= {"timeInForce": "GTC"} | ({} if "priceMatch" in params else {"price": "79000"})
        return self.call("POST", "/fapi/v1/order", **usual | params)

    def market_order(self, side, quantity="0.010", **params):
        return self.order(side=side, type="MARKET", quantity=quantity, newOrderRespType="RESULT", **params)

    def query(self, client_id, symbol=SYMBOLS[0]):
        return self.call("GET", "/fapi/v1/order", symbol=symbol, origClientOrderId=client_id)

    def position(self, symbol=SYMBOLS[0]):
        """Return the signed quantity of the one-way position."""
        rows = self.call("GET", "/fapi/v2/positionRisk", symbol=symbol)
        return next(row["positionAmt"] for row in rows if row["positionSide"] == "BOTH")

    def step(self, count=1):
        self.exchange.advance(self.now + count * STEP)

    def events(self):
        """Return and forget the events that have arrived."""
        events = [json.loads(frame) for frame in self._session.outbox]
        self._session.outbox.clear()
        return events

    def orders_told(self):
        """Return the ORDER_TRADE_UPDATE bodies that have arrived."""
        return [event["o"] for event in self.events() if event["e"] == "ORDER_TRADE_UPDATE"]
