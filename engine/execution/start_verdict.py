"""When a start of live orders that does not come through is given up, and with which exit code. Pure.

Only a desk that holds nothing gives up: no position, no plan, no order that has not ended. One that holds something
waits for the exchange as long as it takes, and so does one whose key is refused: a restart would not change that.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from exchange.errors import (
    BannedError,
    ClockError,
    CredentialsError,
    ExchangeError,
    OverloadedError,
    RateLimitedError,
    RestrictedError,
    UnknownOutcomeError,
    UnsentError,
)

RECONCILE, CLOCK, VENUE = 13, 15, 17
AWAY: Final = (
    BannedError,
    OverloadedError,
    RateLimitedError,
    RestrictedError,
    UnknownOutcomeError,
    UnsentError,
)
"""Errors of an exchange that bans, is in maintenance, or does not answer."""


class StartStanding(NamedTuple):
    """How far a start has come. Times are desk seconds."""

    step: str
    """The step it is at, in words; empty once account and book are reconciled."""
    trouble: ExchangeError | None
    """What the step failed with last."""
    fault: str
    """Why account and book could not be joined, empty for no such reason."""
    clock_error_ms: int
    """How far the exchange's clock may be from what the desk takes it for."""
    holds: bool
    """Whether anything of the desk is or may be open."""
    waited_s: float


class Ending(NamedTuple):
    """An end of the process."""

    code: int
    text: str


def is_through(standing: StartStanding, clock_ms: int) -> bool:
    """Say whether the start came through, with a clock that entries may rest on."""
    return not standing.step and standing.clock_error_ms <= clock_ms


def judge_start(standing: StartStanding, deadline_s: float, clock_ms: int) -> Ending | None:
    """Return the end of a start that did not come through by `deadline_s`; 0 waits for ever."""
    late = 0 < deadline_s <= standing.waited_s
    if not late or standing.holds or is_through(standing, clock_ms):
        return None
    trouble, step = standing.trouble, standing.step
    if isinstance(trouble, CredentialsError):
        return None
    if isinstance(trouble, AWAY):
        return Ending(VENUE, f"the exchange did not let the desk begin ({step}): {trouble}")
    if isinstance(trouble, ClockError):
        return Ending(CLOCK, f"the exchange does not accept this machine's clock: {trouble}; check the time service")
    if not step:
        text = f"the exchange's clock is known to {standing.clock_error_ms} ms only, {clock_ms} ms are asked for"
        return Ending(CLOCK, f"{text}: check the connection and the time service")
    cause = trouble or standing.fault or "no answer yet"
    return Ending(RECONCILE, f"account and book could not be reconciled ({step}): {cause}")
