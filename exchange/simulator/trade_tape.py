"""The newest aggregate trades of every symbol in a bounded ring."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exchange.simulator.market import TRADE_ROW

KEPT = 1024
"""Aggregate trades kept per symbol; the venue answers at most 1,000."""


class TradeTape:
    """Keeps the last KEPT aggregate trades per symbol."""

    def __init__(self, symbols: int) -> None:
        self._rows = np.zeros((symbols, KEPT), dtype=TRADE_ROW)
        self._seen = np.zeros(symbols, dtype=np.int64)

    def extend(self, rows: npt.NDArray[np.void]) -> None:
        """Append trades of any symbols in time order."""
        if not len(rows):
            return
        order = np.argsort(rows["symbol"], kind="stable")
        symbol = rows["symbol"][order]
        added = np.bincount(symbol, minlength=len(self._seen))
        rank = np.arange(len(order)) - (np.cumsum(added) - added)[symbol]
        # Older trades of the same batch that would be overwritten are left out: assignment order is not promised.
        fresh = rank >= added[symbol] - KEPT
        self._rows[symbol[fresh], (self._seen[symbol[fresh]] + rank[fresh]) % KEPT] = rows[order[fresh]]
        self._seen += added

    def of(self, index: int) -> npt.NDArray[np.void]:
        """Return the kept trades of one symbol, ascending."""
        seen = int(self._seen[index])
        rows: npt.NDArray[np.void] = self._rows[index, np.arange(max(0, seen - KEPT), seen) % KEPT]
        return rows
