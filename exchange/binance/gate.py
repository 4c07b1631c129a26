"""Where a circuit breaker hooks into every request, and what counts as a sign of a sick venue."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol

from exchange.binance.outcomes import Outcome, Verdict
from exchange.priority import Priority


class FailureCause(Enum):
    """Failures that count against the health of the connection."""

    TRANSPORT = "transport"
    TIMEOUT = "timeout"
    SERVER = "server"
    RATE_LIMIT = "rate_limit"
    BAN = "ban"
    INTERNAL = "internal"
    OVERLOAD = "overload"
    CLOCK = "clock"


class Settlement(NamedTuple):
    """How one request ended, as the breaker sees it."""

    priority: Priority
    operation: str
    cause: FailureCause | None
    """None for a success and for a business refusal: both prove a healthy venue."""
    retry_after_s: float | None = None
    """The pause the venue asked for with 429 or 418, in desk seconds."""
    abandoned: bool = False
    """Whether the desk stopped waiting itself (a cancelled task): neither a success nor a failure."""


class Gate(Protocol):
    """Admits requests and hears how each one ended. Every admitted request is settled exactly once."""

    async def enter(self, priority: Priority, operation: str) -> None:
        """Return when the request may go. Raises `exchange.errors.HeldBackError` with the reason when it may not.

        `operation` is method and path, for example `GET /fapi/v1/klines`. CRITICAL is always admitted. The gate bounds
        its own waits: what cannot go within seconds is held back.
        """

    def settled(self, settlement: Settlement) -> None:
        """Take note of the end of a request that was admitted."""


class OpenGate:
    """A gate that admits everything and remembers nothing."""

    async def enter(self, priority: Priority, operation: str) -> None:
        """Admit at once."""

    def settled(self, settlement: Settlement) -> None:
        """Ignore."""


_BY_CODE: dict[int, FailureCause] = {
    -1001: FailureCause.INTERNAL,
    -1003: FailureCause.RATE_LIMIT,
    -1008: FailureCause.OVERLOAD,
    -1021: FailureCause.CLOCK,
}
_BY_STATUS: dict[int, FailureCause] = {
    408: FailureCause.TIMEOUT,
    418: FailureCause.BAN,
    429: FailureCause.RATE_LIMIT,
}


def failure_cause(verdict: Verdict, status: int | None, *, timed_out: bool = False) -> FailureCause | None:
    """Return why a request counts against the venue's health, or None when it does not.

    Counted: transport errors, time-outs, 5xx, 429, 418 and the codes -1001, -1003, -1008, -1021. A refusal for
    business reasons is never counted; a 2xx that is not JSON counts as a server failure.
    """
    if verdict.outcome is Outcome.OK:
        return None
    if status is None:
        return FailureCause.TIMEOUT if timed_out else FailureCause.TRANSPORT
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if verdict.code in _BY_CODE:
        return _BY_CODE[verdict.code]
    if status >= 500 or status < 400:
        return FailureCause.SERVER
    return None
