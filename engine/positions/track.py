"""The track record: closed trades per strategy, from which leverage and ranking take their win rates.

The last 30 closed trades count, live ones first and virtual ones as the prior that fills the rest; the rate is shrunk
towards 0.55 as if 20 further trades had won at that rate (specification section 6.1). Confidence bands keep their own
30, so that a band's rate says something about signals of that confidence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from itertools import islice
from typing import NamedTuple

import msgspec

WINDOW = 30
PRIOR_RATE = 0.55
PRIOR_WEIGHT = 20
BAND_EDGES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Lower edges of the confidence bands above the first."""


class ClosedTrade(msgspec.Struct, frozen=True):
    """One ended trade as the track record needs it."""

    strategy: str
    confidence: float
    r: float
    """Result in R after costs; a win is above 0."""
    closed_ms: int
    live: bool = False


class Tally(NamedTuple):
    """What the window holds."""

    wins: int
    trades: int
    live_trades: int
    """Closed live trades ever, not only those in the window."""

    @property
    def win_rate(self) -> float:
        """Return the shrunk win rate; 0.55 without a trade."""
        return shrunk(self.wins, self.trades)


def shrunk(wins: int, trades: int) -> float:
    """Return (wins + 0.55 k) / (n + k) with k = 20."""
    return (wins + PRIOR_RATE * PRIOR_WEIGHT) / (trades + PRIOR_WEIGHT)


def band(confidence: float) -> int:
    """Return the index of the confidence band, 0 for below 0.4."""
    return bisect_right(BAND_EDGES, confidence)


class _Window:
    def __init__(self) -> None:
        self.live: deque[bool] = deque(maxlen=WINDOW)
        self.virtual: deque[bool] = deque(maxlen=WINDOW)
        self.live_trades = 0
        self.tally = Tally(0, 0, 0)

    def add(self, trade: ClosedTrade) -> None:
        won = trade.r > 0
        if trade.live:
            self.live.appendleft(won)
            self.live_trades += 1
        else:
            self.virtual.appendleft(won)
        prior = list(islice(self.virtual, WINDOW - len(self.live)))
        self.tally = Tally(sum(self.live) + sum(prior), len(self.live) + len(prior), self.live_trades)


class TrackRecord:
    """Windows per strategy and per (strategy, confidence band); newest trades first."""

    def __init__(self) -> None:
        self._strategies: defaultdict[str, _Window] = defaultdict(_Window)
        self._bands: defaultdict[tuple[str, int], _Window] = defaultdict(_Window)

    def record(self, trade: ClosedTrade) -> None:
        """Add a closed trade; trades arrive in order of their close."""
        self._strategies[trade.strategy].add(trade)
        self._bands[trade.strategy, band(trade.confidence)].add(trade)

    def tally(self, strategy: str) -> Tally:
        """Return wins and trades of the strategy's window, for the leverage formula."""
        return self._strategies[strategy].tally

    def win_rate(self, strategy: str, confidence: float) -> float:
        """Return the shrunk win rate of the confidence's band."""
        return self.band_tally(strategy, confidence).win_rate

    def band_tally(self, strategy: str, confidence: float) -> Tally:
        """Return wins and trades of the strategy's window within the confidence's band, for the rank."""
        return self._bands[strategy, band(confidence)].tally
