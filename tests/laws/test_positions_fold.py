"""Whatever happens to the virtual book, its events alone rebuild it, and its money sums exactly."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.positions.book import VirtualBook
from engine.positions.costs import Costs, settle
from engine.positions.lifecycle import ENDINGS, EventName, PositionEvent, Stage, fold, remaining
from engine.positions.opening import Opening
from engine.strategy.candidate import Direction

SYMBOLS = 3
NAMES = ("ict", "self_learning", "hybrid")
HOUR = 3_600_000

openings = st.tuples(
    st.just("open"),
    st.sampled_from(NAMES),
    st.integers(0, SYMBOLS - 1),
    st.sampled_from(list(Direction)),
    st.floats(0.002, 0.05),
    st.floats(0.5, 4.0),
    st.integers(1, 50),
)
ticks = st.tuples(
    st.just("tick"),
    st.integers(20, 12_000),
    st.lists(st.one_of(st.none(), st.tuples(*[st.floats(-0.02, 0.02)] * 3)), min_size=SYMBOLS, max_size=SYMBOLS),
)
fundings = st.tuples(st.just("fund"), st.integers(0, SYMBOLS - 1), st.floats(-0.003, 0.003))
closes = st.tuples(st.just("close"), st.sampled_from(NAMES), st.integers(0, SYMBOLS - 1))
switches = st.tuples(st.just("smart"), st.booleans())
waits = st.tuples(st.just("wait"), st.integers(1, 60))
operations = st.lists(
    st.one_of(openings, ticks, ticks, ticks, ticks, fundings, closes, switches, waits), min_size=5, max_size=60
)


def stored(events: list[PositionEvent]) -> list[PositionEvent]:
    """Send events through their wire form, as a journal does."""
    return [msgspec.json.decode(msgspec.json.encode(event), type=PositionEvent) for event in events]


class Run:
    """Drives a book through operations over three random walks and keeps everything it told."""

    def __init__(self, steps) -> None:
        self.book = VirtualBook(1)
        self.events: list[PositionEvent] = []
        self.now = 1_700_000_000_000
        self.prices = [100.0, 0.5, 40_000.0]
        for step in steps:
            self.events += getattr(self, step[0])(*step[1:])

    def open(self, strategy, place, direction, risk, reward, quantity):
        price, sign = self.prices[place], direction.sign
        stop, target = price * (1 - sign * risk), price * (1 + sign * (0.001 + risk * reward))
        start = Opening(
            strategy, f"S{place}", place, 2, direction, price, stop, target, Decimal(quantity), 3.0, 3, Costs(), 0.6
        )
        return self.book.open(start, self.now)

    def tick(self, elapsed, moves):
        self.now += elapsed
        high, low, last = (np.full(SYMBOLS, np.nan) for _ in range(3))
        for place, path in enumerate(moves):
            if path is not None:
                walked = [self.prices[place] * (1 + move) for move in path]
                high[place], low[place], last[place] = max(walked), min(walked), walked[-1]
                self.prices[place] = walked[-1]
        return self.book.tick(self.now, high, low, last)

    def fund(self, place, rate):
        return self.book.fund(place, rate, self.prices[place], self.now, self.now)

    def close(self, strategy, place):
        name = self.book.held(strategy, f"S{place}")
        return self.book.close(name, self.prices[place], self.now, "operator") if name else []

    def smart(self, smart):
        self.book.set_smart(smart, self.now)
        return []

    def wait(self, hours):
        self.now += hours * HOUR
        return self.book.expire(self.now)

    def lives(self) -> dict[str, list[PositionEvent]]:
        lives: dict[str, list[PositionEvent]] = defaultdict(list)
        for event in self.events:
            lives[event.position_id].append(event)
        return lives


@given(operations)
@settings(max_examples=120, deadline=None)
def test_folding_a_positions_events_gives_the_books_own_state(steps):
    run = Run(steps)
    for name, life in run.lives().items():
        state = fold(life)
        held = run.book.state(name)
        if held is None:
            assert state.stage is Stage.CLOSED
        else:
            assert state == held


@given(operations)
@settings(max_examples=120, deadline=None)
def test_closed_comes_exactly_once_right_after_an_ending_and_nothing_follows(steps):
    for life in Run(steps).lives().values():
        names = [event.event for event in life]
        assert names[0] is EventName.CREATED
        endings = [index for index, name in enumerate(names) if name in ENDINGS]
        assert len(endings) <= 1
        assert [index for index, name in enumerate(names) if name is EventName.CLOSED] == [i + 1 for i in endings]
        assert not endings or endings[0] == len(names) - 2
        assert [event.time for event in life] == sorted(event.time for event in life)


@given(operations)
@settings(max_examples=120, deadline=None)
def test_extremes_are_told_strictly_and_prices_only_when_they_differ(steps):
    for life in Run(steps).lives().values():
        best, worst, price = 0.0, 0.0, life[0].terms.price
        for event in life[1:]:
            if event.event is EventName.MAX_PNL_UPDATED:
                assert event.max_percent > best
            elif event.event is EventName.MIN_PNL_UPDATED:
                assert event.min_percent < worst
            elif event.event is EventName.PRICE_UPDATED:
                assert event.price != price or event.reason.startswith("funding")
            if event.event is not EventName.MAX_PNL_UPDATED:
                assert event.max_percent == best
            if event.event is not EventName.MIN_PNL_UPDATED:
                assert event.min_percent == worst
            best, worst, price = event.max_percent, event.min_percent, event.price


@given(operations)
@settings(max_examples=120, deadline=None)
def test_an_approach_is_told_once_until_the_price_has_left_by_a_quarter(steps):
    for life in Run(steps).lives().values():
        terms = life[0].terms
        armed = {EventName.TP_APPROACHING: True, EventName.SL_APPROACHING: True}
        levels = {EventName.TP_APPROACHING: terms.target, EventName.SL_APPROACHING: terms.stop}
        for event in life:
            for name, level in levels.items():
                left = remaining(event.price, terms.entry, level)
                armed[name] |= left > 0.25
                if event.event is name:
                    assert armed[name]
                    assert 0 < left <= 0.20
                    armed[name] = False


@given(operations)
@settings(max_examples=120, deadline=None)
def test_the_ledger_is_the_exact_sum_of_what_was_told(steps):
    run = Run(steps)
    balance = Decimal(10_000)
    for life in run.lives().values():
        balance -= life[0].terms.entry_fee
        balance += life[-1].funding
        closed = life[-1]
        if closed.event is EventName.CLOSED:
            books = settle(life[0].terms, closed.price, closed.funding)
            assert books.net == closed.net
            assert closed.net == books.gross - life[0].terms.entry_fee - closed.exit_fee + closed.funding
            balance += books.gross - closed.exit_fee
    assert run.book.ledger.balance == balance


@given(operations)
@settings(max_examples=80, deadline=None)
def test_a_restart_at_any_point_continues_the_same_book(steps):
    run = Run(steps)
    again = VirtualBook(1)
    assert again.restore(stored(run.events), run.now) == []
    for name in run.lives():
        assert again.state(name) == run.book.state(name)
    assert again.ledger.balance == run.book.ledger.balance
    assert again.event_counts() == run.book.event_counts()
    assert [again.track.tally(name) for name in NAMES] == [run.book.track.tally(name) for name in NAMES]
    assert [row.win_rate_shrunk for row in again.standings()] == [row.win_rate_shrunk for row in run.book.standings()]


@given(operations, st.data())
@settings(max_examples=80, deadline=None)
def test_a_crash_between_any_two_stored_events_is_survived_without_a_second_close(steps, data):
    run = Run(steps)
    cut = data.draw(st.integers(0, len(run.events)))
    kept = stored(run.events[:cut])
    completed = VirtualBook(1).restore(kept, run.now)
    again = VirtualBook(1)
    assert again.restore([*kept, *completed], run.now) == []
    closed = [event.position_id for event in (*kept, *completed) if event.event is EventName.CLOSED]
    assert len(closed) == len(set(closed))
