"""All strategies on every ready symbol, once per call: the leaderboard needs all of them all the time.

What a model has to say is asked for as a question of a generator, so that the same decisions run with the answers of
the Infer port (`engine.consult`), of models in memory, or of none.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from engine.signals.features import feature_rows
from engine.strategy import hybrid, ict, self_learning
from engine.strategy.advanced import Advice
from engine.strategy.candidate import Candidate
from engine.strategy.costs import CostRules
from engine.strategy.facts import Facts, regime_of
from engine.strategy.guests import Guests
from engine.strategy.hybrid import PREDICTOR, NoPredictor, Predictor, Vote
from engine.strategy.market_kernel import survey
from engine.strategy.self_learning import HEAD, Head, SelfLearningRules, Untrained
from engine.strategy.views import Outlook, SymbolViews, View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.analysis.layout import Tables
    from engine.strategy.reading import Reading


NO_GUESTS = Guests()


class StrategyRules(msgspec.Struct, frozen=True):
    """What the strategies are told beside the market."""

    costs: CostRules = CostRules()
    self_learning: SelfLearningRules = SelfLearningRules()


class Ask(NamedTuple):
    """A question to a model: one row per symbol or proposal, float32."""

    model: str
    """`HEAD` or `PREDICTOR`."""
    rows: npt.NDArray[np.float32]


Advise = Callable[["Tables", "Sequence[Reading]", list[Facts], "npt.NDArray[np.void]"], Advice]

Asking = Generator[Ask, "npt.NDArray[np.floating[Any]] | None", list[SymbolViews]]


def evaluate(
    tables: Tables,
    readings: Sequence[Reading],
    now_ms: int,
    rules: StrategyRules,
    head: Head | None = None,
    predictor: Predictor | None = None,
    guests: Guests | None = None,
    advise: Advise | None = None,
) -> list[SymbolViews]:
    """Return the views of every reading, in order; the caller passes ready symbols only.

    A pure function of closed-bar columns, readings and `now_ms`. Without `head` and `predictor` the fallbacks answer.
    """
    head, predictor = head or Untrained(), predictor or NoPredictor()
    ready = {HEAD: head.ready(), PREDICTOR: predictor.ready()}
    asking = consult(tables, readings, now_ms, rules, ready, guests, advise)
    answer: npt.NDArray[np.floating[Any]] | None = None
    try:
        ask = next(asking)
        while True:
            answer = head.probabilities(ask.rows) if ask.model == HEAD else predictor.win_probabilities(ask.rows)
            ask = asking.send(answer)
    except StopIteration as end:
        views: list[SymbolViews] = end.value
        return views


def consult(
    tables: Tables,
    readings: Sequence[Reading],
    now_ms: int,
    rules: StrategyRules,
    ready: Mapping[str, str | None],
    guests: Guests | None = None,
    advise: Advise | None = None,
) -> Asking:
    """Return the views of every reading, in order, yielding a question to each model that may answer.

    `ready` holds per model None or the reason why it may not answer. Everything that rests on the tables is computed
    before the first question: bars that close while a model thinks change nothing. `advise` is asked for what regime
    prediction and dynamic features say.
    """
    if not readings:
        return []
    slots = np.array([reading.slot for reading in readings], np.int64)
    prices = np.log(np.array([reading.price for reading in readings], np.float64))
    found, market = survey(tables, slots, prices)
    facts, scores = facts_of(found), None
    if advise is not None:
        facts, scores = advise(tables, readings, facts, found)
    proposals: list[View] = [
        ict.view(setup, reading, fact.close_ms, now_ms)
        for setup, reading, fact in zip(ict.setups(tables, slots, prices), readings, facts, strict=True)
    ]
    others = (guests or NO_GUESTS).views(tables, readings, facts, market, now_ms)
    answer = None
    if ready[HEAD] is None:
        answer = yield Ask(HEAD, market.astype(np.float32))
    seen = self_learning.outlooks(market, found["ready"] > 0, ready[HEAD], answer, scores)
    votes = yield from _votes(proposals, market, facts, readings, ready[PREDICTOR])
    return [
        views_of(reading, fact, row, proposal, outlook, vote, other, rules)
        for reading, fact, row, proposal, outlook, vote, other in zip(
            readings, facts, market, proposals, seen, votes, others, strict=True
        )
    ]


def views_of(
    reading: Reading,
    facts: Facts,
    market: npt.NDArray[np.float64],
    proposal: View,
    outlook: Outlook,
    vote: Vote,
    others: tuple[View, ...],
    rules: StrategyRules,
) -> SymbolViews:
    """Return what all strategies say of one symbol, from the proposal of `ict` and what the models or fallbacks say."""
    learned = self_learning.view(outlook, facts, reading, rules.self_learning, rules.costs)
    blended = hybrid.view(proposal, learned, vote, reading, rules.costs)
    return SymbolViews(reading, facts, outlook, proposal, learned, blended, market, vote.p_win, others)


def facts_of(found: npt.NDArray[np.void]) -> list[Facts]:
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
    reason: str | None,
) -> Generator[Ask, npt.NDArray[np.floating[Any]] | None, list[Vote]]:
    """Return the predictor's vote on each proposal, in one batch; no vote where it may not or cannot answer."""
    votes = [Vote(reason=reason or "no proposal")] * len(proposals)
    asked = [(i, proposal) for i, proposal in enumerate(proposals) if isinstance(proposal, Candidate)]
    if reason is not None or not asked:
        return votes
    rows = feature_rows([(proposal, market[i], facts[i], readings[i]) for i, proposal in asked])
    answer = yield Ask(PREDICTOR, rows)
    given = None if answer is None or answer.size != len(asked) else answer.reshape(-1)
    for place, (i, _) in enumerate(asked):
        if given is None or not 0.0 <= given[place] <= 1.0:
            votes[i] = Vote(reason="the predictor gave no usable answer")
        else:
            votes[i] = Vote(float(given[place]), "")
    return votes
