"""Trading rules inferred from recorded bars: the grids that prices and volumes were seen to stand on."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from exchange.simulator.price_grid import Floats

_MOST_DECIMALS = 10
_LARGEST_COUNT = 2.0**43
_SLACK = 1e-3
"""Distance from a whole count, in counts, that is float64 noise; the sources round their decimals."""


def infer_step(values: Floats, *, coarsest: Decimal) -> Decimal:
    """Return the largest of {1, 2, 5} x 10^-k, at most `coarsest`, on which every positive value stands.

    Where none fits (values that were computed, not recorded) the finest that float64 can count is returned.
    """
    positive = np.unique(values[values > 0])
    if not len(positive):
        return coarsest
    finest = 0
    for decimals in range(_MOST_DECIMALS + 1):
        counts = positive * 10.0**decimals
        if counts[-1] > _LARGEST_COUNT:
            break
        finest = decimals
        whole = np.rint(counts)
        if (np.abs(counts - whole) < _SLACK).all() and whole[0] > 0:
            common = int(np.gcd.reduce(whole.astype(np.int64)))
            step = max(factor for factor in (1, 2, 5, 10, 20, 50, 100) if common % factor == 0)
            return min(coarsest, Decimal(step).scaleb(-decimals))
    return min(coarsest, Decimal(1).scaleb(-finest))
