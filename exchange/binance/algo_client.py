"""Places and cancels conditional orders in the algo service. Made only where live orders are allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.binance import algo_wire, endpoints, order_params, order_wire
from exchange.errors import DecodeError
from exchange.priority import Priority

if TYPE_CHECKING:
    from exchange.binance.calls import Calls
    from exchange.binance.position_mode import PositionMode
    from exchange.conditional_orders import AlgoRef, AlgoReport, AlgoRequest


class AlgoClient:
    """Conditional orders of one account. Every method raises `exchange.errors.ExchangeError`.

    There is no amendment and no batch: replace means place the new order, then cancel the old one. Only a
    close-position order cannot be replaced that way (`Reaction.CLOSE_POSITION_CONFLICT`).
    """

    def __init__(self, calls: Calls, mode: PositionMode) -> None:
        """Take the way to the venue and the account's position mode."""
        self._calls = calls
        self.mode = mode

    async def place(self, request: AlgoRequest) -> AlgoReport:
        """Place a conditional order. `Reaction.CLOSE_NOW` says that its level is breached already."""

        def decode(body: bytes, where: str) -> AlgoReport:
            report = algo_wire.algo_order(body, where)
            if (report.symbol, report.client_id) != (request.symbol, request.client_id):
                raise DecodeError(where, "clientAlgoId", "the answer is about another order")
            return report

        async def send(hedge: bool) -> AlgoReport:
            params = order_params.algo(request, hedge=hedge)
            return await self._calls.call(endpoints.PLACE_ALGO, params, decode, request.priority)

        return await self.mode.submit(send, request.priority)

    async def cancel(self, order: AlgoRef, *, priority: Priority = Priority.CRITICAL) -> None:
        """Cancel a conditional order.

        Raises RefusedError with `Reaction.ALREADY_CLOSED` or `Reaction.STOP_TRIGGERING` when it comes too late.
        """

        def decode(body: bytes, where: str) -> None:
            algo_id, client_id = algo_wire.algo_cancelled(body, where)
            if order.algo_id not in (None, algo_id) or order.client_id not in (None, client_id):
                raise DecodeError(where, "algoId", "the answer is about another order")

        await self._calls.call(endpoints.CANCEL_ALGO, order_params.named_algo(order), decode, priority)

    async def cancel_all(self, symbol: str, *, priority: Priority = Priority.CRITICAL) -> None:
        """Cancel the open conditional orders of a symbol; plain orders stay."""
        await self._calls.call(endpoints.CANCEL_ALL_ALGO, (("symbol", symbol),), order_wire.success, priority)
