from math import isnan

import pytest
from signal_views import candidate, views

from engine.positions.track import TrackRecord
from engine.signals.explain import cards, votes
from engine.signals.rules import DIMENSIONS, SignalRules
from engine.signals.select import select
from engine.strategy.candidate import Direction, StrategyName

ICT, LEARNED, HYBRID = StrategyName


def test_a_card_per_strategy_in_order_with_all_scores():
    seen = views(candidate(ICT), candidate(HYBRID))
    pick = select([seen], HYBRID, TrackRecord(), SignalRules(), 1)
    ict, learned, hybrid = cards(seen, pick)
    assert (ict.strategy, learned.strategy, hybrid.strategy) == ("ict", "self_learning", "hybrid")
    assert (ict.state, learned.state, hybrid.state) == ("candidate", "none", "accepted")
    assert hybrid.reason.startswith("rank 1")
    assert hybrid.sub_scores == (("trend", 0.5),)
    assert (hybrid.gate, hybrid.asked, hybrid.expires) == ("", "", 901_000)
    assert (ict.gate, learned.gate, learned.distance) == ("acting strategy", "sweep", 1.0)
    assert learned.asked.startswith("sweep, missed by 1 ATR of 15m")
    assert tuple(name for name, _, _ in hybrid.quality) == DIMENSIONS
    assert hybrid.reward_risk == pytest.approx(2.0)
    assert hybrid.expected_r == pick.accepted[0].expected_r
    step = hybrid.provenance[0]
    assert (step.step, step.frame, step.at, step.known, step.level) == ("bias", "1h", 1, 2, 100.0)


def test_no_candidate_tells_its_gate():
    card = cards(views(), None)[0]
    assert (card.state, card.reason, card.direction) == ("none", "sweep: waiting", "")
    assert isnan(card.entry)


def test_before_a_selection_a_candidate_is_not_judged():
    card = cards(views(candidate()), None)[0]
    assert (card.state, card.reason) == ("candidate", "not judged yet")


def test_votes_are_one_character_per_strategy():
    assert votes(views(candidate(ICT), candidate(LEARNED, direction=Direction.SHORT))) == "^v."
