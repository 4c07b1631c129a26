import pytest
from signal_views import candidate, views

from engine.positions.track import TrackRecord
from engine.signals.expiry import expired, remaining_ms, split
from engine.signals.rules import SignalRules
from engine.signals.select import select
from engine.strategy.candidate import StrategyName


def signal(expires, symbol="A"):
    proposal = candidate(symbol=symbol, expires=expires)
    return select([views(proposal)], StrategyName.ICT, TrackRecord(), SignalRules(), 1).signals[0]


@pytest.mark.parametrize(("now", "over", "left"), [(0, False, 900), (899, False, 1), (900, True, 0), (5_000, True, 0)])
def test_a_signal_ends_with_its_set_up(now, over, left):
    assert expired(signal(900), now) is over
    assert remaining_ms(signal(900), now) == left


def test_a_set_up_without_an_end_never_expires():
    assert not expired(signal(0), 10**15)
    assert remaining_ms(signal(0), 10**15) is None


def test_living_and_ended_signals_are_told_apart_in_order():
    signals = [signal(900, "A"), signal(100, "B"), signal(0, "C"), signal(50, "D")]
    living, ended = split(signals, 500)
    assert [one.candidate.symbol for one in living] == ["A", "C"]
    assert [one.candidate.symbol for one in ended] == ["B", "D"]
