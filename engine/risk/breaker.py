"""The graded breaker over the exchange's interface: how many failures it takes until only exits pass.

NORMAL 0, WARNING 1-3 failures, THROTTLED 4 (LOW and NORMAL wait 2 s), BLOCKED from 5 (only CRITICAL passes). A success
takes one failure off; 60 s after the last failure one request goes out as a probe and decides. CRITICAL always passes,
in every state (reliability I9). Specification section 6.4. Pure: state and event in, new state out; `now` in ms.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from engine.snapshot import BreakerView
from exchange.priority import Priority

THROTTLED_AT, BLOCKED_AT = 4, 5
THROTTLE_S = 2.0
PROBE_AFTER_MS = 60_000
AUDIT_KEPT = 100
LONGEST_BYPASS_S = 3600


class BreakerLevel(StrEnum):
    """How much passes."""

    NORMAL = "NORMAL"
    WARNING = "WARNING"
    THROTTLED = "THROTTLED"
    BLOCKED = "BLOCKED"


class Succeeded(msgspec.Struct, frozen=True):
    """A request ended well, or was refused for business reasons: the venue is alive."""

    priority: Priority


class Failed(msgspec.Struct, frozen=True):
    """A request ended in a way that counts against the venue's health."""

    priority: Priority
    cause: str
    retry_after_s: float | None = None
    """The pause the venue asked for with 429 or 418."""


class Ticked(msgspec.Struct, frozen=True):
    """Time went on."""


class Bypassed(msgspec.Struct, frozen=True):
    """The operator lets requests through for a while."""

    seconds: int
    reason: str
    by: str = "operator"


class WasReset(msgspec.Struct, frozen=True):
    """The operator set the breaker back to NORMAL."""

    reason: str
    by: str = "operator"


BreakerEvent = Succeeded | Failed | Ticked | Bypassed | WasReset


class BreakerError(Exception):
    """An operator's order the breaker cannot follow; the text says what is missing."""


class BreakerState(msgspec.Struct, frozen=True):
    """Everything the breaker remembers. Instants in ms, 0 for none."""

    failures: int = 0
    last_failure_ms: int = 0
    last_cause: str = ""
    hold_until_ms: int = 0
    """The venue's Retry-After: until then everything but CRITICAL waits."""
    probe_ms: int = 0
    """When the probe went out that has not come back yet."""
    bypass_until_ms: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    audit: tuple[tuple[int, str], ...] = ()
    audited: int = 0
    """Lines ever written to the audit."""

    @property
    def level(self) -> BreakerLevel:
        """Return the grade of the failures."""
        if self.failures >= BLOCKED_AT:
            return BreakerLevel.BLOCKED
        if self.failures >= THROTTLED_AT:
            return BreakerLevel.THROTTLED
        return BreakerLevel.WARNING if self.failures else BreakerLevel.NORMAL


class Admit(NamedTuple):
    """Whether a request may go: at once, after `wait_s` and another question, or not (`blocked`)."""

    wait_s: float = 0.0
    blocked: bool = False
    reason: str = ""
    throttled: bool = False
    """The wait is the THROTTLED grade's, owed once per request; a request that has waited may go."""


_PASS = Admit()


def admit(state: BreakerState, priority: Priority, now: int) -> tuple[BreakerState, Admit]:
    """Decide on one request; a probe that goes out is remembered in the returned state."""
    if priority is Priority.CRITICAL:
        return state, _PASS
    if now < state.hold_until_ms:
        wait = (state.hold_until_ms - now) / 1000
        return state, Admit(wait, reason=f"the exchange asked for a pause of another {wait:.1f} s")
    if now < state.bypass_until_ms:
        return state, _PASS
    if state.level is BreakerLevel.BLOCKED:
        return _admit_blocked(state, now)
    if state.level is BreakerLevel.THROTTLED and priority < Priority.HIGH:
        return state, Admit(THROTTLE_S, reason=f"throttled after {state.failures} failures", throttled=True)
    return state, _PASS


def _admit_blocked(state: BreakerState, now: int) -> tuple[BreakerState, Admit]:
    due = next_probe_ms(state)
    if now >= due:
        return _noted(msgspec.structs.replace(state, probe_ms=now), now, "probe sent"), _PASS
    wait = (due - now) / 1000
    reason = f"blocked after {state.failures} failures (last: {state.last_cause}), next probe in {wait:.0f} s"
    return state, Admit(blocked=True, reason=reason)


