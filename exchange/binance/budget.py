"""The price of one request over all the venue's counters: request weight or another pool, and the orders it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.binance.endpoints import Security

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchange.binance.endpoints import Endpoint
    from exchange.binance.weights import OrderLedger, WeightLedger
    from exchange.priority import Priority


class Budget:
    """Admits a request when every counter it touches has room, all or nothing."""

    def __init__(self, address: WeightLedger, account: OrderLedger) -> None:
        """Take the ledger of the network address and that of the account."""
        self.address = address
        self.account = account

    def admit(self, endpoint: Endpoint, cost: int, priority: Priority, now_ms: int) -> float:
        """Return 0.0 and reserve, or the seconds after which to ask again."""
        reads = endpoint.method == "GET" or endpoint.security is not Security.SIGNED
        seconds = self.address.wait(cost, priority, now_ms, endpoint.pool, reads=reads)
        if endpoint.orders.ten_seconds:
            seconds = max(seconds, self.account.wait(endpoint.orders, priority, now_ms))
        if seconds == 0.0:
            self.address.take(cost, endpoint.pool)
            self.account.take(endpoint.orders)
        return seconds

    def settle(self, endpoint: Endpoint, cost: int, headers: Mapping[str, str], now_ms: int) -> None:
        """Take an admitted request out of flight and note the counts its answer reported."""
        self.address.settle(cost, headers, now_ms, endpoint.pool)
        if endpoint.orders.ten_seconds:
            self.account.settle(endpoint.orders, headers, now_ms)

    def cancel(self, endpoint: Endpoint, cost: int) -> None:
        """Give back what an admitted request that was never sent had reserved."""
        self.address.cancel(cost, endpoint.pool)
        self.account.cancel(endpoint.orders)
