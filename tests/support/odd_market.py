"""A market with one odd contract: born late, frozen at one price, or counted in another unit from an instant on."""

import numpy as np

from exchange.market_data import Candles
from exchange.simulator.market import INTERVALS

PRICES = ("open", "high", "low", "close")
COLUMNS = ("last", "bid", "ask", "mark", "index_price")
NEVER = 1 << 62


class OddMarket:
    """Another market, with contract `index` changed; everything else is handed through."""

    def __init__(self, market, index, *, factor=1.0, from_ms=NEVER, born_ms=0, frozen=False):
        self._market, self._index, self._factor, self._from_ms = market, index, factor, from_ms
        self._born_ms, self._frozen = born_ms, frozen
        self._price = float(market.columns.last[index])

    def __getattr__(self, name):
        return getattr(self._market, name)

    def _scale(self, at_ms):
        return self._factor if at_ms >= self._from_ms else 1.0

    def _price_now(self, price):
        return self._price if self._frozen else price * self._scale(self._market.now_ms)

    @property
    def columns(self):
        columns = self._market.columns
        changed = {}
        for name in COLUMNS:
            changed[name] = getattr(columns, name).copy()
            price = changed[name][self._index]
            step = {"bid": 0.9999, "ask": 1.0001}.get(name, 1.0)
            changed[name][self._index] = self._price * step if self._frozen else self._price_now(price)
        return columns._replace(**changed)

    def trades(self):
        return self._rows(self._market.trades())

    def recent_trades(self, index, start_ms, end_ms, limit):
        return self._rows(self._market.recent_trades(index, start_ms, end_ms, limit))

    def _rows(self, rows):
        rows = rows.copy()
        mine = rows["symbol"] == self._index
        if self._frozen:
            return rows[~mine]
        rows["price"][mine] *= np.where(rows["time"][mine] >= self._from_ms, self._factor, 1.0)
        return rows

    def candles(self, index, interval, start_ms, end_ms, limit):
        candles = self._market.candles(index, interval, start_ms, end_ms, limit)
        if index != self._index:
            return candles
        kept = candles.open_time + INTERVALS[interval] > self._born_ms
        columns = {name: getattr(candles, name)[kept].copy() for name in Candles.__struct_fields__}
        for name in PRICES:
            columns[name] *= np.where(columns["open_time"] >= self._from_ms, self._factor, 1.0)
            if self._frozen:
                columns[name][:] = self._price
        if self._frozen:
            for name in ("volume", "quote_volume", "trades", "taker_base", "taker_quote"):
                columns[name][:] = 0
        return Candles(**columns)

    def bars(self, interval, at_ms):
        bars = self._market.bars(interval, at_ms)
        columns = {name: getattr(bars, name).copy() for name in bars._fields[1:]}
        for name in PRICES:
            price = columns[name][self._index]
            columns[name][self._index] = self._price if self._frozen else price * self._scale(bars.open_time)
        if self._frozen:
            for name in bars._fields[5:]:
                columns[name][self._index] = 0
        return bars._replace(**columns)

    def depth(self, index, limit):
        sides = self._market.depth(index, limit)
        if index != self._index or self._frozen:
            return sides
        scale = self._scale(self._market.now_ms)
        return tuple([(price * scale, quantity) for price, quantity in side] for side in sides)
