import pytest

from engine.signals.expected import (
    Outcome,
    TrackRecord,
    band_of,
    expected_r,
    record_of,
    shrunk_win_rate,
)
from engine.strategy.candidate import StrategyName

ICT, LEARNED = StrategyName.ICT, StrategyName.SELF_LEARNING


@pytest.mark.parametrize(
    ("p", "ratio", "costs", "value"),
    [(0.55, 2.0, 0.0, 0.65), (0.55, 2.0, 0.25, 0.40), (0.4, 1.5, 0.0, 0.0), (0.2, 3.0, 0.1, -0.3), (1.0, 2.0, 0, 2.0)],
)
def test_expected_value_in_r(p, ratio, costs, value):
    assert expected_r(p, ratio, costs) == pytest.approx(value)


@pytest.mark.parametrize(
    ("wins", "trades", "rate"), [(0, 0, 0.55), (20, 20, 31 / 40), (0, 20, 11 / 40), (11, 20, 22 / 40), (1, 1, 12 / 21)]
)
def test_a_win_rate_is_shrunk_towards_fifty_five_percent(wins, trades, rate):
    assert shrunk_win_rate(wins, trades) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("confidence", "band"), [(0.0, 0), (0.349, 0), (0.35, 1), (0.5, 2), (0.65, 3), (0.8, 4), (1.0, 4)]
)
def test_bands_begin_at_their_edge(confidence, band):
    assert band_of(confidence) == band


def test_the_record_counts_per_strategy_and_band():
    record = record_of([Outcome(ICT, 0.6, True), Outcome(ICT, 0.55, False), Outcome(LEARNED, 0.6, True)])
    assert record.tally(ICT, 2) == (1, 2)
    assert record.tally(LEARNED, 2) == (1, 1)
    assert record.win_rate(ICT, 0.6) == pytest.approx(12 / 22)
    assert record.win_rate(ICT, 0.9) == 0.55
    assert TrackRecord().win_rate(ICT, 0.6) == 0.55
