"""Bar matrices [FIELDS, n] as the column types that markets answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.market_data import Candles
from exchange.simulator.bar_ring import CLOSE, HIGH, LOW, OPEN, QUOTE, TAKER_BASE, TAKER_QUOTE, TRADES, VOLUME
from exchange.simulator.market import BarColumns, DayColumns

if TYPE_CHECKING:
    import numpy.typing as npt

    from exchange.simulator.price_grid import Floats


def candles_of(times: npt.NDArray[np.int64], bars: Floats) -> Candles:
    """Return consecutive bars of one symbol."""
    return Candles(
        open_time=times,
        open=bars[OPEN],
        high=bars[HIGH],
        low=bars[LOW],
        close=bars[CLOSE],
        volume=bars[VOLUME],
        quote_volume=bars[QUOTE],
        trades=bars[TRADES].astype(np.int64),
        taker_base=bars[TAKER_BASE],
        taker_quote=bars[TAKER_QUOTE],
    )


def bar_columns_of(open_time: int, bars: Floats) -> BarColumns:
    """Return the bar of every symbol that opened at one instant."""
    return BarColumns(
        open_time=open_time,
        open=bars[OPEN],
        high=bars[HIGH],
        low=bars[LOW],
        close=bars[CLOSE],
        volume=bars[VOLUME],
        quote_volume=bars[QUOTE],
        trades=bars[TRADES].astype(np.int64),
        taker_base=bars[TAKER_BASE],
        taker_quote=bars[TAKER_QUOTE],
    )


def day_of(bars: Floats, last: Floats, last_id: npt.NDArray[np.int64]) -> DayColumns:
    """Return 24 h statistics from one joined bar per symbol; `last` is the newest price, `last_id` the newest trade."""
    trades = bars[TRADES].astype(np.int64)
    return DayColumns(
        open=bars[OPEN],
        high=bars[HIGH],
        low=bars[LOW],
        last=last,
        volume=bars[VOLUME],
        quote_volume=bars[QUOTE],
        trades=trades,
        first_id=last_id - trades + 1,
        last_id=last_id.copy(),
    )
