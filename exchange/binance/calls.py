"""One REST call from intent to typed answer: budget, breaker, signature, verdict, bounded retries.

Only GET is ever sent twice, except that a request refused for its timestamp is signed anew and sent once more: such a
request was certainly not executed.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import msgspec

from exchange.binance.budget import Budget
from exchange.binance.clock_sync import ClockSync, ClockTracker
from exchange.binance.endpoints import TIME, Endpoint, Security
from exchange.binance.gate import Gate, Settlement, failure_cause
from exchange.binance.outcomes import Outcome, Verdict, classify
from exchange.binance.refusals import error_for
from exchange.binance.signing import Credentials, Params, encode, signed_query
from exchange.binance.wire import server_time
from exchange.errors import (
    BannedError,
    ClockError,
    CredentialsError,
    DecodeError,
    ExchangeError,
    HeldBackError,
    OverloadedError,
    RateLimitedError,
    UnknownOutcomeError,
    UnsentError,
)
from exchange.ports import LostError, NotSentError
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exchange.bad_input import Quarantine
    from exchange.binance.weights import OrderLedger, WeightLedger
    from exchange.ports import Clock, Entropy, Rest, RestAnswer

T = TypeVar("T")
SETTLE_S = 1.5
"""Behind the end of a silence what reduces risk goes first, then what protection reads, then the rest."""

_NO_HEADERS: Mapping[str, str] = {}


class CallLimits(msgspec.Struct, frozen=True):
    """Bounds of one call. Deadlines are real seconds, patience is desk seconds."""

    recv_window_ms: int = 5000
    deadline_s: float = 10.0
    critical_deadline_s: float = 2.0
    attempts: int = 3
    backoff_s: float = 0.4
    patience_s: tuple[float, float, float, float] = (180.0, 30.0, 5.0, 2.0)
    """How long a call of each priority, LOW first, may wait for budget and between attempts, all in all."""


class Calls:
    """Sends calls for one account behind one network address. Belongs to one event loop."""

    def __init__(
        self,
        rest: Rest,
        clock: Clock,
        ledger: WeightLedger,
        gate: Gate,
        entropy: Entropy,
        credentials: Credentials | None,
        limits: CallLimits,
        orders: OrderLedger,
        quarantine: Quarantine,
    ) -> None:
        """Take the ports, the address's weight ledger, the breaker's gate and the account's order ledger.

        Answers that cannot be believed are kept in `quarantine`.
        """
        self._rest = rest
        self._clock = clock
        self._budget = Budget(ledger, orders)
        self._gate = gate
        self._entropy = entropy
        self._credentials = credentials
        self._limits = limits
        self.tracker = ClockTracker()
        self.quarantine = quarantine
        self._syncing = asyncio.Lock()
        self._silent_until_s = 0.0
        """Desk seconds at which every silence the venue asked for is over, 0.0 when none is left."""

    @property
    def clock_sync(self) -> ClockSync:
        """Return how the clocks stand; offset 0 before the first synchronisation."""
        return self.tracker.sync

    @property
    def recv_window_ms(self) -> int:
        """Return how long after its timestamp the venue may still execute a request."""
        return self._limits.recv_window_ms

    def venue_ms(self) -> int:
        """Return the venue's clock as we know it, UTC milliseconds."""
        return self._clock.now_ms() + self.tracker.sync.offset_ms

    def _ledger(self) -> WeightLedger:
        self._end_silence()
        return self._budget.address

    def _end_silence(self) -> None:
        """End a silence by desk seconds too: the machine's clock may have gone back meanwhile."""
        if 0.0 < self._silent_until_s <= self._clock.monotonic():
            self._silent_until_s = 0.0
            self._budget.address.lift()

    def _silence(self, until_ms: int) -> None:
        ends_s = self._clock.monotonic() + (until_ms - self.venue_ms()) / 1000 + SETTLE_S
        self._silent_until_s = max(self._silent_until_s, ends_s)

    def pause_for(self, weight: int) -> float:
        """Return the desk seconds after which a request of this weight that can wait may go; 0.0 for now.

        It leaves the share of the budget that is kept for reducing risk, and waits out what a 429 or 418 asked for.
        A weight that never fits into that budget has to wait for ever: infinity.
        """
        try:
            return self._ledger().wait(weight, Priority.NORMAL, self.venue_ms())
        except ValueError:
            return math.inf

    @property
    def held_s(self) -> float:
        """Return for how many more desk seconds a 429 or 418 asks for silence, 0.0 when none does."""
        return max(0.0, (self._ledger().held_until_ms() - self.venue_ms()) / 1000)

    @property
    def banned_s(self) -> float:
        """Return for how many more desk seconds a 418 shuts this address out, 0.0 when none does."""
        return max(0.0, (self._ledger().banned_until_ms() - self.venue_ms()) / 1000)

    async def call(
        self,
        endpoint: Endpoint,
        params: Params,
        decode: Callable[[bytes, str], T],
        priority: Priority,
        weight: int | None = None,
        why_not: Callable[[], str] | None = None,
    ) -> T:
        """Make one call and return its decoded answer. Raises ExchangeError.

        `why_not` is asked when all waiting is over and the next step is the wire; a reason holds the call back.

        A GET is tried again after transport errors, unknown outcomes and overload, with jittered pauses, while
        patience lasts; never after a ban or a rate limit beyond the patience of its priority.
        """
        cost = endpoint.weight if weight is None else weight
        give_up = self._clock.monotonic() + self._limits.patience_s[priority]
        attempts = self._limits.attempts if endpoint.method == "GET" else 1
        for attempt in range(1, attempts + 1):
            try:
                return await self._signed_anew(endpoint, params, decode, priority, cost, give_up, why_not)
            except (HeldBackError, BannedError):
                raise
            except (UnsentError, UnknownOutcomeError, OverloadedError, RateLimitedError) as error:
                asked = error.retry_after_s if isinstance(error, RateLimitedError) else 0.0
                pause = max(asked, self._limits.backoff_s * 2.0 ** (attempt - 1)) * (1.0 + self._entropy.uniform() / 2)
                if attempt == attempts or self._clock.monotonic() + pause > give_up:
                    raise
                await self._clock.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def _signed_anew(
        self,
        endpoint: Endpoint,
        params: Params,
        decode: Callable[[bytes, str], T],
        priority: Priority,
        cost: int,
        give_up: float,
        why_not: Callable[[], str] | None,
    ) -> T:
        """Make one attempt; when the timestamp was refused, read the venue's clock and make one more."""
        if endpoint.security is not Security.SIGNED:
            return await self._attempt(endpoint, params, decode, priority, cost, give_up, why_not)
        if self.tracker.wall_stepped(self._clock.now_ms(), self._clock.monotonic()):
            # Without a reading the old offset is still the best there is, and an exit must not wait for the clock.
            with suppress(ExchangeError):
                await self._sync_once(self.tracker.samples, 1, priority)
        seen = self.tracker.samples
        try:
            return await self._attempt(endpoint, params, decode, priority, cost, give_up, why_not)
        except ClockError as refused:
            self.tracker.doubt()
            try:
                await self._sync_once(seen, 3, priority)
            except ExchangeError as unread:
                # This call was certainly refused; what became of the reading says nothing about it.
                raise refused from unread
            return await self._attempt(endpoint, params, decode, priority, cost, give_up, why_not)

    async def _sync_once(self, seen: int, samples: int, priority: Priority) -> None:
        """Read the venue's clock, unless another call has done so since `seen` samples were known."""
        async with self._syncing:
            if self.tracker.samples == seen:
                await self.sync_clock(samples, priority)

    async def sync_clock(self, samples: int = 3, priority: Priority = Priority.NORMAL) -> ClockSync:
        """Read the venue's clock `samples` times and return how the clocks stand by the best of all trips."""
        if samples < 1:
            message = f"at least one sample of the venue's clock is needed, not {samples}"
            raise ValueError(message)
        for _ in range(samples):
            give_up = self._clock.monotonic() + self._limits.patience_s[priority]
            before = self._clock.now_ms()
            instant = await self._attempt(TIME, (), server_time, priority, TIME.weight, give_up, None)
            self.tracker.sample(before, self._clock.now_ms(), instant, self._clock.monotonic())
        return self.tracker.sync

    async def _attempt(
        self,
        endpoint: Endpoint,
        params: Params,
        decode: Callable[[bytes, str], T],
        priority: Priority,
        cost: int,
        give_up: float,
        why_not: Callable[[], str] | None,
    ) -> T:
        if endpoint.security is not Security.NONE and self._credentials is None:
            message = f"{endpoint.operation} needs an API key; set BINANCE_API_KEY and BINANCE_API_SECRET"
            raise CredentialsError(message, status=0)
        await self._afford(endpoint, priority, cost, give_up)
        try:
            await self._gate.enter(priority, endpoint.operation)
            self._ask_once_more(endpoint, priority, why_not)
        except BaseException:  # whatever keeps it back, the reserved weight must return to the budget
            self._budget.cancel(endpoint, cost)
            raise
        answer, verdict, timed_out = await self._exchange(endpoint, params, priority, cost)
        status = None if answer is None else answer.status
        headers = _NO_HEADERS if answer is None else answer.headers
        cause = failure_cause(verdict, status, timed_out=timed_out)
        if answer is not None and verdict.outcome is Outcome.OK:
            self._gate.settled(Settlement(priority, endpoint.operation, None))
            return self._decoded(endpoint, answer.body, decode)
        error = error_for(verdict, status, headers, endpoint.operation, self.venue_ms())
        pause: float | None = None
        if isinstance(error, BannedError):
            pause = (error.until_ms - self.venue_ms()) / 1000
        elif isinstance(error, RateLimitedError):
            pause = error.retry_after_s
        self.heed(error)
        self._gate.settled(Settlement(priority, endpoint.operation, cause, pause))
        raise error

    def _ask_once_more(self, endpoint: Endpoint, priority: Priority, why_not: Callable[[], str] | None) -> None:
        """Raise HeldBackError where the call is no longer wanted."""
        reason = why_not() if why_not is not None else ""
        if reason:
            self._gate.settled(Settlement(priority, endpoint.operation, None, abandoned=True))
            raise HeldBackError(f"{endpoint.operation} was held back: {reason}")

    def heed(self, error: ExchangeError) -> None:
        """Let every pool of this address wait as long as a rate limit or a ban asks, to the second."""
        if isinstance(error, BannedError):
            self._silence(error.until_ms)
            self._ledger().ban(error.until_ms)
        elif isinstance(error, RateLimitedError):
            until_ms = self.venue_ms() + int(error.retry_after_s * 1000)
            self._silence(until_ms)
            self._ledger().hold(until_ms)

    async def _exchange(
        self, endpoint: Endpoint, params: Params, priority: Priority, cost: int
    ) -> tuple[RestAnswer | None, Verdict, bool]:
        """Send once; return the answer if one came, the verdict, and whether the deadline passed."""
        headers = _NO_HEADERS
        if endpoint.security is not Security.NONE and self._credentials is not None:
            headers = {"X-MBX-APIKEY": self._credentials.key}
        if endpoint.security is Security.SIGNED and self._credentials is not None:
            query = signed_query(params, self._credentials, self.venue_ms(), self._limits.recv_window_ms)
        else:
            query = encode(params)
        critical = priority is Priority.CRITICAL
        deadline = self._limits.critical_deadline_s if critical else self._limits.deadline_s
        answer: RestAnswer | None = None
        timed_out = False
        try:
            answer = await self._rest.send(endpoint.method, endpoint.path, query, headers, deadline)
            verdict = classify(answer.status, answer.body)
            if answer.status < 300 and verdict.outcome is not Outcome.OK:
                no_json = DecodeError(endpoint.operation, "", "a success that is not JSON")
                self.quarantine.refuse(no_json, answer.body, self.venue_ms())
        except (NotSentError, LostError) as error:
            timed_out = isinstance(error.__cause__, TimeoutError)
            verdict = classify(None, b"", error)
        except (
            BaseException
        ):  # a cancelled request may have left: its weight counts, and the breaker must not wait for it
            self._budget.settle(endpoint, cost, _NO_HEADERS, self.venue_ms())
            self._gate.settled(Settlement(priority, endpoint.operation, None, abandoned=True))
            raise
        if verdict.outcome is Outcome.NOT_SENT:
            self._budget.cancel(endpoint, cost)
        else:
            headers_back = _NO_HEADERS if answer is None else answer.headers
            self._budget.settle(endpoint, cost, headers_back, self.venue_ms())
        return answer, verdict, timed_out

    def _decoded(self, endpoint: Endpoint, body: bytes, decode: Callable[[bytes, str], T]) -> T:
        """Decode a success. What a mutating call did is unknown when its answer cannot be read."""
        try:
            return decode(body, endpoint.operation)
        except DecodeError as error:
            self.quarantine.refuse(error, error.sample or body, self.venue_ms())
            if endpoint.method == "GET":
                raise
            raise UnknownOutcomeError(
                f"{endpoint.operation}: the answer cannot be read: {error}", status=200
            ) from error

    async def _afford(self, endpoint: Endpoint, priority: Priority, cost: int, give_up: float) -> None:
        """Wait for request weight, at most until `give_up` (desk seconds)."""
        while True:
            self._end_silence()
            wait = self._budget.admit(endpoint, cost, priority, self.venue_ms())
            if wait <= 0.0:
                return
            # Jitter keeps many waiting calls from meeting at the border of the minute.
            wait += self._entropy.uniform() * min(1.0, wait / 10)
            if self._clock.monotonic() + wait > give_up:
                message = f"{endpoint.operation} was held back: the request budget allows it in {wait:.0f} s"
                raise HeldBackError(message)
            await self._clock.sleep(wait)
