"""Candidates, facts and views for tests of the signal stage."""

from __future__ import annotations

from math import exp

import numpy as np
from strategy_market import reading

from engine.strategy.candidate import Candidate, Direction, NoCandidate, Step, StrategyName
from engine.strategy.facts import Facts, Regime
from engine.strategy.views import Outlook, SymbolViews
from ml.schema import MARKET_FEATURES


def candidate(
    strategy: StrategyName = StrategyName.ICT,
    symbol: str = "A",
    direction: Direction = Direction.LONG,
    confidence: float = 0.6,
    ratio: float = 2.0,
    risk: float = 0.01,
    anchor: int = 1_000,
    expires: int = 901_000,
) -> Candidate:
    """Return a candidate at 100 with the given risk and R:R in logarithms."""
    sign = direction.sign
    return Candidate(
        strategy=strategy,
        symbol=symbol,
        direction=direction,
        pattern="pattern",
        entry=100.0,
        stop=100.0 * exp(-sign * risk),
        targets=(100.0 * exp(sign * risk * ratio),),
        confidence=confidence,
        sub_scores={"trend": 0.5},
        provenance=(Step("bias", "1h structure points up.", "1h", 1, 2, 100.0),),
        bar_close=1_000,
        anchor=anchor,
        expires=expires,
    )


def facts(**over: float | Regime) -> Facts:
    """Return the facts of an ordinary market."""
    values = {
        "ready": True,
        "close_ms": 1_000,
        "hour_ms": 0,
        "price_log": 4.6,
        "atr": 0.01,
        "regime": Regime.MIXED,
        "above": 2.0,
        "below": 2.0,
        "reversal_long": 0.0,
        "reversal_short": 0.0,
        "bias_5m": 0,
        "bias_15m": 0,
        "bias_1h": 0,
    }
    return Facts(**(values | over))


def views(*proposals: Candidate, p_win: float = float("nan"), trained: bool = False, **over: float) -> SymbolViews:
    """Return the views of one symbol with the given proposals; `over` changes the reading."""
    symbol = proposals[0].symbol if proposals else "A"
    by_name = {proposal.strategy: proposal for proposal in proposals}
    answers = [by_name.get(name) or NoCandidate(name, symbol, "sweep", "waiting", 1.0) for name in StrategyName]
    return SymbolViews(
        reading=reading(0, symbol, 100.0, **over),
        facts=facts(),
        outlook=Outlook(True, 0.45, 0.3, 0.5, (0.0, 0.0, 0.0, 0.0), 1.0, "trained head", trained),
        ict=answers[0],
        self_learning=answers[1],
        hybrid=answers[2],
        market=np.zeros(len(MARKET_FEATURES)),
        p_win=p_win,
    )
