"""Limit entries of the virtual book that wait for their price.

A set-up proposes an entry price; the virtual position is opened only when the market trades there, as a resting limit
order would be filled. A pending entry ends with its set-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.signals.expiry import expired
from engine.signals.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    import numpy.typing as npt


class PendingEntry(msgspec.Struct, frozen=True):
    """One resting entry; there is at most one per strategy and symbol."""

    signal: Signal
    slot: int
    since: int
    """UTC milliseconds."""

    @property
    def key(self) -> tuple[str, str]:
        """Return (strategy, symbol)."""
        return str(self.signal.candidate.strategy), self.signal.candidate.symbol


class PendingEntries:
    """The resting entries by (strategy, symbol)."""

    def __init__(self) -> None:
        """Start with none."""
        self._entries: dict[tuple[str, str], PendingEntry] = {}

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._entries)

    def offer(self, entry: PendingEntry) -> bool:
        """Put an entry in place of an older one of the same key; False when it already waits."""
        known = self._entries.get(entry.key)
        if known is not None and known.signal.signal_id == entry.signal.signal_id:
            return False
        self._entries[entry.key] = entry
        return True

    def keep(self, signal_ids: Collection[str]) -> list[PendingEntry]:
        """Withdraw every entry whose signal is not among those that still stand; return the withdrawn."""
        gone = [entry for entry in self._entries.values() if entry.signal.signal_id not in signal_ids]
        for entry in gone:
            del self._entries[entry.key]
        return gone

    def withdraw(self, symbol: str) -> int:
        """Withdraw every entry of a symbol; return how many there were."""
        gone = [key for key in self._entries if key[1] == symbol]
        for key in gone:
            del self._entries[key]
        return len(gone)

    def reslot(self, slots: Mapping[str, int]) -> None:
        """Follow the symbols to their columns; entries of a symbol without one are forgotten."""
        self._entries = {
            key: msgspec.structs.replace(entry, slot=slots[key[1]])
            for key, entry in self._entries.items()
            if key[1] in slots
        }

    def filled(self, high: npt.NDArray[np.float64], low: npt.NDArray[np.float64], now_ms: int) -> list[PendingEntry]:
        """Take out and return the entries whose limit was traded, given each slot's extremes (NaN: nothing traded).

        An entry whose set-up has ended meanwhile is withdrawn, not filled.
        """
        for key in [key for key, entry in self._entries.items() if expired(entry.signal, now_ms)]:
            del self._entries[key]
        done = [
            entry
            for entry in self._entries.values()
            if (
                low[entry.slot] <= entry.signal.candidate.entry
                if entry.signal.candidate.direction.sign > 0
                else high[entry.slot] >= entry.signal.candidate.entry
            )
        ]
        for entry in done:
            del self._entries[entry.key]
        return done
