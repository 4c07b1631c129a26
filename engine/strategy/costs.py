"""What a round trip costs, in units of the risk R, and the win probability it needs to pay for itself."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.strategy.candidate import Candidate
    from engine.strategy.reading import Reading


class CostRules(msgspec.Struct, frozen=True):
    """Costs of trading as fractions of the notional."""

    entry_fee: float = 0.0005
    exit_fee: float = 0.0005
    slippage: float = 0.0002
    """Per side."""
    holding_hours: float = 12.0
    """Expected holding time, for funding."""
    funding_hours: float = 8.0


def costs_in_r(reading: Reading, sign: int, risk: float, rules: CostRules) -> float:
    """Return fees, spread, slippage and expected funding of a round trip in units of R.

    `risk` is |ln(entry / stop)|. Funding counts only where it is paid; what might be received is no discount.
    A risk of zero or less costs infinitely much.
    """
    if not risk > 0.0:
        return float("inf")
    funding = max(0.0, sign * reading.funding_rate) * rules.holding_hours / rules.funding_hours
    spread = reading.spread_bps * 1e-4
    return (rules.entry_fee + rules.exit_fee + spread + 2.0 * rules.slippage + funding) / risk


def break_even(reward_risk: float, costs_r: float) -> float:
    """Return the P(win) at which P x R:R - (1 - P) - costs is zero; above 1 when no probability suffices."""
    return (1.0 + costs_r) / (1.0 + reward_risk)


def risk_of(candidate: Candidate) -> float:
    """Return |ln(entry / stop)|: in logarithms a mirrored candidate has the same risk and the same R:R."""
    return abs(log(candidate.entry / candidate.stop))


def reward_risk_of(candidate: Candidate) -> float:
    """Return R:R of the first target measured in logarithms, 0 where there is no risk or no target."""
    risk = risk_of(candidate)
    return abs(log(candidate.targets[0] / candidate.entry)) / risk if risk > 0.0 and candidate.targets else 0.0
