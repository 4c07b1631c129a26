"""What an address may ask for: its request weight per minute, two smaller pools, and the ban of who does not stop."""

from __future__ import annotations

from exchange.simulator.answers import RefusalError

MINUTE_MS = 60_000
FIVE_MINUTES_MS = 300_000
LIMIT = 2_400
"""Weight per minute and address in production; the venue's demo allows 6,000."""
PATIENCE = 5
"""Refused requests within one minute before the address is banned; the venue publishes no number."""
FIRST_BAN_MS = 120_000
LONGEST_BAN_MS = 3 * 86_400_000
FUNDING_LIMIT = 500
STATISTICS_LIMIT = 1_000


class Pool:
    """A count per fixed window of the wall clock; the first request of a window finds it empty."""

    def __init__(self, limit: int, window_ms: int) -> None:
        """Start unused."""
        self.limit = limit
        self._window_ms = window_ms
        self._window = -1
        self._used = 0

    def used(self, now_ms: int) -> int:
        """Return what was used in the window that contains `now_ms`."""
        window = now_ms // self._window_ms
        if window != self._window:
            self._window, self._used = window, 0
        return self._used

    def add(self, amount: int, now_ms: int) -> None:
        """Count an amount."""
        self._used = self.used(now_ms) + amount

    def wait(self, now_ms: int) -> int:
        """Return the milliseconds until the window is over."""
        return (now_ms // self._window_ms + 1) * self._window_ms - now_ms


class WeightLedger:
    """What one address has used. Every method takes the simulated instant."""

    def __init__(self, limit: int = LIMIT, *, retry_after: bool = True) -> None:
        """Start unused. `retry_after` adds the Retry-After header, which the venue does not promise for futures."""
        self._retry_after = retry_after
        self._weight = Pool(limit, MINUTE_MS)
        self._funding = Pool(FUNDING_LIMIT, FIVE_MINUTES_MS)
        self._statistics = Pool(STATISTICS_LIMIT, FIVE_MINUTES_MS)
        self._refused = Pool(PATIENCE, MINUTE_MS)
        self._banned_until = 0
        self._next_ban = FIRST_BAN_MS

    @property
    def limit(self) -> int:
        """Return the weight allowed per minute."""
        return self._weight.limit

    def used(self, now_ms: int) -> int:
        """Return the weight used in the minute that contains `now_ms`."""
        return self._weight.used(now_ms)

    def check_ban(self, now_ms: int) -> None:
        """Raise RefusalError 418 while the address is banned."""
        if now_ms < self._banned_until:
            raise self._ban(now_ms)

    def ban(self, now_ms: int) -> int:
        """Ban the address from now on, twice as long as the last time (2 minutes to 3 days); return until when."""
        self._banned_until = now_ms + self._next_ban
        self._next_ban = min(2 * self._next_ban, LONGEST_BAN_MS)
        self._refused = Pool(PATIENCE, MINUTE_MS)
        return self._banned_until

    def ban_until(self, until_ms: int) -> None:
        """Ban the address until an instant, whatever it did."""
        self._banned_until = max(self._banned_until, until_ms)

    def spend(self, weight: int, now_ms: int) -> None:
        """Count a request. Raises RefusalError 429 above the limit, and 418 when the caller carries on."""
        text = (
            f"Too many requests; current limit is {self.limit} requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        )
        self._spend(self._weight, weight, now_ms, text)

    def spend_funding(self, now_ms: int) -> None:
        """Count a request of the funding pool (500 in five minutes). Raises as `spend`."""
        self._spend_pool(self._funding, now_ms)

    def spend_statistics(self, now_ms: int) -> None:
        """Count a request of the statistics pool (1,000 in five minutes). Raises as `spend`."""
        self._spend_pool(self._statistics, now_ms)

    def refuse(self, code: int, text: str, wait_ms: int, now_ms: int) -> RefusalError:
        """Return the 429 of a used-up limit, or the 418 of the ban it leads to when the caller carries on."""
        self._refused.add(1, now_ms)
        if self._refused.used(now_ms) > PATIENCE:
            self.ban(now_ms)
            return self._ban(now_ms)
        return RefusalError(429, code, text, self._headers(wait_ms))

    def _spend_pool(self, pool: Pool, now_ms: int) -> None:
        text = f"Too many requests; current limit is {pool.limit} requests per 5 minutes."
        self._spend(pool, 1, now_ms, text)

    def _spend(self, pool: Pool, amount: int, now_ms: int, text: str) -> None:
        pool.add(amount, now_ms)
        if pool.used(now_ms) > pool.limit:
            raise self.refuse(-1003, text, pool.wait(now_ms), now_ms)

    def _ban(self, now_ms: int) -> RefusalError:
        text = (
            f"Way too many requests; IP banned until {self._banned_until}. "
            "Please use the websocket for live updates to avoid bans."
        )
        return RefusalError(418, -1003, text, self._headers(self._banned_until - now_ms))

    def _headers(self, wait_ms: int) -> dict[str, str]:
        return {"retry-after": str(-(-wait_ms // 1000))} if self._retry_after else {}
