"""Liquidations as everybody sees them: the market's own, picked from its trades, and those of the simulated account.

Of each contract only the largest of a second is shown, once the second is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_ONE_IN = 2_003
"""How rare the market's liquidations are among its aggregate trades."""
_SPREAD = 0.004
"""How far the bankruptcy price, at which the order stood, lies beyond the price it was filled at."""


class Liquidation(NamedTuple):
    """One filled liquidation order."""

    listing: int
    side: str
    """BUY or SELL, the side of the liquidation order."""
    price: float
    average: float
    quantity: float
    time_ms: int


class Liquidations:
    """Collects what happens and hands out the largest of each second."""

    def __init__(self) -> None:
        """Start with none."""
        self._largest: dict[int, Liquidation] = {}

    def report(self, liquidation: Liquidation) -> None:
        """Take a liquidation of the simulated account, or one of the market."""
        before = self._largest.get(liquidation.listing)
        if before is None or liquidation.quantity * liquidation.average > before.quantity * before.average:
            self._largest[liquidation.listing] = liquidation

    def watch(self, trades: npt.NDArray[np.void]) -> None:
        """Take the market's liquidations out of the aggregate trades (TRADE_ROW) of a step."""
        for row in trades[trades["first"] % _ONE_IN == 0].tolist():
            listing, time, price, quantity, buyer_is_maker, _, _ = row
            beyond = 1.0 - _SPREAD if buyer_is_maker else 1.0 + _SPREAD
            side = "SELL" if buyer_is_maker else "BUY"
            self.report(Liquidation(listing, side, price * beyond, price, quantity, time))

    def take(self) -> list[Liquidation]:
        """Return the largest of every contract since the last call, in order of the contracts, and forget them."""
        largest = [self._largest[listing] for listing in sorted(self._largest)]
        self._largest.clear()
        return largest
