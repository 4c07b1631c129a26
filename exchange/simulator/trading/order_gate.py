"""Which orders the venue lets in: every check before an order exists, in the order of contract 5.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.answers import refuse
from exchange.simulator.trading.model import ZERO, Order, PositionSide, Side
from exchange.simulator.trading.order_checks import (
    check_counter,
    check_percent,
    check_price,
    check_quantity,
    check_status,
    is_too_small,
    market_bound,
    market_value_price,
    too_small,
)
from exchange.simulator.trading.order_request import CONDITIONAL, check_precision
from exchange.simulator.trading.restrictions import Restrictions

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from exchange.instrument import Instrument
    from exchange.simulator.questions import OpenQuestions
    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.matching import StepBook
    from exchange.simulator.trading.order_request import OrderRequest
    from exchange.simulator.trading.order_store import OrderStore
    from exchange.simulator.trading.prices import Prices
    from exchange.simulator.trading.taking import Taker

RESTING = frozenset({"GTC", "GTD", "GTX", "RPI"})
POST_ONLY = frozenset({"GTX", "RPI"})
MATCH_RANKS = {"OPPONENT": 1, "OPPONENT_5": 5, "QUEUE": 1, "QUEUE_5": 5, "QUEUE_10": 10, "QUEUE_20": 20}
UNRECORDED = "The order will not be recorded in the order history"


class OrderGate:
    """Turns a request into an order that may be placed, or refuses it."""

    def __init__(
        self,
        instrument: Callable[[int], Instrument],
        prices: Prices,
        store: OrderStore,
        account: AccountBook,
        book: StepBook,
        taker: Taker,
        questions: OpenQuestions,
    ) -> None:
        """Check against the present rules, market, open orders and account."""
        self._instrument = instrument
        self._prices = prices
        self._store = store
        self._account = account
        self._book = book
        self._taker = taker
        self._questions = questions
        self.restrictions = Restrictions()

    def admit(self, request: OrderRequest, now_ms: int, original_kind: str | None = None) -> Order:
        """Return the order, without an id yet. Raises RefusalError with the code of the first check it fails."""
        instrument = self._instrument(request.listing)
        check_status(instrument)
        price = request.price
        if request.price_match != "NONE":
            price = self.matched_price(request.listing, request.side, request.price_match)
        check_precision(instrument, price, request.quantity)
        order = _order(request, price, now_ms, original_kind)
        if request.kind in CONDITIONAL:
            check_precision(instrument, request.stop_price, ZERO)
            check_price(instrument, request.stop_price)
        self._check_filters(order, instrument)
        self._check_mode(order, request)
        if order.client_id and self._store.open_client(order.client_id) is not None:
            raise refuse(-4116, "ClientOrderId is duplicated.")
        if order.reduce_only and request.kind not in CONDITIONAL:
            self.check_reduce(order)
        if order.kind != "MARKET" and self._store.count_open(order.listing) >= instrument.max_orders:
            raise refuse(-2025, "Reach max open order limit.")
        self._account.check_order(order, self.value_price(order))
        self.restrictions.check(order)
        self._check_time_in_force(order)
        return order

    def bound(self, order: Order) -> Decimal:
        """Return the worst price an order trades at."""
        if order.price:
            return order.price
        mark = self._prices.mark(order.listing)
        return market_bound(self._instrument(order.listing), order.side, mark)

    def value_price(self, order: Order) -> Decimal:
        """Return the price an order is valued at for margin."""
        return order.price or market_value_price(self._prices, order.listing, order.side)

    def matched_price(self, listing: int, side: Side, match: str) -> Decimal:
        """Return the book's price that a price match names. Raises RefusalError -5041 where the book ends before."""
        taker = side if match.startswith("OPPONENT") else side.opposite
        price = self._book.rank(listing, taker, MATCH_RANKS[match])
        if price is None:
            raise refuse(-5041, "No depth matches this BBO order")
        return price

    def check_reduce(self, order: Order) -> None:
        """Raise RefusalError -2022 or -4118 where an order does not only reduce, alone or with those that rest."""
        held = self._account.position(order.listing, order.position_side).quantity * -order.side.sign
        hedged = order.position_side is not PositionSide.BOTH
        if held <= 0:
            raise refuse(-2022, "ReduceOnly Order is rejected.")
        if order.remaining > held:
            if hedged or not self._questions.reduce_only_capped:
                raise refuse(-2022, "ReduceOnly Order is rejected.")
            order.quantity = order.executed + held
        takes = order.kind == "MARKET" or order.time_in_force not in RESTING
        if self._questions.reduce_only_stacks or (takes and self._questions.taking_outranks_resting):
            return
        resting = sum(
            (
                other.remaining
                for other in self._store.open_of(order.listing)
                if other.reduce_only
                and other.side is order.side
                and other.position_side is order.position_side
                and other.order_id != order.order_id
            ),
            ZERO,
        )
        if resting + order.remaining > held:
            if hedged:
                raise refuse(-2022, "ReduceOnly Order is rejected.")
            raise refuse(-4118, "ReduceOnly Order Failed. Please check your existing position and open orders")

    def _check_filters(self, order: Order, instrument: Instrument) -> None:
        """Check steps 3 to 5: price, quantity, notional, distance from the mark."""
        mark = self._prices.mark(order.listing)
        limited = order.kind in {"LIMIT", "STOP", "TAKE_PROFIT"}
        if limited:
            check_price(instrument, order.price)
        if not order.close_position or order.quantity:
            check_quantity(instrument, order.quantity, market=not limited)
        exempt = order.reduce_only or order.close_position or _closes(order)
        if not exempt and is_too_small(instrument, order.price if limited else mark, order.quantity):
            raise too_small(instrument)
        if limited:
            check_percent(instrument, order.side, order.price, mark)
        elif order.kind == "MARKET":
            best = self._prices.ask(order.listing) if order.side is Side.BUY else self._prices.bid(order.listing)
            check_counter(instrument, order.side, best, mark)

    def _check_mode(self, order: Order, request: OrderRequest) -> None:
        """Check step 6, and let a closing order of hedge mode count as one that only reduces."""
        dual = self._account.dual_side
        if dual is (order.position_side is PositionSide.BOTH):
            raise refuse(-4061, "Order's position side does not match user's setting.")
        if not dual:
            return
        if request.reduce_only is not None:
            code = self._questions.hedge_reduce_only_code
            if code == -4062:
                raise refuse(code, "Invalid or improper reduceOnly value.")
            raise refuse(code, "Parameter 'reduceonly' sent when not required.")
        order.reduce_only = _closes(order)

    def _check_time_in_force(self, order: Order) -> None:
        """Refuse what its time in force forbids; such an order leaves no trace in the history."""
        if order.time_in_force in POST_ONLY and self._taker.would_take(order, order.price):
            raise refuse(
                -5022,
                f"Due to the order could not be executed as maker, the Post Only order will be rejected. {UNRECORDED}",
            )
        if order.time_in_force == "FOK":
            found = self._book.available(order.listing, order.side, order.price, order.quantity)
            if found < order.quantity:
                raise refuse(
                    -5021,
                    "Due to the order could not be filled immediately, the FOK order has been rejected. " + UNRECORDED,
                )


def _closes(order: Order) -> bool:
    """Say whether an order of hedge mode closes its side."""
    closing = {PositionSide.LONG: Side.SELL, PositionSide.SHORT: Side.BUY}
    return closing.get(order.position_side) is order.side


def _order(request: OrderRequest, price: Decimal, now_ms: int, original_kind: str | None) -> Order:
    return Order(
        order_id=0,
        client_id=request.client_id or "",
        listing=request.listing,
        side=request.side,
        position_side=request.position_side,
        kind=request.kind,
        time_in_force=request.time_in_force,
        price=price,
        quantity=request.quantity,
        created_ms=now_ms,
        updated_ms=now_ms,
        original_kind=original_kind or request.kind,
        reduce_only=bool(request.reduce_only),
        close_position=request.close_position,
        stop_price=request.stop_price,
        working_type=request.working_type,
        price_protect=request.price_protect,
        price_match=request.price_match,
        self_trade_prevention=request.self_trade_prevention,
        good_till_ms=request.good_till_ms,
        activate_price=request.activate_price,
        callback_rate=request.callback_rate,
    )
