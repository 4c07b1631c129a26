"""The order desk: plain orders from the request to their end, their clocks, and what liquidation asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from exchange.simulator.answers import refuse
from exchange.simulator.trading.amending import Amender
from exchange.simulator.trading.execution import Executor
from exchange.simulator.trading.matching import StepBook
from exchange.simulator.trading.model import ZERO, Expiry, Order, Position, Side, Status
from exchange.simulator.trading.order_gate import RESTING, OrderGate
from exchange.simulator.trading.order_rows import OrderRows
from exchange.simulator.trading.order_store import is_kept
from exchange.simulator.trading.position_maths import on_tick
from exchange.simulator.trading.resting import RestingOrders
from exchange.simulator.trading.taking import Taker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from decimal import Decimal

    from exchange.instrument import Instrument
    from exchange.simulator.market import Listing
    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.amending import Amendment, AmendRequest
    from exchange.simulator.trading.model import PositionListener, Publisher
    from exchange.simulator.trading.order_request import OrderRequest
    from exchange.simulator.trading.order_store import OrderStore
    from exchange.simulator.trading.prices import Prices
    from exchange.simulator.venue import ExchangeOptions

SETTLEMENT_PREFIX = "settlement_autoclose-"
PURGE_MS = 3_600_000


class OrderDesk:
    """Places, amends, cancels and matches plain orders of one account. Refusals are RefusalError."""

    def __init__(
        self,
        listings: Sequence[Listing],
        prices: Prices,
        store: OrderStore,
        account: AccountBook,
        publish: Publisher,
        options: ExchangeOptions,
    ) -> None:
        """Open the desk; `publish` receives the order events and the ACCOUNT_UPDATE of each fill."""
        self._listings = listings
        self.store = store
        self.account = account
        self.questions = options.questions
        self.book = StepBook(prices)
        self._executor = Executor(self.instrument, store, account, publish)
        self._taker = Taker(store, self.book, self._executor)
        self._resting = RestingOrders(prices, store, self.book, self._executor)
        self._prices = prices
        self._gate = OrderGate(self.instrument, prices, store, account, self.book, self._taker, self.questions)
        self.restrictions = self._gate.restrictions
        self._amender = Amender(
            self.instrument,
            prices,
            account,
            self.book,
            self._taker,
            self._gate,
            self._executor,
            self.questions.amend_settle_ms,
        )
        self.rows = OrderRows(self.instrument, lenient=not options.strict)
        self._countdowns: dict[int, int] = {}
        self.counted_down: list[Callable[[int, int], None]] = []
        """Who else acts, on (listing, now), when a countdown is over."""
        self._settled = 0

    @property
    def listeners(self) -> list[PositionListener]:
        """Return who hears of changed positions, after a fill's own events."""
        return self._executor.listeners

    def instrument(self, listing: int) -> Instrument:
        """Return the present rules of a contract."""
        return self._listings[listing].instrument

    def place(self, request: OrderRequest, now_ms: int, *, check_only: bool = False) -> Order:
        """Place an order and match it at once; with `check_only` it is only checked and leaves no trace."""
        order = self._gate.admit(request, now_ms)
        if not check_only:
            self._accept(order, now_ms)
        return order

    def place_child(
        self,
        request: OrderRequest,
        original_kind: str,
        stop_price: Decimal,
        client_id: str,
        now_ms: int,
        accepted: Callable[[Order], None] | None = None,
    ) -> Order:
        """Place what a conditional order has triggered; its refusal is the reason the algo service gives.

        `accepted` hears of the order once all checks are passed and before its first event.
        """
        changes = {"client_id": client_id, "stop_price": stop_price}
        if self.account.dual_side:
            changes["reduce_only"] = None  # in hedge mode side and position side say whether it closes
        order = self._gate.admit(msgspec.structs.replace(request, **changes), now_ms, original_kind)
        self._accept(order, now_ms, accepted)
        return order

    def cancel(self, listing: int, order_id: int | None, client_id: str | None, now_ms: int) -> Order:
        """Cancel an open order. Raises RefusalError -2011 where none of that name is open."""
        order = self._open_order(listing, order_id, client_id, now_ms)
        if order is None:
            raise refuse(-2011, "Unknown order sent.")
        self._executor.end(order, Status.CANCELED, now_ms)
        return order

    def cancel_all(self, listing: int, now_ms: int) -> list[Order]:
        """Cancel every open order of a symbol."""
        orders = list(self.store.open_of(listing))
        for order in orders:
            if order.is_open:
                self._executor.end(order, Status.CANCELED, now_ms)
        return orders

    def modify(self, request: AmendRequest, now_ms: int) -> Order:
        """Amend an open order. Raises RefusalError -2013 where none of that name is open, and those of an amendment."""
        order = self._open_order(request.listing, request.order_id, request.client_id, now_ms)
        if order is None:
            raise refuse(-2013, "Order does not exist.")
        self._amender.amend(order, request, now_ms)
        return order

    def find(self, listing: int, order_id: int | None, client_id: str | None, now_ms: int) -> Order:
        """Return an order, open or ended. Raises RefusalError -2013 where it is unknown or no longer kept."""
        order = self.store.find(listing, order_id, client_id, now_ms)
        if order is None:
            raise refuse(-2013, "Order does not exist.")
        return order

    def open_of(self, listing: int) -> Iterable[Order]:
        """Return the open orders of a symbol, oldest first."""
        return self.store.open_of(listing)

    def open_listings(self) -> Iterable[int]:
        """Return the symbols that have open orders, ascending."""
        return self.store.open_listings()

    def amendments(self, listing: int) -> list[Amendment]:
        """Return the amendments of a symbol's orders, oldest first."""
        return self._amender.history.get(listing, [])

    def countdown(self, listing: int, ms: int, now_ms: int) -> None:
        """Cancel a symbol's orders `ms` from now unless called again; 0 stops the countdown."""
        if ms:
            self._countdowns[listing] = now_ms + ms
        else:
            self._countdowns.pop(listing, None)

    def run_countdowns(self, now_ms: int) -> None:
        """Cancel the orders whose countdown is over; cheap enough to be asked between market steps, too."""
        for listing in [listing for listing, due in self._countdowns.items() if due <= now_ms]:
            del self._countdowns[listing]
            self.cancel_all(listing, now_ms)
            for follow in self.counted_down:
                follow(listing, now_ms)

    def step(self, previous_ms: int, now_ms: int) -> None:
        """Follow a market step: countdowns, endings by time, fills of resting orders."""
        self.book.reset()
        self.run_countdowns(now_ms)
        if self.store.has_open:
            self._resting.step(now_ms)
        if previous_ms // PURGE_MS != now_ms // PURGE_MS:
            self.store.purge(now_ms)
            self._amender.forget(lambda order: is_kept(order, now_ms), now_ms)

    def expire_all(self, listing: int, reason: Expiry, now_ms: int) -> None:
        """End every open order of a symbol for a reason of the venue's own."""
        for order in self.store.open_of(listing):
            if order.is_open:
                self._executor.end(order, Status.EXPIRED, now_ms, reason)

    def close_out(self, listing: int, now_ms: int) -> None:
        """Settle a symbol: its orders expire as delisted, its positions close at the mark price, on the tick."""
        self.expire_all(listing, Expiry.DELISTED, now_ms)
        price = on_tick(self._prices.mark(listing), self.instrument(listing).tick)
        for position in self.account.open_positions():
            if position.listing == listing and position.quantity:
                self._settled += 1
                client_id = f"{SETTLEMENT_PREFIX}{now_ms}{self._settled:06d}"
                self.close_at(position, abs(position.quantity), price, client_id, now_ms)

    def cancel_for_liquidation(self, listing: int | None, now_ms: int) -> None:
        """End the open orders of a symbol, or all, because the account is liquidated."""
        for each in self.store.open_listings() if listing is None else [listing]:
            self.expire_all(each, Expiry.LIQUIDATION, now_ms)

    def place_liquidation(self, position: Position, bankruptcy_price: Decimal, client_id: str, now_ms: int) -> None:
        """Close a position: against the book down to the bankruptcy price, the rest at that price by the fund."""
        order = self._forced(position, abs(position.quantity), bankruptcy_price, client_id, now_ms)
        self._executor.accept(order, now_ms)
        self._taker.take(order, bankruptcy_price, now_ms)
        if order.is_open:
            rest = order.remaining
            self._executor.fill(order, bankruptcy_price, rest, now_ms, maker=False, what="CALCULATED")

    def close_at(self, position: Position, quantity: Decimal, price: Decimal, client_id: str, now_ms: int) -> None:
        """Close a part of a position at a price outside the book."""
        order = self._forced(position, quantity, ZERO, client_id, now_ms)
        self._executor.accept(order, now_ms)
        self._executor.fill(order, price, quantity, now_ms, maker=False, what="CALCULATED")

    def _accept(self, order: Order, now_ms: int, accepted: Callable[[Order], None] | None = None) -> None:
        bound = self._gate.bound(order)
        self._executor.accept(order, now_ms, accepted)
        self._taker.take(order, bound, now_ms)
        if not order.is_open:
            return
        if order.kind == "MARKET":
            self._executor.end(order, Status.EXPIRED, now_ms, Expiry.MARKET_REMAINDER)
        elif order.time_in_force not in RESTING:
            self._executor.end(order, Status.EXPIRED, now_ms, Expiry.IOC_REMAINDER)
        else:
            order.queue_ahead = self.book.standing(order.listing, order.side, order.price)

    def _open_order(self, listing: int, order_id: int | None, client_id: str | None, now_ms: int) -> Order | None:
        order = self.store.find(listing, order_id, client_id, now_ms)
        return order if order is not None and order.is_open else None

    @staticmethod
    def _forced(position: Position, quantity: Decimal, price: Decimal, client_id: str, now_ms: int) -> Order:
        kind = "LIMIT" if price else "MARKET"
        return Order(
            order_id=0,
            client_id=client_id,
            listing=position.listing,
            side=Side.SELL if position.quantity > 0 else Side.BUY,
            position_side=position.side,
            kind=kind,
            time_in_force="IOC" if price else "GTC",
            price=price,
            quantity=quantity,
            created_ms=now_ms,
            updated_ms=now_ms,
            original_kind=kind,
            reduce_only=True,
            self_trade_prevention="NONE",
            by_venue=True,
        )
