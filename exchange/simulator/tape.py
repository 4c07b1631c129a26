"""What the protocol remembers of the market between ticks: update ids, last trades, mark averages, what has moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.encode import Formats

if TYPE_CHECKING:
    import numpy.typing as npt

    from exchange.simulator.market import Columns, Listing, Market

AVERAGE_SECONDS = 60
"""Length of the mark price's moving average; the venue does not publish its own."""
FIRST_UPDATE_ID = 9_000_000_000
WIDE_UPDATE_ID = 8_389_765_739_703_625_592
"""Order of magnitude of ids above 2**53 seen live; one symbol carries such ids to catch clients that read floats."""
SECOND_MS = 1_000


class Tape:
    """Per-symbol memory, one array entry per listing; `tick` is called once per market step."""

    def __init__(self, market: Market) -> None:
        """Read the market's present state as the starting point."""
        count = len(market.listings)
        self.market = market
        self.listings: tuple[Listing, ...] = tuple(market.listings)
        self.symbols: list[str] = [listing.instrument.symbol for listing in self.listings]
        self.index: dict[str, int] = {symbol: i for i, symbol in enumerate(self.symbols)}
        self.lower: dict[str, int] = {symbol.lower(): i for symbol, i in self.index.items()}
        self.formats: list[Formats] = [Formats(listing.instrument) for listing in self.listings]
        self._id_base = np.full(count, FIRST_UPDATE_ID, np.int64)
        if count > 1:
            self._id_base[1] = WIDE_UPDATE_ID
        self._steps = 0
        self.update_id: npt.NDArray[np.int64] = self._id_base + np.arange(count)
        self.book_time: npt.NDArray[np.int64] = np.full(count, market.now_ms, np.int64)
        day = market.day()
        self.last_trade_id: npt.NDArray[np.int64] = np.array(day.last_id, np.int64)
        self.last_quantity: npt.NDArray[np.float64] = np.zeros(count)
        for i in range(count):
            rows = market.recent_trades(i, None, None, 1)
            if len(rows):
                self.last_quantity[i] = rows["quantity"][-1]
        self._marks = np.tile(np.array(market.columns.mark, np.float64), (AVERAGE_SECONDS, 1))
        self._second = market.now_ms // SECOND_MS
        self.columns: Columns = market.columns
        self.trades: npt.NDArray[np.void] = market.trades()[:0]

    def tick(self, now_ms: int) -> None:
        """Take over what the market's last step brought."""
        columns = self.market.columns
        self._steps += 1
        moved = columns.changed
        count = len(self.symbols)
        fresh = self._id_base + (self._steps * count + np.arange(count))
        np.copyto(self.update_id, fresh, where=moved)
        self.book_time[moved] = now_ms
        trades = self.market.trades()
        if len(trades):
            # The rows ascend in time, so the last assignment to a repeated index is the newest trade.
            self.last_trade_id[trades["symbol"]] = trades["last"]
            self.last_quantity[trades["symbol"]] = trades["quantity"]
        second = now_ms // SECOND_MS
        if second != self._second:
            self._marks[second % AVERAGE_SECONDS] = columns.mark
            self._second = second
        self.columns = columns
        self.trades = trades

    def average_mark(self) -> npt.NDArray[np.float64]:
        """Return the moving average of the mark price over the last minute of one-second samples."""
        average: npt.NDArray[np.float64] = self._marks.mean(axis=0)
        return average
