import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from algo_bench import CLOSE, START, TRAIL, AlgoBench

from exchange.simulator.answers import RefusalError
from exchange.simulator.encode import encode_json
from exchange.simulator.frames import stray
from exchange.simulator.trading.algo_model import AlgoStatus
from exchange.simulator.trading.algo_rows import cancelled_row, placed_row, queried_row
from exchange.simulator.trading.model import Status

RECORDED = Path(__file__).resolve().parents[5] / "shared" / "data" / "payloads" / "nautilus" / "ws"


def test_a_stop_runs_through_the_recorded_sequence():
    bench = AlgoBench()
    bench.place(side="BUY", triggerPrice="81000", clientAlgoId="x")
    bench.events.clear()
    bench.step(80_500)
    assert bench.events == []
    bench.step(80_900, 81_100, 81_000)
    kinds = [(event["e"], event["o"].get("X") or event["o"]["x"] if "o" in event else "") for event in bench.events]
    assert kinds == [
        ("ALGO_UPDATE", "TRIGGERING"),
        ("ALGO_UPDATE", "TRIGGERED"),
        ("ORDER_TRADE_UPDATE", "NEW"),
        ("ACCOUNT_UPDATE", ""),
        ("ORDER_TRADE_UPDATE", "TRADE"),
        ("ALGO_UPDATE", "FINISHED"),
    ]
    triggering, triggered, finished = (event["o"] for event in bench.events if event["e"] == "ALGO_UPDATE")
    assert triggering["ai"] == ""
    assert not {"ap", "aq", "act", "rm", "ia"} & triggering.keys()
    assert (triggered["ai"], triggered["ap"], triggered["aq"], triggered["act"]) == ("7000000000", "0", "0", "MARKET")
    assert (finished["ai"], finished["ap"], finished["aq"]) == ("7000000000", "81000.00", "0.010")
    assert {event["tt"] for event in (triggering, triggered, finished)} == {START + 250 + 124}


def test_an_event_has_the_venues_fields_in_order():
    bench = AlgoBench()
    bench.place(clientAlgoId="a1-sl", workingType="MARK_PRICE", reduceOnly="true")
    assert list(bench.events[0]) == ["e", "T", "E", "o"]
    assert bench.events[0]["o"] == {
        "caid": "a1-sl", "aid": 1_000_000_230_000_001, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT",
        "S": "SELL", "ps": "BOTH", "f": "GTC", "q": "0.010", "X": "NEW", "ai": "", "tp": "79000.00", "p": "0",
        "V": "EXPIRE_MAKER", "wt": "MARK_PRICE", "pm": "NONE", "cp": False, "pP": False, "R": True, "tt": 0, "gtd": 0,
    }  # fmt: skip


@pytest.mark.skipif(not RECORDED.is_dir(), reason="needs the recorded payloads in ../shared/data beside the repository")
@pytest.mark.parametrize("status", ["triggering", "triggered", "finished"])
def test_an_event_has_the_fields_of_the_recorded_one_in_its_order(status):
    recorded = json.loads((RECORDED / f"ws_futures_algo_update_{status}.json").read_text())["data"]
    bench = AlgoBench()
    bench.place(side="BUY", triggerPrice="81000")
    bench.step(81_000)
    ours = next(e for e in bench.events if e["e"] == "ALGO_UPDATE" and e["o"]["X"] == status.upper())
    assert list(ours) == list(recorded)
    assert list(ours["o"]) == list(recorded["o"])
    assert [type(value) for value in json.loads(encode_json(ours))["o"].values()] == [
        type(value) for value in recorded["o"].values()
    ]


