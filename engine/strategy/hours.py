"""The last hours of every symbol, read once per closed hour: what regime prediction and dynamic features rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.strategy.hours_kernel import FEATURES, HourReader, hours_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.analysis.layout import Tables
    from engine.strategy.reading import Reading


class Hours(msgspec.Struct, frozen=True):
    """What the kernel found for one symbol."""

    probabilities: tuple[float, float, float]
    """Of a trending, ranging and volatile next hour."""
    bars: int
    """Hours that had all indicators."""
    values: tuple[float, ...]
    """The directional features at the newest bar, in the order of `engine.strategy.dynamic.NAMES`."""
    sharpes: tuple[float, ...]


class HourBook:
    """Remembers what was found until the next hour closes, the symbol leaves, or the lookback changes."""

    def __init__(self) -> None:
        """Start empty."""
        self._reader = HourReader()
        self._found: dict[str, tuple[tuple[int, int, int], Hours]] = {}
        self.calls = 0
        """How often the kernel ran."""

    def read(self, tables: Tables, readings: Sequence[Reading], lookback: int) -> list[Hours]:
        """Return the hours of every reading, in order."""
        return [self._one(tables, reading, lookback) for reading in readings]

    def _one(self, tables: Tables, reading: Reading, lookback: int) -> Hours:
        series = tables.series[3 * reading.slot + 2]
        key = (int(series["last_open"]), int(series["n"]), lookback)
        known = self._found.get(reading.symbol)
        if known is not None and known[0] == key:
            return known[1]
        row = self._reader.read(hours_of(tables, reading.slot), lookback).tolist()
        found = Hours((row[0], row[1], row[2]), int(row[3]), tuple(row[4 : 4 + FEATURES]), tuple(row[4 + FEATURES :]))
        self.calls += 1
        self._found[reading.symbol] = key, found
        return found

    def forget(self) -> None:
        """Drop everything, so that a corrected bar is read anew."""
        self._found.clear()
