"""Places, amends and cancels plain orders.

Only what a desk in paper mode never gets can reach an order endpoint: this client is made from a `BinanceClient`'s
calls where, and only where, live orders are allowed. Nothing that changes the account is sent twice, except after a
certain refusal for the timestamp or for the position mode. Parameters travel in the query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.binance import endpoints, order_params, order_wire
from exchange.binance.batches import Element, Settled, settle_batch
from exchange.errors import DecodeError, ExchangeError, RefusedError
from exchange.priority import Priority
from exchange.reactions import Reaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exchange.binance.calls import Calls
    from exchange.binance.endpoints import Endpoint
    from exchange.binance.position_mode import PositionMode
    from exchange.binance.signing import Params
    from exchange.order_reports import Countdown, OrderAck
    from exchange.orders import AmendRequest, OrderRef, OrderRequest


class OrderClient:
    """Plain orders of one account. Every method raises `exchange.errors.ExchangeError`."""

    def __init__(self, calls: Calls, mode: PositionMode) -> None:
        """Take the way to the venue and the account's position mode."""
        self._calls = calls
        self.mode = mode

    async def place(self, request: OrderRequest, why_not: Callable[[], str] | None = None) -> OrderAck:
        """Place an order. An acknowledgement that is not about this order leaves its outcome unknown.

        `why_not` is asked right before the order leaves, after every wait; a reason holds it back.
        """

        async def send(hedge: bool) -> OrderAck:
            params = order_params.place(request, hedge=hedge)
            return await self._calls.call(
                endpoints.PLACE_ORDER,
                params,
                _AckOf(request.symbol, None, request.client_id),
                request.priority,
                why_not=why_not,
            )

        return await self.mode.submit(send, request.priority)

    async def check(self, request: OrderRequest) -> None:
        """Let the venue judge an order without placing it."""

        async def send(hedge: bool) -> None:
            params = order_params.place(request, hedge=hedge)
            await self._calls.call(endpoints.TEST_ORDER, params, _judged, Priority.NORMAL)

        await self.mode.submit(send, Priority.NORMAL)

    async def amend(self, request: AmendRequest) -> OrderAck:
        """Give an open LIMIT order another price or total quantity; it loses its place in the queue.

        The venue cancels the order instead when the new total is already executed or a post-only price would cross:
        look at the status. After a refusal (`Reaction.QUERY_ORDER`) the order stands as it was: query it.
        """
        order = request.order
        decode = _AckOf(request.symbol, order.order_id, order.client_id)
        return await self._calls.call(endpoints.AMEND_ORDER, order_params.amend(request), decode, request.priority)

    async def cancel(self, symbol: str, order: OrderRef, *, priority: Priority = Priority.CRITICAL) -> OrderAck:
        """Cancel an order. Raises RefusedError with `Reaction.ALREADY_CLOSED` when it is not open any more."""
        params = (("symbol", symbol), *order_params.named(order))
        decode = _AckOf(symbol, order.order_id, order.client_id)
        return await self._calls.call(endpoints.CANCEL_ORDER, params, decode, priority)

    async def place_batch(self, requests: Sequence[OrderRequest]) -> tuple[Settled, ...]:
        """Place up to five orders; return what became of each, in their order.

        The venue answers each on its own. What it leaves out is unknown. A refusal for the position mode makes the
        mode be read anew before the next order; nothing of the batch is sent again.
        """
        _check_size(len(requests), order_params.BATCH_LIMIT)
        priority = min(request.priority for request in requests)
        hedge = await self.mode.known(priority)
        params = order_params.batch(order_params.place(request, hedge=hedge) for request in requests)
        elements = [Element(request.symbol, None, request.client_id) for request in requests]
        settled = await self._batch(endpoints.PLACE_BATCH, params, elements, priority)
        if any(isinstance(one, RefusedError) and one.reaction is Reaction.REREAD_MODE for one in settled):
            self.mode.forget()
        return settled

    async def amend_batch(self, requests: Sequence[AmendRequest]) -> tuple[Settled, ...]:
        """Amend up to five orders; return what became of each, in their order."""
        _check_size(len(requests), order_params.BATCH_LIMIT)
        params = order_params.batch(order_params.amend(request) for request in requests)
        elements = [Element(request.symbol, request.order.order_id, request.order.client_id) for request in requests]
        return await self._batch(endpoints.AMEND_BATCH, params, elements, min(request.priority for request in requests))

    async def cancel_batch(
        self, symbol: str, orders: Sequence[OrderRef], *, priority: Priority = Priority.CRITICAL
    ) -> tuple[Settled, ...]:
        """Cancel up to ten orders of a symbol, all named in the same way; return what became of each."""
        _check_size(len(orders), order_params.CANCEL_BATCH_LIMIT)
        params = (("symbol", symbol), *order_params.named_list(orders))
        elements = [Element(symbol, order.order_id, order.client_id) for order in orders]
        return await self._batch(endpoints.CANCEL_BATCH, params, elements, priority)

    async def _batch(
        self, endpoint: Endpoint, params: Params, elements: Sequence[Element], priority: Priority
    ) -> tuple[Settled, ...]:
        def refuse(error: DecodeError) -> None:
            self._calls.quarantine.refuse(error, error.sample, self._calls.venue_ms())

        def decode(body: bytes, where: str) -> tuple[Settled, ...]:
            return settle_batch(body, elements, where, self._calls.venue_ms(), refuse)

        settled = await self._calls.call(endpoint, params, decode, priority)
        for one in settled:
            if isinstance(one, ExchangeError):
                self._calls.heed(one)
        return settled

    async def cancel_all(self, symbol: str, *, priority: Priority = Priority.CRITICAL) -> None:
        """Cancel the open plain orders of a symbol; conditional orders stay."""
        await self._calls.call(endpoints.CANCEL_ALL, (("symbol", symbol),), order_wire.success, priority)

    async def countdown(self, symbol: str, after_ms: int, *, priority: Priority = Priority.CRITICAL) -> Countdown:
        """Let the venue cancel the symbol's plain orders unless this is called again in time; 0 switches it off."""
        if after_ms < 0:
            raise ValueError(f"a countdown lasts 0 (off) or more milliseconds, not {after_ms}")

        def decode(body: bytes, where: str) -> Countdown:
            confirmed = order_wire.countdown(body, where)
            if (confirmed.symbol, confirmed.after_ms) != (symbol, after_ms):
                raise DecodeError(where, "countdownTime", "the venue confirmed another countdown")
            return confirmed

        params = (("symbol", symbol), ("countdownTime", after_ms))
        return await self._calls.call(endpoints.COUNTDOWN, params, decode, priority)


class _AckOf:
    """Decodes an acknowledgement and makes sure that it is about the order it was asked for."""

    def __init__(self, symbol: str, order_id: int | None, client_id: str | None) -> None:
        self._element = Element(symbol, order_id, client_id)

    def __call__(self, body: bytes, where: str) -> OrderAck:
        ack = order_wire.acknowledged(body, where)
        if not self._element.is_meant(ack):
            raise DecodeError(where, "orderId", "the answer is about another order")
        return ack


def _judged(_body: bytes, _where: str) -> None:
    """Accept any answer: a refusal would have come as an error."""


def _check_size(count: int, limit: int) -> None:
    if not 1 <= count <= limit:
        raise ValueError(f"a batch holds 1 to {limit} orders, not {count}")
