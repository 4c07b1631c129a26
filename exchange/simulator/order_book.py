"""The book behind the best prices: levels that stay where they are while the price moves through them.

Whether a price level holds orders, and how many, is a hash of its tick, its symbol, the seed and a slow time bucket:
nothing is stored, and the same instant always answers the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BUCKET_MS = 20_000
"""How long a level keeps its size."""
_OCCUPIED = 0.75
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _uniform(keys: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.float64]:
    """Hash to [0, 1) with the splitmix64 finaliser."""
    word = keys * _GOLDEN + np.uint64(salt % 2**64)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word ^= word >> np.uint64(31)
    uniform: npt.NDArray[np.float64] = (word >> np.uint64(11)).astype(np.float64) / 2**53
    return uniform


class BookSide(NamedTuple):
    """One side from the best price outwards, in whole ticks and lots."""

    ticks: npt.NDArray[np.float64]
    lots: npt.NDArray[np.float64]


def book_side(*, seed: int, symbol: int, at_ms: int, best: int, best_lots: float, outward: int, limit: int) -> BookSide:
    """Return at most `limit` levels from tick `best` in direction `outward` (-1 bids, +1 asks), best first.

    Sizes grow with the distance; a level below one tick does not exist.
    """
    reach = int(limit / _OCCUPIED * 1.3) + 16
    ticks = best + outward * np.arange(reach, dtype=np.int64)
    ticks = ticks[ticks >= 1]
    distance = np.abs(ticks - best).astype(np.float64)
    salt = (seed * 1_000_003 + symbol) * 1_000_003 + at_ms // BUCKET_MS
    keys = ticks.astype(np.uint64)
    occupied = _uniform(keys, salt) < _OCCUPIED
    occupied[:1] = True
    size = -np.log1p(-_uniform(keys, salt + 1)) * best_lots * (0.4 + np.minimum(0.15 * np.sqrt(distance), 4.0))
    lots = np.maximum(np.rint(size), 1.0)
    lots[:1] = best_lots
    return BookSide(ticks[occupied][:limit].astype(np.float64), lots[occupied][:limit])
