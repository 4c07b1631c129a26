"""What the simulator's protocol side needs of a market: prices, candles, books and funding, on simulated time.

A market is pure and deterministic: the same seed and the same sequence of `advance` calls give the same numbers, and
splitting one call into several gives them too. All times are UTC milliseconds of simulated time. Prices stand on the
instrument's tick, quantities on its step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from exchange.instrument import Bracket, Instrument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.market_data import Candles

TRADE_ROW = [
    ("symbol", "i4"),
    ("time", "i8"),
    ("price", "f8"),
    ("quantity", "f8"),
    ("buyer_is_maker", "?"),
    ("first", "i8"),  # first and last trade id of the aggregate
    ("last", "i8"),
]
"""numpy dtype fields of an aggregate trade."""

MINUTE = 60_000
INTERVALS: dict[str, int] = {
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": 60 * MINUTE,
    "2h": 120 * MINUTE,
    "4h": 240 * MINUTE,
    "6h": 360 * MINUTE,
    "8h": 480 * MINUTE,
    "12h": 720 * MINUTE,
    "1d": 1440 * MINUTE,
}
"""Intervals a market serves, in milliseconds; all are aligned to the Unix epoch."""


class Listing(msgspec.Struct, frozen=True):
    """One contract on the simulated venue."""

    instrument: Instrument
    brackets: tuple[Bracket, ...]
    funding_hours: int
    sector: str
    estimated: tuple[str, ...] = ()
    """Candle columns that the source did not hold and the market estimated (replay only)."""


class Columns(NamedTuple):
    """The state of all symbols after the last `advance`, one entry per listing."""

    last: npt.NDArray[np.float64]
    bid: npt.NDArray[np.float64]
    bid_quantity: npt.NDArray[np.float64]
    ask: npt.NDArray[np.float64]
    ask_quantity: npt.NDArray[np.float64]
    mark: npt.NDArray[np.float64]
    index_price: npt.NDArray[np.float64]
    funding_rate: npt.NDArray[np.float64]
    next_funding: npt.NDArray[np.int64]
    changed: npt.NDArray[np.bool_]
    """Whether bid, ask or last moved in the last advance."""


class DayColumns(NamedTuple):
    """Rolling 24 h statistics of all symbols, one entry per listing."""

    open: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64]
    quote_volume: npt.NDArray[np.float64]
    trades: npt.NDArray[np.int64]
    first_id: npt.NDArray[np.int64]
    last_id: npt.NDArray[np.int64]


class BarColumns(NamedTuple):
    """The bar of every symbol that contains an instant, one entry per listing."""

    open_time: int
    open: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    close: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64]
    quote_volume: npt.NDArray[np.float64]
    trades: npt.NDArray[np.int64]
    taker_base: npt.NDArray[np.float64]
    taker_quote: npt.NDArray[np.float64]


class Market(Protocol):
    """A market of many symbols that moves in whole steps of `step_ms`."""

    @property
    def listings(self) -> Sequence[Listing]:
        """Return the contracts; the position in this sequence is the symbol's index everywhere below."""

    @property
    def step_ms(self) -> int:
        """Return the smallest move of simulated time."""

    @property
    def now_ms(self) -> int:
        """Return the simulated instant reached."""

    @property
    def columns(self) -> Columns:
        """Return the present state; the arrays are overwritten by the next `advance`."""

    def advance(self, now_ms: int) -> None:
        """Move to the last whole step at or before `now_ms`; earlier instants are ignored."""

    def trades(self) -> npt.NDArray[np.void]:
        """Return the aggregate trades (TRADE_ROW) of the last advance in time order."""

    def recent_trades(self, index: int, start_ms: int | None, end_ms: int | None, limit: int) -> npt.NDArray[np.void]:
        """Return kept aggregate trades of one symbol (the last 1,000 or more), ascending; the newest by default."""

    def candles(self, index: int, interval: str, start_ms: int | None, end_ms: int | None, limit: int) -> Candles:
        """Return bars as GET klines does: from `start_ms` the first `limit`, else the newest; the open bar last."""

    def bars(self, interval: str, at_ms: int) -> BarColumns:
        """Return every symbol's bar of `interval` that contains `at_ms` (the present bar or the one just closed)."""

    def day(self) -> DayColumns:
        """Return the rolling 24 h statistics."""

    def depth(self, index: int, limit: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return bids and asks as (price, quantity), best first, at most `limit` levels each."""
