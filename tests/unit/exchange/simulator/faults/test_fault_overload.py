"""-1008: who is turned away by an overloaded venue, and who is not."""

from urllib.parse import urlencode

import msgspec
import pytest
from hand_trading import Trader
from small_market import START

from exchange.simulator.faults.overload import is_turned_away
from exchange.simulator.faults.plan import make_plan
from exchange.simulator.faults.requests import Request
from exchange.simulator.questions import OpenQuestions

ORDER, TEST, BATCH, ALGO = (f"/fapi/v1/{name}" for name in ("order", "order/test", "batchOrders", "algoOrder"))
OPENS = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}
REDUCES = OPENS | {"reduceOnly": "TRUE"}
TEXT = "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again."


def asked(method, path, *, in_body=False, **params):
    text = urlencode(params).encode()
    return Request(method, path, b"" if in_body else text, text if in_body else b"", {})


def batch(*orders):
    return asked("POST", BATCH, batchOrders=msgspec.json.encode(orders).decode())


@pytest.mark.parametrize(
    "request_",
    [
        asked("POST", ORDER, **OPENS),
        asked("POST", TEST, **OPENS),
        asked("POST", ORDER, **OPENS, positionSide="LONG"),
        asked("POST", ORDER, **OPENS, reduceOnly="false"),
        asked("POST", ORDER, **OPENS, reduceOnly="maybe"),
        asked("POST", ALGO, **REDUCES),
        batch(REDUCES, OPENS),
        asked("POST", BATCH, batchOrders="no list"),
    ],
)
def test_what_may_open_is_turned_away(request_):
    assert is_turned_away(request_, spares_conditional=False)


@pytest.mark.parametrize(
    "request_",
    [
        asked("POST", ORDER, **REDUCES),
        asked("POST", ORDER, in_body=True, **REDUCES),
        asked("POST", TEST, **REDUCES),
        asked("POST", ORDER, **OPENS, positionSide="SHORT"),
        asked("POST", ORDER, symbol="BTCUSDT", side="SELL", positionSide="LONG"),
        asked("DELETE", ORDER, symbol="BTCUSDT", orderId="1"),
        asked("GET", ORDER, symbol="BTCUSDT", orderId="1"),
        asked("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage="1"),
        batch(REDUCES, REDUCES),
    ],
)
def test_what_reduces_cancels_or_asks_passes(request_):
    assert not is_turned_away(request_, spares_conditional=False)


def test_whether_conditional_orders_that_close_pass_is_a_question():
    assert not is_turned_away(asked("POST", ALGO, **OPENS, closePosition="true"), spares_conditional=True)
    assert is_turned_away(asked("POST", ALGO, **OPENS), spares_conditional=True)


@pytest.mark.parametrize("spares", [False, True])
def test_an_overload_answers_503_executes_nothing_and_counts_whom_it_hit(spares):
    trader = Trader(questions=OpenQuestions(overload_spares_conditional=spares))
    exchange = trader.exchange
    exchange.set_faults(make_plan({"fault": [{"kind": "overload"}]}))
    answer = exchange.serve(asked("POST", ORDER, **OPENS), START).answer
    assert (answer.status, msgspec.json.decode(answer.body)) == (503, {"code": -1008, "msg": TEXT})
    passed = exchange.serve(asked("POST", ALGO, **REDUCES), START).answer
    assert (passed.status == 503) is not spares
    assert exchange.fault_report()[0]["struck"] == (1 if spares else 2)
    assert trader.position() == "0"
