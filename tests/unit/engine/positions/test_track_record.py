"""The track record of closed trades."""

from __future__ import annotations

import pytest

from engine.positions.track import ClosedTrade, TrackRecord, band, shrunk


def trade(r: float, *, live: bool = False, confidence: float = 0.6) -> ClosedTrade:
    return ClosedTrade("ict", confidence, r, 0, live)


def record(*trades: ClosedTrade) -> TrackRecord:
    track = TrackRecord()
    for one in trades:
        track.record(one)
    return track


def test_without_trades_the_rate_is_the_prior():
    assert record().tally("ict").win_rate == 0.55


def test_the_rate_is_shrunk_as_if_twenty_trades_had_won_at_55_percent():
    assert shrunk(10, 10) == pytest.approx(21 / 30)
    assert shrunk(0, 30) == pytest.approx(11 / 50)


def test_only_the_last_thirty_count():
    tally = record(*[trade(-1.0)] * 30, *[trade(2.0)] * 30).tally("ict")
    assert (tally.wins, tally.trades) == (30, 30)


def test_live_trades_come_first_and_virtual_ones_fill_the_rest():
    tally = record(*[trade(2.0, live=True)] * 12, *[trade(-1.0)] * 40).tally("ict")
    assert (tally.wins, tally.trades, tally.live_trades) == (12, 30, 12)
    tally = record(*[trade(-1.0)] * 40, *[trade(2.0, live=True)] * 45).tally("ict")
    assert (tally.wins, tally.trades, tally.live_trades) == (30, 30, 45)


def test_the_newest_virtual_trades_fill_the_rest():
    tally = record(*[trade(-1.0)] * 20, *[trade(2.0)] * 20, *[trade(-1.0, live=True)] * 10).tally("ict")
    assert (tally.wins, tally.trades) == (20, 30)


def test_a_result_of_nothing_is_no_win():
    assert record(trade(0.0)).tally("ict").wins == 0


def test_confidence_bands_keep_their_own_window():
    track = record(*[trade(2.0, confidence=0.75)] * 5, *[trade(-1.0, confidence=0.45)] * 5)
    assert track.band_tally("ict", 0.70).wins == 5
    assert track.band_tally("ict", 0.79).trades == 5
    assert track.band_tally("ict", 0.49).wins == 0
    assert track.band_tally("hybrid", 0.75).trades == 0


def test_band_edges_belong_to_the_upper_band():
    assert [band(value) for value in (0.0, 0.399, 0.4, 0.6, 0.9, 1.0)] == [0, 0, 1, 3, 6, 6]
