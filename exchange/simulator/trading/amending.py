"""PUT order: what an amendment may change, what it costs the order, and the history of amendments (contract 3.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from exchange.simulator.answers import refuse
from exchange.simulator.encode import plain
from exchange.simulator.trading.model import ZERO, Order, Side, Status
from exchange.simulator.trading.order_checks import check_percent, check_price, check_quantity, is_too_small
from exchange.simulator.trading.order_gate import POST_ONLY
from exchange.simulator.trading.order_request import (
    check_precision,
    client_id,
    flag,
    listing_of,
    price_match,
    required_decimal,
    side,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from exchange.instrument import Instrument
    from exchange.simulator.params import Params
    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.execution import Executor
    from exchange.simulator.trading.matching import StepBook
    from exchange.simulator.trading.order_gate import OrderGate
    from exchange.simulator.trading.prices import Prices
    from exchange.simulator.trading.taking import Taker

MOST_AMENDMENTS = 10_000


class AmendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An amendment as asked for; `quantity` is the order's new total."""

    listing: int
    side: Side
    quantity: Decimal
    price: Decimal = ZERO
    price_match: str = "NONE"
    order_id: int | None = None
    client_id: str | None = None
    modify_id: int | None = None
    reduce_only: bool | None = None


def parse_amendment(params: Params, index: Mapping[str, int]) -> AmendRequest:
    """Read one amendment. Raises RefusalError -1102, -1117, -1121, -1100, -5037."""
    listing = listing_of(params, index)
    way = side(params)
    order_id, own_id = order_names(params)
    quantity = required_decimal(params, "quantity")
    match = price_match(params, limited=True)
    return AmendRequest(
        listing=listing,
        side=way,
        quantity=quantity,
        price=ZERO if match != "NONE" else required_decimal(params, "price"),
        price_match=match,
        order_id=order_id,
        client_id=own_id,
        modify_id=params.integer("modifyId"),
        reduce_only=flag(params, "reduceOnly"),
    )


def order_names(params: Params) -> tuple[int | None, str | None]:
    """Return the order id and the client id that name an order. Raises RefusalError -1102 where both are absent."""
    order_id, own_id = params.integer("orderId"), client_id(params, "origClientOrderId")
    if order_id is None and own_id is None:
        raise refuse(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    return order_id, own_id


class Amendment(NamedTuple):
    """One entry of orderAmendment."""

    amendment_id: int
    order: Order
    time_ms: int
    price: tuple[Decimal, Decimal]
    quantity: tuple[Decimal, Decimal]
    number: int
    modify_id: int | None


class Amender:
    """Changes price and quantity of resting limit orders."""

    def __init__(
        self,
        instrument: Callable[[int], Instrument],
        prices: Prices,
        account: AccountBook,
        book: StepBook,
        taker: Taker,
        gate: OrderGate,
        executor: Executor,
        settle_ms: int,
    ) -> None:
        """`settle_ms` is how long an amendment counts as pending; a second one meanwhile is refused with -5043."""
        self._instrument = instrument
        self._prices = prices
        self._account = account
        self._book = book
        self._taker = taker
        self._gate = gate
        self._executor = executor
        self._settle_ms = settle_ms
        self._pending_until: dict[int, int] = {}
        self.history: dict[int, list[Amendment]] = {}
        """Amendments by listing, oldest first."""
        self._count = 0

    def amend(self, order: Order, request: AmendRequest, now_ms: int) -> None:
        """Amend an open order, or cancel it where the change leaves nothing to execute or would make a maker take.

        Raises RefusalError -5024 to -5029, -5043, -5047 and those of the filters; the order then stays as it is.
        """
        instrument = self._instrument(order.listing)
        price = self._checked(order, request, instrument, now_ms)
        changed = msgspec.structs.replace(order, price=price, quantity=request.quantity)
        if request.quantity <= order.executed or (
            order.time_in_force in POST_ONLY and self._taker.would_take(changed, price)
        ):
            self._executor.end(order, Status.CANCELED, now_ms)
            return
        if order.reduce_only:
            self._gate.check_reduce(changed)
        self._account.check_order(changed, price)
        self._count += 1
        order.amendments += 1
        entry = Amendment(
            self._count,
            order,
            now_ms,
            (order.price, price),
            (order.quantity, changed.quantity),
            order.amendments,
            request.modify_id,
        )
        self.history.setdefault(order.listing, []).append(entry)
        order.price, order.quantity = price, changed.quantity
        order.price_match = request.price_match
        order.self_trade_prevention = "NONE"
        order.updated_ms = now_ms
        order.queue_ahead = self._book.standing(order.listing, order.side, price)
        if self._settle_ms:
            self._pending_until[order.order_id] = now_ms + self._settle_ms
        self._executor.announce(order, "AMENDMENT", now_ms, request.modify_id)
        self._taker.take(order, price, now_ms)

    def forget(self, is_kept: Callable[[Order], bool], now_ms: int) -> None:
        """Drop the amendments of orders no query can show any more."""
        for listing, entries in self.history.items():
            self.history[listing] = [entry for entry in entries if is_kept(entry.order)]
        self._pending_until = {order: until for order, until in self._pending_until.items() if until > now_ms}

    def _checked(self, order: Order, request: AmendRequest, instrument: Instrument, now_ms: int) -> Decimal:
        """Return the new price of an amendment that may go on."""
        if not instrument.is_trading:
            raise refuse(-5024, "Symbol is not in trading status. Order amendment is not permitted.")
        if order.kind != "LIMIT":
            raise refuse(-5025, "Only limit order is supported.")
        if order.side is not request.side:
            raise refuse(-1117, "Invalid side.")
        if order.amendments >= MOST_AMENDMENTS:
            raise refuse(-5026, "Exceed maximum modify order limit.")
        if now_ms < self._pending_until.get(order.order_id, 0):
            raise refuse(-5043, "A pending modification already exists for this order.")
        if request.reduce_only and not order.reduce_only:
            raise refuse(-5047, "The order to be modified is not a reduce only order.")
        price = request.price
        if request.price_match != "NONE":
            price = self._gate.matched_price(order.listing, order.side, request.price_match)
        if price == order.price and request.quantity == order.quantity:
            raise refuse(-5027, "No need to modify the order.")
        check_precision(instrument, price, request.quantity)
        check_price(instrument, price)
        check_quantity(instrument, request.quantity, market=False)
        if not (request.reduce_only and order.reduce_only) and is_too_small(instrument, price, request.quantity):
            least = plain(instrument.min_notional.normalize())
            raise refuse(-5029, f"Order's notional must be no smaller than {least}")
        check_percent(instrument, order.side, price, self._prices.mark(order.listing))
        return price
