"""All three strategies on every ready symbol, once per call: the leaderboard needs all of them all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from engine.signals.features import feature_rows
from engine.strategy import hybrid, ict, self_learning
from engine.strategy.candidate import Candidate
from engine.strategy.costs import CostRules
from engine.strategy.facts import Facts, regime_of
from engine.strategy.hybrid import NoPredictor, Predictor, Vote
from engine.strategy.market_kernel import survey
from engine.strategy.self_learning import Head, SelfLearningRules, Untrained
from engine.strategy.views import SymbolViews, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.analysis.layout import Tables
    from engine.strategy.reading import Reading


class StrategyRules(msgspec.Struct, frozen=True):
    """What the strategies are told beside the market."""

    costs: CostRules = CostRules()
    self_learning: SelfLearningRules = SelfLearningRules()


def evaluate(
    tables: Tables,
    readings: Sequence[Reading],
    now_ms: int,
    rules: StrategyRules,
    head: Head | None = None,
    predictor: Predictor | None = None,
) -> list[SymbolViews]:
    """Return the views of every reading, in order; the caller passes ready symbols only.

    A pure function of closed-bar columns, readings and `now_ms`. Without `head` and `predictor` the fallbacks answer.
    """
    if not readings:
        return []
    slots = np.array([reading.slot for reading in readings], np.int64)
    prices = np.log(np.array([reading.price for reading in readings], np.float64))
    found, market = survey(tables, slots, prices)
    facts = _facts(found)
    seen = self_learning.outlooks(market, found["ready"] > 0, head or Untrained())
    proposals: list[View] = [
        ict.view(setup, reading, fact.close_ms, now_ms)
        for setup, reading, fact in zip(ict.setups(tables, slots, prices), readings, facts, strict=True)
    ]
    votes = _votes(proposals, market, facts, readings, predictor or NoPredictor())
    views = []
    for reading, fact, outlook, proposal, row, vote in zip(
        readings, facts, seen, proposals, market, votes, strict=True
    ):
        learned = self_learning.view(outlook, fact, reading, rules.self_learning, rules.costs)
        blended = hybrid.view(proposal, learned, vote, reading, rules.costs)
        views.append(SymbolViews(reading, fact, outlook, proposal, learned, blended, row, vote.p_win))
    return views


def _facts(found: npt.NDArray[np.void]) -> list[Facts]:
    """Return the kernel's facts as structs."""
    names = found.dtype.names or ()
    rows = []
    for values in found.tolist():
        f = dict(zip(names, values, strict=True))
        rows.append(
            Facts(
                ready=f["ready"] > 0,
                close_ms=f["close_ms"],
                hour_ms=f["hour_ms"],
                price_log=f["price"],
                atr=f["atr_1h"],
                regime=regime_of(f["adx_1h"], f["width_1h"]),
                above=f["above"],
                below=f["below"],
                reversal_long=0.5 * f["divergence_up"] + 0.5 * f["swept_above"],
                reversal_short=0.5 * f["divergence_down"] + 0.5 * f["swept_below"],
                bias_5m=f["bias_5m"],
                bias_15m=f["bias_15m"],
                bias_1h=f["bias_1h"],
            )
        )
    return rows


def _votes(
    proposals: Sequence[View],
    market: npt.NDArray[np.float64],
    facts: Sequence[Facts],
    readings: Sequence[Reading],
    predictor: Predictor,
) -> list[Vote]:
    """Return the predictor's vote on each proposal, in one batch; no vote where it may not or cannot answer."""
    reason = predictor.ready()
    votes = [Vote(reason=reason or "no proposal")] * len(proposals)
    asked = [(i, proposal) for i, proposal in enumerate(proposals) if isinstance(proposal, Candidate)]
    if reason is not None or not asked:
        return votes
    rows = feature_rows([(proposal, market[i], facts[i], readings[i]) for i, proposal in asked])
    answer = predictor.win_probabilities(rows)
    for place, (i, _) in enumerate(asked):
        if answer is None or not np.isfinite(answer[place]):
            votes[i] = Vote(reason="the predictor gave no usable answer")
        else:
            votes[i] = Vote(float(answer[place]), "")
    return votes
