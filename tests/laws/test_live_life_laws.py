"""Laws of the lives of live positions: their events rebuild them, and their money is that of the fills, exactly."""

from collections import defaultdict
from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.execution.fills import Cause, Fill
from engine.execution.intents import PositionKey
from engine.execution.life import LiveBook
from engine.execution.plans import Owner, Plan
from engine.positions.costs import cut
from engine.positions.lifecycle import ENDINGS, EventName, PositionEvent, Stage, fold
from exchange.account_events import TradeId

D = Decimal
KEYS = [PositionKey("AUSDT", "BOTH"), PositionKey("BUSDT", "LONG"), PositionKey("BUSDT", "SHORT")]
SLOTS = {"AUSDT": 0, "BUSDT": 1}
CAUSES = [
    Cause(EventName.SL_TRIGGERED), Cause(EventName.TP_TRIGGERED), Cause(EventName.EXPIRED, "age"),
    Cause(EventName.MANUAL_CLOSE, "liquidation"),
]  # fmt: skip

fills = st.tuples(
    st.just("fill"), st.integers(0, 2), st.booleans(), st.integers(1, 3), st.integers(-400, 400),
    st.integers(-50, 50), st.sampled_from(CAUSES), st.booleans(),
)  # fmt: skip
ticks = st.tuples(
    st.just("tick"), st.integers(20, 12_000), st.lists(st.tuples(*[st.floats(-0.03, 0.03)] * 3), min_size=2, max_size=2)
)
others = st.one_of(
    st.tuples(st.just("fund"), st.sampled_from(["AUSDT", "BUSDT"]), st.integers(-300, 300)),
    st.tuples(st.just("again")), st.tuples(st.just("restart")), st.tuples(st.just("untold"), st.integers(0, 2)),
)  # fmt: skip
programs = st.lists(st.one_of(fills, fills, fills, fills, ticks, ticks, others), min_size=20, max_size=70)


