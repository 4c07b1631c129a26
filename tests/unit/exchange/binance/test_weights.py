import pytest

from exchange.account import OrderLimit
from exchange.binance.budget import Budget
from exchange.binance.endpoints import PLACE_BATCH
from exchange.binance.weights import (
    ONE_ORDER,
    ORDERS_1M_HEADER,
    ORDERS_10S_HEADER,
    USED_WEIGHT_HEADER,
    OrderCost,
    OrderLedger,
    Pool,
    WeightLedger,
)
from exchange.priority import Priority

MINUTE = 60_000


def reported(weight):
    return {USED_WEIGHT_HEADER: str(weight)}


def test_requests_pass_until_the_reserve_is_reached_and_then_wait_for_the_next_minute():
    ledger = WeightLedger(limit=100, reserve=0.2)
    for _ in range(8):
        assert ledger.admit(10, Priority.NORMAL, 5_000) == 0.0
    assert ledger.admit(1, Priority.HIGH, 5_000) == pytest.approx(55.05)
    assert ledger.admit(1, Priority.HIGH, MINUTE) > 0.0, "weight in flight is not forgotten at the border"
    for _ in range(8):
        ledger.settle(10, reported(0), MINUTE)
    assert ledger.admit(80, Priority.LOW, 2 * MINUTE) == 0.0


def test_risk_reducing_requests_always_pass():
    ledger = WeightLedger(limit=100)
    ledger.admit(80, Priority.LOW, 0)
    for _ in range(10):
        assert ledger.admit(50, Priority.CRITICAL, 0) == 0.0
    ledger.hold(30_000)
    assert ledger.admit(50, Priority.CRITICAL, 0) == 0.0


def test_the_weight_the_venue_reports_counts_also_for_what_others_used():
    ledger = WeightLedger(limit=100)
    ledger.admit(5, Priority.LOW, 0)
    ledger.settle(5, reported(79), 100)
    assert ledger.used(100) == 79
    assert ledger.admit(1, Priority.LOW, 100) == 0.0
    assert ledger.admit(1, Priority.LOW, 100) > 0.0


def test_an_answer_that_was_overtaken_never_lowers_the_count_below_what_was_settled_here():
    ledger = WeightLedger(limit=100)
    for _ in range(4):
        ledger.admit(10, Priority.LOW, 0)
    ledger.settle(10, reported(40), 10)
    ledger.settle(10, reported(10), 20)
    ledger.settle(10, {}, 30)
    ledger.settle(10, reported(30), 40)
    assert ledger.used(50) == 40


@pytest.mark.parametrize("text", ["", "many", "-5", "1.5", "²"])
def test_a_report_that_is_no_number_is_ignored(text):
    ledger = WeightLedger()
    ledger.admit(7, Priority.LOW, 0)
    ledger.settle(7, {USED_WEIGHT_HEADER: text}, 0)
    assert ledger.used(0) == 7


def test_a_new_minute_starts_empty_apart_from_what_is_in_flight():
    ledger = WeightLedger()
    ledger.admit(30, Priority.LOW, 59_000)
    ledger.admit(20, Priority.LOW, 59_000)
    ledger.settle(30, reported(1500), 59_500)
    assert ledger.used(59_900) == 1520
    assert ledger.used(60_001) == 20


def test_a_hold_silences_all_but_critical_until_it_ends_and_is_never_shortened():
    ledger = WeightLedger()
    ledger.hold(120_000)
    ledger.hold(60_000)
    assert ledger.admit(1, Priority.HIGH, 20_000) == pytest.approx(101.05)
    assert ledger.admit(1, Priority.HIGH, 121_000) == 0.0


def test_after_a_hold_what_reduces_risk_goes_first_then_what_protection_reads_then_the_rest():
    ledger = WeightLedger()
    ledger.hold(60_000)
    assert ledger.wait(1, Priority.CRITICAL, 0) == 0.0
    assert ledger.wait(1, Priority.CRITICAL, 0, reads=True) == pytest.approx(60.55)
    assert ledger.wait(1, Priority.HIGH, 0) == pytest.approx(61.05)


def test_in_a_ban_nothing_leaves_and_what_reduces_risk_goes_first_after_it():
    ledger = WeightLedger()
    ledger.ban(60_000)
    ledger.ban(30_000)
    assert ledger.held_until_ms() == ledger.banned_until_ms() == 60_000
    assert ledger.wait(1, Priority.CRITICAL, 0) == pytest.approx(60.05)
    assert ledger.wait(1, Priority.CRITICAL, 0, reads=True) == pytest.approx(60.55)
    assert ledger.wait(1, Priority.LOW, 0) == pytest.approx(61.05)
    assert ledger.wait(1, Priority.CRITICAL, 60_000) == 0.0


