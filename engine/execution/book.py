"""The book: our picture of positions, orders and conditional orders at the exchange.

Events of the private stream patch it, readings over REST replace it. It holds what the exchange told and nothing that
was hoped for; what the desk wanted stands in the intents. Pure: no clock, no I/O.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.execution.intents import PositionKey
from exchange.account_events import ALGO_FINAL, AccountUpdate, AlgoUpdate, OrderUpdate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.account import AccountSummary, PositionRisk
    from exchange.account_events import AccountEvent
    from exchange.conditional_orders import AlgoReport
    from exchange.order_reports import OrderReport

ZERO = Decimal(0)
ENDED_KEPT = 2_000
"""Ended orders remembered, so that late news of them is known to be late."""


class BookPosition(msgspec.Struct, frozen=True):
    """One open position. `quantity` is signed."""

    key: PositionKey
    quantity: Decimal
    entry: Decimal
    updated_ms: int
    """Of the exchange, UTC milliseconds."""
    isolated: bool = False
    margin: Decimal = ZERO
    """Initial margin as last read, 0 before."""
    liquidation: Decimal = ZERO
    """0 where there is none or it was not read."""
    mark: Decimal = ZERO
    """As last read."""

    @property
    def sign(self) -> int:
        """Return +1 for a long, -1 for a short."""
        return 1 if self.quantity > 0 else -1


class BookOrder(msgspec.Struct, frozen=True):
    """One open plain order."""

    symbol: str
    order_id: int
    client_id: str
    side: str
    position_side: str
    kind: str
    status: str
    quantity: Decimal
    filled: Decimal
    price: Decimal
    reduces: bool
    updated_ms: int
    created_ms: int = 0


class BookAlgo(msgspec.Struct, frozen=True):
    """One conditional order that has not ended."""

    symbol: str
    algo_id: int
    client_id: str
    side: str
    position_side: str
    kind: str
    status: str
    quantity: Decimal
    """0 with `close_position`."""
    trigger: Decimal
    close_position: bool
    reduce_only: bool
    updated_ms: int
    child_id: int = 0
    created_ms: int = 0


class Gone(msgspec.Struct, frozen=True):
    """Objects the book held that a reading no longer shows: to be asked for one by one, never to be believed gone."""

    positions: tuple[BookPosition, ...] = ()
    orders: tuple[BookOrder, ...] = ()
    algos: tuple[BookAlgo, ...] = ()


class _Dropped(NamedTuple):
    """A position that readings call closed: events of before `as_of_ms` and readings begun before `began_s` are old."""

    as_of_ms: int
    began_s: float


class Book:
    """Positions, open orders and conditional orders of one account."""

    def __init__(self) -> None:
        """Start with nothing known."""
        self.positions: dict[PositionKey, BookPosition] = {}
        self.orders: dict[int, BookOrder] = {}
        self.algos: dict[int, BookAlgo] = {}
        self.wallets: dict[str, Decimal] = {}
        self.summary: AccountSummary | None = None
        self._told_ms: dict[PositionKey, int] = {}
        """The exchange's time of the newest word about each position, also of those that are closed."""
        self._dropped: dict[PositionKey, _Dropped] = {}
        self._ended: dict[int, None] = {}
        self._ended_algos: dict[int, None] = {}

    # Events.

    def apply(self, event: AccountEvent) -> None:
        """Take one event of the private stream."""
        if isinstance(event, OrderUpdate):
            self._apply_order(event)
        elif isinstance(event, AlgoUpdate):
            self._apply_algo(event)
        elif isinstance(event, AccountUpdate):
            for balance in event.balances:
                self.wallets[balance.asset] = balance.wallet
            for change in event.positions:
                key = PositionKey(change.symbol, change.side)
                dropped = self._dropped.get(key)
                if event.event_time < max(self._told_ms.get(key, 0), 0 if dropped is None else dropped.as_of_ms):
                    continue  # a reading told something newer before this event came
                self._dropped.pop(key, None)
                self._told_ms[key] = event.event_time
                if not change.quantity:
                    self.positions.pop(key, None)
                    continue
                known = self.positions.get(key)
                fresh = BookPosition(key, change.quantity, change.entry, event.event_time, change.isolated)
                if known is not None:
                    fresh = msgspec.structs.replace(
                        fresh, margin=known.margin, liquidation=known.liquidation, mark=known.mark
                    )
                self.positions[key] = fresh

    def _apply_order(self, event: OrderUpdate) -> None:
        known = self.orders.get(event.order_id)
        if event.is_final:
            self.orders.pop(event.order_id, None)
            _remember(self._ended, event.order_id)
        elif event.order_id not in self._ended:
            filled = max(event.filled, known.filled) if known is not None else event.filled
            self.orders[event.order_id] = BookOrder(
                event.symbol, event.order_id, event.client_id, event.side, event.position_side, event.kind,
                event.status, event.quantity, filled, event.price, event.reduce_only, event.event_time,
                known.created_ms if known is not None else event.transaction_time,
            )  # fmt: skip

    def _apply_algo(self, event: AlgoUpdate) -> None:
        if event.is_final:
            self.algos.pop(event.algo_id, None)
            _remember(self._ended_algos, event.algo_id)
        elif event.algo_id not in self._ended_algos:
            known = self.algos.get(event.algo_id)
            self.algos[event.algo_id] = BookAlgo(
                event.symbol, event.algo_id, event.client_id, event.side, event.position_side, event.kind,
                event.status, event.quantity, event.trigger, event.close_position, event.reduce_only,
                event.event_time, event.order_id or 0,
                known.created_ms if known is not None else event.transaction_time,
            )  # fmt: skip

    # Answers and queries about single objects.

    def take_algo(self, report: AlgoReport) -> None:
        """Take a conditional order as placing or querying it showed it, unless something newer is known."""
        if report.algo_id in self._ended_algos:
            return
        if report.status in ALGO_FINAL:
            self.algos.pop(report.algo_id, None)
            _remember(self._ended_algos, report.algo_id)
            return
        known = self.algos.get(report.algo_id)
        if known is None or report.update_ms >= known.updated_ms:
            self.algos[report.algo_id] = algo_row(report)

    def take_order(self, report: OrderReport) -> None:
        """Take a plain order as a query showed it, unless something newer is known."""
        if report.order_id in self._ended:
            return
        if report.is_final:
            self.orders.pop(report.order_id, None)
            _remember(self._ended, report.order_id)
        else:
            known = self.orders.get(report.order_id)
            if known is None or report.update_ms >= known.updated_ms:
                self.orders[report.order_id] = order_row(report)

    def drop_algo(self, algo_id: int) -> None:
        """Take out a conditional order that the exchange does not know."""
        self.algos.pop(algo_id, None)

    def drop_order(self, order_id: int) -> None:
        """Take out an order that the exchange does not know."""
        self.orders.pop(order_id, None)

    def drop_position(self, key: PositionKey, as_of_ms: int, began_s: float) -> None:
        """Take out a position that two witnesses call closed: what is told of before is old news.

        `as_of_ms` is when the later one was asked, by the exchange's clock as the desk knows it, `began_s` the same in
        desk seconds: that clock may have stepped, and must not hide a position which a later reading shows.
        """
        self.positions.pop(key, None)
        self._dropped[key] = _Dropped(as_of_ms, began_s)

    # Readings.

    def take_positions(self, positions: Iterable[PositionRisk], began_s: float = math.inf) -> tuple[BookPosition, ...]:
        """Take the positions of a reading begun at a desk second; those it no longer shows stay and are returned."""
        shown = {PositionKey(row.symbol, row.side): row for row in positions if row.quantity}
        for key, row in shown.items():
            known, dropped = self.positions.get(key), self._dropped.get(key)
            if dropped is not None and began_s <= dropped.began_s:
                continue
            self._dropped.pop(key, None)
            if row.update_time >= self._told_ms.get(key, 0):
                self._told_ms[key] = row.update_time
                self.positions[key] = position_row(row, known)
            elif known is not None:
                self.positions[key] = msgspec.structs.replace(
                    known, margin=row.initial_margin, liquidation=row.liquidation, mark=row.mark
                )
        return tuple(one for key, one in self.positions.items() if key not in shown)

    def replace(
        self,
        positions: Iterable[PositionRisk],
        orders: Iterable[OrderReport],
        algos: Iterable[AlgoReport],
        began_s: float = math.inf,
    ) -> Gone:
        """Take a reading. What it no longer shows stays in the book and is returned: a list may lag behind."""
        gone = self.take_positions(positions, began_s)
        listed = {row.order_id: row for row in orders}
        for report in listed.values():
            self.take_order(report)
        waiting = {row.algo_id: row for row in algos}
        for conditional in waiting.values():
            self.take_algo(conditional)
        return Gone(
            gone,
            tuple(one for order_id, one in self.orders.items() if order_id not in listed),
            tuple(one for algo_id, one in self.algos.items() if algo_id not in waiting),
        )

    def algos_of(self, key: PositionKey) -> list[BookAlgo]:
        """Return the conditional orders of a position."""
        return [one for one in self.algos.values() if (one.symbol, one.position_side) == key]

    def orders_of(self, key: PositionKey) -> list[BookOrder]:
        """Return the open plain orders of a position."""
        return [one for one in self.orders.values() if (one.symbol, one.position_side) == key]


