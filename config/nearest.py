"""Which known name an unknown one was probably meant to be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def edit_distance(left: str, right: str) -> int:
    """Return how many single-character insertions, deletions and replacements turn one into the other."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like `name`, regardless of case; there must be at least one."""
    folded = {candidate.lower(): candidate for candidate in known}
    wanted = name.lower()
    leaf = wanted.rpartition(".")[2]
    ranked = sorted(
        folded,
        key=lambda candidate: (
            -max(
                difflib.SequenceMatcher(None, wanted, candidate).ratio(),
                0.95 * difflib.SequenceMatcher(None, leaf, candidate.rpartition(".")[2]).ratio(),
            ),
            candidate,
        ),
    )
    return folded[ranked[0]]
