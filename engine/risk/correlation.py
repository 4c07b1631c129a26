"""Which positions move together: symbols whose 5m returns correlate share one risk budget per side.

Specification section 6.2. A group is what correlation above the threshold chains together among the symbols that carry
risk on one side and the one asked about, not among the whole universe: on 49 recorded symbols a day of 5m returns
chains up to 39 of them into one group of whose pairs as few as 27 % correlate themselves. What is unknown counts as
correlated, so that a missing history never loosens a budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


WINDOW = 288
"""Returns looked at: one day of 5m bars."""
LEAST_SHARED = 48
"""Fewer shared returns than four hours say nothing."""


class Closes(NamedTuple):
    """Closed 5m bars of one symbol, ascending: open times in UTC ms and closes in price."""

    open_time: npt.NDArray[np.int64]
    close: npt.NDArray[np.float64]


def correlation(one: Closes, other: Closes) -> float | None:
    """Return the correlation of log returns over the newest shared bars, None where it cannot be known.

    A price that stood still throughout moves with nothing: 0.
    """
    ours, theirs = _shared(one, other)
    if len(ours) <= LEAST_SHARED:
        return None
    a, b = _returns(ours), _returns(theirs)
    spread = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    if not np.isfinite(spread):
        return None
    return float(np.dot(a, b)) / spread if spread > 0.0 else 0.0


def _shared(one: Closes, other: Closes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the closes of the newest bars both have."""
    if np.array_equal(one.open_time, other.open_time):
        return one.close[-WINDOW - 1 :], other.close[-WINDOW - 1 :]
    _, ours, theirs = np.intersect1d(one.open_time, other.open_time, assume_unique=True, return_indices=True)
    return one.close[ours[-WINDOW - 1 :]], other.close[theirs[-WINDOW - 1 :]]


def _returns(close: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.diff(np.log(close))
        # Rounding of the logarithm must not look like movement, nor depend on the price's scale.
        moves[np.abs(moves) < 1e-12] = 0.0
        return np.asarray(moves - moves.mean())


def group_of(symbol: str, others: Iterable[str], closes: Mapping[str, Closes], threshold: float) -> tuple[str, ...]:
    """Return the symbols among `others` that move with `symbol`, directly or through one another, in name order.

    The order of `others` does not matter. `symbol` itself is part of the group where it is among them.
    """
    left = sorted(set(others))
    found: list[str] = []
    edge = [symbol]
    while edge:
        at = edge.pop()
        near = [name for name in left if name == at or _moves_with(closes.get(at), closes.get(name), threshold)]
        left = [name for name in left if name not in near]
        found += near
        edge += near
    return tuple(sorted(found))


def _moves_with(one: Closes | None, other: Closes | None, threshold: float) -> bool:
    if one is None or other is None:
        return True
    value = correlation(one, other)
    return value is None or value > threshold
