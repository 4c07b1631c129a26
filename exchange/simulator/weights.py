"""Request weight per minute of simulated time: the limit, its 429, and the ban that follows who does not stop."""

from __future__ import annotations

from exchange.simulator.answers import RefusalError

MINUTE_MS = 60_000
LIMIT = 2_400
"""Weight per minute and address in production; the venue's demo allows 6,000."""
PATIENCE = 5
"""Refused requests within one minute before the address is banned; the venue publishes no number."""
FIRST_BAN_MS = 120_000
LONGEST_BAN_MS = 3 * 86_400_000
FUNDING_LIMIT = 500
FUNDING_WINDOW_MS = 300_000


class WeightLedger:
    """What one address has used. Every method takes the simulated instant."""

    def __init__(self, limit: int = LIMIT, *, retry_after: bool = True) -> None:
        """Start unused. `retry_after` adds the Retry-After header, which the venue does not promise for futures."""
        self._limit = limit
        self._retry_after = retry_after
        self._minute = -1
        self._used = 0
        self._refused = 0
        self._banned_until = 0
        self._next_ban = FIRST_BAN_MS
        self._funding_window = -1
        self._funding_used = 0

    def used(self, now_ms: int) -> int:
        """Return the weight used in the minute that contains `now_ms`."""
        self._roll(now_ms)
        return self._used

    def check_ban(self, now_ms: int) -> None:
        """Raise RefusalError 418 while the address is banned."""
        if now_ms < self._banned_until:
            raise self._ban(now_ms)

    def spend(self, weight: int, now_ms: int) -> None:
        """Count a request. Raises RefusalError 429 above the limit, and 418 when the caller carries on."""
        self._roll(now_ms)
        self._used += weight
        if self._used <= self._limit:
            return
        self._refused += 1
        if self._refused > PATIENCE:
            self._banned_until = now_ms + self._next_ban
            self._next_ban = min(2 * self._next_ban, LONGEST_BAN_MS)
            self._refused = 0
            raise self._ban(now_ms)
        wait = (self._minute + 1) * MINUTE_MS - now_ms
        text = (
            f"Too many requests; current limit is {self._limit} requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        )
        raise RefusalError(429, -1003, text, self._headers(wait))

    def spend_funding(self, now_ms: int) -> None:
        """Count a request of the funding pool (500 in five minutes). Raises RefusalError 429 above it."""
        window = now_ms // FUNDING_WINDOW_MS
        if window != self._funding_window:
            self._funding_window, self._funding_used = window, 0
        self._funding_used += 1
        if self._funding_used > FUNDING_LIMIT:
            wait = (window + 1) * FUNDING_WINDOW_MS - now_ms
            text = f"Too many requests; current limit is {FUNDING_LIMIT} requests per 5 minutes."
            raise RefusalError(429, -1003, text, self._headers(wait))

    def _roll(self, now_ms: int) -> None:
        minute = now_ms // MINUTE_MS
        if minute != self._minute:
            self._minute, self._used, self._refused = minute, 0, 0

    def _ban(self, now_ms: int) -> RefusalError:
        text = (
            f"Way too many requests; IP banned until {self._banned_until}. "
            "Please use the websocket for live updates to avoid bans."
        )
        return RefusalError(418, -1003, text, self._headers(self._banned_until - now_ms))

    def _headers(self, wait_ms: int) -> dict[str, str]:
        return {"retry-after": str(-(-wait_ms // 1000))} if self._retry_after else {}
