"""How the venue writes an account's prices and amounts: "0" for nothing, else eight places; entries without padding."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchange.instrument import Instrument


def money_or_zero(amount: Decimal) -> str:
    """Return an amount with eight places, or "0"."""
    return format(amount, ".8f") if amount else "0"


def plain_price(price: Decimal, instrument: Instrument) -> str:
    """Return a derived price (entry, break-even, liquidation) rounded to the venue's places, at least one shown."""
    places = max(8, instrument.price_precision + 2)
    text = format(price.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN).normalize(), "f")
    return text if "." in text else text + ".0"
