import numpy as np
import pytest
from signal_views import candidate, views

from engine.positions.pending import PendingEntries, PendingEntry
from engine.positions.track import TrackRecord
from engine.signals.rules import SignalRules
from engine.signals.select import select
from engine.strategy.candidate import Direction, StrategyName


def entry(symbol="A", slot=0, direction=Direction.LONG, expires=0):
    proposal = candidate(symbol=symbol, direction=direction, expires=expires)
    signal = select([views(proposal)], StrategyName.ICT, TrackRecord(), SignalRules(), 1).signals[0]
    return PendingEntry(signal, slot, 0)


def seen(*pairs):
    high, low = zip(*pairs, strict=True)
    return np.array(high), np.array(low)


def limit(one):
    return one.signal.candidate.entry


@pytest.mark.parametrize("direction", list(Direction))
def test_an_entry_is_filled_once_when_the_market_trades_at_its_limit(direction):
    entries, one = PendingEntries(), entry(direction=direction)
    entries.offer(one)
    away = limit(one) * (1 + 0.01 * direction.sign)
    assert entries.filled(*seen((away, away)), 1) == []
    assert entries.filled(*seen((max(away, limit(one)), min(away, limit(one)))), 2) == [one]
    assert entries.filled(*seen((limit(one), limit(one))), 3) == []


def test_an_interval_without_a_trade_fills_nothing():
    entries = PendingEntries()
    entries.offer(entry())
    assert entries.filled(*seen((np.nan, np.nan)), 1) == []
    assert len(entries) == 1


def test_an_entry_whose_set_up_has_ended_is_withdrawn_even_at_its_price():
    entries, one = PendingEntries(), entry(expires=900)
    entries.offer(one)
    assert entries.filled(*seen((limit(one), limit(one))), 900) == []
    assert len(entries) == 0


def test_the_same_signal_waits_once():
    entries, one = PendingEntries(), entry()
    assert entries.offer(one)
    assert not entries.offer(one)
    assert len(entries) == 1


def test_what_no_longer_stands_is_withdrawn_and_returned():
    entries, one, other = PendingEntries(), entry("A"), entry("B", 1)
    entries.offer(one)
    entries.offer(other)
    assert entries.keep({other.signal.signal_id}) == [one]
    assert len(entries) == 1


def test_entries_follow_their_symbols_to_new_columns_and_strangers_are_forgotten():
    entries, one, other = PendingEntries(), entry("A"), entry("B", 1)
    entries.offer(one)
    entries.offer(other)
    entries.reslot({"B": 0})
    price = limit(other)
    assert [found.signal.candidate.symbol for found in entries.filled(*seen((price, price)), 1)] == ["B"]
