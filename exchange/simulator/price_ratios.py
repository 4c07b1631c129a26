"""How far mark and index price stood from the last trade at the end of each minute of the run.

Their klines are the contract's own, moved by that distance: no market keeps bars of them. Before the run the distance
is not known and taken for none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.market_data import Candles
from exchange.simulator.market import MINUTE

if TYPE_CHECKING:
    import numpy.typing as npt

    from exchange.simulator.market import Columns

    Floats = npt.NDArray[np.float64]

MINUTES_KEPT = 1_600
MARK, INDEX = 0, 1
SAMPLES_MS = 1_000
"""The venue counts a price sample a second where other klines count trades."""


class PriceRatios:
    """Mark and index price over the last price, by minute."""

    def __init__(self, symbols: int, now_ms: int) -> None:
        """Start without a minute."""
        self._ratios = np.ones((2, symbols, MINUTES_KEPT), np.float32)
        self._first = self._minute = now_ms // MINUTE

    def tick(self, now_ms: int, columns: Columns) -> None:
        """Note the distances at the first step of every minute: they end the minute before."""
        minute = now_ms // MINUTE
        if minute == self._minute:
            return
        slot = (minute - 1) % MINUTES_KEPT
        self._ratios[MARK, :, slot] = columns.mark / columns.last
        self._ratios[INDEX, :, slot] = columns.index_price / columns.last
        self._minute = minute

    def at_end(self, which: int, index: int, ends_ms: npt.NDArray[np.int64], now: float) -> Floats:
        """Return the distances at the ends of bars: of the minute that ends there, `now` for an end not reached."""
        minutes = ends_ms // MINUTE - 1
        ratios: Floats = self._ratios[which, index, minutes % MINUTES_KEPT].astype(np.float64)
        ratios[(minutes < self._first) | (minutes < self._minute - MINUTES_KEPT)] = 1.0
        ratios[minutes >= self._minute] = now
        return ratios


def moved_candles(
    ratios: PriceRatios, which: int, index: int, candles: Candles, ends_ms: npt.NDArray[np.int64], now: float
) -> Candles:
    """Return bars of the mark or index price: the contract's bars moved by the distances at their ends."""
    close = ratios.at_end(which, index, ends_ms, now)
    opened = ratios.at_end(which, index, candles.open_time, now)
    first, last, middle = candles.open * opened, candles.close * close, (opened + close) / 2.0
    nothing = np.zeros(len(candles))
    return Candles(
        open_time=candles.open_time,
        open=first,
        high=np.maximum(candles.high * middle, np.maximum(first, last)),
        low=np.minimum(candles.low * middle, np.minimum(first, last)),
        close=last,
        volume=nothing,
        quote_volume=nothing,
        trades=(ends_ms - candles.open_time) // SAMPLES_MS,
        taker_base=nothing,
        taker_quote=nothing,
    )


def premium_candles(
    ratios: PriceRatios, index: int, candles: Candles, ends_ms: npt.NDArray[np.int64], now: float
) -> Candles:
    """Return bars of the premium index: how far the contract stood above its index at each bar's ends."""
    close = 1.0 / ratios.at_end(INDEX, index, ends_ms, now) - 1.0
    opened = 1.0 / ratios.at_end(INDEX, index, candles.open_time, now) - 1.0
    nothing = np.zeros(len(candles))
    return Candles(
        open_time=candles.open_time,
        open=opened,
        high=np.maximum(opened, close),
        low=np.minimum(opened, close),
        close=close,
        volume=nothing,
        quote_volume=nothing,
        trades=(ends_ms - candles.open_time) // SAMPLES_MS,
        taker_base=nothing,
        taker_quote=nothing,
    )
