"""What a candidate is expected to earn, in R after costs, and who knows how often such candidates won."""

from __future__ import annotations

from typing import Protocol


class WinRates(Protocol):
    """The record of closed trades, such as `engine.positions.track.TrackRecord`."""

    def win_rate(self, strategy: str, confidence: float) -> float:
        """Return the shrunk win rate (section 6.1) of a strategy in the band of this confidence."""


def expected_r(p_win: float, reward_risk: float, costs_r: float) -> float:
    """Return P(win) x R:R - (1 - P(win)) - costs, in R."""
    return p_win * reward_risk - (1.0 - p_win) - costs_r
