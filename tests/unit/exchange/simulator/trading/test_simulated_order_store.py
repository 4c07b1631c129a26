"""How long the venue remembers orders and trades, and how it finds them."""

from decimal import Decimal

import pytest

from exchange.simulator.trading.model import Order, PositionSide, Side, Status, Trade
from exchange.simulator.trading.order_store import DAY_MS, OrderStore

START = 1_795_000_000_000


def an_order(store, listing=0, *, client_id="x", created=START, executed="0"):
    order = Order(
        store.next_order_id(listing), client_id, listing, Side.BUY, PositionSide.BOTH, "LIMIT", "GTC", Decimal(79_000),
        Decimal("0.010"), created, created, "LIMIT", executed=Decimal(executed),
    )  # fmt: skip
    store.add(order)
    return order


def ended(store, status, **kwargs):
    order = an_order(store, **kwargs)
    order.status = status
    store.close(order)
    return order


@pytest.mark.parametrize(
    ("status", "executed", "days"),
    [
        (Status.CANCELED, "0", 3),
        (Status.EXPIRED, "0", 3),
        (Status.CANCELED, "0.004", 90),
        (Status.FILLED, "0.010", 90),
    ],
)
def test_an_ended_order_is_known_for_its_days_and_then_unknown(status, executed, days):
    store = OrderStore()
    order = ended(store, status, executed=executed)
    over = START + days * DAY_MS
    assert store.find(0, order.order_id, None, over - 1) is order
    assert store.find(0, None, "x", over - 1) is order
    assert store.find(0, order.order_id, None, over) is None
    store.purge(over)
    assert store.orders_of(0, START) == []
    assert store.find(0, None, "x", START) is None


def test_an_open_order_is_never_forgotten():
    store = OrderStore()
    order = an_order(store)
    late = START + 200 * DAY_MS
    store.purge(late)
    assert store.find(0, None, "x", late) is order
    assert list(store.open_of(0)) == [order]


def test_purging_an_old_order_leaves_the_newer_one_of_its_client_id():
    store = OrderStore()
    ended(store, Status.CANCELED)
    newer = ended(store, Status.CANCELED, created=START + DAY_MS)
    store.purge(START + 3 * DAY_MS)
    assert store.find(0, None, "x", START + 3 * DAY_MS) is newer


@pytest.mark.parametrize("purged", [False, True])
def test_an_older_order_answers_for_a_client_id_once_the_newer_is_forgotten(purged):
    store = OrderStore()
    filled = ended(store, Status.FILLED, executed="0.010")
    newer = ended(store, Status.CANCELED)
    late = START + 3 * DAY_MS
    assert store.find(0, None, "x", late - 1) is newer
    if purged:
        store.purge(late)
    assert store.find(0, None, "x", late) is filled


def test_the_id_wins_over_the_client_id():
    store = OrderStore()
    first, second = an_order(store, client_id="a"), an_order(store, client_id="b")
    assert store.find(0, first.order_id, "b", START) is first
    assert store.find(0, None, "b", START) is second
    assert store.find(1, first.order_id, None, START) is None


def test_orders_of_all_symbols_come_in_the_order_of_their_creation():
    store = OrderStore()
    late = an_order(store, 0, client_id="a", created=START + 2)
    early = an_order(store, 1, client_id="b", created=START + 1)
    assert store.orders_of(None, START + 3) == [early, late]
    assert list(store.open_listings()) == [0, 1]


def test_trades_reach_back_to_an_instant_and_are_forgotten_after_ninety_days():
    store = OrderStore()
    order = an_order(store)
    for offset in (0, 1, 2):
        price = Decimal(1)
        store.add_trade(
            Trade(store.next_trade_id(), order, price, price, price, price, False, START + offset, PositionSide.BOTH)
        )
    assert [trade.time_ms - START for trade in store.trades_of(0, START + 1)] == [1, 2]
    store.purge(START + 90 * DAY_MS + 2)
    assert [trade.time_ms - START for trade in store.trades_of(0, 0)] == [2]


class ComparedId(str):
    """A client id that counts how often it is held against another."""

    __slots__ = ()
    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        ComparedId.comparisons += 1
        return str.__eq__(self, other)


def test_forgetting_many_orders_does_not_hold_each_against_all():
    store = OrderStore()
    for number in range(300):
        ended(store, Status.CANCELED, client_id=ComparedId(f"old{number}"))
        ended(store, Status.FILLED, client_id=ComparedId(f"filled{number}"), executed="0.010")
    ComparedId.comparisons = 0
    store.purge(START + 4 * DAY_MS)
    assert len(store.orders_of(0, START + 4 * DAY_MS)) == 300
    assert ComparedId.comparisons < 10 * 600
