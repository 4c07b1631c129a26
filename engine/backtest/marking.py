"""Equity marked to the market: what a replay's account was worth at every 5m close, open positions included.

An open position counts what closing it at the bar's close would have brought: exit at the adverse side of spread and
slippage, both fees paid, and its funding spread evenly over its life. Computed from the closed trades and the closes
after the run, in float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.backtest.history import BAR_MS
from engine.positions.costs import Costs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.backtest.history import Series
    from engine.replay import Trade

DAY_MS = 86_400_000
Floats = npt.NDArray[np.float64]


class Fall(NamedTuple):
    """The largest fall of an equity from a peak."""

    usdt: float
    percent: float
    """Of that peak."""


class Marked(NamedTuple):
    """Gains at 5m closes, in USDT since the start."""

    first_ms: int
    """UTC milliseconds of the first close; the others follow every five minutes."""
    gains: Mapping[str, Floats]
    """By strategy."""

    def equity(self, start: float, strategies: Iterable[str]) -> Floats:
        """Return the equity of some strategies together at every close, the start before them."""
        total = np.zeros(1 + max((len(one) for one in self.gains.values()), default=0))
        for name in strategies:
            if name in self.gains:
                total[1:] += self.gains[name]
        return start + total

    def days(self, equity: Floats) -> tuple[tuple[int, float], ...]:
        """Return (UTC ms of the day, equity at its last close) of every day the closes touch."""
        if len(equity) < 2:
            return ()
        # A close at midnight belongs to the day that ends.
        day = (self.first_ms - 1 + BAR_MS * np.arange(len(equity) - 1)) // DAY_MS
        last = np.flatnonzero(np.diff(day, append=day[-1] + 1))
        return tuple(zip((day[last] * DAY_MS).tolist(), equity[1:][last].tolist(), strict=True))


def fall_of(equity: Floats) -> Fall:
    """Return the largest fall from a peak."""
    peak = np.maximum.accumulate(equity)
    falls = peak - equity
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(peak > 0.0, falls / peak * 100.0, 0.0)
    return Fall(float(falls.max()), float(shares.max()))


def mark(trades: Sequence[Trade], series: Iterable[Series]) -> Marked:
    """Mark trades to the closes of their symbols."""
    if not trades:
        return Marked(0, {})
    by_symbol = {one.symbol: one for one in series}
    begin = min(trade.opened_ms for trade in trades) // BAR_MS * BAR_MS + BAR_MS
    count = (max(trade.closed_ms for trade in trades) - begin + BAR_MS - 1) // BAR_MS + 1
    names = sorted({trade.strategy for trade in trades})
    closed = {name: np.zeros(max(1, count)) for name in names}
    opened = {name: np.zeros(max(1, count)) for name in names}
    for trade in trades:
        closed[trade.strategy][max(0, (trade.closed_ms - begin + BAR_MS - 1) // BAR_MS)] += float(trade.net)
        _add(opened[trade.strategy], begin, trade, by_symbol[trade.symbol])
    return Marked(begin, {name: opened[name] + np.cumsum(closed[name]) for name in names})


def _add(gains: Floats, begin: int, trade: Trade, series: Series) -> None:
    """Add the worth of one trade at the closes within its life."""
    first = int(np.searchsorted(series.open_time, trade.opened_ms - BAR_MS, side="right"))
    end = int(np.searchsorted(series.open_time, trade.closed_ms - BAR_MS, side="left"))
    if end <= first:
        return
    times = series.open_time[first:end] + BAR_MS
    places = (times - begin) // BAR_MS
    costs = Costs()
    sign = trade.direction.sign
    worth = float(trade.quantity) * (1.0 - sign * float(costs.adverse)) * (sign - float(costs.taker_fee))
    passed = (times - trade.opened_ms) / (trade.closed_ms - trade.opened_ms)
    net, funding = float(trade.net), float(trade.funding)
    gains[places] += net - funding + worth * (series.close[first:end] - trade.exit) + funding * passed
