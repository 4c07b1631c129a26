"""A trigger is judged on every price seen, the stop wins, and the schedule of looks changes nothing about it."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.positions.book import VirtualBook
from engine.positions.costs import Costs
from engine.positions.lifecycle import EventName
from engine.positions.opening import Opening
from engine.strategy.candidate import Direction

NONE = Costs(Decimal(0), Decimal(0), Decimal(0))
ENDS = {EventName.TP_TRIGGERED, EventName.SL_TRIGGERED}
prices = st.floats(90.0, 110.0)
intervals = st.lists(st.one_of(st.none(), st.tuples(prices, prices, prices)), min_size=1, max_size=40)
directions = st.sampled_from(list(Direction))


def start(direction: Direction) -> Opening:
    sign = direction.sign
    return Opening(
        "ict", "X", 0, 2, direction, 100.0, 100.0 - 4 * sign, 100.0 + 6 * sign, Decimal(1), 1.0, 1, NONE, 0.5
    )


def told(direction, path, *, smart=True, step=20):
    """Return (tick, event) of the trigger, None when there was none."""
    book = VirtualBook(1, smart=smart)
    book.open(start(direction), 0)
    for index, triple in enumerate(path, start=1):
        low, last, high = sorted(triple) if triple else (np.nan,) * 3
        for event in book.tick(index * step, np.array([high]), np.array([low]), np.array([last])):
            if event.event in ENDS:
                return index, event
    return None


def expected(direction, path):
    """Say in plain words which tick ends the position, how, and at which price."""
    sign = direction.sign
    stop, target = 100.0 - 4 * sign, 100.0 + 6 * sign
    for index, triple in enumerate(path, start=1):
        if triple is None:
            continue
        low, last, high = sorted(triple)
        worst, best = (low, high) if sign > 0 else (high, low)
        if sign * (worst - stop) <= 0:
            gapped = sign * (best - stop) < 0
            return index, EventName.SL_TRIGGERED, last if gapped else stop
        if sign * (best - target) >= 0:
            return index, EventName.TP_TRIGGERED, target
    return None


@given(directions, intervals)
@settings(max_examples=300, deadline=None)
def test_the_first_interval_that_touches_a_level_ends_the_position_and_the_stop_wins(direction, path):
    found, wanted = told(direction, path), expected(direction, path)
    assert (found is None) == (wanted is None)
    if found is not None:
        assert (found[0], found[1].event, found[1].price) == wanted


@given(directions, intervals)
@settings(max_examples=200, deadline=None)
def test_a_stop_never_fills_better_than_its_price_nor_a_target_better_than_its_own(direction, path):
    found = told(direction, path)
    if found is not None:
        event, sign = found[1], direction.sign
        level = 100.0 - 4 * sign if event.event is EventName.SL_TRIGGERED else 100.0 + 6 * sign
        assert sign * (event.price - level) <= 0


@given(directions, intervals)
@settings(max_examples=200, deadline=None)
def test_without_smart_monitoring_the_same_positions_end(direction, path):
    """The plain schedule tells later and may see both levels in one observation, but it never loses a trigger."""
    smart = told(direction, path)
    plain = told(direction, [*path, *[None] * 600], smart=False)
    assert (smart is None) == (plain is None)
    if smart is not None and smart[1].event is EventName.SL_TRIGGERED:
        assert plain[1].event is EventName.SL_TRIGGERED
        assert plain[1].price == smart[1].price


@given(intervals)
@settings(max_examples=150, deadline=None)
def test_a_short_on_mirrored_prices_ends_as_the_long_does(path):
    mirrored = [triple and tuple(200.0 - price for price in triple) for triple in path]
    # Prices come back exactly from the mirror only up to rounding, so levels are compared, not bits.
    long, short = told(Direction.LONG, path), told(Direction.SHORT, mirrored)
    near = any(abs(price - level) < 1e-9 for triple in path if triple for price in triple for level in (96.0, 106.0))
    if not near:
        assert (long is None) == (short is None)
        if long is not None:
            assert (long[0], long[1].event) == (short[0], short[1].event)


@given(st.lists(directions, min_size=1, max_size=3), intervals, st.booleans())
def test_bars_passed_at_once_end_positions_as_one_tick_each_does(sides, path, smart):
    lines = [(index * 300_000, *_sorted(triple)) for index, triple in enumerate(path, start=1) if triple]
    books = [VirtualBook(1, smart=smart), VirtualBook(1, smart=smart)]
    for book in books:
        for number, direction in enumerate(sides):
            book.open(msgspec.structs.replace(start(direction), strategy=f"s{number}", slot=number // 2), 0)
    ticked = []
    for now, high, low, last in lines:
        columns = (np.array([value, np.nan]) for value in (high, low, last))
        ticked += [event for event in books[0].tick(now, *columns) if event.event in ENDS | {EventName.CLOSED}]
    assert books[1].pass_bars(0, np.array(lines).reshape(-1, 4)) == ticked
    left = [[_untold(book.state(name)) for name in book._roster.by_id] for book in books]
    assert left[0] == left[1]


def _untold(state):
    """Return a state without its newest event: looks are not told of bars passed at once."""
    return msgspec.structs.replace(state, last_event=EventName.CREATED, last_event_ms=0)


def _sorted(triple):
    low, last, high = sorted(triple)
    return high, low, last
