"""Conditional orders: they wait for a price in the venue's algo service, apart from the plain orders.

Prices and sizes are Decimal, times UTC milliseconds. Statuses the desk does not know are neither working nor final.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from exchange.account_events import ALGO_FINAL, ALGO_WORKING
from exchange.orders import PriceMatch, SelfTrade, Side, TimeInForce, check_client_id, one_price, positive
from exchange.priority import Priority


class ConditionalKind(StrEnum):
    """Orders that wait for a price in the venue's algo service."""

    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"

    @property
    def is_limit(self) -> bool:
        """Say whether the triggered order has a price of its own."""
        return self in (ConditionalKind.STOP, ConditionalKind.TAKE_PROFIT)

    @property
    def is_take_profit(self) -> bool:
        """Say whether it waits for a better price than the present one."""
        return self in (ConditionalKind.TAKE_PROFIT, ConditionalKind.TAKE_PROFIT_MARKET)


class WorkingType(StrEnum):
    """Which price triggers a conditional order."""

    LAST = "CONTRACT_PRICE"
    MARK = "MARK_PRICE"


class AlgoRef(msgspec.Struct, frozen=True):
    """Which conditional order is meant: by the algo service's id or by ours. Exactly one is given."""

    algo_id: int | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse neither and both."""
        if (self.algo_id is None) == (self.client_id is None):
            raise ValueError("a conditional order is named by algo_id or by client_id, one of the two")


class AlgoRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A conditional order to place. There is no amendment: replace means place the new one, then cancel the old."""

    symbol: str
    side: Side
    kind: ConditionalKind
    client_id: str
    reduces: bool = True
    """Closes or reduces a position; False for a conditional entry."""
    quantity: Decimal | None = None
    """None only together with `close_position`."""
    close_position: bool = False
    """Closes whatever is open at the trigger; lives as long as the position; one per symbol, direction and family."""
    trigger_price: Decimal | None = None
    """For every kind but TRAILING_STOP_MARKET."""
    price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    working: WorkingType = WorkingType.MARK
    price_match: PriceMatch | None = None
    price_protect: bool = False
    activate_price: Decimal | None = None
    callback_percent: Decimal | None = None
    """0.1 to 20, for TRAILING_STOP_MARKET."""
    self_trade: SelfTrade | None = None
    good_till_ms: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError naming the field for a combination the algo service refuses."""
        check_client_id(self.client_id)
        self._check_size()
        self._check_trigger()
        if self.kind.is_limit:
            one_price(self.price, self.price_match)
        elif self.price is not None or self.price_match is not None:
            raise ValueError(f"a {self.kind} order takes neither price nor price_match")
        if (self.good_till_ms is None) == (self.time_in_force is TimeInForce.GTD):
            raise ValueError("good_till_ms goes with time_in_force GTD, and only with it")

    def _check_size(self) -> None:
        if self.close_position:
            market = self.kind in (ConditionalKind.STOP_MARKET, ConditionalKind.TAKE_PROFIT_MARKET)
            if self.quantity is not None or not self.reduces or not market:
                raise ValueError(
                    "close_position goes with STOP_MARKET or TAKE_PROFIT_MARKET, without quantity, and reduces"
                )
        elif self.quantity is None:
            raise ValueError("a conditional order needs a quantity, or close_position")
        else:
            positive("quantity", self.quantity)

    def _check_trigger(self) -> None:
        trailing = self.kind is ConditionalKind.TRAILING_STOP_MARKET
        if trailing == (self.callback_percent is None):
            raise ValueError("callback_percent goes with TRAILING_STOP_MARKET, and only with it")
        if trailing != (self.trigger_price is None):
            raise ValueError("trigger_price is for every kind but TRAILING_STOP_MARKET")
        if self.activate_price is not None and not trailing:
            raise ValueError("activate_price is for TRAILING_STOP_MARKET only")
        for name in ("trigger_price", "activate_price", "callback_percent"):
            value = getattr(self, name)
            if value is not None:
                positive(name, value)

    @property
    def priority(self) -> Priority:
        """Return CRITICAL for a protective order, HIGH for an entry."""
        return Priority.CRITICAL if self.reduces else Priority.HIGH


class AlgoReport(msgspec.Struct, frozen=True):
    """A conditional order as the algo service shows it, when placed and when queried."""

    algo_id: int
    client_id: str
    symbol: str
    side: str
    position_side: str
    kind: str
    status: str
    quantity: Decimal
    """0 with `close_position`."""
    trigger_price: Decimal
    price: Decimal
    working: str
    close_position: bool
    reduce_only: bool
    created_ms: int
    update_ms: int
    trigger_ms: int
    """0 before the trigger."""
    child_order_id: int | None
    """The plain order it became; None before the trigger."""
    child_price: Decimal | None
    child_quantity: Decimal | None

    @property
    def is_working(self) -> bool:
        """Say whether it waits for its price; an order that is triggering protects nothing any more."""
        return self.status in ALGO_WORKING

    @property
    def is_final(self) -> bool:
        """Say whether it can no longer trigger and its child, if any, has ended."""
        return self.status in ALGO_FINAL
