from decimal import Decimal

import pytest
from instrument_samples import BRACKETS

from exchange.brackets import bracket_of, clamp_leverage, largest_notional, leverage_cap, maintenance_margin


@pytest.mark.parametrize(
    ("notional", "leverage"), [(0, 150), (300_000, 150), (300_001, 100), (3_000_000, 75), (3_000_001, 0)]
)
def test_a_notional_has_the_leverage_of_its_bracket_caps_included(notional, leverage):
    assert leverage_cap(BRACKETS, Decimal(notional)) == leverage


def test_beyond_the_last_bracket_there_is_no_position():
    assert bracket_of(BRACKETS, Decimal(4_000_000)) is None
    assert maintenance_margin(BRACKETS, Decimal(4_000_000)) is None
    assert clamp_leverage(BRACKETS, 10, Decimal(4_000_000)) == 0


@pytest.mark.parametrize(("leverage", "notional"), [(150, 300_000), (101, 300_000), (100, 800_000), (1, 3_000_000)])
def test_a_leverage_has_the_cap_of_the_highest_bracket_that_allows_it(leverage, notional):
    assert largest_notional(BRACKETS, leverage) == notional
    assert largest_notional(BRACKETS, 151) is None


@pytest.mark.parametrize(("wanted", "given"), [(0, 1), (20, 20), (150, 100), (999, 100)])
def test_leverage_is_clamped_to_what_the_venue_accepts(wanted, given):
    assert clamp_leverage(BRACKETS, wanted, Decimal(400_000)) == given


def test_maintenance_margin_is_continuous_where_brackets_meet():
    assert maintenance_margin(BRACKETS, Decimal(300_000)) == 1200
    assert maintenance_margin(BRACKETS, Decimal(300_001)) == Decimal(1200) + Decimal("0.005")
