"""What a venue's contract is: identity, trading rules and leverage brackets."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Bracket(msgspec.Struct, frozen=True):
    """One notional bracket: up to `cap` USDT at most `max_leverage`, maintenance = notional x mmr - cum."""

    floor: Decimal
    cap: Decimal
    max_leverage: int
    mmr: Decimal
    cum: Decimal


class LotRule(msgspec.Struct, frozen=True):
    """Quantity bounds and step in base units."""

    minimum: Decimal
    maximum: Decimal
    step: Decimal


class Instrument(msgspec.Struct, frozen=True):
    """One contract as exchangeInfo describes it. Unknown enum values are kept as text."""

    symbol: str
    base: str
    quote: str
    contract_type: str
    status: str
    price_precision: int
    quantity_precision: int
    tick: Decimal
    min_price: Decimal
    max_price: Decimal
    lot: LotRule
    market_lot: LotRule
    min_notional: Decimal
    multiplier_up: Decimal
    multiplier_down: Decimal
    max_orders: int
    liquidation_fee: Decimal
    market_take_bound: Decimal
    onboard_ms: int
    trigger_protect: Decimal = Decimal(0)
    """Largest gap between mark and last price at which a price-protected conditional order triggers, as a share."""
    position_control: str = "NONE"
    """The side the venue restricts for this symbol's risk; NONE is neither."""

    @property
    def decimals(self) -> int:
        """Return how many decimal places a price on the tick shows."""
        exponent = self.tick.normalize().as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0

    @property
    def is_usdt_perpetual(self) -> bool:
        """Say whether the contract belongs to the desk's world (TradFi perpetuals do not)."""
        return self.contract_type == "PERPETUAL" and self.quote == "USDT"

    @property
    def is_trading(self) -> bool:
        """Say whether new orders are accepted."""
        return self.status == "TRADING"