def position_row(row: PositionRisk, known: BookPosition | None = None) -> BookPosition:
    """Return a position as REST shows it; whether it is isolated is known from the stream or its own margin."""
    isolated = bool(row.isolated_margin) or (known is not None and known.isolated)
    return BookPosition(
        PositionKey(row.symbol, row.side), row.quantity, row.entry, row.update_time, isolated,
        row.initial_margin, row.liquidation, row.mark,
    )  # fmt: skip


def order_row(report: OrderReport) -> BookOrder:
    """Return a plain order as REST shows it."""
    return BookOrder(
        report.symbol, report.order_id, report.client_id, report.side, report.position_side, report.kind,
        report.status, report.quantity, report.executed, report.price, report.reduce_only, report.update_ms,
        report.created_ms,
    )  # fmt: skip


def algo_row(report: AlgoReport) -> BookAlgo:
    """Return a conditional order as REST shows it."""
    return BookAlgo(
        report.symbol, report.algo_id, report.client_id, report.side, report.position_side, report.kind,
        report.status, report.quantity, report.trigger_price, report.close_position, report.reduce_only,
        report.update_ms, report.child_order_id or 0, report.created_ms,
    )  # fmt: skip


def _remember(ended: dict[int, None], number: int) -> None:
    ended[number] = None
    while len(ended) > ENDED_KEPT:
        del ended[next(iter(ended))]
