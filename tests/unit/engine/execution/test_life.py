"""The life of one live position, told step by step."""

from decimal import Decimal

import numpy as np
import pytest

from engine.execution.fills import EXPIRED, Cause, Fill, cause_of, fee_in_quote
from engine.execution.intents import Intent, PositionKey, Purpose
from engine.execution.life import LiveBook
from engine.execution.plans import Owner, Plan
from engine.positions.lifecycle import EventName, fold
from exchange.account_events import Origin, TradeId
from exchange.orders import Side

D = Decimal
KEY = PositionKey("BTCUSDT", "BOTH")
NOW = 1_700_000_000_000


def fill(number, sign, quantity, price, *, realised=0, fee="0.5", cause=None):
    return Fill(
        trade=TradeId("BTCUSDT", number, number), key=KEY, sign=sign, quantity=D(quantity), price=D(price),
        realised=D(realised), fee=D(fee), at_ms=NOW + number, cause=cause or Cause(EventName.SL_TRIGGERED),
    )  # fmt: skip


def plan(**more):
    facts = {"stop": D(98), "target": D(104), "leverage": 10, "strategy": "ict", "confidence": 0.7} | more
    return Plan(
        trade_id="T1", symbol="BTCUSDT", side="BOTH", sign=1, owner=Owner.DESK, opened_ms=NOW, signal_id="s1", **facts
    )


def seen(*prices):
    return (np.array([max(prices)]), np.array([min(prices)]), np.array([prices[-1]]))


def begun(**more):
    book = LiveBook(D("0.03"))
    book.reslot({"BTCUSDT": 0})
    return book, book.fill(fill(1, 1, 10, 100), plan(**more), 2, NOW + 1)


def names(events):
    return [event.event.value for event in events]


def test_an_entry_a_price_and_the_filled_stop_make_a_whole_life():
    book, events = begun()
    events += book.tick(NOW + 10_000, *seen(101.0))
    events += book.fill(fill(2, -1, 10, 98, realised=-20), None, 2, NOW + 20_000)
    assert names(events) == [
        "created", "price_updated", "max_pnl_updated", "price_updated", "min_pnl_updated", "sl_triggered", "closed",
    ]  # fmt: skip
    assert events[0].position_id == "L000001"
    assert events[0].strategy == "ict"
    assert events[-1].net == D("-21.0")
    assert events[-1].pnl_r == pytest.approx(-21 / 20)
    assert events[-1].pnl_percent == pytest.approx(-21)
    (ended,) = book.take_ended()
    assert ended.net == D(-21)
    assert (ended.trade.strategy, ended.trade.live, ended.adopted, ended.signal_id) == ("ict", True, False, "s1")
    assert book.take_ended() == []


def test_a_price_beyond_the_stop_is_told_and_ends_nothing():
    book, _ = begun()
    for step, price in enumerate((97.0, 95.0, 90.0, 99.0)):
        events = book.tick(NOW + 10_000 * (step + 1), *seen(price))
        assert events[0].event is EventName.PRICE_UPDATED
        assert events[0].price == price
    assert len(book) == 1


def test_partial_fills_grow_the_position_and_partial_closes_keep_what_they_brought():
    book, events = begun()
    events += book.fill(fill(2, 1, 10, 101), None, 2, NOW + 2)
    state = book.state(KEY)
    assert (state.terms.quantity, state.terms.entry, state.terms.margin) == (D(20), 100.5, D(201))
    assert state.terms.entry_fee == D("1.0")
    events += book.fill(fill(3, -1, 5, 104, realised="17.5", fee="0.2"), None, 2, NOW + 3)
    assert book.open_quantity(KEY) == 15
    events += book.fill(fill(4, -1, 15, 104, realised="52.5", cause=Cause(EventName.TP_TRIGGERED)), None, 2, NOW + 4)
    assert events[-1].net == D(70) - D("1.7")
    assert events[-1].exit_fee == D("0.7")
    assert events[-1].pnl_r == pytest.approx(68.3 / 50)
    assert fold(events).cause is EventName.TP_TRIGGERED


def test_the_running_result_of_what_is_left_counts_what_was_closed():
    book, _ = begun()
    book.fill(fill(2, -1, 5, 102, realised=10, fee=0), None, 2, NOW + 2)
    book.tick(NOW + 10_000, *seen(102.0))
    state = book.state(KEY)
    costs = state.terms.costs
    sold = 5 * 102 * (1 - float(costs.adverse))
    gross = 10 + sold - 5 * 100
    assert state.pnl_percent == pytest.approx(gross - 0.5 - sold * float(costs.taker_fee))


def test_approach_is_told_once_and_levels_are_the_planned_ones():
    book, _ = begun()
    told = [event for step in range(3) for event in book.tick(NOW + 6_000 * (step + 1), *seen(98.3))]
    assert names(told).count("sl_approaching") == 1


def test_a_position_nobody_planned_gets_the_emergency_stop_and_no_target_to_approach():
    book = LiveBook(D("0.03"))
    (created,) = book.fill(fill(1, -1, 2, 100), None, 2, NOW)
    assert created.strategy == "adopted"
    assert created.terms.stop == pytest.approx(103)
    assert created.terms.target == pytest.approx(1)
    book.fill(fill(2, 1, 2, 90, realised=20), None, 2, NOW + 1)
    assert [one.adopted for one in book.take_ended()] == [True]


