"""What is needed to put a virtual position under watch, and when it is refused."""

from __future__ import annotations

import math
from decimal import Decimal

import msgspec

from engine.positions.costs import Costs, exact, fee, fill_price
from engine.positions.lifecycle import Terms
from engine.strategy.candidate import Direction

EXPIRY_MS = 345_600_000
"""96 hours, the longest holding time."""


class Opening(msgspec.Struct, frozen=True):
    """A signal sized for the virtual book: filled at once at the market `price`, spread and slippage added."""

    strategy: str
    symbol: str
    slot: int
    """Place of the symbol in the universe's columns, -1 for none at present."""
    decimals: int
    direction: Direction
    price: float
    stop: float
    target: float
    quantity: Decimal
    leverage: float
    """Decided leverage."""
    exchange_leverage: int = 1
    """Integer the margin is reckoned with."""
    costs: Costs = Costs()
    confidence: float = 0.0
    signal_id: str = ""
    features: tuple[float, ...] | None = None


def fault(opening: Opening) -> str:
    """Return why the opening makes no sense, empty when it does."""
    sign = opening.direction.sign
    prices = (opening.price, opening.stop, opening.target)
    if not all(math.isfinite(price) and price > 0 for price in prices):
        return f"price, stop and target must be positive numbers, got {opening.price}, {opening.stop}, {opening.target}"
    if not (opening.quantity.is_finite() and opening.quantity > 0):
        return f"quantity {opening.quantity} is not positive"
    if opening.exchange_leverage < 1 or not opening.leverage > 0:
        return f"leverage {opening.leverage} (exchange {opening.exchange_leverage}) is not positive"
    entry = float(fill_price(exact(opening.price), sign, opening.costs))
    # The fill is always worse than the price, so the price is the one nearer to the stop.
    if not sign * (opening.price - opening.stop) > 0:
        return f"the price {opening.price} is already at or beyond the stop {opening.stop}"
    if not sign * (opening.target - entry) > 0:
        return f"the target {opening.target} is not ahead of the fill {entry}"
    return ""


def terms_of(opening: Opening, now_ms: int, expiry_ms: int = EXPIRY_MS) -> Terms:
    """Fill the opening at the market. The opening must have no `fault`."""
    costs = opening.costs
    entry = exact(float(fill_price(exact(opening.price), opening.direction.sign, costs)))
    notional = opening.quantity * entry
    return Terms(
        opening.direction,
        opening.decimals,
        opening.price,
        float(entry),
        opening.stop,
        opening.target,
        opening.leverage,
        opening.quantity,
        notional,
        notional / opening.exchange_leverage,
        fee(opening.quantity, entry, costs),
        costs,
        now_ms,
        now_ms + expiry_ms,
        opening.confidence,
        opening.signal_id,
        opening.features,
    )
