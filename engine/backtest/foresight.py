"""What the cheap judgement left of every close worth a look, in the form in which the desk decides on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.strategy import self_learning
from engine.strategy.facts import Facts
from engine.strategy.market_kernel import FACTS
from engine.strategy.panel import facts_of
from engine.strategy.setup import Setup
from engine.strategy.views import Outlook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.backtest.gates import Closes

BLOCK = 512
"""Rows that are turned into structs at once."""


class Seen(NamedTuple):
    """One symbol at one close."""

    setup: Setup
    facts: Facts
    outlook: Outlook
    market: npt.NDArray[np.float64]
    """[MARKET_COLUMNS]."""


class Foresight:
    """The closes of all symbols in order of time, then slot; to be read in that order."""

    def __init__(
        self,
        times: Sequence[npt.NDArray[np.int64]],
        slots: Sequence[npt.NDArray[np.int64]],
        closes: Sequence[Closes],
        reason: str,
    ) -> None:
        """Put parts in order: instant and slot of every row of `closes`. `reason` says why no head may answer."""
        time, slot = np.concatenate(times), np.concatenate(slots)
        order = np.lexsort((slot, time))
        self.time, self.slot = time[order], slot[order]
        self.bits = np.concatenate([part.bits for part in closes])[order]
        sizes = [len(part.bar) for part in closes]
        self._parts = closes
        self._part = np.repeat(np.arange(len(closes)), sizes)[order]
        self._place = np.concatenate([np.arange(size) for size in sizes])[order]
        self._reason = reason
        self._first = 0
        self._block: list[Seen] = []

    def seen(self, row: int) -> Seen:
        """Return what was found at a row."""
        if not self._first <= row < self._first + len(self._block):
            self._first = row
            self._block = self._structs(slice(row, row + BLOCK))
        return self._block[row - self._first]

    def _structs(self, part: slice) -> list[Seen]:
        at = list(zip(self._part[part].tolist(), self._place[part].tolist(), strict=True))
        facts = np.array([self._parts[k].facts[i] for k, i in at], FACTS)
        market = np.array([self._parts[k].market[i] for k, i in at])
        outlooks = self_learning.outlooks(market, facts["ready"] > 0, self._reason, None)
        setups = [Setup._make(self._parts[k].setups[i].item()) for k, i in at]
        return list(map(Seen, setups, facts_of(facts), outlooks, market))