class Run:
    """Drives a book through true executions, and adds up what they brought in a way of its own."""

    def __init__(self):
        self.book = LiveBook(D("0.03"))
        self.book.reslot(SLOTS)
        self.now, self.number = 1_700_000_000_000, 0
        self.prices = {"AUSDT": D("100.00"), "BUSDT": D("2000.0")}
        self.events, self.fills, self.ended = [], [], []
        self.size = dict.fromkeys(KEYS, D(0))
        self.money = dict.fromkeys(KEYS, D(0))
        self.results = []

    def play(self, program):
        for name, *values in program:
            self.now += 1
            self.events += getattr(self, name)(*values)
            self.ended += self.book.take_ended()
        return self

    def fill(self, place, buys, lots, move, fee, cause, planned):
        key = KEYS[place]
        price = self.prices[key.symbol] * (1 + D(move) / 10_000)
        sign = 1 if buys else -1
        size, held = D(lots), self.size[key]
        if key.side != "BOTH":  # in hedge mode a close stops at flat
            way = 1 if key.side == "LONG" else -1
            size = size if sign == way else min(size, abs(held))
            if not size:
                return []
        closing = min(abs(held), size) if held * sign < 0 else D(0)
        realised, paid = cut(D(move) * closing / 7), D(fee) / 1000
        self.number += 1
        one = Fill(
            trade=TradeId(key.symbol, self.number, 1), key=key, sign=sign, quantity=size, price=price,
            realised=realised, fee=paid, at_ms=self.now, cause=cause,
        )  # fmt: skip
        self.fills.append(one)
        share = paid if closing == size else cut(paid * closing / size)
        self.size[key] = held + sign * size
        if closing:
            self.money[key] += realised - share
            if closing == abs(held):
                self.results.append(self.money[key])
                self.money[key] = D(0)
        self.money[key] -= paid - share if closing else paid
        plan = Plan(
            trade_id="T", symbol=key.symbol, side=key.side, sign=sign, owner=Owner.DESK,
            stop=price * (1 - sign * D("0.01")),
            target=price * (1 + sign * D("0.02")) if fee % 2 else None, opened_ms=self.now, strategy="ict",
            confidence=0.6, leverage=5,
        )  # fmt: skip
        return self.book.fill(one, plan if planned else None, 2, self.now)

    def tick(self, elapsed, moves):
        self.now += elapsed
        columns = np.full((3, 2), np.nan)
        for (symbol, slot), path in zip(SLOTS.items(), moves, strict=True):
            walked = [float(self.prices[symbol]) * (1 + move) for move in path]
            columns[:, slot] = max(walked), min(walked), walked[-1]
            self.prices[symbol] = D(str(round(walked[-1], 2)))
        return self.book.tick(self.now, *columns)

    def fund(self, symbol, cents):
        sizes = {key: size for key, size in self.size.items() if key.symbol == symbol and size}
        total = sum(sizes.values())
        if not total:
            return []
        amount = D(cents) / 100
        before = {key: self.book.state(key).funding for key in sizes}
        events = self.book.fund(symbol, amount, self.now, self.now)
        parts = {key: self.book.state(key).funding - before[key] for key in sizes}
        assert sum(parts.values()) == amount
        for key, part in parts.items():
            self.money[key] += part
        assert self.book.fund(symbol, amount, self.now, self.now) == []
        return events

    def again(self):
        return [event for one in self.fills for event in self.book.fill(one, None, 2, self.now)]

    def restart(self):
        kept = [msgspec.json.decode(msgspec.json.encode(event), type=PositionEvent) for event in self.events]
        before = {key: self.book.state(key) for key in KEYS}
        self.book = LiveBook(D("0.03"))
        self.book.know(one.trade for one in self.fills)
        assert self.book.restore(kept, self.now) == []
        self.book.reslot(SLOTS)
        assert {key: self.book.state(key) for key in KEYS} == before
        assert [one.net for one in self.book.ended_before(kept)] == self.results
        return []

    def untold(self, place):
        key = KEYS[place]
        events = self.book.correct(key, D(0), self.prices[key.symbol], None, 2, self.now)
        if events:
            self.size[key], self.money[key] = D(0), D(0)
            self.results.append(events[-1].net)
        return events

    def lives(self):
        lives = defaultdict(list)
        for event in self.events:
            lives[event.position_id].append(event)
        return lives


@given(programs)
@settings(max_examples=150, deadline=None)
def test_folding_its_events_gives_a_position_as_the_book_has_it(program):
    run = Run().play(program)
    open_ones = {state.position_id: state for key in KEYS if (state := run.book.state(key)) is not None}
    for name, life in run.lives().items():
        state = fold(life)
        if name in open_ones:
            assert state == open_ones[name]
        else:
            assert state.stage is Stage.CLOSED
    assert {key: run.book.open_quantity(key) for key in KEYS} == run.size


@given(programs)
@settings(max_examples=150, deadline=None)
def test_a_closed_trade_brought_what_its_fills_fees_and_funding_add_up_to(program):
    run = Run().play(program)
    assert [one.net for one in run.ended] == run.results
    closed = [event for event in run.events if event.event is EventName.CLOSED]
    assert [event.net for event in closed] == run.results
    assert all((one.trade.r > 0) == (one.net > 0) for one in run.ended)
    assert all(one.trade.live for one in run.ended)


@given(programs)
@settings(max_examples=100, deadline=None)
def test_no_price_ends_a_live_position_only_a_fill_does(program):
    run = Run().play(program)
    for life in run.lives().values():
        names = [event.event for event in life]
        assert names[0] is EventName.CREATED
        assert names.count(EventName.CREATED) == 1
        endings = [place for place, name in enumerate(names) if name in ENDINGS]
        assert len(endings) <= 1
        if endings:
            assert names[endings[0] + 1 :] == [EventName.CLOSED]


@given(programs)
@settings(max_examples=60, deadline=None)
def test_what_is_told_again_changes_nothing(program):
    run = Run().play(program)
    assert run.again() == []