def test_a_stop_on_the_wrong_side_of_the_fill_is_stood_in_for():
    _, (created,) = begun(stop=D(101), target=D(99))
    assert created.terms.stop == pytest.approx(97)
    assert created.terms.target == pytest.approx(10_000)


def test_a_sell_beyond_flat_ends_one_position_and_opens_another_with_its_share_of_the_fee():
    book, _ = begun()
    events = book.fill(fill(2, -1, 15, 100, fee="0.9"), plan(), 2, NOW + 2)
    assert names(events)[-2:] == ["closed", "created"]
    assert events[-2].net == D("-0.5") - D("0.6")
    assert events[-1].terms.entry_fee == D("0.3")
    assert events[-1].strategy == "adopted"
    assert book.open_quantity(KEY) == -5


def test_funding_counts_once_and_in_hedge_mode_each_side_bears_its_own():
    book = LiveBook(D("0.03"))
    for number, side, sign, size in ((1, "LONG", 1, 3), (2, "SHORT", -1, 1)):
        one = fill(number, sign, size, 100, fee=0)
        key = PositionKey("BTCUSDT", side)
        book.fill(Fill(**{name: getattr(one, name) for name in one.__struct_fields__} | {"key": key}), None, 2, NOW)
    assert len(book.fund("BTCUSDT", D("-0.2"), NOW + 5, NOW + 5)) >= 2
    assert book.fund("BTCUSDT", D("-0.2"), NOW + 5, NOW + 6) == []
    assert book.state(PositionKey("BTCUSDT", "LONG")).funding == D("-0.3")
    assert book.state(PositionKey("BTCUSDT", "SHORT")).funding == D("0.1")


def test_a_position_closed_untold_is_reckoned_and_says_so():
    book, _ = begun()
    events = book.correct(KEY, D(0), D(110), None, 2, NOW + 9)
    assert events[-1].net == D("100") - D("0.5") - D("0.55")
    assert "estimate" in events[-1].reason
    assert book.correct(KEY, D(0), D(110), None, 2, NOW + 9) == []
    (created,) = book.correct(KEY, D(-3), D(110), None, 2, NOW + 10)
    assert (created.strategy, book.open_quantity(KEY)) == ("adopted", -3)
    book.correct(KEY, D(-1), D(100), None, 2, NOW + 11)
    assert book.state(KEY).terms.booked == 20


def test_an_end_that_was_told_in_half_is_finished_after_a_restart():
    book, events = begun()
    events += book.fill(fill(2, -1, 10, 98, realised=-20), None, 2, NOW + 20_000)
    (whole,) = book.take_ended()
    again = LiveBook(D("0.03"))
    (closed,) = again.restore(events[:-1], NOW + 30_000)
    assert (closed.event, closed.net, closed.pnl_r) == (EventName.CLOSED, whole.net, whole.trade.r)
    assert [one.net for one in again.take_ended()] == [whole.net]
    assert again.fill(fill(3, 1, 1, 100), None, 2, NOW)[0].position_id == "L000002"


def intent(purpose, reason=""):
    return Intent(
        intent_id="s-1", client_id="pd-s-c1", purpose=purpose, symbol="BTCUSDT", position_side="BOTH", side=Side.SELL,
        kind="MARKET", created_ms=NOW, reason=reason,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "origin", "event", "words"),
    [
        (intent(Purpose.STOP), Origin.CLIENT, EventName.SL_TRIGGERED, ""),
        (intent(Purpose.TARGET), Origin.CLIENT, EventName.TP_TRIGGERED, ""),
        (intent(Purpose.CLOSE, EXPIRED), Origin.CLIENT, EventName.EXPIRED, EXPIRED),
        (intent(Purpose.CLOSE, "closed by ann"), Origin.CLIENT, EventName.MANUAL_CLOSE, "closed by ann"),
        (None, Origin.CLIENT, EventName.MANUAL_CLOSE, "did not send"),
        (None, Origin.LIQUIDATION, EventName.MANUAL_CLOSE, "liquidation"),
        (None, Origin.DELEVERAGING, EventName.MANUAL_CLOSE, "auto-deleveraging"),
        (None, Origin.SETTLEMENT, EventName.MANUAL_CLOSE, "settlement"),
    ],
)
def test_what_closed_a_position_decides_how_its_life_ends(given, origin, event, words):
    cause = cause_of(given, origin)
    assert cause.event is event
    assert words in cause.reason


def test_a_fee_in_another_asset_is_valued_or_said_to_be_unknown():
    assert fee_in_quote(D("0.5"), "USDT", "USDT", {}) == D("0.5")
    assert fee_in_quote(D("0.001"), "BNB", "USDT", {"BNB": D(600)}) == D("0.6")
    assert fee_in_quote(D("0.001"), "BNB", "USDT", {}) is None
    assert fee_in_quote(D(0), "", "USDT", {}) == 0
