"""Orders sent by the trading rules as last read, which are read once more when a refusal says that they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from exchange.errors import ExchangeError, RefusedError
from exchange.priority import Priority
from exchange.reactions import Reaction
from exchange.trading_rules import Breach, Refusal, quantise_conditional, quantise_order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from exchange.binance.algo_client import AlgoClient
    from exchange.binance.client import BinanceClient
    from exchange.binance.order_client import OrderClient
    from exchange.conditional_orders import AlgoReport, AlgoRequest
    from exchange.instrument import Instrument
    from exchange.order_reports import OrderAck
    from exchange.orders import OrderRequest
    from exchange.trading_rules import MarketView

R = TypeVar("R")
A = TypeVar("A")

_RULES_CHANGED = frozenset({Reaction.REFRESH_RULES, Reaction.BELOW_MINIMUM})


class RuleBook:
    """The contracts with their rules. The owner refreshes it hourly."""

    def __init__(self, client: BinanceClient) -> None:
        """Start empty; `refresh` or `adopt` fills it."""
        self._client = client
        self._instruments: dict[str, Instrument] = {}
        self.refreshes = 0

    def adopt(self, instruments: Iterable[Instrument]) -> None:
        """Take contracts that were read elsewhere."""
        self._instruments = {instrument.symbol: instrument for instrument in instruments}

    def get(self, symbol: str) -> Instrument | None:
        """Return a contract, None where the venue lists none of that name."""
        return self._instruments.get(symbol)

    async def refresh(self, priority: Priority = Priority.NORMAL) -> None:
        """Read the rules of every contract. Raises ExchangeError and keeps what it had."""
        self.adopt(await self._client.exchange_info(priority=priority))
        self.refreshes += 1


class FittedOrders:
    """Places plain and conditional orders that were made to fit.

    A refusal of the venue's over a rule is certain, so after one reading of the rules the same intent is fitted and
    sent once more, unless it would be the same order again.
    """

    def __init__(self, rules: RuleBook, orders: OrderClient, algo: AlgoClient) -> None:
        """Take the rules and the clients of the account."""
        self.rules = rules
        self._orders = orders
        self._algo = algo

    async def place(self, request: OrderRequest, view: MarketView, open_orders: int = 0) -> OrderAck | Refusal:
        """Place a plain order, or return the rule it breaks without sending it. Raises ExchangeError."""
        return await self._place(
            request.symbol,
            lambda instrument: quantise_order(instrument, request, view, open_orders),
            self._orders.place,
            request.priority,
        )

    async def place_conditional(
        self, request: AlgoRequest, view: MarketView, open_conditional: int = 0
    ) -> AlgoReport | Refusal:
        """Place a conditional order, or return the rule it breaks without sending it. Raises ExchangeError."""
        return await self._place(
            request.symbol,
            lambda instrument: quantise_conditional(instrument, request, view, open_conditional),
            self._algo.place,
            request.priority,
        )

    async def _place(
        self,
        symbol: str,
        fit: Callable[[Instrument], R | Refusal],
        send: Callable[[R], Awaitable[A]],
        priority: Priority,
    ) -> A | Refusal:
        fitted = self._fitted(symbol, fit)
        if isinstance(fitted, Refusal):
            return fitted
        try:
            return await send(fitted)
        except RefusedError as refused:
            if refused.reaction not in _RULES_CHANGED:
                raise
            try:
                await self.rules.refresh(priority)
            except ExchangeError as unread:
                raise refused from unread
            again = self._fitted(symbol, fit)
            if isinstance(again, Refusal):
                return again
            if again == fitted:
                raise
            return await send(again)

    def _fitted(self, symbol: str, fit: Callable[[Instrument], R | Refusal]) -> R | Refusal:
        instrument = self.rules.get(symbol)
        if instrument is None:
            return Refusal(Breach.UNKNOWN_SYMBOL, f"{symbol} is no contract the venue lists")
        return fit(instrument)
