"""Market data as typed messages: what REST answers and streams become once decoded.

Prices here are float64: they feed analysis columns and screens. Money never does; see `exchange.instrument`.
Times are UTC milliseconds. Messages hold plain values only, so the collector need not look at them (`gc=False`).
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

FRAME_MS: dict[str, int] = {"1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000}


class Candles(msgspec.Struct, frozen=True):
    """Consecutive bars of one symbol and interval as columns of equal length, ascending in time.

    The last bar may still be forming: `close_time[-1]` tells.
    """

    open_time: npt.NDArray[np.int64]
    open: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    close: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64]
    quote_volume: npt.NDArray[np.float64]
    trades: npt.NDArray[np.int64]
    taker_base: npt.NDArray[np.float64]
    taker_quote: npt.NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.open_time)


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """24 h statistics of one symbol."""

    symbol: str
    last: float
    change_percent: float
    quote_volume: float
    event_time: int


class BookTop(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask."""

    symbol: str
    bid: float
    bid_quantity: float
    ask: float
    ask_quantity: float
    event_time: int


class MarkPrice(msgspec.Struct, frozen=True, gc=False):
    """Mark price and the current estimate of the next funding rate."""

    symbol: str
    mark: float
    index: float
    funding_rate: float
    next_funding: int
    event_time: int


class KlineUpdate(msgspec.Struct, frozen=True, gc=False):
    """One bar as a stream reports it; final only when `closed`."""

    symbol: str
    interval: str
    open_time: int
    close_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    trades: int
    taker_base: float
    taker_quote: float
    closed: bool
    event_time: int


class AggTrade(msgspec.Struct, frozen=True, gc=False):
    """One aggregate trade; `buyer_is_maker` means the aggressor sold."""

    symbol: str
    trade_id: int
    price: float
    quantity: float
    buyer_is_maker: bool
    trade_time: int
    event_time: int


class DepthSnapshot(msgspec.Struct, frozen=True):
    """Price levels, best first, as (price, quantity)."""

    symbol: str
    update_id: int
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    event_time: int


class DepthUpdate(msgspec.Struct, frozen=True, gc=False):
    """What changed in an order book: (price, new quantity), 0 where a level is gone.

    Update ids count for all contracts together. `previous_id` is the last id of the change before this one.
    """

    symbol: str
    first_id: int
    last_id: int
    previous_id: int
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]
    event_time: int


class ContractStatus(msgspec.Struct, frozen=True, gc=False):
    """What the venue says of a contract's life when that changes: listed, halted, settled; its rules are not in it."""

    symbol: str
    status: str
    """`TRADING` and others; unknown ones are kept as text."""
    event_time: int


MarketMessage = ContractStatus | KlineUpdate | BookTop | MarkPrice | AggTrade | Ticker | DepthUpdate | DepthSnapshot