def test_rows_have_the_venues_fields():
    bench = AlgoBench()
    order = bench.place(clientAlgoId="a")
    instrument = bench.desk.instrument(0)
    row = placed_row(order, instrument)
    assert " ".join(row) == (
        "algoId clientAlgoId algoType orderType symbol side positionSide timeInForce quantity algoStatus triggerPrice "
        "price icebergQuantity selfTradePreventionMode workingType priceMatch closePosition priceProtect reduceOnly "
        "activatePrice callbackRate createTime updateTime triggerTime goodTillDate " + stray("BTCUSDT")[0]
    )
    assert (row["orderType"], row["quantity"], row["triggerPrice"], row["price"], row["activatePrice"]) == (
        "STOP_MARKET", "0.010", "79000.00", "0.00", "",
    )  # fmt: skip
    bench.step(79_000)
    asked = queried_row(order, instrument)
    assert asked.keys() - row.keys() == {
        "actualOrderId", "actualPrice", "actualQty", "actualType", "tpOrderType", "isActivated",
    }  # fmt: skip
    assert (asked["algoStatus"], asked["actualOrderId"], asked["actualPrice"], asked["actualQty"]) == (
        "FINISHED", "7000000000", "79000.00", "0.010",
    )  # fmt: skip
    assert cancelled_row(order) == {"algoId": order.algo_id, "clientAlgoId": "a", "code": "200", "msg": "success"}


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "quiet", "fires"),
    [
        ("STOP_MARKET", "BUY", "80100", 80_099.9, 80_100),
        ("STOP_MARKET", "SELL", "79900", 79_900.1, 79_900),
        ("TAKE_PROFIT_MARKET", "BUY", "79900", 79_900.1, 79_900),
        ("TAKE_PROFIT_MARKET", "SELL", "80100", 80_099.9, 80_100),
    ],
)
@pytest.mark.parametrize("working", ["CONTRACT_PRICE", "MARK_PRICE"])
def test_each_kind_fires_at_its_price_and_not_before(kind, side, trigger, quiet, fires, working):
    bench = AlgoBench()
    order = bench.place(type=kind, side=side, triggerPrice=trigger, workingType=working)
    other = {"CONTRACT_PRICE": lambda p: ((p,), {"mark": 80_000}), "MARK_PRICE": lambda p: ((80_000,), {"mark": p})}
    prices, mark = other[working](quiet)
    bench.step(*prices, **mark)
    assert order.status is AlgoStatus.NEW
    prices, mark = other[working](fires)
    bench.step(*prices, **mark)
    bench.step()
    assert order.status is AlgoStatus.FINISHED


@pytest.mark.parametrize(
    ("refusal", "status", "reason"),
    [
        ((-2022, "ReduceOnly Order is rejected."), AlgoStatus.REJECTED, "Reduce Only reject"),
        ((-2027, "Exceeded."), AlgoStatus.REJECTED, "Exceeded."),
        ((-4131, "The counterparty."), AlgoStatus.EXPIRED, "The counterparty."),
        ((-5022, "Due to."), AlgoStatus.EXPIRED, "Due to."),
    ],
)
def test_a_child_that_is_refused_ends_its_order_with_the_reason(refusal, status, reason):
    bench = AlgoBench()
    order = bench.place(reduceOnly="true")
    bench.orders.refusal = refusal
    bench.step(79_000)
    bench.step()
    assert (order.status, order.reason) == (status, reason)


def test_the_deprecated_event_of_a_refused_trigger_is_a_question():
    bench = AlgoBench(algo_trigger_reject_event=True)
    order = bench.place()
    bench.orders.refusal = (-2019, "Margin is insufficient.")
    bench.step(79_000)
    assert bench.events[-1] == {
        "e": "CONDITIONAL_ORDER_TRIGGER_REJECT", "E": bench.now, "T": bench.now,
        "or": {"s": "BTCUSDT", "i": order.algo_id, "r": "Margin is insufficient."},
    }  # fmt: skip


def test_the_latency_of_the_service_parts_trigger_and_child():
    bench = AlgoBench(algo_latency_ms=600)
    order = bench.place()
    bench.step(79_000)
    assert order.status is AlgoStatus.TRIGGERING
    bench.step()
    assert order.status is AlgoStatus.TRIGGERING
    bench.step()
    assert order.status is AlgoStatus.FINISHED


@pytest.mark.parametrize(("code", "seen"), [(-4117, -4117), (-2011, -2011)])
def test_a_cancellation_that_loses_the_race_is_refused(code, seen):
    bench = AlgoBench(algo_latency_ms=600, algo_cancel_race_code=code)
    order = bench.place()
    bench.step(79_000)
    with pytest.raises(RefusalError) as caught:
        bench.desk.cancel(order.algo_id, None, bench.now)
    assert caught.value.code == seen
    bench.step()
    bench.step()
    with pytest.raises(RefusalError) as caught:
        bench.desk.cancel(order.algo_id, None, bench.now)
    assert caught.value.code == -2011


def test_cancelling_by_either_id_or_all_of_a_symbol():
    bench = AlgoBench()
    one, two, three = bench.place(clientAlgoId="one"), bench.place(), bench.place()
    other = bench.place(symbol="ETHUSDT", triggerPrice="2900")
    bench.told()
    bench.desk.cancel(None, "one", bench.now)
    bench.desk.cancel(two.algo_id, "three", bench.now)
    bench.desk.cancel_all(0, bench.now)
    assert {order.status for order in (one, two, three)} == {AlgoStatus.CANCELED}
    assert other.status is AlgoStatus.NEW
    assert bench.told() == [(order.client_id, "CANCELED") for order in (one, two, three)]
    for ids in ((one.algo_id, None), (None, "nobody")):
        with pytest.raises(RefusalError) as caught:
            bench.desk.cancel(*ids, bench.now)
        assert caught.value.code == -2011


