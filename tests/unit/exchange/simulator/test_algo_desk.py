import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from algo_bench import START, AlgoBench

from exchange.simulator.answers import RefusalError
from exchange.simulator.encode import encode_json
from exchange.simulator.frames import stray
from exchange.simulator.trading.algo_model import AlgoStatus
from exchange.simulator.trading.algo_rows import cancelled_row, placed_row, queried_row
from exchange.simulator.trading.model import Status

RECORDED = Path(__file__).resolve().parents[5] / "shared" / "data" / "payloads" / "nautilus" / "ws"
CLOSE = {"closePosition": "true", "quantity": None}
TRAIL = {"type": "TRAILING_STOP_MARKET", "triggerPrice": None, "callbackRate": "1"}


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
    ("kind", "side", "trigger"),
    [
        ("STOP_MARKET", "BUY", "80000"),
        ("STOP_MARKET", "SELL", "80000"),
        ("TAKE_PROFIT_MARKET", "BUY", "80000"),
        ("TAKE_PROFIT_MARKET", "SELL", "79999.9"),
    ],
)
def test_what_would_trigger_at_once_is_refused(kind, side, trigger):
    assert AlgoBench().code(type=kind, side=side, triggerPrice=trigger) == -2021
    assert AlgoBench(immediate_trigger_code=-4142).code(type=kind, side=side, triggerPrice=trigger) == -4142


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"algoType": None}, -1102),
        ({"algoType": "VP"}, -1130),
        ({"symbol": "NOSUCH"}, -1121),
        ({"side": "LONG"}, -1117),
        ({"type": "LIMIT"}, -1116),
        ({"positionSide": "UP"}, -4060),
        ({"positionSide": "LONG"}, -4061),
        ({"timeInForce": "DAY"}, -1115),
        ({"workingType": "INDEX"}, -1130),
        ({"newOrderRespType": "FULL"}, -1136),
        ({"selfTradePreventionMode": "SOME"}, -5039),
        ({"priceMatch": "QUEUE"}, -5038),
        ({"type": "STOP", "price": "79000", "priceMatch": "QUEUE"}, -5037),
        ({"quantity": None}, -1102),
        ({"triggerPrice": None}, -1102),
        ({"type": "STOP"}, -1102),
        ({"timeInForce": "GTD"}, -1102),
        ({"timeInForce": "GTD", "goodTillDate": str(START + 600_000)}, -5040),
        ({"clientAlgoId": "x" * 37}, -4015),
        ({"clientAlgoId": "a b"}, -4015),
        ({"quantity": "0.0101"}, -1111),
        ({"triggerPrice": "79000.001"}, -1111),
        ({"triggerPrice": "79000.05"}, -4014),
        ({"triggerPrice": "-1"}, -4006),
        ({"triggerPrice": "1000000.10"}, -4007),
        ({"quantity": "0"}, -4003),
        ({"quantity": "1000.001"}, -4005),
        ({"triggerPrice": "lots"}, -1100),
        ({"type": "STOP", "price": "75049.9"}, -4184),
        ({"type": "STOP", "price": "75050"}, 0),
        ({"type": "STOP", "side": "BUY", "triggerPrice": "81000", "price": "85050.1"}, -4183),
        ({"type": "STOP", "priceMatch": "OPPONENT"}, 0),
        ({**TRAIL, "callbackRate": None}, -1102),
        ({**TRAIL, "callbackRate": "0.09"}, -2007),
        ({**TRAIL, "callbackRate": "20.1"}, -2007),
        ({**TRAIL, "callbackRate": "20"}, 0),
        ({**TRAIL, "activatePrice": "0"}, -4135),
        ({**TRAIL, "activatePrice": "80000"}, -2021),
        ({**TRAIL, "activatePrice": "80100.05"}, -4014),
        ({**TRAIL, "side": "BUY", "activatePrice": "80000.10"}, -2021),
        ({**CLOSE, "type": "TRAILING_STOP_MARKET", "callbackRate": "1"}, -4136),
        ({**CLOSE, "type": "STOP", "price": "79000"}, -4136),
        ({"closePosition": "true"}, -4137),
        ({**CLOSE, "reduceOnly": "true"}, -1106),
        ({**CLOSE, "reduceOnly": "false"}, -4138),
        (CLOSE, -4509),
        ({"timeInForce": "GTE_GTC"}, -4509),
        ({"reduceOnly": "true"}, 0),
        ({"closePosition": "FALSE", "timeInForce": "GTX", "newOrderRespType": "RESULT"}, 0),
    ],
)
def test_a_placement_is_checked(params, code):
    bench = AlgoBench()
    assert bench.code(**params) == code
    assert len(bench.desk.store.waiting) == (0 if code else 1)
    assert bool(bench.events) is not bool(code)


