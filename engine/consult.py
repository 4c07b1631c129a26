"""Answers the strategies' questions to models through the Infer port, each within a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.strategy.hybrid import PREDICTOR
from engine.strategy.panel import consult
from engine.strategy.self_learning import HEAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.analysis.layout import Tables
    from engine.ports import Infer
    from engine.strategy.guests import Guests
    from engine.strategy.panel import Advise, StrategyRules
    from engine.strategy.reading import Reading
    from engine.strategy.views import SymbolViews


async def consulted(
    infer: Infer,
    deadline: float,
    tables: Tables,
    readings: Sequence[Reading],
    now_ms: int,
    rules: StrategyRules,
    guests: Guests | None = None,
    advise: Advise | None = None,
) -> list[SymbolViews]:
    """Return what `panel.evaluate` returns, with the models behind the port; `deadline` in seconds per question.

    Without a model that may answer nothing is waited for.
    """
    ready = {model: infer.ready(model) for model in (HEAD, PREDICTOR)}
    asking = consult(tables, readings, now_ms, rules, ready, guests, advise)
    try:
        ask = next(asking)
        while True:
            ask = asking.send(await infer.predict(ask.model, ask.rows, deadline))
    except StopIteration as end:
        views: list[SymbolViews] = end.value
        return views
