"""Collects the evidence about orders of unknown outcome. It only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from exchange.conditional_orders import AlgoRef
from exchange.errors import ExchangeError, RefusedError
from exchange.orders import OrderRef
from exchange.reactions import Reaction
from exchange.unknown_outcome import Fate, UnknownOrder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from exchange.binance.account_client import AccountClient
    from exchange.binance.calls import Calls
    from exchange.conditional_orders import AlgoReport, AlgoRequest
    from exchange.order_reports import OrderReport
    from exchange.orders import OrderRequest
    from exchange.ports import Clock

R = TypeVar("R")

_LISTED_BEFORE_MS = 5_000
"""The lists are asked for from this long before the sending, so that a clock that is off hides nothing."""
_LIMIT = 1000


class Resolver:
    """Finds out what became of orders. While one is being resolved its symbol must take no new entries.

    The private stream may settle a case earlier: cancel the waiting task then.
    """

    def __init__(self, account: AccountClient, calls: Calls, clock: Clock) -> None:
        """Take the reads of the account and the clock."""
        self._account = account
        self._calls = calls
        self._clock = clock
        self.open: dict[str, UnknownOrder] = {}
        """Cases that are pending, by client id."""

    async def order(self, request: OrderRequest, sent_ms: int) -> OrderReport | None:
        """Return a plain order sent at `sent_ms` (the venue's clock), or None when it is proven absent."""
        name = OrderRef(client_id=request.client_id)
        return await self._resolve(
            request.client_id,
            sent_ms,
            lambda: self._account.order(request.symbol, name),
            lambda: self._order_is_unseen(request, sent_ms),
        )

    async def conditional(self, request: AlgoRequest, sent_ms: int) -> AlgoReport | None:
        """Return a conditional order sent at `sent_ms` (the venue's clock), or None when it is proven absent."""
        name = AlgoRef(client_id=request.client_id)
        return await self._resolve(
            request.client_id,
            sent_ms,
            lambda: self._account.algo_order(name),
            lambda: self._conditional_is_unseen(request, sent_ms),
        )

    async def _resolve(
        self,
        client_id: str,
        sent_ms: int,
        query: Callable[[], Awaitable[R]],
        is_unseen: Callable[[], Awaitable[bool]],
    ) -> R | None:
        case = UnknownOrder(sent_ms, self._calls.recv_window_ms, self._calls.clock_sync.error_ms)
        self.open[client_id] = case
        try:
            while case.fate() is Fate.PENDING:
                await self._clock.sleep(max(0.0, (case.next_look_ms - self._calls.venue_ms()) / 1000))
                case.looked()
                asked_ms = self._calls.venue_ms()
                try:
                    return await query()
                except RefusedError as refused:
                    if refused.reaction is Reaction.NO_SUCH_ORDER:
                        case.denied(asked_ms)
                except ExchangeError:
                    continue
                await self._ask_witness(case, is_unseen)
        finally:
            del self.open[client_id]
        return None

    async def _ask_witness(self, case: UnknownOrder, is_unseen: Callable[[], Awaitable[bool]]) -> None:
        asked_ms = self._calls.venue_ms()
        if not case.wants_witness(asked_ms):
            return
        try:
            unseen = await is_unseen()
        except ExchangeError:
            return
        if unseen:
            case.witnessed(asked_ms)
        else:
            case.contradicted()

    async def _order_is_unseen(self, request: OrderRequest, sent_ms: int) -> bool:
        """Say whether orders and executions since the sending are explained without this order."""
        start = sent_ms - _LISTED_BEFORE_MS
        orders = await self._account.all_orders(request.symbol, start_ms=start, limit=_LIMIT)
        trades = await self._account.user_trades(request.symbol, start_ms=sent_ms, limit=_LIMIT)
        if len(orders) == _LIMIT or len(trades) == _LIMIT:  # a list that is full may hide something
            return False
        if any(order.client_id == request.client_id for order in orders):
            return False
        known = {order.order_id for order in orders}
        foreign = {trade.order_id for trade in trades} - known
        for order_id in foreign:  # older orders that were executed since
            older = await self._account.order(request.symbol, OrderRef(order_id=order_id))
            if older.client_id == request.client_id:
                return False
        return True

    async def _conditional_is_unseen(self, request: AlgoRequest, sent_ms: int) -> bool:
        start = sent_ms - _LISTED_BEFORE_MS
        ended = await self._account.all_algo_orders(request.symbol, start_ms=start, limit=_LIMIT)
        working = await self._account.open_algo_orders(request.symbol)
        return len(ended) < _LIMIT and not any(order.client_id == request.client_id for order in (*ended, *working))
