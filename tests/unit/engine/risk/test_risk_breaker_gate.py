"""The breaker on the wire."""

from __future__ import annotations

import pytest

from engine.risk.breaker import BreakerError
from engine.risk.gate import BreakerBlockedError, BreakerGate
from exchange.binance.gate import FailureCause, Gate, Settlement
from exchange.errors import HeldBackError
from exchange.priority import Priority


class SteppedClock:
    """A clock that sleeping moves, and whose wall reading can be stepped apart from it."""

    def __init__(self) -> None:
        self.elapsed = 100.0
        self.wall_error_ms = 0

    def now_ms(self) -> int:
        return 1_700_000_000_000 + round(self.elapsed * 1000) + self.wall_error_ms

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


def fail(gate: BreakerGate, times: int, pause: float | None = None) -> None:
    for _ in range(times):
        gate.settled(Settlement(Priority.NORMAL, "GET /x", FailureCause.TIMEOUT, pause))


async def test_a_healthy_gate_admits_at_once():
    clock = SteppedClock()
    gate: Gate = BreakerGate(clock)
    await gate.enter(Priority.LOW, "GET /x")
    assert clock.elapsed == 100.0


async def test_a_throttled_request_waits_two_seconds_once():
    clock = SteppedClock()
    gate = BreakerGate(clock)
    fail(gate, 4)
    await gate.enter(Priority.NORMAL, "GET /x")
    assert clock.elapsed == 102.0


async def test_a_blocked_gate_raises_with_the_operation_and_the_reason():
    gate = BreakerGate(SteppedClock())
    fail(gate, 5)
    with pytest.raises(BreakerBlockedError, match=r"POST /order held back: blocked after 5 failures \(last: timeout\)"):
        await gate.enter(Priority.HIGH, "POST /order")
    assert issubclass(BreakerBlockedError, HeldBackError)


async def test_critical_is_admitted_whatever_the_state():
    clock = SteppedClock()
    gate = BreakerGate(clock)
    fail(gate, 20, pause=3_600.0)
    await gate.enter(Priority.CRITICAL, "DELETE /order")
    assert clock.elapsed == 100.0


async def test_a_request_waits_for_the_exchanges_pause_up_to_its_patience():
    clock = SteppedClock()
    gate = BreakerGate(clock)
    fail(gate, 1, pause=10.0)
    await gate.enter(Priority.HIGH, "POST /order")
    assert clock.elapsed == 110.0
    fail(gate, 1, pause=31.0)
    with pytest.raises(BreakerBlockedError, match="pause of another 31"):
        await gate.enter(Priority.HIGH, "POST /order")


async def test_the_probe_of_a_blocked_gate_reopens_it():
    clock = SteppedClock()
    gate = BreakerGate(clock)
    fail(gate, 8)
    clock.elapsed += 60.0
    await gate.enter(Priority.NORMAL, "GET /ping")
    gate.settled(Settlement(Priority.NORMAL, "GET /ping", None))
    assert gate.view().state == "NORMAL"


async def test_a_stepping_wall_clock_neither_opens_nor_prolongs_the_block():
    clock = SteppedClock()
    gate = BreakerGate(clock)
    fail(gate, 5)
    clock.wall_error_ms = 7_200_000
    with pytest.raises(BreakerBlockedError):
        await gate.enter(Priority.HIGH, "POST /order")
    clock.wall_error_ms = -7_200_000
    clock.elapsed += 60.0
    await gate.enter(Priority.HIGH, "POST /order")


async def test_news_are_the_audit_lines_since_the_last_call():
    gate = BreakerGate(SteppedClock())
    fail(gate, 1)
    assert [text for _, text in gate.news()] == ["failure 1: timeout", "NORMAL -> WARNING"]
    assert gate.news() == ()
    gate.reset("checked", "anna")
    assert [text for _, text in gate.news()] == ["reset to NORMAL by anna: checked"]
    fail(gate, 300)
    assert len(gate.news()) == 100


async def test_orders_of_the_operator_reach_the_breaker():
    clock = SteppedClock()
    gate = BreakerGate(clock)
    fail(gate, 6)
    with pytest.raises(BreakerError, match="reason"):
        gate.bypass(60, "", "anna")
    gate.bypass(60, "maintenance over", "anna")
    await gate.enter(Priority.LOW, "GET /x")
    clock.elapsed += 60.0
    gate.tick()
    assert gate.view().bypass_until_ms == 0


def test_a_request_the_desk_gave_up_itself_is_neither_a_success_nor_a_failure():
    clock = SteppedClock()
    gate = BreakerGate(clock)
    fail(gate, 3)
    gate.settled(Settlement(Priority.NORMAL, "GET /x", None, abandoned=True))
    assert gate.state.failures == 3


async def test_a_probe_the_desk_gave_up_itself_does_not_open_the_gate():
    clock = SteppedClock()
    gate = BreakerGate(clock)
    fail(gate, 5)
    clock.elapsed += 60.0
    await gate.enter(Priority.LOW, "GET /x")
    gate.settled(Settlement(Priority.LOW, "GET /x", None, abandoned=True))
    with pytest.raises(BreakerBlockedError):
        await gate.enter(Priority.LOW, "GET /x")
    clock.elapsed += 60.0
    await gate.enter(Priority.LOW, "GET /x")
