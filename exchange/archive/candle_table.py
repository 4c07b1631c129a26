"""Joining candle columns of one symbol and interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.market_data import Candles

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

COLUMNS = ("open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_base", "taker_quote")
"""The columns of `Candles` beside `open_time`."""


def empty() -> Candles:
    """Return no bars."""
    none = np.empty(0)
    return Candles(none.astype(np.int64), none, none, none, none, none, none, none.astype(np.int64), none, none)


def take(candles: Candles, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Candles:
    """Return the chosen bars."""
    return Candles(candles.open_time[rows], *(getattr(candles, name)[rows] for name in COLUMNS))


def concatenate(parts: Sequence[Candles]) -> Candles:
    """Return the bars of all parts, one after the other."""
    if not parts:
        return empty()
    times = np.concatenate([part.open_time for part in parts])
    return Candles(times, *(np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS))


def join(parts: Sequence[Candles]) -> tuple[Candles, int]:
    """Return the bars of all parts ascending by time, and how many were replaced by a different one.

    Where a time occurs more than once the last one counts.
    """
    whole = concatenate(parts)
    order = np.argsort(whole.open_time, kind="stable")
    times = whole.open_time[order]
    last = np.ones(len(times), dtype=bool)
    last[:-1] = times[1:] != times[:-1]
    twice = np.flatnonzero(~last)
    differ = np.zeros(len(twice), dtype=bool)
    for name in COLUMNS:
        column = getattr(whole, name)[order]
        one, other = column[twice], column[twice + 1]
        differ |= (one != other) & ~((one != one) & (other != other))  # noqa: PLR0124 - NaN equals NaN here
    return take(whole, order[last]), int(differ.sum())