def test_hedge_mode_wants_a_position_side_and_no_reduce_only():
    bench = AlgoBench()
    bench.account.dual_side = True
    assert bench.code() == -4061
    assert bench.code(positionSide="LONG", reduceOnly="true") == -1106
    assert bench.code(positionSide="LONG") == 0
    assert bench.code(positionSide="SHORT", **CLOSE) == -2022


def test_margin_is_not_looked_at_before_the_trigger():
    bench = AlgoBench()
    order = bench.place(quantity="1000")
    bench.orders.refusal = (-2019, "Margin is insufficient.")
    bench.step(79_000)
    bench.step()
    assert (order.status, order.reason, order.child) == (AlgoStatus.REJECTED, "Margin is insufficient.", None)
    assert bench.events[-1]["o"]["rm"] == "Margin is insufficient."


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


def test_a_client_id_is_taken_only_while_its_order_waits():
    bench = AlgoBench()
    first = bench.place(clientAlgoId="a")
    assert bench.code(clientAlgoId="a") == -4116
    bench.desk.cancel(first.algo_id, None, bench.now)
    second = bench.place(clientAlgoId="a")
    assert bench.desk.find(None, "a", bench.now) is second
    assert bench.desk.find(first.algo_id, "a", bench.now) is first


def test_the_first_check_an_order_fails_gives_the_code():
    bench = AlgoBench()
    for _ in range(200):
        bench.place(clientAlgoId=f"a{bench.desk.store.count_waiting()}")
    failures = [
        (-1111, {"triggerPrice": "81000.001"}),
        (-4061, {"positionSide": "LONG"}),
        (-2021, {"triggerPrice": "81000"}),
        (-4509, CLOSE),
        (-4116, {"clientAlgoId": "a7"}),
        (-4045, {}),
    ]
    for place, (code, _) in enumerate(failures):
        params = {name: value for _, more in reversed(failures[place:]) for name, value in more.items()}
        assert bench.code(**params) == code


def test_the_201st_conditional_order_is_refused_whatever_its_symbol():
    bench = AlgoBench()
    orders = [bench.place() for _ in range(200)]
    assert bench.code(symbol="ETHUSDT", triggerPrice="2900") == -4045
    bench.desk.cancel(orders[7].algo_id, None, bench.now)
    assert bench.code(symbol="ETHUSDT", triggerPrice="2900") == 0


def test_the_code_at_the_cap_is_a_question():
    bench = AlgoBench(algo_cap_code=-2025)
    for _ in range(200):
        bench.place()
    assert bench.code() == -2025


def test_one_close_position_order_per_direction_and_family():
    bench = AlgoBench()
    bench.hold("0.010")
    assert bench.code(**CLOSE) == 0
    assert bench.code(**CLOSE, triggerPrice="78000") == -4130
    assert bench.code(**CLOSE, type="TAKE_PROFIT_MARKET", triggerPrice="81000") == 0
    assert bench.code(**CLOSE, type="TAKE_PROFIT_MARKET", triggerPrice="82000") == -4130
    assert bench.code(**CLOSE, side="BUY", triggerPrice="81000") == -4509


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


def test_a_reduce_only_order_while_flat_is_a_question():
    assert AlgoBench(reduce_only_algo_needs_position=True).code(reduceOnly="true") == -2022


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
