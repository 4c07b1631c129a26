"""What the algo service looks at before it accepts a conditional order (contract 4.3)."""

import pytest
from algo_bench import CLOSE, START, TRAIL, AlgoBench

from exchange.simulator.trading.algo_model import AlgoStatus


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


def test_a_reduce_only_order_while_flat_is_a_question():
    assert AlgoBench(reduce_only_algo_needs_position=True).code(reduceOnly="true") == -2022
