from decimal import Decimal

import msgspec
from account_samples import account_update, algo_update, order_update

from exchange import account_merge
from exchange.account_events import Resync, TradeHint, TradeId
from exchange.account_merge import AccountMerge, Reading, merge

START = Resync("started", None)


def settled(reading=None):
    merging = AccountMerge()
    merging.take(START)
    assert merging.settle(merging.begin(), reading or Reading()) == []
    return merging


def test_before_the_first_reading_everything_is_held():
    merging = AccountMerge()
    assert merging.wanted is not None
    merging.take(START)
    assert merging.take(order_update(5)) == ()
    assert merging.held == 1
    assert merging.settle(merging.begin(), Reading()) == [order_update(5)]
    assert merging.wanted is None
    assert merging.take(order_update(6)) == [order_update(6)]


def test_held_events_follow_the_reading_in_the_order_of_their_times():
    late, early = account_update(9), order_update(7)
    assert merge([late, early, order_update(9, order_id=2)], Reading()) == [early, late, order_update(9, order_id=2)]


def test_what_the_reading_contains_already_is_left_out_object_by_object():
    reading = Reading(
        positions={("BTCUSDT", "BOTH"): 11}, orders={("BTCUSDT", 1): 11}, algos={3: 11}, balances={"USDT": 10}
    )
    assert merge([order_update(10), order_update(10, order_id=2)], reading) == [order_update(10, order_id=2)]
    assert merge([algo_update(10), algo_update(11)], reading) == [algo_update(11)]
    (left,) = merge([account_update(10)], reading)
    assert left.positions == ()
    assert left.balances == account_update(10).balances
    assert merge([account_update(9)], reading) == []
    assert merge([account_update(11)], reading) == [account_update(11)]


def test_a_fill_read_as_a_trade_keeps_its_order_s_state_but_not_its_money():
    fill = order_update(12, trade_id=44)
    reading = Reading(orders={("BTCUSDT", 1): 11}, trades=frozenset({TradeId("BTCUSDT", 44, 1)}))
    (state,) = merge([fill], reading)
    assert state.trade is None
    assert (state.commission, state.realised) == (0, 0)
    assert (state.status, state.filled) == (fill.status, fill.filled)
    assert merge([fill], msgspec.structs.replace(reading, orders={("BTCUSDT", 1): 13})) == []


def test_an_unread_fill_passes_although_its_order_is_known_to_be_newer():
    fill = order_update(12, trade_id=44)
    assert merge([fill], Reading(orders={("BTCUSDT", 1): 20})) == [fill]


def test_a_fill_is_applied_once_however_often_it_comes():
    merging = settled(Reading(trades=frozenset({TradeId("BTCUSDT", 43, 1)})))
    fill = order_update(12, trade_id=44)
    again = order_update(13, trade_id=44)
    assert merging.take(fill) == [fill]
    assert merging.take(fill) == ()
    assert merging.duplicates == 1
    for repeated in (again, order_update(12, trade_id=43)):
        (state,) = merging.take(repeated)
        assert (state.trade, state.realised, state.status) == (None, 0, "FILLED")


def test_an_account_that_trades_with_itself_books_both_of_its_orders():
    merging = settled()
    assert len(merging.take(order_update(12, trade_id=44, order_id=1))) == 1
    assert len(merging.take(order_update(12, trade_id=44, order_id=2, side="SELL"))) == 1


def test_a_hint_never_uses_up_its_fill():
    merging = settled()
    hint = TradeHint(
        1, 1, "BTCUSDT", 1, "a", "BUY", Decimal(1), Decimal(1), Decimal(1), Decimal(1), 44, maker=False
    )  # fmt: skip
    assert merging.take(hint) == [hint]
    assert merging.take(order_update(12, trade_id=44)) == [order_update(12, trade_id=44)]


def test_a_reading_that_began_before_the_last_gap_is_refused():
    merging = settled()
    merging.take(Resync("lost", 1.0))
    ticket = merging.begin()
    merging.take(order_update(5, trade_id=9))
    merging.take(order_update(5, order_id=7))
    merging.take(Resync("lost again", 2.0))
    assert merging.settle(ticket, Reading()) is None
    assert merging.wanted == Resync("lost again", 2.0)
    assert merging.settle(merging.begin(), Reading()) == [order_update(5, trade_id=9)], "a fill survives, a state no"


def test_a_reading_made_in_between_is_followed_by_what_came_meanwhile():
    merging = settled()
    ticket = merging.begin()
    fill, patch = order_update(5, trade_id=9), account_update(5)
    assert [*merging.take(fill), *merging.take(patch)] == [fill, patch], "nothing waits for it"
    state, again = merging.settle(ticket, Reading(positions={("BTCUSDT", "BOTH"): 4}))
    assert state.trade is None
    assert again == patch


def test_of_two_readings_the_older_is_refused_and_none_counts_twice():
    merging = settled()
    older, newer = merging.begin(), merging.begin()
    assert merging.settle(older, Reading()) is None
    assert merging.settle(newer, Reading()) == []
    assert merging.settle(newer, Reading()) is None


def test_more_events_than_can_be_held_make_the_reading_begin_anew(monkeypatch):
    monkeypatch.setattr(account_merge, "HELD", 10)
    merging = AccountMerge()
    merging.take(START)
    ticket = merging.begin()
    for instant in range(11):
        merging.take(order_update(instant))
    assert merging.held == 1
    assert merging.settle(ticket, Reading()) is None
    assert merging.settle(merging.begin(), Reading()) == [order_update(10)]
