"""What a candidate is expected to earn, in R after costs, and where its P(win) comes from."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from engine.strategy.candidate import StrategyName

if TYPE_CHECKING:
    from collections.abc import Iterable

BAND_EDGES = (0.35, 0.50, 0.65, 0.80)
"""Confidence bands: below the first edge, between two, from the last."""
PRIOR_RATE, PRIOR_TRADES = 0.55, 20


def band_of(confidence: float) -> int:
    """Return the confidence band, 0 the lowest."""
    return bisect_right(BAND_EDGES, confidence)


def shrunk_win_rate(wins: int, trades: int) -> float:
    """Return (wins + 0.55 k) / (n + k) with k = 20 (section 6.1)."""
    return (wins + PRIOR_RATE * PRIOR_TRADES) / (trades + PRIOR_TRADES)


class Outcome(msgspec.Struct, frozen=True):
    """A closed trade as the track record counts it."""

    strategy: StrategyName
    confidence: float
    won: bool


class TrackRecord(msgspec.Struct, frozen=True):
    """Closed trades per (strategy, confidence band)."""

    tallies: tuple[tuple[StrategyName, int, int, int], ...] = ()
    """(strategy, band, wins, trades)."""

    def win_rate(self, strategy: StrategyName, confidence: float) -> float:
        """Return the shrunk win rate of the band; the prior where nothing closed yet."""
        wins, trades = self.tally(strategy, band_of(confidence))
        return shrunk_win_rate(wins, trades)

    def tally(self, strategy: StrategyName, band: int) -> tuple[int, int]:
        """Return (wins, trades) of one band."""
        for name, place, wins, trades in self.tallies:
            if name is strategy and place == band:
                return wins, trades
        return 0, 0


def record_of(outcomes: Iterable[Outcome]) -> TrackRecord:
    """Return the record of closed trades."""
    tallies: dict[tuple[StrategyName, int], tuple[int, int]] = {}
    for outcome in outcomes:
        key = (outcome.strategy, band_of(outcome.confidence))
        wins, trades = tallies.get(key, (0, 0))
        tallies[key] = (wins + outcome.won, trades + 1)
    return TrackRecord(tuple((strategy, band, *tally) for (strategy, band), tally in sorted(tallies.items())))


def expected_r(p_win: float, reward_risk: float, costs_r: float) -> float:
    """Return P(win) x R:R - (1 - P(win)) - costs, in R."""
    return p_win * reward_risk - (1.0 - p_win) - costs_r
