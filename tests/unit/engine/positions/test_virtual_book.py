"""The virtual book: opening, watching, ending, funding, restart."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import numpy as np
import pytest

from engine.positions.book import REPLACED, UnknownPositionError, VirtualBook
from engine.positions.costs import Costs
from engine.positions.lifecycle import EventName, LifecycleError, PositionEvent, fold
from engine.positions.opening import Opening
from engine.strategy.candidate import Direction

FREE_TRADE = Costs(Decimal(0), Decimal(0), Decimal(0))
HOUR = 3_600_000


def opening(**changes) -> Opening:
    plain = Opening(
        "ict", "BTCUSDT", 0, 2, Direction.LONG, 100.0, 98.0, 104.0, Decimal(10), 2.0, 2, FREE_TRADE, 0.6, "S1"
    )
    return msgspec.structs.replace(plain, **changes)


def short(**changes) -> Opening:
    return opening(**{"direction": Direction.SHORT, "stop": 102.0, "target": 96.0, **changes})


def seen(low: float, last: float, high: float):
    return np.array([high]), np.array([low]), np.array([last])


def at(price: float):
    return seen(price, price, price)


def names(events) -> list[str]:
    return [event.event.value for event in events]


def test_an_opening_is_told_once_with_everything_needed_to_rebuild_it():
    book = VirtualBook(4)
    (created,) = book.open(opening(features=(1.0, 2.0)), 1_000)
    assert created.event is EventName.CREATED
    assert created.position_id == "V000001"
    assert created.terms is not None
    assert (created.terms.entry, created.terms.stop, created.terms.target) == (100.0, 98.0, 104.0)
    assert created.terms.margin == Decimal(500)
    assert created.terms.features == (1.0, 2.0)
    assert created.terms.expires_ms == 1_000 + 96 * HOUR
    assert (created.max_percent, created.min_percent) == (0.0, 0.0)


def test_the_fill_pays_spread_slippage_and_fee():
    book = VirtualBook(4)
    costs = Costs(Decimal("0.0005"), Decimal("0.0002"), Decimal("0.0003"))
    (created,) = book.open(opening(costs=costs), 0)
    assert created.terms.entry == 100.05
    assert created.terms.entry_fee == Decimal("0.50025000")
    assert book.ledger.balance == Decimal("9999.49975000")
    assert created.pnl_percent < 0


def test_a_second_signal_of_the_same_direction_is_ignored_with_the_reason():
    book = VirtualBook(4)
    book.open(opening(), 0)
    assert "V000001 already holds LONG" in book.why_not(opening())
    assert book.open(opening(), 1) == []
    assert len(book) == 1


def test_a_signal_of_the_opposite_direction_replaces_the_position():
    book = VirtualBook(4)
    book.open(opening(), 0)
    events = book.open(short(price=101.0, stop=103.0, target=97.0), 5)
    assert names(events) == ["price_updated", "max_pnl_updated", "manual_close", "closed", "created"]
    assert events[2].reason == REPLACED
    assert events[3].net == Decimal(10)
    assert book.held("ict", "BTCUSDT") == "V000002"


def test_strategies_hold_the_same_symbol_side_by_side():
    book = VirtualBook(4)
    book.open(opening(), 0)
    book.open(short(strategy="hybrid"), 0)
    assert len(book) == 2
    assert book.symbols == {"BTCUSDT"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stop": 101.0}, "at or beyond the stop"),
        ({"target": 99.0}, "not ahead of the fill"),
        ({"price": float("nan")}, "positive numbers"),
        ({"target": float("inf")}, "positive numbers"),
        ({"quantity": Decimal(0)}, "quantity 0"),
        ({"quantity": Decimal("NaN")}, "quantity NaN"),
        ({"leverage": 0.0}, "leverage 0"),
        ({"exchange_leverage": 0}, "exchange 0"),
    ],
)
def test_an_opening_that_makes_no_sense_is_ignored_with_the_reason(changes, words):
    book = VirtualBook(4)
    assert words in book.why_not(opening(**changes))
    assert book.open(opening(**changes), 0) == []


def test_the_columns_grow_and_rows_are_used_again():
    book = VirtualBook(2)
    for index in range(9):
        book.open(opening(symbol=f"S{index}", slot=0), 0)
    assert len(book) == 9
    book.close("V000005", None, 1, "operator")
    (created,) = book.open(opening(symbol="NEW"), 2)
    assert created.position_id == "V000010"
    assert {row.position_id for row in book.rows()} == {f"V{n:06d}" for n in range(1, 11) if n != 5}


def test_a_reached_target_fills_at_the_target_and_closes():
    book = VirtualBook(4)
    book.open(opening(), 0)
    events = book.tick(20, *seen(100.0, 105.0, 106.0))
    assert names(events) == ["price_updated", "max_pnl_updated", "tp_triggered", "closed"]
    assert events[-1].price == 104.0
    assert events[-1].net == Decimal(40)
    assert events[-1].pnl_r == 2.0
    assert events[-1].pnl_percent == pytest.approx(8.0)
    assert len(book) == 0


def test_when_one_interval_spans_both_levels_the_stop_is_taken():
    for start in (opening(), short()):
        book = VirtualBook(4)
        book.open(start, 0)
        events = book.tick(20, *seen(90.0, 100.0, 110.0))
        assert names(events)[-2:] == ["sl_triggered", "closed"]
        assert events[-1].price == start.stop
        assert events[-1].pnl_r == -1.0


def test_a_trigger_between_looks_is_seen_although_the_price_has_come_back():
    book = VirtualBook(4)
    book.open(opening(), 0)
    assert names(book.tick(20, *seen(97.9, 100.0, 100.0)))[-1] == "closed"


def test_a_gap_beyond_the_stop_fills_at_the_price_that_was_there():
    book = VirtualBook(4)
    book.open(opening(), 0)
    events = book.tick(20, *seen(94.0, 95.0, 96.0))
    assert events[-1].price == 95.0
    assert events[-1].pnl_r == -2.5
    book.open(short(), 30)
    assert book.tick(40, *seen(103.0, 104.0, 105.0))[-1].price == 104.0


def test_a_gap_beyond_the_target_still_fills_at_the_target():
    book = VirtualBook(4)
    book.open(short(), 0)
    assert book.tick(20, *seen(90.0, 91.0, 92.0))[-1].price == 96.0


def test_the_extremes_of_the_trigger_interval_do_not_count():
    book = VirtualBook(4)
    book.open(opening(), 0)
    events = book.tick(20, *seen(97.0, 103.0, 103.9))
    assert events[-1].max_percent == 0.0
    assert events[-1].min_percent == pytest.approx(-4.0)


def test_extremes_between_looks_are_kept_for_the_next_look():
    book = VirtualBook(4)
    book.open(opening(), 0)
    assert book.tick(20, *seen(99.5, 100.2, 100.8)) == []
    events = book.tick(5_000, *at(100.1))
    assert names(events) == ["price_updated", "max_pnl_updated", "min_pnl_updated"]
    assert events[-1].max_percent == pytest.approx(1.6)
    assert events[-1].min_percent == pytest.approx(-1.0)


def test_nothing_is_invented_where_nothing_was_seen():
    nothing = float("nan")
    for triple in (
        (nothing,) * 3,
        (0.0, 0.0, 0.0),
        (97.0, 99.0, 98.0),
        (1.0, 2.0, float("inf")),
        (98.0, nothing, 99.0),
    ):
        book = VirtualBook(4)
        book.open(opening(), 0)
        assert book.tick(6_000, *seen(*triple)) == []
        assert book.life("V000001").looks == 0


def test_a_position_without_a_slot_is_not_seen_until_it_has_one_again():
    book = VirtualBook(4)
    book.open(opening(), 0)
    book.reslot({})
    assert book.tick(20, *at(50.0)) == []
    book.reslot({"BTCUSDT": 0})
    assert names(book.tick(40, *at(97.0)))[-1] == "closed"


def test_looks_follow_the_risk_tiers():
    for price, tier in ((100.0, 5.0), (101.0, 2.0), (102.5, 0.5), (103.5, 0.1), (99.5, 2.0), (98.9, 0.5), (98.1, 0.1)):
        book = VirtualBook(4)
        book.open(opening(), 0)
        book.tick(5_000, *at(price))
        assert book.rows()[0].tier_s == tier, price


def test_a_jump_of_more_than_half_an_r_is_looked_at_at_once():
    book = VirtualBook(4)
    book.open(opening(), 0)
    assert book.tick(20, *at(101.0)) == []
    assert "price_updated" in names(book.tick(40, *at(101.01)))


def test_without_smart_monitoring_all_are_looked_at_in_the_ten_second_cycle():
    book = VirtualBook(4, smart=False)
    book.open(opening(), 1_000)
    book.open(opening(symbol="ETHUSDT"), 2_000)
    assert book.tick(9_980, *at(103.0)) == []
    events = book.tick(10_000, *at(102.0))
    assert names(events) == ["price_updated", "max_pnl_updated"] * 2


def test_without_smart_monitoring_a_trigger_is_told_at_the_next_look_and_none_is_missed():
    book = VirtualBook(4, smart=False)
    book.open(opening(), 0)
    assert book.tick(100, *seen(97.5, 99.0, 99.5)) == []
    assert book.tick(200, *at(103.0)) == []
    events = book.tick(10_000, *at(float("nan")))
    assert names(events)[-2:] == ["sl_triggered", "closed"]
    assert events[-1].price == 98.0
    assert events[-1].max_percent == 0.0


def test_without_smart_monitoring_an_observation_that_spans_both_takes_the_stop():
    book = VirtualBook(4, smart=False)
    book.open(opening(), 0)
    book.tick(100, *at(104.5))
    book.tick(200, *seen(97.0, 100.0, 101.0))
    assert "sl_triggered" in names(book.tick(10_000, *at(100.0)))


def test_an_operators_close_does_not_undo_a_trigger_that_was_already_seen():
    book = VirtualBook(4, smart=False)
    book.open(opening(), 0)
    book.tick(100, *at(97.5))
    assert "sl_triggered" in names(book.close("V000001", 101.0, 200, "operator"))


def test_switching_smart_monitoring_on_tells_what_was_pending():
    book = VirtualBook(4, smart=False)
    book.open(opening(), 0)
    book.tick(100, *at(104.5))
    book.set_smart(True, 150)
    assert names(book.tick(160, *at(100.0)))[-2:] == ["tp_triggered", "closed"]


def test_an_approach_is_told_once_and_again_after_the_way_back():
    book = VirtualBook(4)
    book.open(opening(), 0)
    told = []
    for step, price in enumerate((103.3, 103.1, 103.3, 102.99, 103.3, 103.4), start=1):
        told.append("tp_approaching" in names(book.tick(step * 10_000, *at(price))))
    assert told == [True, False, False, False, True, False]


def test_eta_is_given_only_when_the_price_moves_towards_the_nearer_level():
    book = VirtualBook(4)
    book.open(opening(), 0)
    towards = book.tick(5_000, *at(99.0))
    assert towards[0].eta_s is not None
    assert towards[0].eta_s > 0
    away = book.tick(200_000, *at(100.5))
    assert away[0].eta_s is None


def test_a_position_expires_after_96_hours_and_not_at_96():
    book = VirtualBook(4)
    book.open(opening(), 0)
    book.tick(5_000, *at(101.0))
    assert book.expire(96 * HOUR) == []
    events = book.expire(96 * HOUR + 1)
    assert names(events)[-2:] == ["expired", "closed"]
    assert events[-1].price == 101.0
    assert events[-1].net == Decimal(10)


def test_each_position_expires_at_its_own_time_whatever_opened_and_ended_in_between():
    book = VirtualBook(4)
    for hour, strategy in enumerate(("a", "b", "c")):
        book.open(opening(strategy=strategy), hour * HOUR)
    (first,) = [held for held in book._roster.by_id if held.endswith("1")]
    book.close(first, 100.0, 5 * HOUR, "by hand")
    assert book.expire(97 * HOUR) == []
    assert [event.strategy for event in book.expire(97 * HOUR + 1)][-1:] == ["b"]
    assert book.expire(98 * HOUR) == []
    book.open(opening(strategy="d"), 98 * HOUR)
    assert [event.strategy for event in book.expire(98 * HOUR + 1)][-1:] == ["c"]
    assert [event.strategy for event in book.expire(500 * HOUR)][-1:] == ["d"]


def test_a_delisted_symbol_is_closed_for_every_strategy():
    book = VirtualBook(4)
    book.open(opening(), 0)
    book.open(short(strategy="hybrid"), 0)
    book.open(opening(symbol="ETHUSDT"), 0)
    events = book.close_symbol("BTCUSDT", 101.0, 10, "delisted")
    assert names(events).count("manual_close") == 2
    assert {event.reason for event in events if event.event is EventName.MANUAL_CLOSE} == {"delisted"}
    assert book.symbols == {"ETHUSDT"}


def test_closing_all_leaves_an_empty_book():
    book = VirtualBook(4)
    book.open(opening(), 0)
    book.open(opening(symbol="ETHUSDT"), 0)
    assert names(book.close_all(5, "operator")).count("closed") == 2
    assert len(book) == 0


def test_an_unknown_position_or_a_bad_price_is_refused_in_words():
    book = VirtualBook(4)
    with pytest.raises(UnknownPositionError, match="V000009"):
        book.close("V000009", 1.0, 0, "operator")
    book.open(opening(), 0)
    with pytest.raises(ValueError, match="closing price of V000001"):
        book.close("V000001", float("nan"), 0, "operator")


def test_tick_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        VirtualBook(4).tick(0, np.zeros(2), np.zeros(2), np.zeros(3))


def test_funding_is_charged_once_per_instant_and_only_to_who_was_there():
    book = VirtualBook(4)
    book.open(opening(), 0)
    events = book.fund(0, 0.0001, 101.0, 8 * HOUR, 8 * HOUR + 50)
    assert names(events)[0] == "price_updated"
    assert "funding -0.101" in events[0].reason
    assert events[0].funding == Decimal("-0.101")
    assert book.fund(0, 0.0001, 101.0, 8 * HOUR, 8 * HOUR + 60) == []
    assert book.ledger.balance == Decimal("9999.899")
    late = VirtualBook(4)
    late.open(opening(), 8 * HOUR + 1)
    assert late.fund(0, 0.0001, 101.0, 8 * HOUR, 8 * HOUR + 60) == []


def test_a_short_receives_what_a_long_pays():
    book = VirtualBook(4)
    book.open(short(), 0)
    assert book.fund(0, 0.0001, 101.0, HOUR, HOUR)[0].funding == Decimal("0.101")


def test_funding_with_a_rate_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="funding of slot 0"):
        VirtualBook(4).fund(0, float("nan"), 1.0, 0, 0)


def test_a_price_update_without_another_price_is_not_told():
    book = VirtualBook(4)
    book.open(opening(), 0)
    assert names(book.tick(5_000, *at(100.5))) == ["price_updated", "max_pnl_updated"]
    assert book.tick(10_000, *at(100.5)) == []
    assert book.life("V000001").looks == 2


def test_the_history_keeps_the_news_and_collapses_price_updates():
    book = VirtualBook(4)
    book.open(opening(), 0)
    for step in range(1, 400):
        book.tick(step * 5_000, *at(100.0 + 0.01 * (step % 2)))
    life = book.life("V000001").life
    assert [event.event for event in life] == ["created", "price_updated", "max_pnl_updated", "price_updated"]
    assert book.life("nobody") is None


def test_the_most_urgent_position_comes_first_and_the_limit_holds():
    book = VirtualBook(8)
    for index in range(5):
        book.open(opening(symbol=f"S{index}", slot=index), 0)
    prices = np.array([100.0, 103.0, 99.5, 98.2, 101.0])
    book.tick(20, prices, prices, prices)
    assert [row.symbol for row in book.rows(3)] == ["S3", "S1", "S2"]
    row = book.rows(1)[0]
    assert row.price == 98.2
    assert row.progress_sl == pytest.approx(0.9)
    assert row.progress_tp == 0.0
    assert row.pnl_percent == pytest.approx(-3.6)
    assert row.min_percent == pytest.approx(-3.6)


def test_standings_count_wins_losses_and_equity_per_strategy():
    book = VirtualBook(8)
    book.open(opening(), 0)
    book.tick(20, *at(104.0))
    book.open(opening(), 30)
    book.tick(40, *at(98.0))
    book.open(opening(), 50)
    book.tick(60, *at(101.0))
    ict = book.standings()[0]
    assert (ict.strategy, ict.open, ict.closed, ict.wins, ict.losses) == ("ict", 1, 2, 1, 1)
    assert ict.total_r == 1.0
    assert ict.mean_r == 0.5
    assert ict.win_rate_shrunk == pytest.approx(12 / 22)
    assert ict.equity == pytest.approx(10_030.0)
    assert book.equity() == pytest.approx(10_030.0)
    assert [row.cause for row in book.closed()] == ["sl_triggered", "tp_triggered"]


def test_event_counts_list_all_eleven_names():
    book = VirtualBook(4)
    book.open(opening(), 0)
    counts = dict(book.event_counts())
    assert len(counts) == 11
    assert counts["created"] == 1


def run_some_life() -> tuple[VirtualBook, list]:
    book = VirtualBook(4)
    events = book.open(opening(costs=Costs()), 0)
    events += book.open(short(strategy="hybrid", costs=Costs()), 0)
    events += book.open(opening(strategy="self_learning", costs=Costs()), 0)
    events += book.tick(20, *at(101.9))
    events += book.fund(0, 0.0002, 101.9, HOUR, HOUR)
    events += book.close("V000003", None, HOUR + 1, "operator")
    events += book.tick(HOUR + 10_000, *at(102.0))
    return book, events


def test_a_restarted_book_continues_where_its_events_left_it():
    book, events = run_some_life()
    stored = [msgspec.json.decode(msgspec.json.encode(event), type=PositionEvent) for event in events]
    again = VirtualBook(1)
    assert again.restore(stored, 2 * HOUR) == []
    assert again.ledger.balance == book.ledger.balance
    assert again.equity() == pytest.approx(book.equity())
    assert again.state("V000001") == book.state("V000001")
    assert again.state("V000002") is None
    assert again.closed() == book.closed()
    assert again.event_counts() == book.event_counts()
    assert again.track.tally("hybrid") == book.track.tally("hybrid")
    again.reslot({"BTCUSDT": 0})
    assert again.fund(0, 0.0002, 101.9, HOUR, 2 * HOUR) == []
    (created,) = again.open(opening(strategy="hybrid"), 2 * HOUR)
    assert created.position_id == "V000004"
    assert names(again.tick(2 * HOUR, *at(105.0))).count("closed") == 2


def test_a_close_that_a_crash_cut_in_half_is_completed_once():
    _, events = run_some_life()
    index = next(i for i, event in enumerate(events) if event.event is EventName.MANUAL_CLOSE)
    torn = events[: index + 1]
    again = VirtualBook(4)
    (last,) = again.restore(torn, 2 * HOUR)
    assert last.event is EventName.CLOSED
    assert last.net == events[index + 1].net
    assert fold([event for event in [*torn, last] if event.position_id == "V000003"]).net == last.net
    third = VirtualBook(4)
    assert third.restore([*torn, last], 3 * HOUR) == []
    assert third.ledger.balance == again.ledger.balance


def test_a_used_book_refuses_to_be_restored_into():
    book, events = run_some_life()
    with pytest.raises(LifecycleError, match="cannot be restored"):
        book.restore(events, 0)


def test_a_book_needs_a_positive_balance():
    with pytest.raises(ValueError, match="virtual balance"):
        VirtualBook(start=Decimal(0))
