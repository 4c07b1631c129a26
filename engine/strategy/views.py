"""What the three strategies say of one symbol at one instant, and the market facts they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from engine.strategy.candidate import Candidate, NoCandidate
from engine.strategy.facts import Facts
from engine.strategy.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

View = Candidate | NoCandidate


class Outlook(msgspec.Struct, frozen=True):
    """The self-learning side's reading of a symbol: what either direction is worth."""

    ready: bool
    p_long: float
    """P(a long reaches 3.0 ATR before losing 1.5 ATR)."""
    p_short: float
    score: float
    """The lean in [-1, 1]; negated by mirrored prices."""
    parts: tuple[float, float, float, float]
    """Trend, momentum, reversion, liquidity, each in [-1, 1]."""
    volatility: float
    """In [0, 1]; 1 in ordinary volatility."""
    source: str
    """Which head answered, and why a better one did not."""
    trained: bool = False
    """Whether a trained head answered; only then are the probabilities calibrated."""


class SymbolViews(msgspec.Struct, frozen=True):
    """One ready symbol: its reading, facts, the three views, and the market columns of its feature row."""

    reading: Reading
    facts: Facts
    outlook: Outlook
    ict: View
    self_learning: View
    hybrid: View
    market: npt.NDArray[np.float64]
    """[len(ml.schema.MARKET_FEATURES)]; NaN where unknown."""
    p_win: float = float("nan")
    """The predictor's calibrated P(win) of the ICT proposal, NaN when it has no vote."""
    guests: tuple[View, ...] = ()
    """Views of the strategies from outside, the same strategies in the same order for every symbol."""

    def view(self, strategy: str) -> View:
        """Return the view of one strategy; of one that does not take part: that it does not."""
        for view in self.all():
            if view.strategy == strategy:
                return view
        return NoCandidate(strategy, self.reading.symbol, "absent", f"no strategy {strategy} takes part")

    def all(self) -> tuple[View, ...]:
        """Return the view of every strategy in the order ict, self_learning, hybrid, then those from outside."""
        return (self.ict, self.self_learning, self.hybrid, *self.guests)

    def candidates(self) -> Iterator[Candidate]:
        """Yield what the strategies propose, in the order of `all`."""
        for one in self.all():
            if isinstance(one, Candidate):
                yield one
