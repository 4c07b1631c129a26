"""Plain orders and executions as a venue reports them. Money and sizes are Decimal, times UTC milliseconds.

Values of enumerations that the desk does not know are kept as text; a status that is unknown is neither open nor final.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exchange.account_events import FINAL_STATUSES

OPEN_STATUSES = frozenset({"NEW", "PARTIALLY_FILLED"})


class OrderAck(msgspec.Struct, frozen=True):
    """What placing, amending or cancelling answers.

    No average price is in it, and no fill is booked from it: executions come from the user stream, from the order's
    query or from the trade list.
    """

    symbol: str
    order_id: int
    client_id: str
    side: str
    position_side: str
    kind: str
    status: str
    time_in_force: str
    price: Decimal
    quantity: Decimal
    executed: Decimal
    """As of the answer."""
    reduce_only: bool
    update_ms: int

    @property
    def is_open(self) -> bool:
        """Say whether the order can still trade."""
        return self.status in OPEN_STATUSES

    @property
    def is_final(self) -> bool:
        """Say whether the order can no longer trade."""
        return self.status in FINAL_STATUSES


class OrderReport(msgspec.Struct, frozen=True):
    """An order as a query shows it, with what was executed so far."""

    symbol: str
    order_id: int
    client_id: str
    side: str
    position_side: str
    kind: str
    original_kind: str
    """Differs from `kind` for the child of a conditional order."""
    status: str
    time_in_force: str
    price: Decimal
    average_price: Decimal
    """0 before the first fill."""
    quantity: Decimal
    executed: Decimal
    executed_quote: Decimal
    stop_price: Decimal
    reduce_only: bool
    close_position: bool
    good_till_ms: int
    created_ms: int
    update_ms: int

    @property
    def is_open(self) -> bool:
        """Say whether the order can still trade."""
        return self.status in OPEN_STATUSES

    @property
    def is_final(self) -> bool:
        """Say whether the order can no longer trade."""
        return self.status in FINAL_STATUSES


class Amendment(msgspec.Struct, frozen=True):
    """One change of an order."""

    amendment_id: int
    symbol: str
    order_id: int
    client_id: str
    time_ms: int
    price_before: Decimal
    price_after: Decimal
    quantity_before: Decimal
    quantity_after: Decimal
    count: int
    modify_id: int | None


class Countdown(msgspec.Struct, frozen=True):
    """The dead-man switch of a symbol as the venue confirmed it. 0 is off. It protects plain orders only."""

    symbol: str
    after_ms: int


class UserTrade(msgspec.Struct, frozen=True):
    """One execution of ours. Dedupe by (symbol, trade_id)."""

    symbol: str
    trade_id: int
    order_id: int
    side: str
    position_side: str
    price: Decimal
    quantity: Decimal
    quote: Decimal
    realized: Decimal
    """Before the fee."""
    commission: Decimal
    """Positive is paid."""
    commission_asset: str
    time_ms: int
    maker: bool
