"""What counts as protection, and what does not."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from position_samples import MARK, position, sized, stop

from engine.execution.coverage import closing_side, coverage_of, is_breached
from exchange.orders import Side


def test_a_stop_that_closes_the_position_covers_it_whatever_its_size():
    for quantity in ("0.010", "5"):
        assert coverage_of(position(quantity), [stop()], MARK).is_protected


def test_stops_with_quantities_cover_what_they_add_up_to():
    assert not coverage_of(position(), [sized("0.004")], MARK).is_protected
    assert coverage_of(position(), [sized("0.004"), sized("0.006", algo_id=2)], MARK).is_protected
    assert coverage_of(position(), [sized("0.004")], MARK).covered == Decimal("0.004")


@pytest.mark.parametrize(
    "change",
    [
        {"status": "TRIGGERING"}, {"status": "TRIGGERED"}, {"status": "REJECTED"}, {"status": "SOMETHING"},
        {"side": "BUY"}, {"kind": "TAKE_PROFIT_MARKET"}, {"kind": "STOP"}, {"kind": "TRAILING_STOP_MARKET"},
        {"trigger": Decimal(80_000)}, {"trigger": Decimal(81_000)}, {"close_position": False},
    ],
    ids=str,
)  # fmt: skip
def test_what_only_looks_like_a_stop_protects_nothing(change):
    assert not coverage_of(position(), [stop(**change)], MARK).is_protected


def test_a_short_is_covered_from_above():
    short = position("-0.010")
    assert closing_side(short) is Side.BUY
    assert coverage_of(short, [stop("81000", side="BUY")], MARK).is_protected
    assert not coverage_of(short, [stop("79000", side="BUY")], MARK).is_protected


def test_in_hedge_mode_the_position_side_makes_an_order_reduce():
    long = position(side="LONG")
    assert coverage_of(long, [sized("0.010", position_side="LONG", reduce_only=False)], MARK).is_protected
    assert not coverage_of(position(), [sized("0.010", reduce_only=False)], MARK).is_protected


def test_a_stop_beyond_the_mark_is_breached_and_a_triggering_one_is_named():
    found = coverage_of(position(), [stop("80500"), stop(algo_id=2, status="TRIGGERING")], MARK)
    assert [one.algo_id for one in found.breached] == [1]
    assert [one.algo_id for one in found.triggering] == [2]


def test_without_a_mark_the_exchanges_word_is_taken():
    assert coverage_of(position(), [stop("90000")], None).is_protected
    assert not is_breached(1, Decimal(90_000), None)


@given(st.lists(st.integers(70_000, 90_000), max_size=6))
def test_long_and_short_mirror_each_other(triggers):
    long = coverage_of(position("0.010"), [stop(str(t), algo_id=n) for n, t in enumerate(triggers)], MARK)
    mirrored = [stop(str(160_000 - t), algo_id=n, side="BUY") for n, t in enumerate(triggers)]
    short = coverage_of(position("-0.010"), mirrored, MARK)
    assert long.covered == short.covered
    assert [one.algo_id for one in long.stops] == [one.algo_id for one in short.stops]
    assert len(long.breached) == len(short.breached)
