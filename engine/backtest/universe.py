"""The universe of a replay: who was traded most, by what had been traded at the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.backtest.history import Series

HOUR_MS = 3_600_000
DAY_HOURS = 24


class Ranks:
    """Rank of every symbol at every hour by its turnover of the last 24 hours; 1 is the most traded."""

    def __init__(self, series: Sequence[Series], size: int) -> None:
        """Rank the symbols of a history; the first `size` are members, as far down as 1.15 x size one stays."""
        self._names = [one.symbol for one in series]
        self._size = size
        self._first = min(int(one.open_time[0]) for one in series) // HOUR_MS
        hours = max(int(one.open_time[-1]) for one in series) // HOUR_MS + 2 - self._first
        self._ranks = np.zeros((hours, len(series)), np.int16)
        """0 where a symbol did not trade."""
        volumes = np.zeros((hours, len(series)), np.float32)
        for column, one in enumerate(series):
            hour = one.open_time // HOUR_MS - self._first
            whole = np.cumsum(np.bincount(hour, weights=one.quote, minlength=hours))
            before = np.concatenate([np.zeros(DAY_HOURS), whole[:-DAY_HOURS]]) if hours > DAY_HOURS else 0.0
            # What was traded in the hours before this one: the hour itself is not over yet.
            volumes[1:, column] = (whole - before)[:-1]
            trading = np.zeros(hours, bool)
            trading[hour] = True
            volumes[~trading, column] = -1.0
        order = np.argsort(-volumes, axis=1, kind="stable")
        np.put_along_axis(self._ranks, order, np.arange(1, len(series) + 1, dtype=np.int16)[None, :], axis=1)
        self._ranks[volumes < 0.0] = 0
        self._columns = {name: column for column, name in enumerate(self._names)}
        self._member = self._members() if len(series) > size else None

    def _members(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return who is a member at each hour: enters within the size, leaves below 1.15 x size."""
        ranked = self._ranks
        inside = np.zeros(ranked.shape, bool)
        stays = np.zeros(ranked.shape[1], bool)
        for hour in range(len(ranked)):
            ranks = ranked[hour]
            stays = (ranks > 0) & ((ranks <= self._size) | (stays & (ranks <= int(self._size * 1.15))))
            inside[hour] = stays
        return inside

    def at(self, now_ms: int, symbols: Sequence[str]) -> tuple[tuple[str, ...], dict[str, int]]:
        """Return those of the symbols that are members at this instant, in rank order, and their ranks."""
        # An instant on the hour belongs to the hour that ended: the bar that closes then opened in it.
        hour = min((now_ms - 1) // HOUR_MS - self._first, len(self._ranks) - 1)
        row = self._ranks[hour]
        ranks = {name: int(row[self._columns[name]]) or len(row) for name in symbols}
        members = symbols
        if self._member is not None:
            inside = self._member[hour]
            members = [name for name in symbols if inside[self._columns[name]]]
        return tuple(sorted(members, key=lambda name: (ranks[name], name))), ranks