def test_close_position_closes_what_is_held_at_the_trigger():
    bench = AlgoBench()
    bench.hold("0.010")
    order = bench.place(**CLOSE)
    bench.hold("0.025")
    bench.step(78_999)
    bench.step()
    child = order.child
    assert (child.quantity, child.reduce_only, child.close_position) == (Decimal("0.025"), True, True)
    assert order.status is AlgoStatus.FINISHED


@pytest.mark.parametrize("terms", [CLOSE, {"timeInForce": "GTE_GTC"}])
@pytest.mark.parametrize("left", ["0", "-0.010"])
def test_what_depends_on_a_position_expires_with_it(terms, left):
    bench = AlgoBench()
    bench.hold("0.010")
    order, plain = bench.place(**terms), bench.place(reduceOnly="true")
    bench.told()
    bench.hold("0.004")
    assert order.status is AlgoStatus.NEW
    bench.hold(left)
    assert bench.told() == [(order.client_id, "EXPIRED")]
    assert plain.status is AlgoStatus.NEW


def test_an_order_that_was_let_in_while_flat_binds_to_the_position_that_comes():
    bench = AlgoBench(gte_needs_position=False)
    order = bench.place(**CLOSE)
    bench.hold("-0.010")
    assert order.status is AlgoStatus.NEW
    bench.hold("0.010")
    bench.hold("0")
    assert order.status is AlgoStatus.EXPIRED


def test_a_close_position_order_without_position_at_its_trigger_expires():
    bench = AlgoBench(gte_needs_position=False)
    order = bench.place(**CLOSE)
    bench.step(79_000)
    bench.step()
    assert (order.status, order.child) == (AlgoStatus.EXPIRED, None)


def test_good_till_date_ends_a_waiting_order():
    bench = AlgoBench()
    order = bench.place(timeInForce="GTD", goodTillDate=str(START + 601_000))
    bench.now = START + 600_900
    bench.step()
    assert (order.status, order.reason) == (AlgoStatus.EXPIRED, "")


def test_price_protection_holds_a_trigger_while_mark_and_last_are_apart():
    bench = AlgoBench()
    order, bare = bench.place(priceProtect="true"), bench.place()
    bench.step(75_000, mark=79_100)
    bench.step(75_100, mark=79_100)
    assert (order.status, bare.status) == (AlgoStatus.NEW, AlgoStatus.FINISHED)
    bench.step(78_000, mark=79_100)
    bench.step()
    assert order.status is AlgoStatus.FINISHED


def test_a_limit_child_rests_and_its_order_finishes_with_it():
    bench = AlgoBench()
    order = bench.place(type="STOP", price="78900", timeInForce="GTC")
    bench.step(79_000)
    bench.step()
    child = order.child
    assert (order.status, child.kind, child.price, child.original_kind) == (
        AlgoStatus.TRIGGERED, "LIMIT", Decimal(78_900), "STOP",
    )  # fmt: skip
    assert bench.desk.open_orders(None, bench.now) == []
    child.status = Status.CANCELED
    bench.step()
    assert order.status is AlgoStatus.FINISHED
    assert bench.events[-1]["o"]["aq"] == "0"


def test_a_trailing_stop_follows_the_price_from_its_activation():
    bench = AlgoBench()
    order = bench.place(**TRAIL, activatePrice="81000", clientAlgoId="t")
    assert [event["o"]["ia"] for event in bench.events] == [False]
    bench.step(80_500, 79_000)
    assert order.status is AlgoStatus.NEW
    bench.step(81_000, 82_000)
    assert [event["o"]["ia"] for event in bench.events] == [False, True]
    bench.step(81_180.1)
    assert order.status is AlgoStatus.NEW
    bench.step(81_180)
    bench.step()
    assert order.status is AlgoStatus.FINISHED
    assert bench.orders.children[0].original_kind == "TRAILING_STOP_MARKET"


def test_a_trailing_stop_without_activation_price_is_active_at_once():
    bench = AlgoBench()
    order = bench.place(**TRAIL, side="BUY")
    assert placed_row(order, bench.desk.instrument(0))["activatePrice"] == "80000.00"
    assert [event["o"]["ia"] for event in bench.events] == [False, True]
    bench.step(79_000, 79_789)
    assert order.status is AlgoStatus.NEW
    bench.step(79_790)
    bench.step()
    assert order.status is AlgoStatus.FINISHED


