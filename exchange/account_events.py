"""What a venue tells of the account on its private stream: orders, positions, wallet, settings.

Money and sizes are Decimal, times UTC milliseconds. Enumerations stay text: a value the desk does not know must not
hide the event that carries it. `event_time` is when the venue told it, `transaction_time` when it happened.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

import msgspec


class Origin(Enum):
    """Who placed an order, as its client id tells."""

    CLIENT = "client"
    """A program or a person."""
    LIQUIDATION = "liquidation"
    DELEVERAGING = "auto-deleveraging"
    SETTLEMENT = "settlement"


_RESERVED: tuple[tuple[str, Origin], ...] = (
    ("autoclose-", Origin.LIQUIDATION),
    ("adl_autoclose", Origin.DELEVERAGING),
    ("settlement_autoclose-", Origin.SETTLEMENT),
    ("delivery_autoclose-", Origin.SETTLEMENT),
)


def origin_of(client_id: str) -> Origin:
    """Return who placed the order that bears this client id; the venue reserves the beginnings of its own."""
    return next((origin for start, origin in _RESERVED if client_id.startswith(start)), Origin.CLIENT)


FINAL_STATUSES = frozenset({"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"})
ALGO_WORKING = frozenset({"NEW"})
"""States in which a conditional order protects; TRIGGERING is no longer one of them."""
ALGO_FINAL = frozenset({"CANCELED", "EXPIRED", "REJECTED", "FINISHED"})


class TradeId(NamedTuple):
    """What makes a fill unique. The order belongs to it: an account that trades with itself fills two of its orders."""

    symbol: str
    trade_id: int
    order_id: int


class OrderUpdate(msgspec.Struct, frozen=True):
    """One order changed (ORDER_TRADE_UPDATE)."""

    event_time: int
    transaction_time: int
    symbol: str
    order_id: int
    client_id: str
    side: str
    position_side: str
    kind: str
    original_kind: str
    time_in_force: str
    execution: str
    """What happened: NEW, TRADE, CANCELED, EXPIRED, AMENDMENT, CALCULATED (liquidation)..."""
    status: str
    quantity: Decimal
    price: Decimal
    average: Decimal
    stop: Decimal | None
    last_quantity: Decimal
    filled: Decimal
    last_price: Decimal
    trade_id: int
    """0 where there was no trade."""
    trade_time: int
    maker: bool
    commission: Decimal
    """0 where none was charged."""
    commission_asset: str
    realised: Decimal
    """Profit or loss of this trade before its commission."""
    reduce_only: bool
    close_position: bool
    working_type: str
    activation: Decimal | None
    callback: Decimal | None
    stp_mode: str
    price_match: str
    good_till: int
    expiry_reason: str
    modify_id: str

    @property
    def trade(self) -> TradeId | None:
        """Return the identity of the fill, None where the update is none."""
        if not self.trade_id or not self.last_quantity:
            return None
        return TradeId(self.symbol, self.trade_id, self.order_id)

    @property
    def is_final(self) -> bool:
        """Say whether nothing more can happen to the order."""
        return self.status in FINAL_STATUSES

    @property
    def origin(self) -> Origin:
        """Return who placed the order."""
        return origin_of(self.client_id)


class BalanceChange(msgspec.Struct, frozen=True):
    """One asset of the wallet after a change; `change` is what neither profit nor commission explains."""

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    change: Decimal


class PositionChange(msgspec.Struct, frozen=True):
    """One position after a change; a patch of (symbol, side). `quantity` is signed."""

    symbol: str
    side: str
    quantity: Decimal
    entry: Decimal
    break_even: Decimal | None
    realised: Decimal
    unrealised: Decimal
    isolated: bool
    isolated_wallet: Decimal


class AccountUpdate(msgspec.Struct, frozen=True):
    """Wallet or positions changed (ACCOUNT_UPDATE); only what changed is listed."""

    event_time: int
    transaction_time: int
    reason: str
    balances: tuple[BalanceChange, ...]
    positions: tuple[PositionChange, ...]
    symbol: str
    """The symbol of a funding fee, else empty."""


class TradeHint(msgspec.Struct, frozen=True):
    """A fill, told early and without fee and profit (TRADE_LITE). Never booked: the order's update follows."""

    event_time: int
    transaction_time: int
    symbol: str
    order_id: int
    client_id: str
    side: str
    quantity: Decimal
    price: Decimal
    last_quantity: Decimal
    last_price: Decimal
    trade_id: int
    maker: bool


class AlgoUpdate(msgspec.Struct, frozen=True):
    """A conditional order changed (ALGO_UPDATE)."""

    event_time: int
    transaction_time: int
    symbol: str
    algo_id: int
    client_id: str
    algo_kind: str
    kind: str
    side: str
    position_side: str
    time_in_force: str
    status: str
    quantity: Decimal
    trigger: Decimal
    price: Decimal
    order_id: int | None
    """The order that the trigger placed, None before."""
    filled: Decimal | None
    average: Decimal | None
    order_kind: str
    working_type: str
    stp_mode: str
    price_match: str
    close_position: bool
    price_protect: bool
    reduce_only: bool
    trigger_time: int
    good_till: int
    reason: str
    """Why it was rejected or ended, empty where nothing is said."""
    activated: bool | None
    """Whether a trailing stop follows the price already; None where not told."""

    @property
    def is_working(self) -> bool:
        """Say whether the order waits for its trigger."""
        return self.status in ALGO_WORKING

    @property
    def is_final(self) -> bool:
        """Say whether nothing more can happen to it."""
        return self.status in ALGO_FINAL


class LeverageChange(msgspec.Struct, frozen=True):
    """The leverage of a symbol was set (ACCOUNT_CONFIG_UPDATE)."""

    event_time: int
    transaction_time: int
    symbol: str
    leverage: int


class MultiAssetsChange(msgspec.Struct, frozen=True):
    """Multi-assets mode was switched (ACCOUNT_CONFIG_UPDATE)."""

    event_time: int
    transaction_time: int
    enabled: bool


class CalledPosition(msgspec.Struct, frozen=True):
    """One position of a margin call."""

    symbol: str
    side: str
    quantity: Decimal
    isolated: bool
    isolated_wallet: Decimal | None
    mark: Decimal
    unrealised: Decimal
    maintenance_margin: Decimal


class MarginCall(msgspec.Struct, frozen=True):
    """Positions are close to liquidation (MARGIN_CALL)."""

    event_time: int
    cross_wallet: Decimal | None
    positions: tuple[CalledPosition, ...]


class TriggerReject(msgspec.Struct, frozen=True):
    """A conditional order's order was refused at its trigger (CONDITIONAL_ORDER_TRIGGER_REJECT, deprecated)."""

    event_time: int
    transaction_time: int
    symbol: str
    order_id: int
    reason: str


class KeyExpired(msgspec.Struct, frozen=True):
    """The listen key is no longer valid (listenKeyExpired); nothing more comes on its sockets."""

    event_time: int


class Resync(msgspec.Struct, frozen=True):
    """Events may have been missed: positions, orders, conditional orders and trades must be read again.

    It stands in the stream where the new epoch begins: what follows was told after the stream was open.
    """

    reason: str
    gap_s: float | None
    """Desk seconds for which nothing was certain; None at the first start."""


AccountEvent = (
    OrderUpdate
    | AccountUpdate
    | TradeHint
    | AlgoUpdate
    | LeverageChange
    | MultiAssetsChange
    | MarginCall
    | TriggerReject
)
UserItem = AccountEvent | Resync
"""What a consumer of the private stream receives."""
