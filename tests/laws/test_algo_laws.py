"""Laws of the algo service over random sequences of placements, cancellations, prices and positions."""

from collections import Counter
from contextlib import nullcontext
from decimal import Decimal

import pytest
from algo_bench import AlgoBench
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.simulator.answers import RefusalError
from exchange.simulator.trading.algo_checks import CAP
from exchange.simulator.trading.algo_model import AlgoStatus
from exchange.simulator.trading.model import Status

PRICES = st.integers(795, 805).map(lambda hundreds: Decimal(hundreds * 100))
KINDS = ("STOP_MARKET", "TAKE_PROFIT_MARKET", "STOP", "TAKE_PROFIT", "TRAILING_STOP_MARKET")
TERMS = st.fixed_dictionaries(
    {
        "side": st.sampled_from(["BUY", "SELL"]),
        "type": st.sampled_from(KINDS),
        "distance": st.integers(-1, 4).map(lambda hundreds: hundreds * 100),
        "workingType": st.sampled_from(["CONTRACT_PRICE", "MARK_PRICE"]),
        "priceProtect": st.sampled_from(["true", "false"]),
        "needs": st.sampled_from(["", "position", "position", "reduceOnly"]),
        "symbol": st.sampled_from(["BTCUSDT", "BTCUSDT", "BTCUSDT", "ETHUSDT"]),
    }
)
MOVES = st.one_of(
    st.tuples(st.just("place"), TERMS),
    st.tuples(st.just("place"), TERMS),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("hold"), st.sampled_from(["0", "0.010", "-0.010", "0.020"])),
    st.tuples(st.just("step"), st.lists(PRICES, max_size=3)),
    st.tuples(st.just("step"), st.lists(PRICES, max_size=3)),
    st.tuples(st.just("refuse"), st.sampled_from([None, (-2019, "Margin is insufficient."), (-5022, "Due to.")])),
    st.tuples(st.just("end_child"), st.integers(0, 30)),
    st.tuples(st.just("stuck"), st.booleans()),
)
FOLLOWS = {
    AlgoStatus.NEW: {
        AlgoStatus.NEW, AlgoStatus.TRIGGERING, AlgoStatus.CANCELED, AlgoStatus.EXPIRED, AlgoStatus.REJECTED,
    },
    AlgoStatus.TRIGGERING: {AlgoStatus.TRIGGERED, AlgoStatus.REJECTED, AlgoStatus.EXPIRED},
    AlgoStatus.TRIGGERED: {AlgoStatus.FINISHED},
}  # fmt: skip


def place(bench, terms):
    """Place an order whose trigger lies that distance ahead; return it, or None where it was refused."""
    terms = dict(terms)
    needs, distance, kind = terms.pop("needs"), terms.pop("distance"), terms["type"]
    if needs == "position" and kind in {"STOP_MARKET", "TAKE_PROFIT_MARKET"}:
        terms |= {"closePosition": "true", "quantity": None}
    elif needs == "position":
        terms["timeInForce"] = "GTE_GTC"
    elif needs == "reduceOnly":
        terms["reduceOnly"] = "true"
    upwards = (terms["side"] == "BUY") == kind.startswith("STOP")
    last = bench.prices.last(bench.index[terms["symbol"]])
    terms["triggerPrice"] = str(last + (distance if upwards else -distance))
    if kind in {"STOP", "TAKE_PROFIT"}:
        terms["price"] = terms["triggerPrice"]
    elif kind == "TRAILING_STOP_MARKET":
        terms |= {"triggerPrice": None, "callbackRate": "0.2"}
    try:
        return bench.place(**terms)
    except RefusalError:
        return None


class WatchedBench(AlgoBench):
    """Checks at every change of a position that just the orders that needed it have expired."""

    def hold(self, quantity, listing=0, *side):
        standing = [order for order in self.desk.store.waiting if order.status is AlgoStatus.NEW]
        super().hold(quantity, listing, *side)
        for order in standing:
            lost = (
                order.terms.needs_position
                and order.terms.listing == listing
                and not order.terms.reduces(Decimal(quantity))
            )
            assert order.status is (AlgoStatus.EXPIRED if lost else AlgoStatus.NEW)


