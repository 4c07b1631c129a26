"""From recorded candle columns to a gapless grid of bars, with every defect named and nothing used silently."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from exchange.simulator.bar_ring import (
    CLOSE,
    FIELDS,
    HIGH,
    LOW,
    OPEN,
    QUOTE,
    TAKER_BASE,
    TAKER_QUOTE,
    TRADES,
    VOLUME,
)
from exchange.simulator.listings import trade_size
from exchange.simulator.price_grid import Floats

if TYPE_CHECKING:
    from collections.abc import Mapping

PRICES = ("open", "high", "low", "close")
OPTIONAL = ("quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume")
MAX_BAD_SHARE = 0.1
"""A file with a larger share of refused and missing bars is left out as a whole."""

_REFUSED = "bar refused; shown as a flat bar without volume at the close before"
_FILLED = "shown as flat bars without volume at the close before"


class Defect(NamedTuple):
    """Something in a file that is not as a candle file should be, and what was done about it."""

    file: str
    open_time: int
    """Open time of the first bar concerned in UTC milliseconds; -1 where the whole file is meant."""
    bars: int
    """Bars concerned, consecutive in the file or on the time grid."""
    fault: str
    action: str


class CleanBars(NamedTuple):
    """A gapless series of one symbol."""

    bars: Floats
    """[FIELDS, n]; estimated fields included."""
    defects: tuple[Defect, ...]
    bad: int
    """Bars of the grid that the file could not give."""
    estimated: tuple[str, ...]
    """Columns that were filled in for at least one bar, by the names of the files."""


def _faults(columns: Mapping[str, Floats]) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """Name what makes a bar unusable, each with the bars it concerns; the first name that fits is reported."""
    opened, high, low, close = (columns[name] for name in PRICES)
    volume = columns["volume"]
    stacked: Floats = np.stack([opened, high, low, close])
    whole = np.logical_and.reduce(np.isfinite(stacked))
    positive = np.logical_and.reduce(stacked > 0)
    return [
        ("a price is missing or not finite", ~whole),
        ("a price is not positive", ~positive),
        ("high < low", high < low),
        ("open or close outside high and low", (np.maximum(opened, close) > high) | (np.minimum(opened, close) < low)),
        ("volume is missing, negative or not finite", ~np.isfinite(volume) | (volume < 0)),
    ]


def _moved_without_volume(columns: Mapping[str, Floats], usable: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Mark usable bars without volume that are not flat at the close before them: nobody traded there."""
    if not usable.any():
        return usable
    rows = np.maximum.accumulate(np.where(usable & (columns["volume"] > 0), np.arange(len(usable)), -1))
    first = columns["open"][int(np.argmax(usable))]
    level = np.where(rows >= 0, columns["close"][np.maximum(rows, 0)], first)
    flat = np.logical_and.reduce([columns[name] == level for name in PRICES])
    moved: npt.NDArray[np.bool_] = usable & (columns["volume"] == 0) & ~flat
    return moved


