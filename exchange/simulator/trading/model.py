"""What the parts of the trading side share: orders, positions, executions and the protocols between the parts.

Prices, quantities and money are Decimal; times are simulated UTC milliseconds; a symbol is its listing index.
Signed quantities: long positive, short negative, as the venue's positionAmt.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = dict[str, Any]
ZERO = Decimal(0)


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """Return +1 for BUY and -1 for SELL."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class PositionSide(StrEnum):
    """BOTH in one-way mode; LONG and SHORT in hedge mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class Status(StrEnum):
    """Where an order stands."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


OPEN = frozenset({Status.NEW, Status.PARTIALLY_FILLED})


class Expiry(StrEnum):
    """Why an order ended without being filled: the `er` of ORDER_TRADE_UPDATE."""

    NONE = "0"
    SELF_TRADE = "1"
    IOC_REMAINDER = "2"
    IOC_SELF_TRADE = "3"
    KNOCKED_OUT = "4"
    """By a reverse or a higher-priority reduce-only order: nothing is left to reduce."""
    LIQUIDATION = "5"
    GTE = "6"
    """The position a good-till-position-exists order depended on is gone."""
    DELISTED = "7"
    INITIAL_ORDER = "8"
    MARKET_REMAINDER = "9"


class Order(msgspec.Struct, eq=False):
    """A plain order; the owner (the order desk) changes it in place."""

    order_id: int
    client_id: str
    listing: int
    side: Side
    position_side: PositionSide
    kind: str
    """LIMIT, MARKET or LIQUIDATION."""
    time_in_force: str
    """GTC, IOC, FOK, GTX, GTD, RPI."""
    price: Decimal
    """0 for MARKET."""
    quantity: Decimal
    created_ms: int
    updated_ms: int
    original_kind: str
    """`origType`: differs from `kind` for the child of a conditional order."""
    reduce_only: bool = False
    close_position: bool = False
    stop_price: Decimal = ZERO
    working_type: str = "CONTRACT_PRICE"
    price_protect: bool = False
    price_match: str = "NONE"
    self_trade_prevention: str = "EXPIRE_MAKER"
    good_till_ms: int = 0
    status: Status = Status.NEW
    expiry: Expiry = Expiry.NONE
    executed: Decimal = ZERO
    cumulative_quote: Decimal = ZERO
    amendments: int = 0
    queue_ahead: Decimal = ZERO
    """Quantity standing before this order at its price when it was placed or last amended."""
    activate_price: Decimal = ZERO
    callback_rate: Decimal = ZERO
    """Of the child of a trailing stop only, in percent."""
    by_venue: bool = False
    """Placed by the venue to liquidate, deleverage or settle; a client may choose the same client id."""

    @property
    def remaining(self) -> Decimal:
        """Return what is still to be executed."""
        return self.quantity - self.executed

    @property
    def average_price(self) -> Decimal:
        """Return the mean price of the executed part, 0 before the first fill."""
        return self.cumulative_quote / self.executed if self.executed else ZERO

    @property
    def is_open(self) -> bool:
        """Say whether the order can still trade."""
        return self.status in OPEN


class Position(msgspec.Struct, eq=False):
    """One position row; the owner (the account book) changes it in place. `quantity` is signed."""

    listing: int
    side: PositionSide
    quantity: Decimal = ZERO
    entry: Decimal = ZERO
    realized: Decimal = ZERO
    """Accumulated realised profit before fees: the `cr` of ACCOUNT_UPDATE."""
    fees: Decimal = ZERO
    """Fees of the present position less what it has realised, for the break-even price."""
    isolated_wallet: Decimal = ZERO
    updated_ms: int = 0


class Execution(NamedTuple):
    """One fill on its way into the account book."""

    order: Order
    price: Decimal
    quantity: Decimal
    maker: bool
    trade_id: int
    now_ms: int


class FillEffect(NamedTuple):
    """What a fill did to the account."""

    realized: Decimal
    """Realised profit of the closing part, before the fee; eight places."""
    commission: Decimal
    """Fee paid, eight places; 0 for a liquidation, whose fee is charged on its own."""
    position: Position


class Trade(NamedTuple):
    """One own fill as userTrades keeps it."""

    trade_id: int
    order: Order
    price: Decimal
    quantity: Decimal
    realized: Decimal
    commission: Decimal
    maker: bool
    time_ms: int
    position_side: PositionSide


class Publisher(Protocol):
    """Where account events go: to every live user stream of the account, in the order of the calls."""

    def publish(self, event: Row) -> None:
        """Send one event; it already holds `e`, `E` and its own fields in the documented order."""


class OpenOrders(Protocol):
    """The open plain orders, as margin and settings need to see them."""

    def open_of(self, listing: int) -> Iterable[Order]:
        """Return the open orders of a symbol, oldest first."""

    def open_listings(self) -> Iterable[int]:
        """Return the symbols that have open plain orders, ascending."""


class PositionListener(Protocol):
    """Hears that a position changed its quantity, after the fill's own events were published."""

    def position_changed(self, position: Position, now_ms: int) -> None:
        """Knock out reduce-only orders, expire orders that depended on the position."""
