"""Bars of 3d, 1w and 1M, joined from the days a market keeps.

Three days count from the Unix epoch, weeks begin on Monday, months with the calendar. The first bar begins with the
first day kept, as that of a young contract does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exchange.market_data import Candles

if TYPE_CHECKING:
    import numpy.typing as npt

    from exchange.simulator.market import Market

    Times = npt.NDArray[np.int64]

LONG = {"3d": 3, "1w": 7, "1M": 31}
"""The long intervals with the most days that one of their bars holds."""
DAY_MS = 86_400_000
_MONDAY = 4
"""The first Monday after the epoch, in days."""


def bar_opens(interval: str, day_opens: Times) -> Times:
    """Return for days (open times in ms) when the bar that holds each of them opens."""
    days = day_opens // DAY_MS
    if interval == "3d":
        opens: Times = days // 3 * 3 * DAY_MS
    elif interval == "1w":
        opens = ((days - _MONDAY) // 7 * 7 + _MONDAY) * DAY_MS
    else:
        months = days.astype("datetime64[D]").astype("datetime64[M]")
        opens = months.astype("datetime64[D]").astype(np.int64) * DAY_MS
    return opens


def next_opens(interval: str, opens: Times) -> Times:
    """Return when the bars after those that open at `opens` open."""
    if interval == "3d":
        return opens + 3 * DAY_MS
    if interval == "1w":
        return opens + 7 * DAY_MS
    months = (opens // DAY_MS).astype("datetime64[D]").astype("datetime64[M]") + 1
    later: Times = months.astype("datetime64[D]").astype(np.int64) * DAY_MS
    return later


def long_candles(
    market: Market, index: int, interval: str, start_ms: int | None, end_ms: int | None, limit: int
) -> Candles:
    """Return bars as GET klines does: from `start_ms` the first `limit`, else the newest; the open bar last."""
    first_day = None if start_ms is None else int(_at_or_after(interval, start_ms))
    last_ms = None
    if end_ms is not None:
        last_ms = int(next_opens(interval, bar_opens(interval, np.array([end_ms])))[0]) - 1
    days = market.candles(index, "1d", first_day, last_ms, (limit + 1) * LONG[interval])
    opens = bar_opens(interval, days.open_time)
    first = np.flatnonzero(np.diff(opens, prepend=-1) != 0)
    if not len(first):
        return days
    last = np.append(first[1:], len(opens)) - 1
    joined = Candles(
        open_time=opens[first],
        open=days.open[first],
        high=np.maximum.reduceat(days.high, first),
        low=np.minimum.reduceat(days.low, first),
        close=days.close[last],
        volume=np.add.reduceat(days.volume, first),
        quote_volume=np.add.reduceat(days.quote_volume, first),
        trades=np.add.reduceat(days.trades, first),
        taker_base=np.add.reduceat(days.taker_base, first),
        taker_quote=np.add.reduceat(days.taker_quote, first),
    )
    rows = slice(0, limit) if start_ms is not None else slice(max(0, len(first) - limit), None)
    return Candles(*(column[rows] for column in columns_of(joined)))


def _at_or_after(interval: str, at_ms: int) -> np.int64:
    opens = bar_opens(interval, np.array([at_ms]))
    opened: np.int64 = opens[0] if opens[0] >= at_ms else next_opens(interval, opens)[0]
    return opened


def columns_of(candles: Candles) -> tuple[npt.NDArray[Any], ...]:
    """Return the columns in the order of the constructor."""
    return (
        candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume,
        candles.quote_volume, candles.trades, candles.taker_base, candles.taker_quote,
    )  # fmt: skip