def next_probe_ms(state: BreakerState) -> int:
    """Return when the next probe may go out, 0 when none is due; a probe without an answer is given up after 60 s."""
    if state.level is not BreakerLevel.BLOCKED:
        return 0
    return max(state.last_failure_ms, state.probe_ms) + PROBE_AFTER_MS


def apply(state: BreakerState, event: BreakerEvent, now: int) -> BreakerState:
    """Return the state after an event. Raises BreakerError for an operator's order without a reason or sane length."""
    match event:
        case Succeeded():
            after = _succeeded(state, event, now)
        case Failed():
            after = _failed(state, event, now)
        case Ticked():
            return _ticked(state, now)
        case Bypassed():
            return _bypassed(state, event, now)
        case WasReset():
            _need_reason(event.reason, "reset")
            calm = msgspec.structs.replace(state, failures=0, probe_ms=0)
            return _noted(calm, now, f"reset to NORMAL by {event.by}: {event.reason.strip()}")
    if after.level is not state.level:
        after = _noted(after, now, f"{state.level.value} -> {after.level.value}")
    return after


def _is_probe_result(state: BreakerState, priority: Priority) -> bool:
    # While BLOCKED nothing but the probe is under way that is not CRITICAL.
    return state.probe_ms > 0 and priority is not Priority.CRITICAL


def _succeeded(state: BreakerState, event: Succeeded, now: int) -> BreakerState:
    if _is_probe_result(state, event.priority):
        return _noted(msgspec.structs.replace(state, failures=0, probe_ms=0), now, "probe answered")
    if state.failures == 0:
        return state
    return msgspec.structs.replace(state, failures=state.failures - 1)


def _failed(state: BreakerState, event: Failed, now: int) -> BreakerState:
    failures, probe_ms, text = state.failures + 1, state.probe_ms, f"failure {state.failures + 1}: {event.cause}"
    if _is_probe_result(state, event.priority):
        failures, probe_ms, text = max(failures, BLOCKED_AT), 0, f"probe failed: {event.cause}"
    hold = state.hold_until_ms
    if event.retry_after_s is not None:
        hold = max(hold, now + round(event.retry_after_s * 1000))
        text += f", pause of {event.retry_after_s:g} s"
    counts = dict(state.counts)
    counts[event.cause] = counts.get(event.cause, 0) + 1
    after = msgspec.structs.replace(
        state,
        failures=failures,
        last_failure_ms=now,
        last_cause=event.cause,
        hold_until_ms=hold,
        probe_ms=probe_ms,
        counts=tuple(sorted(counts.items())),
    )
    return _noted(after, now, text)


def _ticked(state: BreakerState, now: int) -> BreakerState:
    if 0 < state.bypass_until_ms <= now:
        state = _noted(msgspec.structs.replace(state, bypass_until_ms=0), now, "bypass ended")
    if 0 < state.hold_until_ms <= now:
        state = _noted(msgspec.structs.replace(state, hold_until_ms=0), now, "the exchange's pause ended")
    return state


def _bypassed(state: BreakerState, event: Bypassed, now: int) -> BreakerState:
    _need_reason(event.reason, "bypass")
    if not 1 <= event.seconds <= LONGEST_BYPASS_S:
        raise BreakerError(f"bypass of {event.seconds} s refused: give 1 to {LONGEST_BYPASS_S} seconds")
    after = msgspec.structs.replace(state, bypass_until_ms=now + event.seconds * 1000)
    return _noted(after, now, f"bypassed for {event.seconds} s by {event.by}: {event.reason.strip()}")


def _need_reason(reason: str, order: str) -> None:
    if not reason.strip():
        raise BreakerError(f"{order} refused: type the reason, it goes into the audit")


def _noted(state: BreakerState, now: int, text: str) -> BreakerState:
    audit = (*state.audit, (now, text))[-AUDIT_KEPT:]
    return msgspec.structs.replace(state, audit=audit, audited=state.audited + 1)


def breaker_view(state: BreakerState) -> BreakerView:
    """Return the panel's picture."""
    return BreakerView(
        state.level.value,
        state.failures,
        next_probe_ms(state),
        state.bypass_until_ms,
        state.last_cause,
        state.counts,
        state.audit,
    )