def _runs(rows: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Split ascending row numbers into consecutive runs."""
    return np.split(rows, np.nonzero(np.diff(rows) != 1)[0] + 1) if len(rows) else []


def clean(
    file: str, times: npt.NDArray[np.int64], columns: Mapping[str, Floats], start_ms: int, end_ms: int, interval_ms: int
) -> CleanBars:
    """Put the bars with start <= open time < end on the time grid.

    `columns` holds the prices and `volume`, and of OPTIONAL what the file has (NaN where null). ValueError when no
    usable bar lies in the span.
    """
    defects: list[Defect] = []
    inside = (times >= start_ms) & (times < end_ms)
    times = times[inside]
    columns = {name: column[inside] for name, column in columns.items()}
    if len(times) and (np.diff(times) < 0).any():
        defects.append(Defect(file, int(times[0]), len(times), "open times are not in order", "bars sorted"))
        order = np.argsort(times, kind="stable")
        times, columns = times[order], {name: column[order] for name, column in columns.items()}

    usable = np.ones(len(times), dtype=bool)
    crooked = (times - start_ms) % interval_ms != 0
    twice = np.concatenate([[False], np.diff(times) == 0]) if len(times) else np.zeros(0, dtype=bool)
    for fault, rows, action in (
        ("open time is not on the interval's grid", crooked, "bar refused"),
        ("open time occurs twice", twice, "first bar kept, the others refused"),
        *((fault, rows, _REFUSED) for fault, rows in _faults(columns)),
    ):
        defects += [
            Defect(file, int(times[run[0]]), len(run), fault, action) for run in _runs(np.nonzero(rows & usable)[0])
        ]
        usable &= ~rows
    moved = _moved_without_volume(columns, usable)
    defects += [
        Defect(file, int(times[run[0]]), len(run), "prices move without volume", _REFUSED)
        for run in _runs(np.nonzero(moved)[0])
    ]
    usable &= ~moved
    if not usable.any():
        raise ValueError("no usable bar in the common time window")

    size = (end_ms - start_ms) // interval_ms
    slots = (times[usable] - start_ms) // interval_ms
    filled = np.zeros(size, dtype=bool)
    filled[slots] = True
    present = np.zeros(size, dtype=bool)
    present[(times[~crooked] - start_ms) // interval_ms] = True
    for run in _runs(np.nonzero(~present)[0]):
        at = start_ms + int(run[0]) * interval_ms
        defects.append(Defect(file, at, len(run), "bars are missing", _FILLED))

    good = {name: column[usable] for name, column in columns.items()}
    bars: Floats = np.zeros((FIELDS, size))
    estimated = _place(bars, slots, good, 86_400_000 / interval_ms)
    _flatten_gaps(bars, filled)
    return CleanBars(bars, tuple(defects), int(size - len(slots)), estimated)


def _place(
    bars: Floats, slots: npt.NDArray[np.int64], good: Mapping[str, Floats], bars_per_day: float
) -> tuple[str, ...]:
    """Write usable bars to their slots and estimate the columns that the file does not hold."""
    for field, name in zip((OPEN, HIGH, LOW, CLOSE, VOLUME), (*PRICES, "volume"), strict=True):
        bars[field, slots] = good[name]
    opened, high, low, close, volume = bars[:QUOTE, slots]
    typical = (opened + high + low + close) / 4.0
    quote, no_quote = _known(good, "quote_volume", volume * typical, volume)
    single = trade_size(max(float(quote.mean()) * bars_per_day, 1.0))
    trades, no_trades = _known(good, "trades", np.maximum(np.rint(quote / single), 1.0), volume)
    # Who lifts the price buys: the taker's share leans with the body of the bar.
    share = 0.5 + 0.25 * (close - opened) / np.maximum(high - low, 1e-300)
    taker, no_taker = _known(good, "taker_buy_volume", volume * share, volume)
    taker = np.minimum(taker, volume)
    vwap = np.where(volume > 0, quote / np.where(volume > 0, volume, 1.0), typical)
    taker_quote, no_taker_quote = _known(good, "taker_buy_quote_volume", taker * vwap, volume)
    for field, values in ((QUOTE, quote), (TRADES, trades), (TAKER_BASE, taker), (TAKER_QUOTE, taker_quote)):
        bars[field, slots] = values
    guessed = (no_quote, no_trades, no_taker, no_taker_quote)
    return tuple(name for name, is_guess in zip(OPTIONAL, guessed, strict=True) if is_guess)


def _known(good: Mapping[str, Floats], name: str, estimate: Floats, volume: Floats) -> tuple[Floats, bool]:
    """Return a column with its unusable entries estimated (0 without volume) and whether any was."""
    estimate = np.where(volume > 0, estimate, 0.0)
    column = good.get(name)
    if column is None:
        return estimate, True
    known = np.isfinite(column) & (column >= 0)
    return np.where(known, column, estimate), not bool(known.all())


def _flatten_gaps(bars: Floats, filled: npt.NDArray[np.bool_]) -> None:
    """Show every gap as flat bars at the close before it, at the start at the first open after it."""
    rows = np.maximum.accumulate(np.where(filled, np.arange(len(filled)), -1))
    first = int(np.argmax(filled))
    level = np.where(rows >= 0, bars[CLOSE, np.maximum(rows, 0)], bars[OPEN, first])
    bars[: CLOSE + 1, ~filled] = level[~filled]
