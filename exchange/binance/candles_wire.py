"""GET klines as columns.

A row is `[open time, open, high, low, close, volume, close time, quote volume, trades, taker base volume, taker quote
volume, ignore]` with prices and volumes as decimal strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from exchange.binance.json_strict import decode
from exchange.errors import DecodeError
from exchange.market_data import Candles

if TYPE_CHECKING:
    import numpy.typing as npt

_Row = tuple[int, float, float, float, float, float, int, float, int, float, float, str]
_ROWS = msgspec.json.Decoder(list[_Row], strict=False)
_FIELDS = (
    "open time", "open", "high", "low", "close", "volume", "close time", "quote volume", "trades", "taker base",
    "taker quote",
)  # fmt: skip
_PRICES = slice(1, 5)
_AMOUNTS = (5, 7, 9, 10)
_NO_BARS = np.empty((0, 11), dtype=np.float64)


def candles(body: bytes, where: str) -> Candles:
    """Return the bars of a klines answer, ascending; the last one may still be forming.

    Raises DecodeError naming row and field for a price that is not finite and positive, a negative or non-finite
    amount, a high or low that does not span open and close, or open times that do not ascend.
    """
    rows = decode(_ROWS, body, where)
    table = np.array([row[:11] for row in rows], dtype=np.float64) if rows else _NO_BARS
    _check(table, where)
    # Milliseconds and trade counts stay far below 2**53, so float64 carried them exactly.
    return Candles(
        open_time=table[:, 0].astype(np.int64),
        open=_column(table, 1),
        high=_column(table, 2),
        low=_column(table, 3),
        close=_column(table, 4),
        volume=_column(table, 5),
        quote_volume=_column(table, 7),
        trades=table[:, 8].astype(np.int64),
        taker_base=_column(table, 9),
        taker_quote=_column(table, 10),
    )


def _column(table: npt.NDArray[np.float64], index: int) -> npt.NDArray[np.float64]:
    return np.ascontiguousarray(table[:, index])


def _check(table: npt.NDArray[np.float64], where: str) -> None:
    prices = table[:, _PRICES]
    bad = ~((prices > 0.0) & (prices < np.inf))
    if bad.any():
        row, column = (int(index[0]) for index in np.nonzero(bad))
        raise DecodeError(
            where,
            f"[{row}] {_FIELDS[column + 1]}",
            f"{prices[row, column]} is no price: it must be finite and above zero",
        )
    for column in _AMOUNTS:
        wrong = ~((table[:, column] >= 0.0) & (table[:, column] < np.inf))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DecodeError(where, f"[{row}] {_FIELDS[column]}", f"{table[row, column]} is no amount")
    opened, high, low, close = prices.T
    torn = (high < np.maximum(opened, close)) | (low > np.minimum(opened, close))
    if torn.any():
        row = int(np.argmax(torn))
        raise DecodeError(where, f"[{row}] high", "high and low do not span open and close")
    if (np.diff(table[:, 0]) <= 0).any():
        row = int(np.argmax(np.diff(table[:, 0]) <= 0)) + 1
        raise DecodeError(where, f"[{row}] open time", "open times do not ascend")
