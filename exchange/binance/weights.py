"""What an address and an account may still ask of the venue in the present windows.

The venue counts request weight per address and orders per account in windows of its own clock and reports the counts
with its answers. A window adds what is still in flight, holds back a reserve for risk-reducing requests, and stops
short of the limit. Everything here is pure: `now_ms` is the venue's clock as the caller knows it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from exchange.account import OrderLimit

WINDOW_MS = 60_000
USED_WEIGHT_HEADER = "x-mbx-used-weight-1m"
ORDERS_10S_HEADER = "x-mbx-order-count-10s"
ORDERS_1M_HEADER = "x-mbx-order-count-1m"
_MARGIN_MS = 50
"""Waits end this much after the border, so that a clock a little ahead of the venue's does not meet the old window."""
_READS_AFTER_MS = 500
_OTHERS_AFTER_MS = 1_000
"""After a hold risk-reducing orders go first, then what protection reads, then the rest."""
_TEN_SECONDS_MS = 10_000
_FIVE_MINUTES_MS = 300_000
_WALLET_LIMIT = 60
"""Far below the venue's 12,000 a minute: the desk asks that host a few times a day."""


class Pool(Enum):
    """The windows an address has at the venue."""

    WEIGHT = "request weight"
    FUNDING = "funding history"
    STATISTICS = "statistics"
    WALLET = "wallet service"
    """Of another host, which counts for itself."""


class OrderCost(NamedTuple):
    """What a request counts in the order windows of the account."""

    ten_seconds: int = 0
    minute: int = 0


NO_ORDERS = OrderCost()
ONE_ORDER = OrderCost(1, 1)


class Window:
    """One counter of the venue: at most `limit` in `length_ms`, a share of it kept for CRITICAL."""

    def __init__(self, limit: int, length_ms: int, reserve: float, header: str | None) -> None:
        self.limit = limit
        self.open_share = int(limit * (1.0 - reserve))
        self._length_ms = length_ms
        self._reserve = reserve
        self._header = header
        self._number = -1
        self._reported = 0
        self._settled = 0
        self._in_flight = 0

    def resize(self, limit: int) -> None:
        """Take another limit, as the venue tells it."""
        self.limit = limit
        self.open_share = int(limit * (1.0 - self._reserve))

    def _roll(self, now_ms: int) -> None:
        number = now_ms // self._length_ms
        if number != self._number:
            self._number = number
            self._reported = 0
            self._settled = 0

    def used(self, now_ms: int) -> int:
        """Return what was used in this window, counting requests still in flight."""
        self._roll(now_ms)
        return max(self._reported, self._settled) + self._in_flight

    def wait(self, cost: int, priority: Priority, now_ms: int) -> float:
        """Return 0.0 when `cost` may go now, else the seconds until the next window. CRITICAL may always go."""
        if priority is Priority.CRITICAL or self.used(now_ms) + cost <= self.open_share:
            return 0.0
        return (self._length_ms - now_ms % self._length_ms + _MARGIN_MS) / 1000

    def take(self, cost: int) -> None:
        """Reserve the cost of a request that is about to go."""
        self._in_flight += cost

    def settle(self, cost: int, headers: Mapping[str, str], now_ms: int) -> None:
        """Take a request out of flight and note the count its answer reported, if any."""
        self._roll(now_ms)
        self._in_flight -= cost
        self._settled += cost
        text = "" if self._header is None else headers.get(self._header, "")
        # Answers overtake each other: the last one is believed, but never below what this window settled here.
        if text.isascii() and text.isdigit():
            self._reported = int(text)

    def cancel(self, cost: int) -> None:
        """Give back the cost of a request that was never sent."""
        self._in_flight -= cost


