"""Aggregate trades joined to 1m bars; minutes without a trade are flat, since an archive holds every trade."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exchange.archive.candle_table import concatenate
from exchange.market_data import Candles

MINUTE = 60_000
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def bars_of_trades(
    times: Integers, prices: Floats, quantities: Floats, counts: Integers, buyer_is_maker: npt.NDArray[np.bool_]
) -> Candles:
    """Return the bars of trades that ascend in time; `counts` is the number of single trades in each."""
    minutes = times // MINUTE * MINUTE
    starts = np.flatnonzero(np.diff(minutes, prepend=-1))
    quote = prices * quantities
    bought = ~buyer_is_maker
    ends = np.append(starts[1:], len(times)) - 1
    return Candles(
        open_time=minutes[starts],
        open=prices[starts],
        high=np.maximum.reduceat(prices, starts),
        low=np.minimum.reduceat(prices, starts),
        close=prices[ends],
        volume=np.add.reduceat(quantities, starts),
        quote_volume=np.add.reduceat(quote, starts),
        trades=np.add.reduceat(counts, starts),
        taker_base=np.add.reduceat(quantities * bought, starts),
        taker_quote=np.add.reduceat(quote * bought, starts),
    )


def merge_parts(parts: list[Candles]) -> Candles:
    """Join bars that were cut in the middle of a minute; the parts follow one another in time."""
    whole = concatenate(parts)
    starts = np.flatnonzero(np.diff(whole.open_time, prepend=-1))
    if len(starts) == len(whole):
        return whole
    ends = np.append(starts[1:], len(whole)) - 1
    return Candles(
        open_time=whole.open_time[starts],
        open=whole.open[starts],
        high=np.maximum.reduceat(whole.high, starts),
        low=np.minimum.reduceat(whole.low, starts),
        close=whole.close[ends],
        volume=np.add.reduceat(whole.volume, starts),
        quote_volume=np.add.reduceat(whole.quote_volume, starts),
        trades=np.add.reduceat(whole.trades, starts),
        taker_base=np.add.reduceat(whole.taker_base, starts),
        taker_quote=np.add.reduceat(whole.taker_quote, starts),
    )


def fill_quiet(candles: Candles, begin_ms: int, end_ms: int) -> Candles:
    """Add flat bars for the minutes without a trade, at the close before them; the first bar opens at `begin_ms`."""
    times = np.arange(begin_ms, end_ms, MINUTE, dtype=np.int64)
    if not len(candles) or not len(times):
        return candles
    at = np.searchsorted(candles.open_time, times, side="right") - 1
    traded = candles.open_time[at] == times
    level = candles.close[at]

    def price(column: Floats) -> Floats:
        return np.where(traded, column[at], level)

    return Candles(
        open_time=times,
        open=price(candles.open),
        high=price(candles.high),
        low=price(candles.low),
        close=price(candles.close),
        volume=np.where(traded, candles.volume[at], 0.0),
        quote_volume=np.where(traded, candles.quote_volume[at], 0.0),
        trades=np.where(traded, candles.trades[at], 0),
        taker_base=np.where(traded, candles.taker_base[at], 0.0),
        taker_quote=np.where(traded, candles.taker_quote[at], 0.0),
    )
