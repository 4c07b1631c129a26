"""The book behind the best prices: levels that stay where they are while the price moves through them.

Whether a price level holds orders, and how many, is a hash of its tick, its symbol, the seed and a slow time bucket
that begins at another moment for every level: nothing is stored, the same instant always answers the same, and from one
step to the next only a few levels change, as a stream of differences needs it.
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


def book_side(
    *, seed: int, symbol: int, at_ms: int, best: int, best_lots: float, usual_lots: float, outward: int, limit: int
) -> BookSide:
    """Return at most `limit` levels from tick `best` in direction `outward` (-1 bids, +1 asks), best first.

    Behind the best price, which holds `best_lots`, sizes are multiples of `usual_lots` and grow with every doubling of
    the distance; a level below one tick does not exist. Fewer levels are always the beginning of more.
    """
    reach = int(limit / _OCCUPIED * 1.3) + 16
    ticks = best + outward * np.arange(reach, dtype=np.int64)
    ticks = ticks[ticks >= 1]
    distance = np.abs(ticks - best)
    doubled = np.exp2(np.floor(np.log2(distance + 1.0)))
    salt = (seed * 1_000_003 + symbol) * 1_000_003
    keys = ticks.astype(np.uint64)
    begun = at_ms + np.floor(_uniform(keys, salt) * BUCKET_MS).astype(np.int64)
    keys ^= (begun // BUCKET_MS).astype(np.uint64) << np.uint64(32)
    occupied = _uniform(keys, salt + 1) < _OCCUPIED
    occupied[:1] = True
    size = -np.log1p(-_uniform(keys, salt + 2)) * usual_lots * (0.4 + np.minimum(0.15 * np.sqrt(doubled), 4.0))
    lots = np.maximum(np.rint(size), 1.0)
    lots[:1] = best_lots
    return BookSide(ticks[occupied][:limit].astype(np.float64), lots[occupied][:limit])
