"""A market of four contracts whose every number a test can work out, behind the simulator's Market protocol.

BTCUSDT trades once per step, ETHUSDT once per second, 币安人生USDT never, TSLAUSDT (TradFi) once per second.
"""

from decimal import Decimal

import numpy as np

from exchange.instrument import Bracket, Instrument, LotRule
from exchange.market_data import Candles
from exchange.simulator.market import INTERVALS, TRADE_ROW, BarColumns, Columns, DayColumns, Listing

START = 1_795_000_020_000 // 60_000 * 60_000
STEP = 250
SYMBOLS = ("BTCUSDT", "ETHUSDT", "币安人生USDT", "TSLAUSDT")


def instrument(symbol, precision, tick, contract_type="PERPETUAL"):
    lot = LotRule(Decimal("0.001"), Decimal(1000), Decimal("0.001"))
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        contract_type=contract_type,
        status="TRADING",
        price_precision=precision,
        quantity_precision=3,
        tick=Decimal(tick),
        min_price=Decimal(tick),
        max_price=Decimal(1_000_000),
        lot=lot,
        market_lot=lot,
        min_notional=Decimal(5),
        multiplier_up=Decimal("1.05"),
        multiplier_down=Decimal("0.95"),
        max_orders=200,
        liquidation_fee=Decimal("0.0125"),
        market_take_bound=Decimal("0.05"),
        onboard_ms=1_600_000_000_000,
    )


BRACKETS = (
    Bracket(Decimal(0), Decimal(50_000), 125, Decimal("0.004"), Decimal(0)),
    Bracket(Decimal(50_000), Decimal(250_000), 20, Decimal("0.01"), Decimal(300)),
)


class SmallMarket:
    def __init__(self, step_ms=STEP, start_ms=START):
        self.listings = tuple(
            Listing(spec, BRACKETS, hours, "test")
            for spec, hours in (
                (instrument(SYMBOLS[0], 2, "0.10"), 8),
                (instrument(SYMBOLS[1], 2, "0.01"), 8),
                (instrument(SYMBOLS[2], 4, "0.0001"), 4),
                (instrument(SYMBOLS[3], 2, "0.01", "TRADIFI_PERPETUAL"), 8),
            )
        )
        self.step_ms = step_ms
        self.now_ms = start_ms
        self._start = start_ms
        self._kept = [[] for _ in SYMBOLS]
        self._price = np.array([80_000.0, 3_000.0, 0.25, 250.0])
        self._open = self._price.copy()
        self._count = 0
        self._rows = []
        self._moved = np.zeros(4, np.bool_)

    @property
    def columns(self):
        half = np.array([0.1, 0.01, 0.0001, 0.01])
        one = np.ones(4)
        return Columns(
            last=self._price,
            bid=self._price - half,
            bid_quantity=one,
            ask=self._price + half,
            ask_quantity=one * 2,
            mark=self._price + 0.05,
            index_price=self._price,
            funding_rate=one * 0.0001,
            next_funding=np.full(4, (self.now_ms // 28_800_000 + 1) * 28_800_000),
            changed=self._moved,
        )

    def advance(self, now_ms):
        while self.now_ms + self.step_ms <= now_ms:
            self.now_ms += self.step_ms
            self._step()

    def _step(self):
        self._rows = []
        self._moved = np.zeros(4, np.bool_)
        for symbol, every in ((0, self.step_ms), (1, 1_000), (3, 1_000)):
            if self.now_ms % every == 0:
                self._count += 1
                self._price[symbol] += 0.1 if self._count % 3 else -0.1
                time = self.now_ms - 1
                row = (symbol, time, self._price[symbol], 0.5, bool(self._count % 2), self._count, self._count)
                self._rows.append(row)
                self._kept[symbol].append(row)
                self._moved[symbol] = True

    def trades(self):
        return np.array(self._rows, dtype=TRADE_ROW)

    def recent_trades(self, index, start_ms, end_ms, limit):
        rows = [
            row
            for row in self._kept[index]
            if (start_ms is None or row[1] >= start_ms) and (end_ms is None or row[1] <= end_ms)
        ]
        return np.array(rows[-limit:] if start_ms is None else rows[:limit], dtype=TRADE_ROW)

    def _bar(self, index, opened, length):
        """Return open, high, low, close, volume, quote volume, trades, taker base and quote of one bar."""
        inside = [row for row in self._kept[index] if opened <= row[1] < opened + length]
        before = [row for row in self._kept[index] if row[1] < opened]
        price = before[-1][2] if before else self._open[index]
        if not inside:
            return price, price, price, price, 0.0, 0.0, 0, 0.0, 0.0
        prices = [row[2] for row in inside]
        volume = 0.5 * len(inside)
        quote = sum(0.5 * value for value in prices)
        return prices[0], max(prices), min(prices), prices[-1], volume, quote, len(inside), volume / 2, quote / 2

    def candles(self, index, interval, start_ms, end_ms, limit):
        length = INTERVALS[interval]
        newest = min(self.now_ms, self.now_ms if end_ms is None else end_ms) // length
        if start_ms is None:
            numbers = range(newest - limit + 1, newest + 1)
        else:
            first = -(-start_ms // length)
            numbers = range(first, min(newest, first + limit - 1) + 1)
        opened = np.array([number * length for number in numbers], np.int64)
        rows = [self._bar(index, int(at), length) for at in opened]
        columns = [np.array(column, np.float64) for column in zip(*rows, strict=True)] or [np.zeros(0)] * 9
        trades = columns[6].astype(np.int64)
        return Candles(opened, *columns[:6], trades, *columns[7:])

    def bars(self, interval, at_ms):
        length = INTERVALS[interval]
        opened = at_ms // length * length
        rows = [self._bar(i, opened, length) for i in range(len(SYMBOLS))]
        columns = [np.array(column, np.float64) for column in zip(*rows, strict=True)]
        return BarColumns(opened, *columns[:6], columns[6].astype(np.int64), *columns[7:])

    def day(self):
        counts = np.array([len(kept) for kept in self._kept], np.int64)
        first = np.array([kept[0][5] if kept else 0 for kept in self._kept], np.int64)
        last = np.array([kept[-1][6] if kept else 0 for kept in self._kept], np.int64)
        price = self._price.copy()
        return DayColumns(self._open, price + 1, price - 1, price, counts * 0.5, counts * 100.0, counts, first, last)

    def depth(self, index, limit):
        price = float(self._price[index])
        levels = min(limit, 50)
        bids = [(round(price - 0.1 * rank, 2), 1.0) for rank in range(1, levels + 1)]
        return bids, [(round(price + 0.1 * rank, 2), 2.0) for rank in range(1, levels + 1)]
