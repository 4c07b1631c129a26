"""How many orders an account has sent: 300 in ten seconds and 1,200 in a minute, whoever sends them and however."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from exchange.simulator.weights import MINUTE_MS, Pool

if TYPE_CHECKING:
    from exchange.simulator.weights import WeightLedger

TEN_SECONDS_MS = 10_000
TEN_SECONDS_LIMIT = 300
MINUTE_LIMIT = 1_200
TEN_SECONDS_HEADER = "x-mbx-order-count-10s"
MINUTE_HEADER = "x-mbx-order-count-1m"


class OrderCost(NamedTuple):
    """What one request counts on each of the two limits."""

    ten_seconds: int
    minute: int


NO_ORDER = OrderCost(0, 0)
ONE_ORDER = OrderCost(1, 1)
BATCH = OrderCost(5, 1)
"""A batch counts five on the short limit and one on the long one, however many orders it holds."""


class OrderCounts:
    """The order counts of one account; REST and WS-API share them."""

    def __init__(
        self, weights: WeightLedger, *, ten_seconds: int = TEN_SECONDS_LIMIT, minute: int = MINUTE_LIMIT
    ) -> None:
        """Start unused; `weights` bans the address that carries on after -1015."""
        self._weights = weights
        self._ten_seconds = Pool(ten_seconds, TEN_SECONDS_MS)
        self._minute = Pool(minute, MINUTE_MS)

    def spend(self, cost: OrderCost, now_ms: int) -> None:
        """Count an order request before it is looked at.

        Raises RefusalError 429 -1015 above a limit, and then nothing is counted; 418 when the caller carries on.
        """
        if cost == NO_ORDER:
            return
        for pool, amount, unit in (
            (self._ten_seconds, cost.ten_seconds, "10 SECOND"),
            (self._minute, cost.minute, "1 MINUTE"),
        ):
            if pool.used(now_ms) + amount > pool.limit:
                text = f"Too many new orders; current limit is {pool.limit} orders per {unit}."
                raise self._weights.refuse(-1015, text, pool.wait(now_ms), now_ms)
        self._ten_seconds.add(cost.ten_seconds, now_ms)
        self._minute.add(cost.minute, now_ms)

    def headers(self, now_ms: int) -> dict[str, str]:
        """Return the headers that answers to order requests carry."""
        return {
            TEN_SECONDS_HEADER: str(self._ten_seconds.used(now_ms)),
            MINUTE_HEADER: str(self._minute.used(now_ms)),
        }

    def limits(self) -> list[dict[str, Any]]:
        """Return the rows of GET rateLimit/order."""
        return [
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": self._ten_seconds.limit},
            {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": self._minute.limit},
        ]

    def usage(self, now_ms: int) -> list[dict[str, Any]]:
        """Return the same rows with what was used, as WS-API answers to order requests carry them."""
        ten_seconds, minute = self.limits()
        return [
            {**ten_seconds, "count": self._ten_seconds.used(now_ms)},
            {**minute, "count": self._minute.used(now_ms)},
        ]


def rate_limits(weights: WeightLedger, orders: OrderCounts, now_ms: int, *, order: bool) -> list[dict[str, Any]]:
    """Return the `rateLimits` block of a WS-API answer: the weight, and for order requests their counts before it."""
    weight = {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": weights.limit,
        "count": weights.used(now_ms),
    }
    return [*orders.usage(now_ms), weight] if order else [weight]
