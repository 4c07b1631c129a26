"""Faults on the wire: what is executed, what the sender sees, and what arrives on a socket."""

import asyncio

import msgspec
import pytest
from small_market import START, SmallMarket
from virtual_loop import VirtualClock, run_virtual

from exchange.ports import LostError, NotSentError, StreamClosedError
from exchange.simulator.core import Exchange
from exchange.simulator.faults.plan import make_plan
from exchange.simulator.faults.requests import Request
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions

TOKEN = "of-this-run"


def exchange_with(*faults, **options):
    exchange = Exchange(SmallMarket(), options=ExchangeOptions(control_token=TOKEN, **options))
    exchange.set_faults(make_plan({"fault": list(faults)}))
    return exchange


def get(path, query=b""):
    return Request("GET", path, query, b"", {})


def used_weight(exchange):
    return exchange.venue.weights.used(exchange.now_ms)


@pytest.mark.parametrize("executed", [True, False])
def test_a_lost_answer_was_executed_or_not_as_the_plan_says(executed):
    exchange = exchange_with({"kind": "lost_answer", "on": ["GET /fapi/v1/p*"], "executed": executed})
    assert exchange.serve(get("/fapi/v1/ping"), START).answer is None
    assert used_weight(exchange) == (1 if executed else 0)
    assert exchange.serve(get("/fapi/v1/time"), START).answer.status == 200


def test_a_slow_answer_comes_with_its_delay():
    exchange = exchange_with({"kind": "slow_answer", "seconds": 2.5})
    fate = exchange.serve(get("/fapi/v1/ping"), START)
    assert (fate.answer.status, fate.delay_s) == (200, 2.5)


def test_a_late_execution_answers_unknown_now_and_acts_later():
    exchange = exchange_with({"kind": "late_execution", "seconds": 3.0, "times": 1})
    fate = exchange.serve(get("/fapi/v1/ping"), START)
    assert (fate.answer.status, msgspec.json.decode(fate.answer.body)["code"]) == (503, -1007)
    exchange.advance(START + 2_900)
    assert used_weight(exchange) == 0
    exchange.advance(START + 3_000)
    assert used_weight(exchange) == 1


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "error_answer", "status": 503, "code": -1008, "msg": "m"}, 503, b'{"code":-1008,"msg":"m"}'),
        ({"kind": "error_answer", "status": 403, "body": "<html>"}, 403, b"<html>"),
        ({"kind": "maintenance"}, 503, b'{"code":-1016,"msg":"This service is no longer available."}'),
        ({"kind": "empty_answer"}, 200, b"[]"),
        ({"kind": "garbled_answer", "variant": "html"}, 200, b"<html><body><h1>502 Bad Gateway</h1></body></html>"),
    ],
)
def test_an_answer_is_replaced(fault, status, body):
    answer = exchange_with(fault).serve(get("/fapi/v1/ping"), START).answer
    assert (answer.status, answer.body) == (status, body)


def test_the_end_of_a_list_goes_missing():
    whole = exchange_with().serve(get("/fapi/v1/ticker/price"), START).answer
    short = exchange_with({"kind": "short_batch", "missing": 1}).serve(get("/fapi/v1/ticker/price"), START).answer
    assert msgspec.json.decode(short.body) == msgspec.json.decode(whole.body)[:-1]


