"""The algo service: conditional orders from placement over their trigger to the child that trades (contract section 4).

NEW -> CANCELED | EXPIRED, or NEW -> TRIGGERING -> TRIGGERED -> FINISHED; a child that is refused makes its order
REJECTED or EXPIRED with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from exchange.simulator.answers import RefusalError, refuse
from exchange.simulator.trading.algo_checks import check_mode, check_position, check_room, check_trigger
from exchange.simulator.trading.algo_children import child_request, fresh_client_id, refused_child
from exchange.simulator.trading.algo_events import algo_update, trigger_reject
from exchange.simulator.trading.algo_model import MARK_PRICE, AlgoOrder, AlgoStatus
from exchange.simulator.trading.algo_request import check_terms
from exchange.simulator.trading.algo_store import AlgoStore
from exchange.simulator.trading.algo_triggers import (
    TrailState,
    first_reached,
    is_protected,
    price_path,
    trail,
)
from exchange.simulator.trading.order_checks import check_status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from exchange.instrument import Instrument
    from exchange.simulator.market import Listing
    from exchange.simulator.questions import OpenQuestions
    from exchange.simulator.trading.algo_model import AlgoTerms
    from exchange.simulator.trading.algo_ports import Account, Orders
    from exchange.simulator.trading.algo_triggers import PricePath
    from exchange.simulator.trading.model import Order, Position, Publisher
    from exchange.simulator.trading.prices import Prices

PURGE_MS = 3_600_000


class AlgoDesk:
    """Holds the account's conditional orders. Implements PositionListener."""

    def __init__(
        self,
        listings: Sequence[Listing],
        prices: Prices,
        account: Account,
        orders: Orders,
        publish: Publisher,
        questions: OpenQuestions,
    ) -> None:
        """Open without orders."""
        self.store = AlgoStore()
        self.stuck = False
        """While set, what triggers stays TRIGGERING, as seen on the demo venue: a switch for fault plans."""
        self.reject_reason: str | None = None
        """While set, what triggers is REJECTED for this reason: a switch for fault plans."""
        self._listings = listings
        self._prices = prices
        self._account = account
        self._orders = orders
        self._publish = publish
        self._questions = questions
        self._open_children: dict[int, AlgoOrder] = {}

    def place(self, terms: AlgoTerms, now_ms: int) -> AlgoOrder:
        """Accept a conditional order. Margin is not looked at. Raises RefusalError, and then nothing has happened."""
        instrument = self.instrument(terms.listing)
        check_status(instrument)
        check_terms(terms, instrument)
        check_mode(terms, self._account, self._questions)
        price = self._working_price(terms)
        check_trigger(terms, price, self._questions)
        bound = check_position(terms, self._account, self._questions)
        if terms.client_id and self.store.waiting_client(terms.client_id) is not None:
            raise refuse(-4116, "ClientOrderId is duplicated.")
        check_room(terms, self.store, self._questions)
        number = self.store.next_id()
        order = AlgoOrder(
            number, terms.client_id or fresh_client_id("algo", number), terms, now_ms, now_ms, bound=bound
        )
        self.store.add(order)
        if terms.is_trailing:
            order.extreme = price
            if not terms.activate_price:
                order.terms = msgspec.structs.replace(terms, activate_price=price)
        self._tell(order, now_ms)
        if terms.is_trailing and not terms.activate_price:
            self._activate(order, now_ms)
        return order

    def cancel(self, algo_id: int | None, client_id: str | None, now_ms: int) -> AlgoOrder:
        """Cancel a waiting order. Raises RefusalError -2011, or -4117 where its trigger came first."""
        order = self.store.find(algo_id, client_id, now_ms)
        if order is not None and order.status is AlgoStatus.TRIGGERING:
            if self._questions.algo_cancel_race_code == -4117:
                raise refuse(-4117, "stop order is triggering")
        elif order is not None and order.status is AlgoStatus.NEW:
            self._end(order, AlgoStatus.CANCELED, now_ms)
            return order
        raise refuse(-2011, "Unknown order sent.")

    def cancel_all(self, listing: int, now_ms: int) -> None:
        """Cancel a symbol's orders that have not triggered."""
        for order in self.store.waiting_of(listing):
            if order.status is AlgoStatus.NEW:
                self._end(order, AlgoStatus.CANCELED, now_ms)

    def expire_all(self, listing: int, reason: str, now_ms: int) -> None:
        """Expire a symbol's waiting orders, whatever their state: the symbol settles."""
        for order in self.store.waiting_of(listing):
            self._end(order, AlgoStatus.EXPIRED, now_ms, reason)

    def find(self, algo_id: int | None, client_id: str | None, now_ms: int) -> AlgoOrder:
        """Return an order. Raises RefusalError -2013."""
        order = self.store.find(algo_id, client_id, now_ms)
        if order is None:
            raise refuse(-2013, "Order does not exist.")
        return order

    def open_orders(self, listing: int | None, now_ms: int) -> list[AlgoOrder]:
        """Return what openAlgoOrders shows, which may lag behind (see OpenQuestions)."""
        seen = self.store.listed(self._questions.algo_read_lag_ms, now_ms)
        return [order for order in seen if listing is None or order.terms.listing == listing]

    def instrument(self, listing: int) -> Instrument:
        """Return the present rules of a symbol."""
        return self._listings[listing].instrument

    def position_changed(self, position: Position, now_ms: int) -> None:
        """Expire the orders whose position is gone, and bind those that waited for one."""
        for order in self.store.waiting_of(position.listing):
            terms = order.terms
            if not terms.needs_position or terms.position_side is not position.side:
                continue
            if terms.reduces(position.quantity):
                order.bound = True
            elif order.bound and order.status is AlgoStatus.NEW:
                self._end(order, AlgoStatus.EXPIRED, now_ms)

    def step(self, previous_ms: int, now_ms: int) -> None:
        """Follow one market step: what has run out expires, what is reached triggers, what is due gets its child."""
        if self.store.count_waiting():
            self._trigger(now_ms)
            due = [o for o in self.store.waiting if o.status is AlgoStatus.TRIGGERING and o.due_ms <= now_ms]
            if due and not self.stuck:
                for order in sorted(due, key=_by_due):
                    self._spawn(order, now_ms)
        for order in list(self._open_children.values()):
            self._finish(order, now_ms)
        if previous_ms // PURGE_MS != now_ms // PURGE_MS:
            self.store.purge(now_ms)

    def _trigger(self, now_ms: int) -> None:
        paths: dict[tuple[int, bool], PricePath] = {}
        fired: list[tuple[int, int, AlgoOrder]] = []
        for order in self.store.waiting:
            if order.status is not AlgoStatus.NEW:
                continue
            terms = order.terms
            if terms.good_till_ms and terms.good_till_ms <= now_ms:
                self._end(order, AlgoStatus.EXPIRED, now_ms)
                continue
            if not self.instrument(terms.listing).is_trading:
                continue  # nothing is matched on a halted symbol, so nothing triggers either
            kind = (terms.listing, terms.working_type == MARK_PRICE)
            path = paths.get(kind)
            if path is None:
                path = paths[kind] = self._path(*kind, now_ms)
            instant = self._reached(order, path, now_ms)
            if instant is not None:
                fired.append((instant, order.algo_id, order))
        for instant, _, order in sorted(fired, key=_by_instant):
            order.status = AlgoStatus.TRIGGERING
            order.trigger_ms = order.updated_ms = instant
            order.due_ms = instant + self._questions.algo_latency_ms
            self._tell(order, now_ms)

    def _reached(self, order: AlgoOrder, path: PricePath, now_ms: int) -> int | None:
        terms = order.terms
        if terms.is_trailing:
            points = [point for point in path.points if point[0] > order.created_ms]
            (order.extreme, active), instant = trail(terms, TrailState(order.extreme, order.activated), points)
            if active and not order.activated:
                self._activate(order, now_ms)
        else:
            instant = first_reached(terms, path, order.created_ms)
        if instant is not None and terms.price_protect and self._is_protected(terms.listing):
            return None
        return instant

    def _path(self, listing: int, mark: bool, now_ms: int) -> PricePath:
        """Return the working prices of the last step: its trades and where it ended, or its mark."""
        if mark:
            return price_path([(now_ms, self._prices.mark(listing))])
        points = [(trade.time_ms, trade.price) for trade in self._prices.trades(listing)]
        return price_path([*points, (now_ms, self._prices.last(listing))])

    def _spawn(self, order: AlgoOrder, now_ms: int) -> None:
        terms = order.terms
        quantity = terms.quantity
        if terms.needs_position:
            held = self._account.position(terms.listing, terms.position_side).quantity
            if not terms.reduces(held):
                self._end(order, AlgoStatus.EXPIRED, now_ms, "Position does not exist")
                return
            quantity = abs(held) if terms.close_position else quantity
        if self.reject_reason is not None:
            self._end(order, AlgoStatus.REJECTED, now_ms, self.reject_reason)
            return

        def accepted(child: Order) -> None:
            order.child = child
            order.status = AlgoStatus.TRIGGERED
            self._leave(order, now_ms)
            self._open_children[order.algo_id] = order
            self._tell(order, now_ms)

        own = self._questions.algo_child_bears_algo_id
        client_id = order.client_id if own else fresh_client_id("child", order.algo_id)
        request = child_request(terms, quantity, client_id, hedged=self._account.dual_side)
        try:
            self._orders.place_child(request, terms.kind, terms.trigger_price, client_id, now_ms, accepted)
        except RefusalError as refusal:
            status, reason = refused_child(refusal)
            self._end(order, status, now_ms, reason)
            return
        self._finish(order, now_ms)

    def _finish(self, order: AlgoOrder, now_ms: int) -> None:
        child = order.child
        if child is None or child.is_open:
            return
        del self._open_children[order.algo_id]
        order.status = AlgoStatus.FINISHED
        order.updated_ms = now_ms
        self._tell(order, now_ms)

    def _activate(self, order: AlgoOrder, now_ms: int) -> None:
        order.activated = True
        order.updated_ms = now_ms
        self._tell(order, now_ms)

    def _end(self, order: AlgoOrder, status: AlgoStatus, now_ms: int, reason: str = "") -> None:
        order.status = status
        order.reason = reason
        self._leave(order, now_ms)
        self._tell(order, now_ms)
        if status is AlgoStatus.REJECTED and self._questions.algo_trigger_reject_event:
            self._publish.publish(trigger_reject(order, self.instrument(order.terms.listing), now_ms))

    def _leave(self, order: AlgoOrder, now_ms: int) -> None:
        order.updated_ms = order.left_ms = now_ms
        self.store.leave(order)

    def _tell(self, order: AlgoOrder, now_ms: int) -> None:
        self._publish.publish(algo_update(order, self.instrument(order.terms.listing), now_ms))

    def _working_price(self, terms: AlgoTerms) -> Decimal:
        read = self._prices.mark if terms.working_type == MARK_PRICE else self._prices.last
        return read(terms.listing)

    def _is_protected(self, listing: int) -> bool:
        bound = self.instrument(listing).market_take_bound  # exchangeInfo shows it as triggerProtect, too
        return is_protected(self._prices.mark(listing), self._prices.last(listing), bound)


def _by_due(order: AlgoOrder) -> tuple[int, int]:
    return order.due_ms, order.algo_id


def _by_instant(fired: tuple[int, int, AlgoOrder]) -> tuple[int, int]:
    return fired[0], fired[1]
