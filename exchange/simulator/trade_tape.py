"""The newest aggregate trades of every symbol in a bounded ring."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from exchange.simulator.market import TRADE_ROW

KEPT = 1024
"""Aggregate trades kept per symbol; the venue answers at most 1,000."""


_DTYPE = np.dtype(TRADE_ROW)
_RAW = np.dtype((np.void, _DTYPE.itemsize))
"""A trade as one opaque item: numpy copies these ten times faster than it copies rows field by field."""


class TradeTape:
    """Keeps the last KEPT aggregate trades per symbol."""

    def __init__(self, symbols: int) -> None:
        self._rows = np.zeros(symbols * KEPT, dtype=_DTYPE)
        self._seen = np.zeros(symbols, dtype=np.int64)

    def extend(self, rows: npt.NDArray[np.void]) -> None:
        """Append trades of any symbols in time order."""
        if not len(rows):
            return
        symbols = rows["symbol"]
        # numpy sorts 16-bit keys by radix, in linear time.
        order = np.argsort(symbols.astype(np.uint16) if len(self._seen) < 2**16 else symbols, kind="stable")
        symbol = symbols[order].astype(np.int64)
        added = np.bincount(symbol, minlength=len(self._seen))
        rank = np.arange(len(order)) - (np.cumsum(added) - added)[symbol]
        # Older trades of the same batch that would be overwritten are left out: assignment order is not promised.
        fresh = rank >= (added - KEPT)[symbol]
        symbol, rank, order = symbol[fresh], rank[fresh], order[fresh]
        places = symbol * KEPT + (self._seen[symbol] + rank) % KEPT
        self._rows.view(_RAW)[places] = np.ascontiguousarray(rows).view(_RAW)[order]
        self._seen += added

    def of(self, index: int) -> npt.NDArray[np.void]:
        """Return the kept trades of one symbol, ascending."""
        seen = int(self._seen[index])
        rows: npt.NDArray[np.void] = self._rows[index * KEPT + np.arange(max(0, seen - KEPT), seen) % KEPT]
        return rows
