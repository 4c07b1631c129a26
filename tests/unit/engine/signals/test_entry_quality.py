from datetime import UTC, datetime

import msgspec
import pytest
from signal_views import candidate, facts
from strategy_market import reading

from engine.signals.quality import count, judge, surroundings
from engine.signals.rules import DIMENSIONS, QualityRules
from engine.strategy.candidate import Direction
from engine.strategy.facts import Regime

RULES = QualityRules()
GOOD = reading(0, "A", 100.0)


def judged(proposal=None, fact=None, at=GOOD, rules=RULES):
    return judge(proposal or candidate(), fact or facts(), surroundings(fact or facts(), at, rules), rules)


def dimension(quality, name):
    return next(one for one in quality.dimensions if one.name == name)


def test_every_dimension_is_listed_once_in_order():
    assert tuple(one.name for one in judged().dimensions) == DIMENSIONS
    assert judged().dropped_by is None


@pytest.mark.parametrize(
    ("name", "changes", "expected", "passed"),
    [
        ("confidence", {"proposal": candidate(confidence=0.35)}, 0.35, True),
        ("confidence", {"proposal": candidate(confidence=0.349)}, 0.349, False),
        ("reward_risk", {"proposal": candidate(ratio=1.5)}, 0.25, True),
        ("reward_risk", {"proposal": candidate(ratio=1.4)}, 0.2, False),
        ("reward_risk", {"proposal": candidate(ratio=3.0)}, 1.0, True),
        ("reward_risk", {"proposal": candidate(ratio=9.0)}, 1.0, False),
        ("regime", {"fact": facts(regime=Regime.TRENDING, bias_1h=1)}, 1.0, True),
        ("regime", {"fact": facts(regime=Regime.TRENDING, bias_1h=-1)}, 0.0, False),
        ("regime", {"fact": facts(regime=Regime.RANGING)}, 0.6, True),
        ("regime", {"fact": facts(regime=Regime.VOLATILE)}, 0.3, True),
        ("atr", {"fact": facts(atr=0.005)}, 1.0, True),
        ("atr", {"fact": facts(atr=0.05)}, 1.0, True),
        ("atr", {"fact": facts(atr=0.004)}, 0.6, False),
        ("atr", {"fact": facts(atr=0.0025)}, 0.0, False),
        ("atr", {"fact": facts(atr=0.075)}, 0.5, False),
        ("volume_rank", {"at": reading(0, "A", 100.0, volume_rank=1)}, 1.0, True),
        ("volume_rank", {"at": reading(0, "A", 100.0, volume_rank=231)}, 0.0, False),
        ("funding", {"at": reading(0, "A", 100.0, funding_rate=-0.0005)}, 0.5, True),
        ("funding", {"at": reading(0, "A", 100.0, funding_rate=0.001)}, 0.0, True),
        ("funding", {"at": reading(0, "A", 100.0, funding_rate=-0.0011)}, 0.0, False),
        ("spread", {"at": reading(0, "A", 100.0, spread_bps=2.5)}, 0.75, True),
        ("spread", {"at": reading(0, "A", 100.0, spread_bps=11.0)}, 0.0, False),
        ("completeness", {"at": reading(0, "A", 100.0, completeness=1.0)}, 1.0, True),
        ("completeness", {"at": reading(0, "A", 100.0, completeness=0.985)}, 0.25, False),
        ("reversal", {"fact": facts(reversal_long=0.25)}, 0.75, True),
        ("reversal", {"fact": facts(reversal_long=0.8)}, 0.2, False),
    ],
)
def test_each_dimension_measures_and_limits(name, changes, expected, passed):
    one = dimension(judged(**changes), name)
    assert one.value == pytest.approx(expected)
    assert one.passed is passed
    assert one.text


def test_reversal_risk_belongs_to_the_side():
    short = candidate(direction=Direction.SHORT)
    assert dimension(judged(short, facts(reversal_long=1.0)), "reversal").value == 1.0
    assert dimension(judged(short, facts(reversal_short=1.0)), "reversal").value == 0.0


def test_a_trend_is_good_for_the_side_that_follows_it():
    down = facts(regime=Regime.TRENDING, bias_1h=-1)
    assert dimension(judged(candidate(direction=Direction.SHORT), down), "regime").value == 1.0


def test_a_missed_hard_gate_drops_and_a_missed_soft_one_does_not():
    thin = reading(0, "A", 100.0, volume_rank=500)
    assert judged(at=thin).dropped_by is None
    hard = msgspec.structs.replace(RULES, hard=("volume_rank",))
    assert judged(at=thin, rules=hard).dropped_by.name == "volume_rank"


def test_the_score_is_the_weighted_mean_of_the_dimensions():
    rules = msgspec.structs.replace(RULES, weights=(("confidence", 3.0), ("spread", 1.0)))
    quality = judged(candidate(confidence=0.8), at=reading(0, "A", 100.0, spread_bps=5.0), rules=rules)
    assert quality.score == pytest.approx((3 * 0.8 + 0.5) / 4)


def test_kept_and_dropped_add_up_to_the_candidates_in_every_dimension():
    wide = reading(0, "A", 100.0, spread_bps=20.0, funding_rate=0.002)
    counts = {one.name: one for one in count([judged(), judged(at=wide), judged(candidate(confidence=0.1), at=wide)])}
    assert tuple(counts) == DIMENSIONS
    assert all(one.kept + one.dropped == 3 for one in counts.values())
    assert (counts["spread"].dropped, counts["funding"].dropped, counts["confidence"].dropped) == (2, 2, 1)
    assert counts["regime"].dropped == 0


@pytest.mark.parametrize(
    "change", [{"hard": ("spred",)}, {"weights": (("spred", 1.0),)}, {"weights": (("spread", 0.0),)}, {"weights": ()}]
)
def test_impossible_rules_are_refused(change):
    with pytest.raises(ValueError, match="quality"):
        QualityRules(**change)


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("instant", "worth", "text"),
    [
        ("2024-07-16 06:30", 1.0, "London session"),
        ("2024-01-16 06:30", 0.0, "between the sessions: no bonus"),
        ("2024-01-16 13:00", 1.0, "New York session"),
        ("2024-07-16 14:30", 0.5, "London close session"),
        ("2024-07-16 02:00", 0.5, "Asia session"),
        ("2024-07-13 12:00", 0.0, "weekend: no bonus"),
        ("2024-01-16 07:45", 0.0, "funding within 15 minutes: no bonus"),
    ],
)
def test_the_session_adds_a_small_bonus_and_is_never_a_gate(instant, worth, text):
    quality = judged(fact=facts(close_ms=at(instant)))
    one = dimension(quality, "session")
    assert (one.value, one.passed, one.hard, one.text) == (worth, True, False, text)
    night = judged(fact=facts(close_ms=at("2024-07-16 20:00")))
    assert dimension(night, "session").value == 0.0
    assert quality.score == pytest.approx(night.score + RULES.session_bonus * worth)


def test_the_bonus_never_lifts_a_score_above_one():
    rules = msgspec.structs.replace(RULES, session_bonus=2.0)
    assert judged(fact=facts(close_ms=at("2024-07-16 06:30")), rules=rules).score == 1.0


def test_a_session_cannot_be_made_a_gate():
    with pytest.raises(ValueError, match="'session' is a small bonus and never a gate"):
        QualityRules(hard=("session",))
