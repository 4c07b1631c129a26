"""The session market: a recorded session drives prices, trades, candles and funding, step by step.

Instants are the venue's event times. What happened inside one step is shown at its end, as in every market here, so a
symbol's best prices are told once per step. Bars are those of the recorded kline frames; a closed bar is the closing
frame's. Where the session is silent the market stands still, and at its end for good.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

import numpy as np

from exchange.recorder.manifest import SessionError
from exchange.recorder.reading import SessionReader
from exchange.simulator.bar_ring import CLOSE
from exchange.simulator.kline_feed import check_step
from exchange.simulator.market import INTERVALS, MINUTE, TRADE_ROW
from exchange.simulator.order_book import book_side
from exchange.simulator.price_grid import Grids
from exchange.simulator.recorded.beginning import read_beginning
from exchange.simulator.recorded.chart import Chart
from exchange.simulator.recorded.flow import Flow
from exchange.simulator.recorded.quotes import Quotes
from exchange.simulator.recorded.wire import BookSeen, MarkSeen, TradeSeen
from exchange.simulator.stepped_market import MarketError
from exchange.simulator.trade_tape import TradeTape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from exchange.market_data import Candles
    from exchange.simulator.market import BarColumns, Columns, DayColumns, Listing
    from exchange.simulator.recorded.beginning import Beginning
    from exchange.simulator.recorded.wire import Seen

_KLINE = "kline_"
_WAITING_TRADES = 4096


class SessionMarket:
    """Implements `exchange.simulator.market.Market` on a folder that `perpdesk record` wrote.

    Live time begins where the recording could be served, or at `start_ms` where that lies later in the session.
    `symbols` keeps the first ones of the session only. Raises MarketError for a folder that holds no session, or one
    that lacks what no market can do without.
    """

    def __init__(
        self, folder: Path, *, step_ms: int, symbols: int = 1000, seed: int = 0, start_ms: int | None = None
    ) -> None:
        """Read the session's beginning and stand at the first live instant."""
        try:
            check_step(step_ms)
        except ValueError as error:
            raise MarketError(str(error)) from error
        try:
            self._session = SessionReader(folder)
            beginning = read_beginning(self._session.records(), self._session.manifest, folder)
            self._open(beginning, step_ms, symbols, seed)
        except SessionError as error:
            raise MarketError(str(error)) from error
        manifest = self._session.manifest
        end_us = max([manifest.ended_us, *(entry.last_us for entry in manifest.segments)])
        if start_ms is not None and self._now_ms < start_ms < end_us // 1000:
            while self._now_ms + MINUTE <= start_ms:
                self.advance(self._now_ms + MINUTE)
            self.advance(start_ms)
            self.advance(start_ms)  # nothing has moved since: the market stands at its beginning

    def _open(self, beginning: Beginning, step_ms: int, symbols: int, seed: int) -> None:
        self._listings = beginning.listings[:symbols]
        self._step_ms = step_ms
        self._seed = seed
        self._grids = Grids.of([listing.instrument for listing in self._listings])
        names = [listing.instrument.symbol for listing in self._listings]
        self._index = {symbol: number for number, symbol in enumerate(names)}
        streams = self._session.manifest.streams
        self._has_trades = "aggTrade" in streams
        self._live = {name.removeprefix(_KLINE) for name in streams if name.startswith(_KLINE)}
        self._finest = min(self._live, key=INTERVALS.__getitem__, default="1m")
        self._flow = Flow(self._session.records(), self._index, beginning.instant_ms)
        before = self._flow.up_to_ready()
        latest = max(self._flow.newest_ms, beginning.instant_ms)
        self._now_ms = -(-latest // step_ms) * step_ms
        self._quotes = Quotes(beginning, self._listings, self._grids, has_books="bookTicker" in streams)
        self._chart = Chart(
            beginning, before, self._index, self._quotes.last, self._grids, self._now_ms, self._live,
            self._flow.closings,
        )  # fmt: skip
        self._tape = TradeTape(len(names))
        self._fresh: list[tuple[int, int, float, float, bool, int, int]] = []
        self._waiting: list[npt.NDArray[np.void]] = []
        self._waiting_rows = 0
        self._last_id: npt.NDArray[np.int64] = np.zeros(len(names), np.int64)
        for seen in before:
            self._apply(seen)
        self._chart.roll(self._now_ms)
        self._fresh.clear()
        self._quotes.moved[:] = False
        self._columns = self._quotes.columns(self._now_ms)
        self.notes: tuple[str, ...] = beginning.notes
        """What an operator should know of the session."""
        if self._chart.filled:
            self.notes += (f"{self._chart.filled} bars of history are not in the session and are shown flat",)

    @property
    def listings(self) -> Sequence[Listing]:
        """Return the contracts; the position is the symbol's index."""
        return self._listings

    @property
    def step_ms(self) -> int:
        """Return the smallest move of simulated time."""
        return self._step_ms

    @property
    def now_ms(self) -> int:
        """Return the instant reached."""
        return self._now_ms

    @property
    def columns(self) -> Columns:
        """Return the present state."""
        return self._columns

    @property
    def exhausted(self) -> bool:
        """Say whether the session has ended: the market stands still and `advance` does nothing."""
        return self._flow.exhausted

    @property
    def left_out(self) -> int:
        """Return how many recorded frames could not be used so far."""
        return self._flow.left_out

    def advance(self, now_ms: int) -> None:
        """Move to the last whole step at or before `now_ms`; earlier instants are ignored."""
        target = now_ms // self._step_ms * self._step_ms
        self._fresh.clear()
        self._quotes.moved[:] = False
        if target > self._now_ms and not self._flow.exhausted:
            for seen in self._flow.until(target):
                if seen.at >= self._chart.minute_end_ms:
                    self._chart.roll(seen.at)
                self._apply(seen)
            self._chart.roll(target)
            self._now_ms = target
        self._columns = self._quotes.columns(self._now_ms)
        self._keep_trades()

    def _apply(self, seen: Seen) -> None:
        if isinstance(seen, BookSeen):
            self._quotes.see_book(seen)
            if not self._has_trades and not self._live:
                self._price(seen.listing, seen.bid)
        elif isinstance(seen, MarkSeen):
            self._quotes.see_mark(seen)
        elif isinstance(seen, TradeSeen):
            self._trade(seen)
        elif self._chart.see_bar(seen) and seen.interval == self._finest and not self._has_trades:
            self._price(seen.listing, seen.bar[CLOSE])

    def _trade(self, seen: TradeSeen) -> None:
        _, listing, time, price, quantity, maker, first, last = seen
        self._fresh.append((listing, time, price, quantity, maker, first, last))
        self._last_id[listing] = max(self._last_id[listing], last)
        self._price(listing, price, quantity, last - first + 1, bought=not maker)

    def _price(
        self, listing: int, price: float, quantity: float = 0.0, count: int = 0, *, bought: bool = False
    ) -> None:
        self._quotes.see_price(listing, price)
        if "1m" not in self._live:
            self._chart.see_price(listing, price, quantity, count, bought=bought)

    def _keep_trades(self) -> None:
        if self._fresh:
            self._waiting.append(np.array(self._fresh, dtype=TRADE_ROW))
            self._waiting_rows += len(self._fresh)
            if self._waiting_rows >= _WAITING_TRADES:
                self._settle_trades()

    def _settle_trades(self) -> None:
        if self._waiting:
            self._tape.extend(np.concatenate(self._waiting))
            self._waiting.clear()
            self._waiting_rows = 0

    def trades(self) -> npt.NDArray[np.void]:
        """Return the aggregate trades (TRADE_ROW) of the last advance in the order of their events."""
        return np.array(self._fresh, dtype=TRADE_ROW)

    def recent_trades(self, index: int, start_ms: int | None, end_ms: int | None, limit: int) -> npt.NDArray[np.void]:
        """Return aggregate trades since the market began, ascending; from `start_ms` the first, else the newest."""
        self._settle_trades()
        rows = self._tape.of(index)
        if start_ms is not None:
            rows = rows[rows["time"] >= start_ms]
        if end_ms is not None:
            rows = rows[rows["time"] <= end_ms]
        return rows[:limit] if start_ms is not None else rows[max(0, len(rows) - limit) :]

    def candles(self, index: int, interval: str, start_ms: int | None, end_ms: int | None, limit: int) -> Candles:
        """Return bars as GET klines does, from the symbol's first recorded bar on; the open bar last.

        Raises KeyError for an interval that is not served.
        """
        return self._chart.candles(index, interval, start_ms, end_ms, limit)

    def bars(self, interval: str, at_ms: int) -> BarColumns:
        """Return every symbol's bar of `interval` that contains `at_ms`; ValueError when it is not kept."""
        return self._chart.bars(interval, at_ms)

    def day(self) -> DayColumns:
        """Return the statistics of the last 24 h from the finest bars that reach so far back, or the longest ones."""
        return self._chart.day(self._quotes.last, self._last_id)

    def depth(self, index: int, limit: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return bids and asks as (price, quantity), best first; behind the recorded best prices they are estimated."""
        price, lot = self._grids.price, self._grids.lot
        quantities = (self._quotes.bid_quantity[index], self._quotes.ask_quantity[index])
        best_lots = [round(quantity * lot.scale[index] / lot.units[index]) for quantity in quantities]
        usual = 2.0 ** round(log2(max((best_lots[0] + best_lots[1]) / 2.0, 1.0)))
        sides: list[list[tuple[float, float]]] = []
        for outward, best, lots in ((-1, self._quotes.bid, best_lots[0]), (1, self._quotes.ask, best_lots[1])):
            side = book_side(
                seed=self._seed,
                symbol=index,
                at_ms=self._now_ms,
                best=round(best[index] * price.scale[index] / price.units[index]),
                best_lots=lots,
                usual_lots=usual,
                outward=outward,
                limit=limit,
            )
            prices = side.ticks * price.units[index] / price.scale[index]
            sizes = side.lots * lot.units[index] / lot.scale[index]
            sides.append(list(zip(prices.tolist(), sizes.tolist(), strict=True)))
        return sides[0], sides[1]
