"""Funding rates from the premium of the contract over its index, per interval of 8, 4 or 1 hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from exchange.simulator.price_grid import Floats

_INTEREST = 0.0001
"""Interest rate per 8 h; the venue's clamp keeps the rate near it while the premium is small."""
_CLAMP = 0.0005
_CAP = 0.02
_HOUR_MS = 3_600_000


class FundingClock:
    """Averages the premium over each symbol's funding interval; the rate is the present estimate."""

    def __init__(self, hours: npt.NDArray[np.int64], now_ms: int) -> None:
        self._period = hours.astype(np.int64) * _HOUR_MS
        self._eighths: Floats = hours / 8.0
        self._sum: Floats = np.zeros(len(hours))
        self._minutes: Floats = np.zeros(len(hours))
        self._due = self.due(now_ms)

    def due(self, now_ms: int) -> npt.NDArray[np.int64]:
        """Return the next funding time of every symbol, strictly after `now_ms`."""
        return (now_ms // self._period + 1) * self._period

    def add_minute(self, premium: Floats, open_ms: int) -> None:
        """Count the premium of the minute that opens at `open_ms`; a new interval starts a new average."""
        due = self.due(open_ms)
        fresh = due != self._due
        self._sum[fresh] = 0.0
        self._minutes[fresh] = 0.0
        self._due = due
        self._sum += premium
        self._minutes += 1.0

    def rate(self) -> Floats:
        """Return the rate per interval: average premium plus the clamped interest, as the venue publishes it."""
        average: Floats = self._sum / np.maximum(self._minutes, 1.0)
        lift: Floats = np.clip(_INTEREST - average, -_CLAMP, _CLAMP)
        capped: Floats = np.clip((average + lift) * self._eighths, -_CAP, _CAP)
        return capped.round(8)
