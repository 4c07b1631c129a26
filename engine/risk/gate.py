"""The breaker on the wire: makes requests wait or holds them back, and hears how each one ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.risk import breaker
from engine.risk.breaker import Admit, BreakerEvent, BreakerState, Bypassed, Failed, Succeeded, Ticked, WasReset
from exchange.errors import HeldBackError

if TYPE_CHECKING:
    from engine.snapshot import BreakerView
    from exchange.binance.gate import Settlement
    from exchange.ports import Clock
    from exchange.priority import Priority

LONGEST_WAIT_S = 30.0
"""A request that would wait longer is held back instead; its sender decides anew."""


class BreakerBlockedError(HeldBackError):
    """The breaker did not let a request pass; no byte was sent."""


class BreakerGate:
    """The `Gate` of the exchange client over the pure breaker. Holds the state, decides nothing itself.

    Instants follow the monotonic clock from the wall clock's reading at construction, so that a stepping wall clock
    neither shortens nor stretches a pause.
    """

    def __init__(self, clock: Clock, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._clock = clock
        self._longest_wait_s = longest_wait_s
        self._origin_ms = clock.now_ms() - clock.monotonic() * 1000
        self._told = 0
        self.state = BreakerState()

    def _now(self) -> int:
        return round(self._origin_ms + self._clock.monotonic() * 1000)

    async def enter(self, priority: Priority, operation: str) -> None:
        """Return when the request may go. Raises BreakerBlockedError naming the reason; never for CRITICAL."""
        deadline = self._clock.monotonic() + self._longest_wait_s
        waited = False
        while True:
            decision = self._ask(priority)
            if decision.blocked:
                raise BreakerBlockedError(f"{operation} held back: {decision.reason}")
            if decision.wait_s == 0 or (waited and decision.throttled):
                return
            if self._clock.monotonic() + decision.wait_s > deadline:
                raise BreakerBlockedError(f"{operation} held back: {decision.reason}")
            waited = waited or decision.throttled
            await self._clock.sleep(decision.wait_s)

    def _ask(self, priority: Priority) -> Admit:
        self.state, decision = breaker.admit(self.state, priority, self._now())
        return decision

    def settled(self, settlement: Settlement) -> None:
        """Take note of the end of a request that was admitted; one the desk gave up says nothing about the venue."""
        if settlement.abandoned:
            return
        if settlement.cause is None:
            self.apply(Succeeded(settlement.priority))
        else:
            self.apply(Failed(settlement.priority, settlement.cause.value, settlement.retry_after_s))

    def apply(self, event: BreakerEvent) -> None:
        """Feed the breaker."""
        self.state = breaker.apply(self.state, event, self._now())

    def tick(self) -> None:
        """Let pauses and bypasses end; call it about once a second."""
        self.apply(Ticked())

    def bypass(self, seconds: int, reason: str, by: str) -> None:
        """Let requests through for a while; a pause the exchange asked for still holds. Raises BreakerError."""
        self.apply(Bypassed(seconds, reason, by))

    def reset(self, reason: str, by: str) -> None:
        """Set back to NORMAL; a pause the exchange asked for still holds. Raises BreakerError."""
        self.apply(WasReset(reason, by))

    def news(self) -> tuple[tuple[int, str], ...]:
        """Return the audit lines written since the last call, oldest first, at most 100."""
        fresh = min(self.state.audited - self._told, len(self.state.audit))
        self._told = self.state.audited
        return self.state.audit[len(self.state.audit) - fresh :]

    def view(self) -> BreakerView:
        """Return the panel's picture."""
        return breaker.breaker_view(self.state)
