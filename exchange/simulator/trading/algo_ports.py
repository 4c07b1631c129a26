"""What the algo service needs of the account and of the order desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from exchange.simulator.trading.model import Order, Position, PositionSide
    from exchange.simulator.trading.order_request import OrderRequest


class Account(Protocol):
    """What the desk must know of the account."""

    @property
    def dual_side(self) -> bool:
        """Say whether the account is in hedge mode."""

    def position(self, listing: int, side: PositionSide) -> Position:
        """Return a position, a flat one where there is none."""


class Orders(Protocol):
    """Where the children go."""

    def place_child(
        self,
        request: OrderRequest,
        original_kind: str,
        stop_price: Decimal,
        client_id: str,
        now_ms: int,
        accepted: Callable[[Order], None],
    ) -> Order:
        """Place a child; `accepted` hears of it after all checks, before its first event. Raises RefusalError."""
