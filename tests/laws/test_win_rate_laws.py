"""The shrunk win rate: between the prior and what was seen, never lower for a win, live trades before virtual ones."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.positions.track import PRIOR_RATE, WINDOW, ClosedTrade, TrackRecord, shrunk

results = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=90)


def record(history) -> TrackRecord:
    """A record of (won, live) trades in the order of their close."""
    track = TrackRecord()
    for at, (won, live) in enumerate(history):
        track.record(ClosedTrade("ict", 0.5, 1.0 if won else -1.0, at, live))
    return track


@given(results)
@settings(max_examples=200, deadline=None)
def test_the_rate_lies_between_the_prior_and_the_rate_of_the_window(history):
    tally = record(history).tally("ict")
    seen = tally.wins / tally.trades if tally.trades else PRIOR_RATE
    assert min(seen, PRIOR_RATE) - 1e-12 <= tally.win_rate <= max(seen, PRIOR_RATE) + 1e-12
    assert tally.trades == min(len(history), WINDOW)


@given(results, st.integers(0, 89))
@settings(max_examples=200, deadline=None)
def test_a_loss_turned_into_a_win_never_lowers_the_rate(history, place):
    if place < len(history):
        better = [*history[:place], (True, history[place][1]), *history[place + 1 :]]
        assert record(better).tally("ict").win_rate >= record(history).tally("ict").win_rate


@given(results)
@settings(max_examples=200, deadline=None)
def test_the_newest_live_trades_count_first_and_virtual_ones_fill_the_rest(history):
    live = [won for won, alive in reversed(history) if alive][:WINDOW]
    virtual = [won for won, alive in reversed(history) if not alive][: WINDOW - len(live)]
    tally = record(history).tally("ict")
    assert (tally.wins, tally.trades) == (sum(live + virtual), len(live + virtual))
    assert tally.live_trades == sum(alive for _, alive in history)


@given(st.integers(0, 30), st.integers(0, 30))
def test_the_formula_of_the_specification(wins, losses):
    assert shrunk(wins, wins + losses) == (wins + 0.55 * 20) / (wins + losses + 20)
