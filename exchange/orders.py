"""Plain orders as the desk asks for them. Sizes and prices are Decimal, times UTC milliseconds.

A request says what it is for (`reduces`), not how the account is set: whether that becomes `reduceOnly` or a position
side is decided where the position mode is known.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

import msgspec

from exchange.account_events import Origin, origin_of
from exchange.priority import Priority

CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderKind(StrEnum):
    """Plain orders."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """How long an order stands."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    """Post only."""
    GTD = "GTD"
    RPI = "RPI"
    GTE_GTC = "GTE_GTC"
    """Until the position is gone; algo service only, undocumented."""


class PriceMatch(StrEnum):
    """A price the venue takes from its book instead of one that is sent."""

    OPPONENT = "OPPONENT"
    OPPONENT_5 = "OPPONENT_5"
    QUEUE = "QUEUE"
    QUEUE_5 = "QUEUE_5"
    QUEUE_10 = "QUEUE_10"
    QUEUE_20 = "QUEUE_20"


class SelfTrade(StrEnum):
    """Which of two own orders that would meet expires."""

    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    NONE = "NONE"


def check_client_id(client_id: str) -> None:
    """Raise ValueError unless the id is 1 to 36 of `[.A-Z:/a-z0-9_-]` and not one of the venue's own."""
    if CLIENT_ID.fullmatch(client_id) is None:
        raise ValueError(f"client_id {client_id[:40]!r} must be 1 to 36 characters of [.A-Z:/a-z0-9_-]")
    if origin_of(client_id) is not Origin.CLIENT:
        raise ValueError(f"client_id {client_id!r} begins like one of the venue's own")


def positive(name: str, value: Decimal) -> None:
    """Raise ValueError unless the value is finite and above zero."""
    if not value.is_finite() or value <= 0:
        raise ValueError(f"{name} must be finite and above 0, not {value}")


def one_price(price: Decimal | None, price_match: PriceMatch | None) -> None:
    """Raise ValueError unless exactly one of the two is given."""
    if (price is None) == (price_match is None):
        raise ValueError("a limit order has a price or a price_match, one of the two")
    if price is not None:
        positive("price", price)


class OrderRef(msgspec.Struct, frozen=True):
    """Which order is meant: by the venue's id or by ours. Exactly one is given."""

    order_id: int | None = None
    client_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse neither and both (the venue would silently prefer its own id)."""
        if (self.order_id is None) == (self.client_id is None):
            raise ValueError("an order is named by order_id or by client_id, one of the two")


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A plain order to place."""

    symbol: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    client_id: str
    reduces: bool = False
    """Closes or reduces a position and never opens one."""
    price: Decimal | None = None
    """For LIMIT, unless `price_match` is given."""
    time_in_force: TimeInForce = TimeInForce.GTC
    """For LIMIT."""
    price_match: PriceMatch | None = None
    self_trade: SelfTrade | None = None
    good_till_ms: int | None = None
    """For GTD: more than 600 s ahead."""
    wants_result: bool = False
    """Ask the venue to answer after matching; its executed quantity is a hint and never booked."""

    def __post_init__(self) -> None:
        """Raise ValueError naming the field for a request no venue can take."""
        check_client_id(self.client_id)
        positive("quantity", self.quantity)
        if self.kind is OrderKind.MARKET:
            if self.price is not None or self.price_match is not None:
                raise ValueError("a MARKET order takes neither price nor price_match")
        else:
            one_price(self.price, self.price_match)
        if (self.good_till_ms is None) == (self.time_in_force is TimeInForce.GTD):
            raise ValueError("good_till_ms goes with time_in_force GTD, and only with it")
        if self.time_in_force is TimeInForce.GTE_GTC:
            raise ValueError("time_in_force GTE_GTC belongs to conditional orders")

    @property
    def priority(self) -> Priority:
        """Return how urgent the order is: an exit is CRITICAL, an entry HIGH."""
        return Priority.CRITICAL if self.reduces else Priority.HIGH


class AmendRequest(msgspec.Struct, frozen=True, kw_only=True):
    """New price and new total quantity (not the remainder) of an open LIMIT order."""

    symbol: str
    side: Side
    order: OrderRef
    quantity: Decimal
    price: Decimal | None = None
    price_match: PriceMatch | None = None
    modify_id: int | None = None
    reduces: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError naming the field for a request no venue can take."""
        positive("quantity", self.quantity)
        one_price(self.price, self.price_match)

    @property
    def priority(self) -> Priority:
        """Return CRITICAL for an exit, HIGH for an entry."""
        return Priority.CRITICAL if self.reduces else Priority.HIGH
