"""From prices to bars in x space, and the mirror of a series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.analysis.layout import BAR

if TYPE_CHECKING:
    from exchange.market_data import Candles, KlineUpdate


def bars_of(candles: Candles) -> npt.NDArray[np.void]:
    """Return BAR rows of all candles, prices as natural logarithms. Prices must be positive."""
    bars = np.empty(len(candles), BAR)
    bars["t"] = candles.open_time
    bars["o"] = np.log(candles.open)
    bars["h"] = np.log(candles.high)
    bars["l"] = np.log(candles.low)
    bars["c"] = np.log(candles.close)
    bars["v"] = candles.volume
    return bars


def bars_of_updates(updates: list[KlineUpdate]) -> npt.NDArray[np.void]:
    """Return one BAR row per closed kline, equal bit for bit to what `bars_of` makes of the same prices."""
    bars = np.empty(len(updates), BAR)
    bars["t"] = [update.open_time for update in updates]
    # np.log over an array, as above: it may round otherwise than math.log, and a bar must not depend on its path.
    prices = np.array([(u.open, u.high, u.low, u.close) for u in updates], np.float64).reshape(len(updates), 4)
    logs = np.log(prices)
    for column, name in enumerate(("o", "h", "l", "c")):
        bars[name] = logs[:, column]
    bars["v"] = [update.volume for update in updates]
    return bars


def mirrored(bars: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """Return the series with every price negated in x space: highs become lows."""
    other = bars.copy()
    other["o"], other["c"] = -bars["o"], -bars["c"]
    other["h"], other["l"] = -bars["l"], -bars["h"]
    return other
