"""Reads what belongs to an account: orders, conditional orders, executions, ledger, fees and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.binance import account_wire, algo_wire, endpoints, order_params, order_wire, settings_wire
from exchange.binance.endpoints import open_orders_weight
from exchange.binance.position_mode import PositionMode
from exchange.errors import DecodeError
from exchange.priority import Priority

if TYPE_CHECKING:
    from exchange.account import (
        AccountConfig,
        AdlQuantile,
        CommissionRate,
        IncomeRow,
        KeyRights,
        MarginChange,
        OrderLimit,
        TradingIndicator,
    )
    from exchange.binance.calls import Calls
    from exchange.binance.endpoints import Endpoint
    from exchange.conditional_orders import AlgoRef, AlgoReport
    from exchange.order_reports import Amendment, OrderReport, UserTrade
    from exchange.orders import OrderRef


class AccountClient:
    """Reads of one account. Every method raises `exchange.errors.ExchangeError`; a list with a bad row is refused.

    What protection and the resolving of unknown outcomes rest on is CRITICAL, history is LOW. Windows of time are at
    most seven days long; without one the venue takes the last seven.
    """

    def __init__(self, calls: Calls) -> None:
        """Take the way to the venue."""
        self._calls = calls

    def position_mode(self) -> PositionMode:
        """Return a keeper of the account's position mode, to be shared by all that send orders for it."""

        async def read() -> bool:
            return await self._calls.call(endpoints.POSITION_MODE, (), account_wire.hedge_mode, Priority.CRITICAL)

        return PositionMode(read)

    async def key_rights(self, *, priority: Priority = Priority.HIGH) -> KeyRights:
        """Return what the key may do. Served by the venue's wallet host: see `exchange.binance.routes.Venue`."""
        return await self._calls.call(endpoints.KEY_RIGHTS, (), settings_wire.key_rights, priority)

    async def order(self, symbol: str, order: OrderRef, *, priority: Priority = Priority.CRITICAL) -> OrderReport:
        """Return one order.

        `Reaction.NO_SUCH_ORDER` does not prove that there never was one: answers lag, and the venue forgets cancelled
        orders after three days.
        """
        return await self._one(endpoints.QUERY_ORDER, symbol, order, priority)

    async def open_order(self, symbol: str, order: OrderRef, *, priority: Priority = Priority.CRITICAL) -> OrderReport:
        """Return one open order."""
        return await self._one(endpoints.OPEN_ORDER, symbol, order, priority)

    async def _one(self, endpoint: Endpoint, symbol: str, order: OrderRef, priority: Priority) -> OrderReport:
        def decode(body: bytes, where: str) -> OrderReport:
            report = order_wire.order(body, where)
            meant = order.order_id in (None, report.order_id) and order.client_id in (None, report.client_id)
            if report.symbol != symbol or not meant:
                raise DecodeError(where, "orderId", "the answer is about another order")
            return report

        return await self._calls.call(endpoint, (("symbol", symbol), *order_params.named(order)), decode, priority)

    async def open_orders(
        self, symbol: str | None = None, *, priority: Priority = Priority.CRITICAL
    ) -> tuple[OrderReport, ...]:
        """Return the open plain orders of a symbol, or of all; conditional orders are not among them."""
        params = (("symbol", symbol),)
        weight = open_orders_weight(symbol)
        return await self._calls.call(endpoints.OPEN_ORDERS, params, order_wire.orders, priority, weight)

    async def all_orders(
        self,
        symbol: str,
        *,
        from_order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
        priority: Priority = Priority.LOW,
    ) -> tuple[OrderReport, ...]:
        """Return orders of a symbol, open and ended, ascending, at most 1,000."""
        params = (
            ("symbol", symbol), ("orderId", from_order_id), ("startTime", start_ms), ("endTime", end_ms),
            ("limit", limit),
        )  # fmt: skip
        return await self._calls.call(endpoints.ALL_ORDERS, params, order_wire.orders, priority)

    async def amendments(
        self, symbol: str, order: OrderRef, *, limit: int = 50, priority: Priority = Priority.LOW
    ) -> tuple[Amendment, ...]:
        """Return the changes of an order."""
        params = (("symbol", symbol), *order_params.named(order), ("limit", limit))
        return await self._calls.call(endpoints.AMENDMENTS, params, order_wire.amendments, priority)

    async def force_orders(
        self,
        symbol: str | None = None,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 50,
        priority: Priority = Priority.LOW,
    ) -> tuple[OrderReport, ...]:
        """Return the orders by which the venue liquidated or deleveraged this account."""
        params = (("symbol", symbol), ("startTime", start_ms), ("endTime", end_ms), ("limit", limit))
        weight = 50 if symbol is None else 20
        return await self._calls.call(endpoints.FORCE_ORDERS, params, order_wire.orders, priority, weight)

    async def algo_order(self, order: AlgoRef, *, priority: Priority = Priority.CRITICAL) -> AlgoReport:
        """Return one conditional order."""

        def decode(body: bytes, where: str) -> AlgoReport:
            report = algo_wire.algo_order(body, where)
            if order.algo_id not in (None, report.algo_id) or order.client_id not in (None, report.client_id):
                raise DecodeError(where, "algoId", "the answer is about another order")
            return report

        return await self._calls.call(endpoints.QUERY_ALGO, order_params.named_algo(order), decode, priority)

    async def open_algo_orders(
        self, symbol: str | None = None, *, priority: Priority = Priority.CRITICAL
    ) -> tuple[AlgoReport, ...]:
        """Return the open conditional orders of a symbol, or of all. The list may lag behind what was placed."""
        params = (("symbol", symbol),)
        weight = open_orders_weight(symbol)
        return await self._calls.call(endpoints.OPEN_ALGO, params, algo_wire.algo_orders, priority, weight)

    async def all_algo_orders(
        self,
        symbol: str,
        *,
        from_algo_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
        priority: Priority = Priority.LOW,
    ) -> tuple[AlgoReport, ...]:
        """Return conditional orders of a symbol, open and ended, at most 1,000."""
        params = (
            ("symbol", symbol), ("algoId", from_algo_id), ("startTime", start_ms), ("endTime", end_ms),
            ("limit", limit),
        )  # fmt: skip
        return await self._calls.call(endpoints.ALL_ALGO, params, algo_wire.algo_orders, priority)

    async def user_trades(
        self,
        symbol: str,
        *,
        order_id: int | None = None,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
        priority: Priority = Priority.NORMAL,
    ) -> tuple[UserTrade, ...]:
        """Return executions of ours, ascending, at most 1,000. `from_id` excludes times. ValueError for both."""
        if from_id is not None and (start_ms is not None or end_ms is not None):
            raise ValueError("trades are asked for from an id or in a window of time, not both")
        params = (
            ("symbol", symbol), ("orderId", order_id), ("startTime", start_ms), ("endTime", end_ms),
            ("fromId", from_id), ("limit", limit),
        )  # fmt: skip
        return await self._calls.call(endpoints.USER_TRADES, params, order_wire.user_trades, priority)

    async def income(
        self,
        *,
        symbol: str | None = None,
        kind: str | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 1000,
        priority: Priority = Priority.LOW,
    ) -> tuple[IncomeRow, ...]:
        """Return bookings of the wallet, ascending, at most 1,000; go on by time, there are no pages."""
        params = (
            ("symbol", symbol), ("incomeType", kind), ("startTime", start_ms), ("endTime", end_ms), ("limit", limit),
        )  # fmt: skip
        return await self._calls.call(endpoints.INCOME, params, settings_wire.income, priority)

    async def margin_changes(
        self, symbol: str, *, limit: int = 500, priority: Priority = Priority.LOW
    ) -> tuple[MarginChange, ...]:
        """Return the changes of isolated margin of a symbol."""
        params = (("symbol", symbol), ("limit", limit))
        return await self._calls.call(endpoints.POSITION_MARGIN_HISTORY, params, order_wire.margin_changes, priority)

    async def config(self, *, priority: Priority = Priority.NORMAL) -> AccountConfig:
        """Return what the account is set to and may do: position mode and multi-assets mode for a weight of 5."""
        return await self._calls.call(endpoints.ACCOUNT_CONFIG, (), settings_wire.account_config, priority)

    async def multi_assets(self, *, priority: Priority = Priority.NORMAL) -> bool:
        """Return whether several assets back the margin."""
        return await self._calls.call(endpoints.MULTI_ASSETS, (), settings_wire.multi_assets, priority)

    async def fee_burn(self, *, priority: Priority = Priority.LOW) -> bool:
        """Return whether fees are paid in BNB where possible."""
        return await self._calls.call(endpoints.FEE_BURN, (), settings_wire.fee_burn, priority)

    async def commission_rate(self, symbol: str, *, priority: Priority = Priority.LOW) -> CommissionRate:
        """Return the fees of one symbol. It weighs 20: never ask for every symbol."""
        return await self._calls.call(
            endpoints.COMMISSION_RATE, (("symbol", symbol),), settings_wire.commission_rate, priority
        )

    async def order_limits(self, *, priority: Priority = Priority.NORMAL) -> tuple[OrderLimit, ...]:
        """Return how many orders the account may send; `OrderLedger.adopt` takes them."""
        return await self._calls.call(endpoints.ORDER_LIMITS, (), settings_wire.order_limits, priority)

    async def adl_quantiles(
        self, symbol: str | None = None, *, priority: Priority = Priority.LOW
    ) -> tuple[AdlQuantile, ...]:
        """Return the places of the positions in the queue of auto-deleveraging."""
        return await self._calls.call(
            endpoints.ADL_QUANTILES, (("symbol", symbol),), settings_wire.adl_quantiles, priority
        )

    async def trading_status(
        self, symbol: str | None = None, *, priority: Priority = Priority.LOW
    ) -> tuple[TradingIndicator, ...]:
        """Return the indicators of the quantitative rules that may lock a symbol."""
        weight = 10 if symbol is None else 1
        params = (("symbol", symbol),)
        return await self._calls.call(endpoints.TRADING_STATUS, params, settings_wire.trading_status, priority, weight)