def test_frames_are_lost_repeated_swapped_and_broken():
    def heard(*faults):
        exchange = exchange_with(*faults)
        session = exchange.open("/market/ws/" + exchange.venue.tape.symbols[0].lower() + "@markPrice@1s", START)
        exchange.advance(START + 4_000)
        return list(session.outbox)

    sound = heard()
    assert len(sound) == 4
    assert heard({"kind": "lost_frame", "times": 1}) == sound[1:]
    assert heard({"kind": "stall", "route": "private"}) == sound
    assert heard({"kind": "repeated_frame", "times": 1}) == [sound[0], *sound]
    assert heard({"kind": "swapped_frames", "times": 1}) == [sound[1], sound[0], *sound[2:]]
    assert heard({"kind": "swapped_frames"}) == [sound[1], sound[0], sound[3], sound[2]]
    assert heard({"kind": "late_frame", "seconds": 2.0, "times": 1}) == sound
    assert heard({"kind": "late_frame", "seconds": 9.0, "times": 1}) == []
    assert heard({"kind": "malformed_frame", "variant": "cut", "times": 1})[0] == sound[0][: len(sound[0]) // 2]
    assert heard({"kind": "stall"}) == []


@pytest.mark.parametrize("kind", [{"kind": "late_frame", "seconds": 9.0}, {"kind": "swapped_frames"}])
def test_what_a_plan_held_back_comes_once_it_is_healed(kind):
    def heard(*faults):
        exchange = exchange_with(*faults)
        session = exchange.open("/market/ws/" + exchange.venue.tape.symbols[0].lower() + "@markPrice@1s", START)
        exchange.advance(START + 1_000)
        before = list(session.outbox)
        exchange.set_faults(make_plan({}))
        exchange.advance(START + 3_000)
        return before, list(session.outbox)

    assert heard(kind | {"times": 1}) == ([], heard()[1])


def test_a_late_execution_happens_at_once_where_the_plan_is_healed_before():
    exchange = exchange_with({"kind": "late_execution", "seconds": 30.0, "times": 1})
    exchange.serve(get("/fapi/v1/ping"), START)
    exchange.set_faults(make_plan({}))
    assert used_weight(exchange) == 1


def test_a_moment_bans_cuts_and_steps_the_clock():
    exchange = exchange_with(
        {"kind": "action", "at": [1.0], "do": {"action": "ban", "seconds": 10.0}},
        {"kind": "action", "at": [2.0], "do": {"action": "disconnect"}},
        {"kind": "action", "at": [3.0], "do": {"action": "step_clock", "ms": 5000}},
    )
    session = exchange.open("/market/ws", START)
    assert exchange.serve(get("/fapi/v1/ping"), START + 999).answer.status == 200
    assert exchange.serve(get("/fapi/v1/ping"), START + 1_000).answer.status == 418
    exchange.advance(START + 2_000)
    assert session.ending.code == 1006
    answer = exchange.serve(get("/fapi/v1/time"), START + 11_000).answer
    assert msgspec.json.decode(answer.body) == {"serverTime": START + 16_000}
    assert [row["struck"] for row in exchange.fault_report()] == [1, 1, 1]


def test_a_planned_action_that_cannot_be_done_is_reported_and_time_goes_on():
    exchange = exchange_with(
        {"kind": "action", "at": [1.0], "do": {"action": "liquidate", "symbol": "BTCUSDT"}},
        {"kind": "action", "at": [1.0], "do": {"action": "transfer", "amount": "-20000"}},
        {"kind": "action", "at": [1.0], "do": {"action": "symbol", "symbol": "BTCUSDT", "state": "close"}},
        {"kind": "action", "at": [2.0], "do": {"action": "step_clock", "ms": 7}},
    )
    exchange.advance(START + 3_000)
    assert exchange.venue.clock_error_ms == 7
    assert [row["refused"] for row in exchange.fault_report()] == [
        "action liquidate: BTCUSDT BOTH has no position",
        "HTTP 400, code -2018: Balance is insufficient.",
        "action symbol: BTCUSDT is TRADING: settle it before it is closed",
        "",
    ]


def test_the_control_endpoint_wants_its_token_and_a_known_action():
    exchange = exchange_with()

    def control(body, token=TOKEN):
        return exchange.serve(Request("POST", "/sim/control", b"", body, {"x-sim-token": token}), START).answer

    assert control(b"{}", token="guessed").status == 401
    assert b"actions are" in control(b"{}").body
    assert control(b"{").status == 400
    assert control(b'{"action":"ban","seconds":5}').status == 200
    assert exchange.serve(get("/fapi/v1/ping"), START).answer.status == 418
    assert control(b'{"action":"faults","plan":{"fault":[{"kind":"maintenance"}]}}').status == 200
    assert exchange.serve(get("/fapi/v1/ping"), START + 6_000).answer.status == 503
    assert control(b'{"action":"faults","plan":{}}').status == 200
    assert exchange.serve(get("/fapi/v1/ping"), START + 7_000).answer.status == 200


def test_without_a_token_there_is_no_control_endpoint():
    exchange = Exchange(SmallMarket())
    assert exchange.serve(Request("POST", "/sim/control", b"", b"{}", {}), START).answer.status == 404


def test_the_memory_front_shows_lost_late_and_refused_as_a_wire_would():
    async def main():
        exchange = exchange_with(
            {"kind": "lost_answer", "on": ["* /fapi/v1/ping"], "times": 1},
            {"kind": "lost_answer", "on": ["* /fapi/v1/ping"], "how": "timeout", "times": 1},
            {"kind": "slow_answer", "on": ["* /fapi/v1/ping"], "seconds": 3.0, "times": 2},
            {"kind": "refuse_connections", "times": 1},
        )
        front = MemoryFront(exchange, VirtualClock(START))
        loop = asyncio.get_running_loop()

        async def ask(deadline):
            begun = loop.time()
            try:
                await front.rest.send("GET", "/fapi/v1/ping", b"", {}, deadline)
            except LostError as lost:
                return type(lost.__cause__), loop.time() - begun
            return None, loop.time() - begun

        assert await ask(1.0) == (type(None), 0.0)
        assert await ask(1.0) == (TimeoutError, 1.0)
        assert await ask(1.0) == (TimeoutError, 1.0)
        assert await ask(5.0) == (None, 3.0)
        with pytest.raises(NotSentError):
            await front.dialer.connect("/market/ws", 1.0)
        stream = await front.dialer.connect("/market/ws", 1.0)
        exchange.control.act({"action": "disconnect"})
        front.wake()
        with pytest.raises(StreamClosedError) as closed:
            await stream.receive()
        assert closed.value.code == 1006

    run_virtual(main())
