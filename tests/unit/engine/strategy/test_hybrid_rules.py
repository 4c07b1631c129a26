import msgspec
import pytest
from strategy_market import reading

from engine.strategy import hybrid
from engine.strategy.candidate import Candidate, Direction, NoCandidate, Step, StrategyName
from engine.strategy.costs import CostRules
from engine.strategy.hybrid import Vote

FREE = CostRules(0.0, 0.0, 0.0, 0.0)
READING = reading(0, "A", 100.0, spread_bps=0.0)
ICT = Candidate(
    StrategyName.ICT,
    "A",
    Direction.LONG,
    "sweep reversal",
    100.0,
    99.0,
    (102.02,),
    0.7,
    {"trend": 0.7},
    (Step("bias", "1h up."),),
    0,
    anchor=5,
)


def learned(direction, confidence):
    return msgspec.structs.replace(ICT, strategy=StrategyName.SELF_LEARNING, direction=direction, confidence=confidence)


NOTHING = NoCandidate(StrategyName.SELF_LEARNING, "A", "break-even", "", 0.1)


def blend(self_view, vote):
    return hybrid.view(ICT, self_view, vote, READING, FREE)


@pytest.mark.parametrize(
    "self_view", [NOTHING, learned(Direction.SHORT, 0.9), learned(Direction.LONG, 0.9)], ids=["none", "against", "for"]
)
def test_without_a_vote_the_ict_proposal_stands_unchanged_and_says_so(self_view):
    view = blend(self_view, Vote(reason="collecting 3/100"))
    unchanged = msgspec.structs.replace(view, strategy=StrategyName.ICT, provenance=ICT.provenance)
    assert unchanged == ICT
    assert view.strategy is StrategyName.HYBRID
    assert view.provenance[-1].text == "Predictor not ready (collecting 3/100): the ICT proposal stands unchanged."


@pytest.mark.parametrize(
    ("self_view", "p_win", "confidence"),
    [
        (NOTHING, 0.5, 0.6 * 0.7 + 0.4 * 0.5),
        (NOTHING, 0.9, 0.6 * 0.7 + 0.4 * 0.9),
        (learned(Direction.SHORT, 0.49), 0.5, 0.62),
        (learned(Direction.LONG, 1.0), 0.5, 0.62 + 0.05),
        (learned(Direction.LONG, 0.4), 0.5, 0.62 + 0.02),
    ],
)
def test_a_vote_blends_and_agreement_adds(self_view, p_win, confidence):
    assert blend(self_view, Vote(p_win)).confidence == pytest.approx(confidence)


@pytest.mark.parametrize(
    ("self_view", "p_win", "gate"),
    [
        (NOTHING, 0.32, "predictor"),
        (learned(Direction.LONG, 1.0), 0.32, "predictor"),
        (learned(Direction.SHORT, 0.5), 0.9, "self-learning veto"),
    ],
)
def test_a_vote_below_break_even_or_an_opposite_view_drops_the_proposal(self_view, p_win, gate):
    view = blend(self_view, Vote(p_win))
    assert isinstance(view, NoCandidate)
    assert (view.strategy, view.gate) == (StrategyName.HYBRID, gate)


def test_costs_raise_the_break_even_the_vote_must_clear():
    assert isinstance(hybrid.view(ICT, NOTHING, Vote(0.36), READING, FREE), Candidate)
    assert isinstance(hybrid.view(ICT, NOTHING, Vote(0.36), READING, CostRules()), NoCandidate)


def test_confidence_never_exceeds_one():
    sure = msgspec.structs.replace(ICT, confidence=1.0)
    assert hybrid.view(sure, learned(Direction.LONG, 1.0), Vote(1.0), READING, FREE).confidence == 1.0


def test_where_ict_proposes_nothing_neither_does_hybrid():
    none = NoCandidate(StrategyName.ICT, "A", "sweep", "waiting", 1.5)
    view = hybrid.view(none, learned(Direction.LONG, 1.0), Vote(0.9), READING, FREE)
    assert (view.strategy, view.gate, view.distance) == (StrategyName.HYBRID, "sweep", 1.5)