class Run:
    """Plays moves and keeps every order ever accepted."""

    def __init__(self, latency):
        self.bench = WatchedBench(algo_latency_ms=latency)
        self.orders = []

    def play(self, move, what):
        getattr(self, move)(what)

    def place(self, terms):
        order = place(self.bench, terms)
        if order is not None:
            self.orders.append(order)

    def cancel(self, which):
        if which < len(self.orders):
            order = self.orders[which]
            was_new = order.status is AlgoStatus.NEW
            with nullcontext() if was_new else pytest.raises(RefusalError, match=r"-2011|-4117"):
                self.bench.desk.cancel(order.algo_id, None, self.bench.now)

    def hold(self, quantity):
        self.bench.hold(quantity)

    def step(self, prices):
        self.bench.step(*prices)

    def refuse(self, refusal):
        self.bench.orders.refusal = refusal

    def end_child(self, which):
        children = self.bench.orders.children
        if which < len(children) and children[which].is_open:
            children[which].status = Status.CANCELED

    def stuck(self, held):
        self.bench.desk.stuck = held


@settings(max_examples=150, deadline=None)
@given(st.lists(MOVES, min_size=10, max_size=40), st.sampled_from([0, 11, 300]))
def test_an_order_is_in_exactly_one_state_and_moves_only_forward(moves, latency):
    run = Run(latency)
    for move, what in moves:
        run.play(move, what)
        desk = run.bench.desk
        waiting = desk.store.waiting
        assert [order for order in run.orders if order.is_waiting] == waiting
        for order in run.orders:
            assert (order.child is not None) == (order.status in {AlgoStatus.TRIGGERED, AlgoStatus.FINISHED})
            assert order.status is not AlgoStatus.FINISHED or not order.child.is_open
    seen = {}
    for event in run.bench.events:
        if event["e"] == "ALGO_UPDATE":
            told = event["o"]
            status = AlgoStatus(told["X"])
            before = seen.get(told["aid"])
            assert status is AlgoStatus.NEW if before is None else status in FOLLOWS.get(before, set())
            seen[told["aid"]] = status
    assert seen == {order.algo_id: order.status for order in run.orders}


@settings(max_examples=150, deadline=None)
@given(st.lists(MOVES, min_size=10, max_size=40), st.sampled_from([0, 11, 300]))
def test_an_order_never_has_two_children(moves, latency):
    run = Run(latency)
    for move, what in moves:
        run.play(move, what)
    children = [order.child.order_id for order in run.orders if order.child is not None]
    assert sorted(children) == [child.order_id for child in run.bench.orders.children]
    told = Counter(
        event["o"]["aid"]
        for event in run.bench.events
        if event["e"] == "ALGO_UPDATE" and event["o"]["X"] == "TRIGGERED"
    )
    assert set(told.values()) <= {1}


@settings(max_examples=200, deadline=None)
@given(st.lists(MOVES, min_size=10, max_size=40))
def test_orders_that_need_a_position_end_exactly_when_it_goes(moves):
    run = Run(0)
    for move, what in moves:
        run.play(move, what)  # WatchedBench looks at every change of the position
        for order in run.orders:
            terms = order.terms
            if terms.needs_position and order.status is AlgoStatus.NEW:
                assert terms.reduces(run.bench.account.position(terms.listing, terms.position_side).quantity)
    for order in run.orders:
        if not order.terms.needs_position:
            assert order.status is not AlgoStatus.EXPIRED or order.reason


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 260), max_size=60))
def test_no_more_than_the_cap_ever_wait(cancellations):
    bench = AlgoBench()
    orders = [bench.place() for _ in range(CAP)]
    for which in cancellations:
        assert bench.code() == -4045
        if which < len(orders) and orders[which].is_waiting:
            bench.desk.cancel(orders[which].algo_id, None, bench.now)
            orders.append(bench.place())
        assert bench.desk.store.count_waiting() == CAP