def test_trades_before_a_placement_do_not_trigger_it():
    bench = AlgoBench()
    bench.now = START + 100
    order = bench.place()
    bench.now = START
    bench.prices.lasts[0] = Decimal(80_000)
    previous = bench.now
    bench.step(78_000, 80_000, 80_000)  # the first trade is at 62 ms, the order came at 100 ms
    assert previous == START
    assert order.status is AlgoStatus.NEW


def test_two_that_fire_in_one_step_fire_in_the_order_of_the_trades():
    bench = AlgoBench()
    low, high = bench.place(clientAlgoId="low"), bench.place(clientAlgoId="high", side="BUY", triggerPrice="81000")
    bench.told()
    bench.step(81_000, 79_000)
    assert bench.told()[:2] == [("high", "TRIGGERING"), ("low", "TRIGGERING")]
    assert low.trigger_ms > high.trigger_ms


def test_a_list_that_lags_shows_orders_late_and_too_long():
    bench = AlgoBench(algo_read_lag_ms=400)
    order = bench.place()
    assert bench.desk.open_orders(None, bench.now) == []
    bench.now += 400
    assert bench.desk.open_orders(0, bench.now) == [order]
    assert bench.desk.open_orders(1, bench.now) == []
    bench.desk.cancel(order.algo_id, None, bench.now)
    bench.now += 399
    assert bench.desk.open_orders(None, bench.now) == [order]
    bench.now += 1
    assert bench.desk.open_orders(None, bench.now) == []


def test_a_fault_plan_can_hold_orders_in_triggering_and_refuse_them():
    bench = AlgoBench()
    held, refused = bench.place(), bench.place(triggerPrice="78000")
    bench.desk.stuck = True
    bench.step(79_000)
    bench.step()
    bench.step()
    assert held.status is AlgoStatus.TRIGGERING
    assert bench.desk.open_orders(None, bench.now) == [held, refused]
    bench.desk.stuck = False
    bench.step()
    assert held.status is AlgoStatus.FINISHED
    bench.desk.reject_reason = "Margin is insufficient."
    bench.step(78_000)
    bench.step()
    assert (refused.status, refused.reason) == (AlgoStatus.REJECTED, "Margin is insufficient.")


def test_a_child_may_bear_the_orders_own_id():
    ids = []
    for bears in (False, True):
        bench = AlgoBench(algo_child_bears_algo_id=bears)
        bench.place(clientAlgoId="mine")
        bench.step(79_000)
        bench.step()
        ids.append(bench.orders.children[0].client_id)
    assert ids[0] != "mine"
    assert ids[1] == "mine"


def test_what_the_venue_keeps_no_longer_does_not_exist():
    bench = AlgoBench()
    order = bench.place()
    bench.desk.cancel(order.algo_id, None, bench.now)
    bench.now += 3 * 86_400_000
    with pytest.raises(RefusalError) as caught:
        bench.desk.find(order.algo_id, None, bench.now)
    assert caught.value.code == -2013
    bench.now = bench.now // 3_600_000 * 3_600_000 + 3_600_000 - 100
    bench.step()
    assert bench.desk.store.history(0, START) == []
    assert bench.desk.store.find(None, order.client_id, START) is None


def test_a_client_id_means_its_older_order_again_once_the_newer_is_forgotten():
    bench = AlgoBench()
    bench.hold("0.010")
    older = bench.place(clientAlgoId="a")
    bench.step("78999")
    bench.step("79500")
    assert older.child.executed
    newer = bench.place(clientAlgoId="a")
    bench.desk.cancel(newer.algo_id, None, bench.now)
    late = bench.now + 4 * 86_400_000
    assert bench.desk.find(None, "a", late) is older
    bench.desk.store.purge(late)
    assert bench.desk.find(None, "a", late) is older
    with pytest.raises(RefusalError):
        bench.desk.find(newer.algo_id, None, late)


def test_nothing_triggers_and_nothing_is_placed_while_a_symbol_is_halted():
    bench = AlgoBench()
    order = bench.place(workingType="MARK_PRICE")
    trading = bench.listings[0]
    halted = msgspec.structs.replace(trading.instrument, status="TRADING_HALT")
    bench.listings[0] = msgspec.structs.replace(trading, instrument=halted)
    bench.step(78_000)
    assert (order.status, bench.code()) == (AlgoStatus.NEW, -4140)
    bench.listings[0] = trading
    bench.step()
    bench.step()
    assert order.status is AlgoStatus.FINISHED


def test_a_symbol_that_settles_expires_its_orders():
    bench = AlgoBench()
    order, other = bench.place(), bench.place(symbol="ETHUSDT", triggerPrice="2900")
    bench.desk.expire_all(0, "Symbol is closed.", bench.now)
    assert (order.status, order.reason, other.status) == (AlgoStatus.EXPIRED, "Symbol is closed.", AlgoStatus.NEW)
