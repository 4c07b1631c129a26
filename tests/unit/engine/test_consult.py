"""The strategies' questions to models, through the Infer port."""

from __future__ import annotations

import asyncio
from math import exp

import ict_tables as hand
import numpy as np
import pytest
from ict_tables import NOW, PRICE
from strategy_market import reading

from engine.consult import consulted
from engine.ports import NoModels
from engine.strategy.candidate import Candidate
from engine.strategy.panel import StrategyRules, evaluate
from ml.schema import FEATURES, MARKET_FEATURES

READING = reading(0, "BTCUSDT", exp(PRICE))
RULES = StrategyRules()


class Models:
    """An Infer port with fixed answers; None as an answer is a model that is late."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def ready(self, model):
        return None if model in self.answers else f"no trained {model}"

    async def predict(self, model, rows, deadline):
        self.asked.append((model, rows.shape, rows.dtype, deadline))
        await asyncio.sleep(0)
        answer = self.answers[model]
        return None if answer is None else np.array(answer, np.float32)


def asked(models, tables=None):
    tables = tables or hand.reversal()
    return asyncio.run(consulted(models, 0.1, tables, [READING], NOW, RULES))[0]


def same(one, other):
    return (one.ict, one.self_learning, one.hybrid) == (other.ict, other.self_learning, other.hybrid)


def test_without_models_the_views_are_those_of_the_fallbacks_to_the_last_word():
    assert same(asked(NoModels()), evaluate(hand.reversal(), [READING], NOW, RULES)[0])


def test_a_trained_head_answers_for_self_learning_and_a_predictor_votes_in_hybrid():
    models = Models(head=[[0.8, 0.1]], predictor=[[0.7]])
    views = asked(models)
    assert [(model, shape) for model, shape, _, _ in models.asked] == [
        ("head", (1, len(MARKET_FEATURES))),
        ("predictor", (1, len(FEATURES))),
    ]
    assert all(kind == np.float32 and deadline == 0.1 for _, _, kind, deadline in models.asked)
    assert views.outlook.trained
    assert (views.outlook.p_long, views.outlook.p_short) == pytest.approx((0.8, 0.1))
    assert isinstance(views.self_learning, Candidate)
    assert "trained head" in views.self_learning.provenance[0].text
    assert views.p_win == pytest.approx(0.7)
    agreed = 0.6 * views.ict.confidence + 0.4 * 0.7 + 0.05 * views.self_learning.confidence
    assert views.hybrid.confidence == pytest.approx(agreed)


@pytest.mark.parametrize(
    "answers",
    [
        {"head": None, "predictor": None},
        {"head": [[np.nan, 0.1]], "predictor": [np.nan]},
        {"head": [[1.2, 0.1]], "predictor": [1.2]},
        {"head": [[0.5]], "predictor": [0.5, 0.5]},
        {"head": [0.5, 0.5], "predictor": []},
    ],
    ids=["late", "no number", "no probability", "wrong shape", "wrong count"],
)
def test_an_answer_that_cannot_be_used_falls_back_and_says_so(answers):
    views = asked(Models(**answers))
    assert not views.outlook.trained
    assert "gave no usable answer" in views.outlook.source
    assert views.hybrid.confidence == views.ict.confidence
    assert "gave no usable answer" in views.hybrid.provenance[-1].text


def test_where_nothing_is_proposed_the_predictor_is_not_asked():
    models = Models(predictor=[[0.7]])
    asked(models, hand.quiet())
    assert models.asked == []


def test_bars_that_close_while_a_model_thinks_change_nothing():
    tables = hand.reversal()

    class Slow(Models):
        async def predict(self, model, rows, deadline):
            tables.series["n"] += 1
            tables.bars["c"] += 0.01
            return await super().predict(model, rows, deadline)

    answers = {"head": [[0.8, 0.1]], "predictor": [[0.7]]}
    assert same(asked(Slow(**answers), tables), asked(Models(**answers)))
