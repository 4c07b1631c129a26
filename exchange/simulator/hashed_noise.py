"""Numbers that nobody stores: smooth noise over time and fixed draws per symbol, the same for the same question."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_KNOT_MS = 4 * 3_600_000


def draw(*what: object) -> float:
    """Return a number in [0, 1) that depends on what is asked alone."""
    return crc32("|".join(map(str, what)).encode()) / 2**32


def smooth(at_ms: npt.NDArray[np.int64], *what: object, knot_ms: int = _KNOT_MS) -> npt.NDArray[np.float64]:
    """Return noise in [-1, 1] at instants: a draw every `knot_ms`, joined by cosine arcs."""
    place = at_ms / knot_ms
    before = np.floor(place).astype(np.int64)
    knots = {int(knot): 2.0 * draw(*what, int(knot)) - 1.0 for knot in {*before.tolist(), *(before + 1).tolist()}}
    low = np.array([knots[int(knot)] for knot in before])
    high = np.array([knots[int(knot) + 1] for knot in before])
    weight = (1.0 - np.cos(np.pi * (place - before))) / 2.0
    mixed: npt.NDArray[np.float64] = low + (high - low) * weight
    return mixed
