import pytest
from signal_views import candidate, views

from engine.positions.track import TrackRecord
from engine.signals.expiry import expired
from engine.signals.rules import SignalRules
from engine.signals.select import select
from engine.strategy.candidate import StrategyName


def signal(expires, symbol="A"):
    proposal = candidate(symbol=symbol, expires=expires)
    return select([views(proposal)], StrategyName.ICT, TrackRecord(), SignalRules(), 1).signals[0]


@pytest.mark.parametrize(("now", "over"), [(0, False), (899, False), (900, True), (5_000, True)])
def test_a_signal_ends_with_its_set_up(now, over):
    assert expired(signal(900), now) is over


def test_a_set_up_without_an_end_never_expires():
    assert not expired(signal(0), 10**15)
