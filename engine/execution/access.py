"""The ways to one account, made only where live orders are allowed. A desk on paper never makes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.binance.account_client import AccountClient
from exchange.binance.algo_client import AlgoClient
from exchange.binance.order_client import OrderClient
from exchange.binance.resolver import Resolver
from exchange.binance.settings_client import SettingsClient

if TYPE_CHECKING:
    from exchange.binance.client import BinanceClient
    from exchange.ports import Clock


class Access:
    """Reads and changes of one account over one client."""

    def __init__(self, client: BinanceClient, clock: Clock) -> None:
        """Share the client's budget, breaker and clock; the position mode is shared by all that send orders."""
        self.client = client
        self.account = AccountClient(client.calls)
        self.mode = self.account.position_mode()
        self.orders = OrderClient(client.calls, self.mode)
        self.algos = AlgoClient(client.calls, self.mode)
        self.settings = SettingsClient(client.calls, self.mode)
        self.resolver = Resolver(self.account, client.calls, clock)