def test_weight_of_a_request_that_never_left_is_given_back():
    ledger = WeightLedger()
    ledger.admit(40, Priority.LOW, 0)
    ledger.cancel(40)
    assert ledger.used(0) == 0


def test_a_request_that_can_never_be_afforded_is_an_error_and_no_endless_wait():
    with pytest.raises(ValueError, match="RATE_LIMIT_REQUESTS"):
        WeightLedger(limit=20).admit(40, Priority.LOW, 0)


@pytest.mark.parametrize(("limit", "reserve"), [(0, 0.2), (-5, 0.2), (1920, 1.0), (1920, -0.1), (1920, float("nan"))])
def test_senseless_settings_are_refused(limit, reserve):
    with pytest.raises(ValueError, match=r"RATE_LIMIT_REQUESTS|reserve"):
        WeightLedger(limit, reserve)


def test_the_pools_of_an_address_are_counted_apart_but_wait_out_a_hold_together():
    ledger = WeightLedger(limit=100, funding=10, statistics=10)
    for _ in range(8):
        assert ledger.admit(1, Priority.LOW, 0, Pool.FUNDING) == 0.0
    assert ledger.admit(1, Priority.HIGH, 0, Pool.FUNDING) == pytest.approx(300.05)
    assert ledger.admit(1, Priority.HIGH, 0, Pool.STATISTICS) == 0.0
    assert ledger.used(0) == 0
    ledger.hold(5_000)
    for pool in Pool:
        assert ledger.wait(1, Priority.HIGH, 1_000, pool) == pytest.approx(5.05)
        assert ledger.wait(1, Priority.CRITICAL, 1_000, pool) == 0.0


def test_orders_are_counted_in_both_windows_and_the_reserve_is_kept_for_exits():
    orders = OrderLedger(ten_seconds=10, minute=20, reserve=0.2)
    for _ in range(8):
        assert orders.wait(ONE_ORDER, Priority.HIGH, 0) == 0.0
        orders.take(ONE_ORDER)
    assert orders.wait(ONE_ORDER, Priority.HIGH, 0) == pytest.approx(10.05)
    assert orders.wait(ONE_ORDER, Priority.CRITICAL, 0) == 0.0
    for _ in range(8):
        orders.settle(ONE_ORDER, {}, 0)
    assert orders.used(0) == (8, 8)
    assert orders.used(10_000) == (0, 8)
    for _ in range(8):
        orders.take(ONE_ORDER)
    assert orders.wait(ONE_ORDER, Priority.HIGH, 10_000) == pytest.approx(50.05)


def test_the_venues_count_of_orders_is_believed_where_it_is_higher():
    orders = OrderLedger()
    orders.take(ONE_ORDER)
    orders.settle(ONE_ORDER, {ORDERS_10S_HEADER: "7", ORDERS_1M_HEADER: "41"}, 0)
    assert orders.used(0) == (7, 41)
    orders.take(ONE_ORDER)
    orders.settle(ONE_ORDER, {}, 1)
    assert orders.used(1) == (7, 41), "a refused order may lack the headers; the count reported before stands"


def test_the_account_limits_the_venue_tells_are_adopted():
    orders = OrderLedger(reserve=0.0)
    orders.adopt([OrderLimit(10, 2), OrderLimit(60, 3), OrderLimit(86_400, 1)])
    orders.take(OrderCost(2, 2))
    assert orders.wait(ONE_ORDER, Priority.HIGH, 0) == pytest.approx(10.05)
    orders.settle(OrderCost(2, 2), {}, 0)
    assert orders.wait(ONE_ORDER, Priority.HIGH, 10_000) == 0.0


def test_an_order_that_was_never_sent_leaves_no_trace():
    orders = OrderLedger()
    orders.take(ONE_ORDER)
    orders.cancel(ONE_ORDER)
    assert orders.used(0) == (0, 0)


def test_a_request_is_admitted_by_all_counters_or_by_none():
    budget = Budget(WeightLedger(limit=100), OrderLedger(ten_seconds=5, minute=5, reserve=0.0))
    assert budget.admit(PLACE_BATCH, 5, Priority.HIGH, 0) == 0.0
    assert budget.admit(PLACE_BATCH, 5, Priority.HIGH, 0) == pytest.approx(10.05)
    assert budget.address.used(0) == 5
    budget.cancel(PLACE_BATCH, 5)
    assert (budget.address.used(0), budget.account.used(0)) == (0, (0, 0))
    budget.address.hold(3_000)
    assert budget.admit(PLACE_BATCH, 5, Priority.HIGH, 0) == pytest.approx(4.05)
    assert budget.account.used(0) == (0, 0)
