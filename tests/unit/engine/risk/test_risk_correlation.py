"""Which symbols share one risk budget."""

from __future__ import annotations

import numpy as np
import pytest

from engine.risk.correlation import LEAST_SHARED, WINDOW, Closes, correlation, group_of

STEP = 300_000


def series(moves, first=0) -> Closes:
    times = (first + np.arange(len(moves) + 1)) * STEP
    return Closes(times, 100.0 * np.exp(np.concatenate([[0.0], np.cumsum(moves)])))


def noise(seed, bars=WINDOW):
    return np.random.default_rng(seed).normal(0.0, 0.002, bars)


def test_the_same_moves_correlate_fully_and_mirrored_ones_inversely():
    moves = noise(1)
    assert correlation(series(moves), series(2.0 * moves)) == pytest.approx(1.0)
    assert correlation(series(moves), series(-moves)) == pytest.approx(-1.0)


def test_it_is_the_textbook_correlation_of_log_returns():
    a, b = noise(1), 0.5 * noise(1) + noise(2)
    assert correlation(series(a), series(b)) == pytest.approx(np.corrcoef(a, b)[0, 1])


def test_only_bars_both_have_are_compared_by_their_time():
    moves = noise(3, 200)
    late = series(moves[100:], first=100)
    assert correlation(series(moves), late) == pytest.approx(1.0)
    assert abs(correlation(series(moves), series(moves, first=1))) < 0.3


def test_only_the_newest_day_counts():
    old, new = noise(4, 400), noise(5)
    one, other = np.concatenate([old, new]), np.concatenate([-old, new])
    assert correlation(series(one), series(other)) == pytest.approx(1.0)


def test_a_price_that_stood_still_moves_with_nothing():
    assert correlation(series(np.zeros(WINDOW)), series(noise(6))) == 0.0
    still = Closes(series(noise(6)).open_time, np.full(WINDOW + 1, 0.1))
    assert correlation(still, still) == 0.0


def test_a_short_or_broken_history_is_unknown():
    assert correlation(series(noise(7, LEAST_SHARED - 1)), series(noise(7))) is None
    broken = series(noise(7))
    broken.close[40] = np.nan
    assert correlation(broken, series(noise(8))) is None


@pytest.fixture
def chain() -> dict[str, Closes]:
    """A moves with B, B with C, A and C only through B; D on its own."""
    a, c = noise(10), noise(11)
    return {"A": series(a), "B": series(a + c), "C": series(c), "D": series(noise(12))}


def test_symbols_are_chained_through_one_another_but_only_through_those_that_carry_risk(chain):
    assert group_of("A", ["B", "C", "D"], chain, 0.6) == ("B", "C")
    assert group_of("A", ["C", "D"], chain, 0.6) == ()


def test_the_symbol_itself_is_in_the_group_when_it_carries_risk_already(chain):
    assert group_of("A", ["A", "D"], chain, 0.6) == ("A",)


def test_a_symbol_without_known_bars_counts_as_correlated(chain):
    assert group_of("A", ["X", "D"], chain, 0.6) == ("D", "X")
    assert group_of("X", ["D"], chain, 0.6) == ("D",)