class WeightLedger:
    """Admits requests by weight, pool by pool. One ledger serves every client behind one network address."""

    def __init__(self, limit: int = 1920, reserve: float = 0.20, *, funding: int = 500, statistics: int = 1000) -> None:
        """Take the weight per minute (RATE_LIMIT_REQUESTS) and the share kept for CRITICAL; ValueError if senseless.

        `funding` and `statistics` are the requests per five minutes of the two pools that have no weight.
        """
        if limit < 10:
            message = f"RATE_LIMIT_REQUESTS = {limit} is too small: at least 10 weight a minute is needed"
            raise ValueError(message)
        if not 0.0 <= reserve < 1.0:
            message = f"the weight reserve must lie in [0, 1), not {reserve}"
            raise ValueError(message)
        self.limit = limit
        self._windows = {
            Pool.WEIGHT: Window(limit, WINDOW_MS, reserve, USED_WEIGHT_HEADER),
            Pool.FUNDING: Window(funding, _FIVE_MINUTES_MS, reserve, None),
            Pool.STATISTICS: Window(statistics, _FIVE_MINUTES_MS, reserve, None),
            Pool.WALLET: Window(_WALLET_LIMIT, WINDOW_MS, reserve, None),
        }
        self._held_until_ms = 0
        self._banned_until_ms = 0

    def used(self, now_ms: int, pool: Pool = Pool.WEIGHT) -> int:
        """Return what was used in the pool's present window, counting requests still in flight."""
        return self._windows[pool].used(now_ms)

    def held_until_ms(self) -> int:
        """Return the instant until which a 429 or 418 silences all that can wait; 0 when none ever did."""
        return max(self._held_until_ms, self._banned_until_ms)

    def banned_until_ms(self) -> int:
        """Return the instant until which a 418 silences everything; 0 when none ever did."""
        return self._banned_until_ms

    def wait(
        self, cost: int, priority: Priority, now_ms: int, pool: Pool = Pool.WEIGHT, *, reads: bool = False
    ) -> float:
        """Return 0.0 when the request may go, else the seconds after which to ask again; nothing is reserved.

        CRITICAL is never short of weight. What is CRITICAL and only `reads` waits out a hold; what reduces risk waits
        out a ban alone, in which it would certainly be refused and could lengthen it. Everything else leaves the
        reserve untouched and waits out both, whatever its pool. Raises ValueError for a cost that would not fit into an
        empty window.
        """
        if priority is Priority.CRITICAL:
            until = self.held_until_ms() + _READS_AFTER_MS if reads else self._banned_until_ms
            return (until - now_ms + _MARGIN_MS) / 1000 if self._is_silenced(until, now_ms) else 0.0
        window = self._windows[pool]
        if cost > window.open_share:
            message = (
                f"a request of weight {cost} never fits into {window.open_share} a window; raise RATE_LIMIT_REQUESTS"
            )
            raise ValueError(message)
        until = self.held_until_ms() + _OTHERS_AFTER_MS
        if self._is_silenced(until, now_ms):
            return (until - now_ms + _MARGIN_MS) / 1000
        return window.wait(cost, priority, now_ms)

    def _is_silenced(self, until_ms: int, now_ms: int) -> bool:
        return self.held_until_ms() > 0 and now_ms < until_ms

    def take(self, cost: int, pool: Pool = Pool.WEIGHT) -> None:
        """Reserve the cost of a request that is about to go."""
        self._windows[pool].take(cost)

    def admit(self, cost: int, priority: Priority, now_ms: int, pool: Pool = Pool.WEIGHT) -> float:
        """Return 0.0 and reserve `cost`, or the seconds after which to ask again, as `wait` says."""
        seconds = self.wait(cost, priority, now_ms, pool)
        if seconds == 0.0:
            self.take(cost, pool)
        return seconds

    def settle(self, cost: int, headers: Mapping[str, str], now_ms: int, pool: Pool = Pool.WEIGHT) -> None:
        """Take an admitted request out of flight and note the use its answer reported, if any."""
        self._windows[pool].settle(cost, headers, now_ms)

    def cancel(self, cost: int, pool: Pool = Pool.WEIGHT) -> None:
        """Give back the cost of an admitted request that was never sent."""
        self._windows[pool].cancel(cost)

    def hold(self, until_ms: int) -> None:
        """Admit nothing but what reduces risk before `until_ms`; a shorter hold never replaces a longer one."""
        self._held_until_ms = max(self._held_until_ms, until_ms)

    def ban(self, until_ms: int) -> None:
        """Admit nothing at all before `until_ms`; a shorter ban never replaces a longer one."""
        self._banned_until_ms = max(self._banned_until_ms, until_ms)

    def lift(self) -> None:
        """End every hold and ban: their time is over by a clock that cannot step."""
        self._held_until_ms = self._banned_until_ms = 0


class OrderLedger:
    """Counts the orders of one account in the venue's windows of ten seconds and a minute."""

    def __init__(self, ten_seconds: int = 300, minute: int = 1200, reserve: float = 0.20) -> None:
        """Take the venue's limits and the share kept for CRITICAL."""
        self._ten = Window(ten_seconds, _TEN_SECONDS_MS, reserve, ORDERS_10S_HEADER)
        self._minute = Window(minute, WINDOW_MS, reserve, ORDERS_1M_HEADER)

    def adopt(self, limits: Sequence[OrderLimit]) -> None:
        """Take the account's limits as the venue tells them; windows it does not name stay as they are."""
        for limit in limits:
            if limit.interval_s == 10:
                self._ten.resize(limit.limit)
            elif limit.interval_s == 60:
                self._minute.resize(limit.limit)

    def used(self, now_ms: int) -> OrderCost:
        """Return the orders counted in both present windows, counting those in flight."""
        return OrderCost(self._ten.used(now_ms), self._minute.used(now_ms))

    def wait(self, cost: OrderCost, priority: Priority, now_ms: int) -> float:
        """Return 0.0 when the orders may go, else the seconds after which to ask again."""
        return max(self._ten.wait(cost.ten_seconds, priority, now_ms), self._minute.wait(cost.minute, priority, now_ms))

    def take(self, cost: OrderCost) -> None:
        """Reserve room for orders that are about to go."""
        self._ten.take(cost.ten_seconds)
        self._minute.take(cost.minute)

    def settle(self, cost: OrderCost, headers: Mapping[str, str], now_ms: int) -> None:
        """Take orders out of flight and note the counts the answer reported, if any."""
        self._ten.settle(cost.ten_seconds, headers, now_ms)
        self._minute.settle(cost.minute, headers, now_ms)

    def cancel(self, cost: OrderCost) -> None:
        """Give back the room of orders that were never sent."""
        self._ten.cancel(cost.ten_seconds)
        self._minute.cancel(cost.minute)
