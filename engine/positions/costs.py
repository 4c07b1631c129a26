"""What trading costs: taker fees, half the spread, slippage and funding, charged as for a real fill.

Where the line between Decimal and float64 runs: quantities, margins, fees, funding and results of closed positions are
Decimal and sum exactly; prices are float64 as they come from the tape and enter money through their shortest decimal
text (`exact`). The running pnl of an open position is float64, because it is looked at, not booked: `line` turns all
costs into a straight line over the price, so the fast pass needs one multiply and one add per look.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from engine.positions.lifecycle import Terms

CENT = Decimal("0.00000001")
"""The exchange keeps eight places of USDT."""
HUNDRED = Decimal(100)
MOST = Decimal("0.1")
"""No cost rate reaches this share."""


class Costs(msgspec.Struct, frozen=True):
    """Cost rates of one position as shares of the price, held constant over its life."""

    taker_fee: Decimal = Decimal("0.0005")
    half_spread: Decimal = Decimal("0.0001")
    slippage: Decimal = Decimal("0.0001")

    def __post_init__(self) -> None:
        """Refuse rates that are not shares in [0, 0.1)."""
        for name in ("taker_fee", "half_spread", "slippage"):
            rate: Decimal = getattr(self, name)
            if not (rate.is_finite() and 0 <= rate < MOST):
                raise ValueError(f"costs.{name} = {rate} is no share in [0, 0.1); give 0.0005 for 0.05 %")

    @property
    def adverse(self) -> Decimal:
        """Return the share by which a market fill is worse than the market price."""
        return self.half_spread + self.slippage


class Settlement(NamedTuple):
    """Result of a closed position in USDT, percent of margin and R."""

    gross: Decimal
    exit_fee: Decimal
    net: Decimal
    percent: float
    r: float


class PnlLine(NamedTuple):
    """Pnl in percent of margin after costs as `slope x price + offset`, and R per percent."""

    slope: float
    offset: float
    r_per_percent: float


@lru_cache(maxsize=4_096)  # entry, stop and target of a position are asked for many times
def exact(price: float) -> Decimal:
    """Return the float's shortest decimal text as Decimal, so that 0.1 is 0.1 in money."""
    return Decimal(repr(float(price)))


def cut(amount: Decimal) -> Decimal:
    """Round towards zero to the eight places of a wallet."""
    return amount.quantize(CENT, ROUND_DOWN)


def fill_price(price: Decimal, side: int, costs: Costs) -> Decimal:
    """Return what a market order pays: dearer for a buy (side +1), cheaper for a sell (side -1)."""
    return price * (1 + side * costs.adverse)


def fee(quantity: Decimal, price: Decimal, costs: Costs) -> Decimal:
    """Return the taker commission of a fill in USDT."""
    return cut(quantity * price * costs.taker_fee)


def unit_loss(price: Decimal, stop: Decimal, sign: int, costs: Costs) -> Decimal:
    """Return what one base unit loses from a market entry at `price` to a market exit at `stop`, fees included."""
    bought = fill_price(price, sign, costs)
    sold = fill_price(stop, -sign, costs)
    return sign * (bought - sold) + costs.taker_fee * (bought + sold)


def funding_payment(quantity: Decimal, mark: Decimal, rate: Decimal, sign: int) -> Decimal:
    """Return the funding booked to a position: longs pay a positive rate. Contract section 10."""
    return cut(-sign * quantity * mark * rate)


def settle(terms: Terms, price: float, funding: Decimal) -> Settlement:
    """Close at the market price: the books of one position, exact in Decimal."""
    sign = terms.direction.sign
    sold = fill_price(exact(price), -sign, terms.costs)
    gross = cut(sign * terms.quantity * (sold - exact(terms.entry)))
    exit_fee = fee(terms.quantity, sold, terms.costs)
    net = gross - terms.entry_fee - exit_fee + funding
    risk = terms.quantity * abs(exact(terms.entry) - exact(terms.stop))
    return Settlement(gross, exit_fee, net, float(net * HUNDRED / terms.margin), float(net / risk))


def line(terms: Terms, funding: Decimal) -> PnlLine:
    """Return the same books as a straight line over the price, in float64 (before rounding to eight places)."""
    sign, costs = terms.direction.sign, terms.costs
    standing = terms.quantity - terms.reduced
    received = standing * (1 - sign * costs.adverse)
    slope = received * (sign - costs.taker_fee)
    settled = terms.booked - terms.exit_fee - terms.entry_fee + funding
    offset = -sign * standing * exact(terms.entry) + settled
    risk = terms.quantity * abs(exact(terms.entry) - exact(terms.stop))
    scale = HUNDRED / terms.margin
    return PnlLine(float(slope * scale), float(offset * scale), float(terms.margin / HUNDRED / risk))
