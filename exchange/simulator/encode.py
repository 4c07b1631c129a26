"""Numbers as the venue writes them, and candle rows fast: one format string per answer instead of one call per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from decimal import Decimal

    import numpy as np
    import numpy.typing as npt

    from exchange.instrument import Instrument
    from exchange.market_data import Candles

encode_json = msgspec.json.Encoder().encode


def plain(value: Decimal) -> str:
    """Return a decimal without exponent, keeping its digits."""
    return format(value, "f")


def money(value: Decimal) -> str:
    """Return a wallet amount with the venue's eight places."""
    return format(value, ".8f")


def number(value: Decimal) -> int | float:
    """Return a decimal as a JSON number, whole where it is whole."""
    return int(value) if value == value.to_integral_value() else float(value)


class Formats:
    """The printf forms of one instrument: price, quantity, and quote amount (both precisions added, as live)."""

    __slots__ = ("price", "quantity", "quote")

    def __init__(self, instrument: Instrument) -> None:
        """Derive the forms from the instrument's precisions, which bound decimals and are not its tick and step."""
        self.price = f"%.{instrument.price_precision}f"
        self.quantity = f"%.{instrument.quantity_precision}f"
        self.quote = f"%.{instrument.price_precision + instrument.quantity_precision}f"


def candle_rows(candles: Candles, length_ms: int | npt.NDArray[np.int64], formats: Formats) -> bytes:
    """Return bars as the JSON array of twelve-column rows that GET klines answers; months have a length each."""
    count = len(candles)
    if count == 0:
        return b"[]"
    price, quantity, quote = formats.price, formats.quantity, formats.quote
    prices = ",".join([f'"{price}"'] * 4)
    row = f'[%d,{prices},"{quantity}",%d,"{quote}",%d,"{quantity}","{quote}","0"]'
    columns: tuple[list[Any], ...] = (
        candles.open_time.tolist(),
        candles.open.tolist(),
        candles.high.tolist(),
        candles.low.tolist(),
        candles.close.tolist(),
        candles.volume.tolist(),
        (candles.open_time + (length_ms - 1)).tolist(),
        candles.quote_volume.tolist(),
        candles.trades.tolist(),
        candles.taker_base.tolist(),
        candles.taker_quote.tolist(),
    )
    return ("[" + ",".join([row % cells for cells in zip(*columns, strict=True)]) + "]").encode()
