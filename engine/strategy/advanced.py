"""Regime prediction and dynamic features between the market's facts and the strategies, as far as they are switched on.

Each of the two falls back by itself: the regime to the plain thresholds, the features to the fixed set. With both off
nothing here is asked and the strategies see what they always saw.
"""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.strategy.dynamic import DynamicRules, DynamicScore, choose_features
from engine.strategy.facts import Facts
from engine.strategy.hours import HourBook, Hours
from engine.strategy.regime import RegimeRules, call_regime

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from engine.analysis.layout import Tables
    from engine.modules import Modules
    from engine.strategy.reading import Reading

REGIME, DYNAMIC = "ENABLE_MARKET_REGIME_PREDICTION", "ENABLE_DYNAMIC_FEATURES"


class AdvancedRules(msgspec.Struct, frozen=True):
    """What is switched on, with its rules; None is off."""

    regime: RegimeRules | None = None
    dynamic: DynamicRules | None = None


class Advice(NamedTuple):
    """The facts the strategies see, and per symbol the score of dynamic features (None: the fixed set, unasked)."""

    facts: list[Facts]
    scores: list[DynamicScore | None]


class Advanced:
    """The two modules of one desk, and the hours they read."""

    def __init__(self, modules: Modules) -> None:
        """Report to the registry."""
        self._modules = modules
        self._hours = HourBook()

    def advise(
        self,
        tables: Tables,
        readings: Sequence[Reading],
        facts: list[Facts],
        found: npt.NDArray[np.void],
        rules: AdvancedRules,
    ) -> Advice:
        """Return what the strategies are to see; `found` are the rows of `market_kernel.survey`."""
        scores: list[DynamicScore | None] = [None] * len(facts)
        if rules.regime is None and rules.dynamic is None:
            return Advice(facts, scores)
        lookback = (rules.regime or RegimeRules()).lookback
        with self._modules.timed(REGIME if rules.regime is not None else DYNAMIC, 0):
            hours = self._hours.read(tables, readings, lookback)
        if rules.regime is not None:
            facts = self._call(facts, hours, found, rules.regime)
        if rules.dynamic is not None:
            scores = self._choose(facts, hours, rules.dynamic)
        return Advice(facts, scores)

    def _call(
        self, facts: list[Facts], hours: list[Hours], found: npt.NDArray[np.void], rules: RegimeRules
    ) -> list[Facts]:
        with self._modules.timed(REGIME, len(facts)) as module:
            called = []
            for fact, hour, row in zip(facts, hours, found, strict=True):
                bars = hour.bars
                if not all(map(isfinite, hour.probabilities)):
                    module.errors += 1
                    bars = 0
                call = call_regime(hour.probabilities, bars, float(row["adx_1h"]), float(row["width_1h"]), rules)
                called.append(msgspec.structs.replace(fact, regime=call.regime, call=call))
                module.note(call.source)
            return called

    def _choose(self, facts: list[Facts], hours: list[Hours], rules: DynamicRules) -> list[DynamicScore | None]:
        with self._modules.timed(DYNAMIC, len(facts)) as module:
            scores: list[DynamicScore | None] = []
            for fact, hour in zip(facts, hours, strict=True):
                if all(map(isfinite, (*hour.values, *hour.sharpes))):
                    score = choose_features(hour.values, hour.sharpes, fact.regime, rules)
                else:
                    module.errors += 1
                    score = DynamicScore(nan, (), "fixed: no usable number", "fixed features: no usable number")
                scores.append(score)
                module.note(score.rung)
            return scores
