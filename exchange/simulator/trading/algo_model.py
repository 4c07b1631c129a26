"""What a conditional order is: its terms, which never change, and the state the algo service gives it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from exchange.simulator.trading.model import ZERO, Order, PositionSide, Side

STOP, STOP_MARKET = "STOP", "STOP_MARKET"
TAKE_PROFIT, TAKE_PROFIT_MARKET = "TAKE_PROFIT", "TAKE_PROFIT_MARKET"
TRAILING = "TRAILING_STOP_MARKET"
LIMIT_KINDS = frozenset({STOP, TAKE_PROFIT})
CLOSING_KINDS = frozenset({STOP_MARKET, TAKE_PROFIT_MARKET})
"""Kinds that take closePosition."""
KINDS = frozenset({*LIMIT_KINDS, *CLOSING_KINDS, TRAILING})
MARK_PRICE = "MARK_PRICE"
CONDITIONAL = "CONDITIONAL"
GTE_GTC = "GTE_GTC"
"""Good till the position it reduces is gone; undocumented and long working."""


class AlgoStatus(StrEnum):
    """Where a conditional order stands. FINISHED: its child was filled or cancelled."""

    NEW = "NEW"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


WAITING = frozenset({AlgoStatus.NEW, AlgoStatus.TRIGGERING})
"""Without a child yet: what openAlgoOrders lists and the cap counts."""


class AlgoTerms(msgspec.Struct, frozen=True):
    """What was asked for; prices are 0 where the kind has none."""

    listing: int
    side: Side
    position_side: PositionSide
    kind: str
    time_in_force: str
    quantity: Decimal
    trigger_price: Decimal
    price: Decimal
    client_id: str
    """Empty where the caller leaves the choice to the venue."""
    working_type: str = "CONTRACT_PRICE"
    price_match: str = "NONE"
    self_trade_prevention: str = "EXPIRE_MAKER"
    close_position: bool = False
    price_protect: bool = False
    reduce_only: bool = False
    activate_price: Decimal = ZERO
    """Of a trailing stop; the desk puts the latest price where none was sent."""
    callback_rate: Decimal = ZERO
    """In percent."""
    good_till_ms: int = 0

    @property
    def needs_position(self) -> bool:
        """Say whether the order lives only as long as the position it reduces."""
        return self.close_position or self.time_in_force == GTE_GTC

    @property
    def is_trailing(self) -> bool:
        """Say whether the trigger follows the price."""
        return self.kind == TRAILING

    def reduces(self, quantity: Decimal) -> bool:
        """Say whether the order's side makes a position of that signed quantity smaller."""
        return quantity < 0 if self.side is Side.BUY else quantity > 0


class AlgoOrder(msgspec.Struct, eq=False):
    """A conditional order in the algo desk, which changes it in place."""

    algo_id: int
    client_id: str
    terms: AlgoTerms
    created_ms: int
    updated_ms: int
    status: AlgoStatus = AlgoStatus.NEW
    trigger_ms: int = 0
    due_ms: int = 0
    """When the child is placed; set at the trigger."""
    left_ms: int = 0
    """When it stopped waiting: got its child or ended without one."""
    reason: str = ""
    """Why it was refused at the trigger: `rm` of ALGO_UPDATE."""
    child: Order | None = None
    bound: bool = False
    """Whether the position it needs has been there."""
    extreme: Decimal = ZERO
    """Lowest (BUY) or highest (SELL) working price since it was placed; trailing only."""
    activated: bool = False

    @property
    def is_waiting(self) -> bool:
        """Say whether the order has no child yet and can still get one."""
        return self.status in WAITING
