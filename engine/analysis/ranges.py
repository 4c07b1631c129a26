"""Premium, discount and optimal trade entry over a dealing range (specification 3.9).

Positions in the range are measured in x space, so they are the same for mirrored and for scaled prices.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from engine.analysis.layout import SWING, SWINGS, UP

if TYPE_CHECKING:
    from engine.analysis.layout import Tables

OTE_NEAR = 0.62
OTE_FAR = 0.79


class DealingRange(NamedTuple):
    """The last confirmed swing low and swing high of a layer: the anchor of premium, discount and OTE."""

    low: float
    """Price."""
    high: float
    low_at: int
    """Bar index."""
    high_at: int
    known: int
    """Bar at whose close both were confirmed."""


class Zone(NamedTuple):
    """A band of prices."""

    low: float
    high: float


def dealing_range(tables: Tables, row: int, layer: int = SWING) -> DealingRange | None:
    """Return the range between the last confirmed swing low and high; None while one is missing or they are crossed.

    They are crossed when price left the old range for good and the far side of the new one is not confirmed yet.
    """
    series = tables.series[row]
    high_place, low_place = int(series["last_high"][layer]), int(series["last_low"][layer])
    if high_place < 0 or low_place < 0:
        return None
    high, low = tables.swings[row, layer, high_place % SWINGS], tables.swings[row, layer, low_place % SWINGS]
    if not low["level"] < high["level"]:
        return None
    return DealingRange(
        low=math.exp(low["level"]),
        high=math.exp(high["level"]),
        low_at=int(low["at"]),
        high_at=int(high["at"]),
        known=max(int(low["known"]), int(high["known"])),
    )


def premium(anchor: DealingRange, price: float) -> float:
    """Return the position of a price in the range: 0 at its low, 1 at its high, beyond outside; 0.5 is equilibrium."""
    return math.log(price / anchor.low) / math.log(anchor.high / anchor.low)


def ote_zone(anchor: DealingRange, side: int) -> Zone:
    """Return the 62-79 % retracement of the range: of the rise for `side` UP (longs), of the fall for DOWN."""
    span = math.log(anchor.high / anchor.low)
    if side == UP:
        return Zone(anchor.high * math.exp(-OTE_FAR * span), anchor.high * math.exp(-OTE_NEAR * span))
    return Zone(anchor.low * math.exp(OTE_NEAR * span), anchor.low * math.exp(OTE_FAR * span))
