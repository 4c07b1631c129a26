"""Candle files in the layout the replay market reads: `SYMBOL-INTERVAL__source.parquet` with Binance's columns.

Beside its bars a file may tell for which span it was fetched completely, so that fetching knows what it has: a bar that
is missing there is missing at the venue.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from exchange.archive.candle_table import COLUMNS, empty
from exchange.market_data import Candles

if TYPE_CHECKING:
    from pathlib import Path

_FILE_NAMES = {"taker_base": "taker_buy_volume", "taker_quote": "taker_buy_quote_volume"}
_OPTIONAL = ("quote_volume", "trades", "taker_base", "taker_quote")
_FETCHED = b"fetched"
_NAME = re.compile(r"^(?P<symbol>[^-]+)-(?P<interval>\d+[smhdwM])(?:__.*)?\.parquet$")


class CandleFileError(ValueError):
    """A candle file that cannot be read or written; the text names it."""


class CandleFile(NamedTuple):
    """The bars of one file, and the span [from, to) for which they are all there is."""

    candles: Candles
    fetched: tuple[int, int] | None


def file_name(symbol: str, interval: str, source: str) -> str:
    """Return the name of a candle file."""
    return f"{symbol}-{interval}__{source}.parquet"


def named(path: Path) -> tuple[str, str] | None:
    """Return symbol and interval of a file name of this layout; None for another one."""
    match = _NAME.match(path.name)
    return (match["symbol"], match["interval"]) if match else None


def read_candles(path: Path) -> CandleFile:
    """Read a file; a file that does not exist holds nothing. Raises CandleFileError."""
    if not path.exists():
        return CandleFile(empty(), None)
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise CandleFileError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    columns = {}
    for name in ("open_time", *COLUMNS):
        column = _FILE_NAMES.get(name, name)
        if column in table.column_names:
            columns[name] = table.column(column)
        elif name not in _OPTIONAL:
            raise CandleFileError(f"{path} has no column {column}; it is no candle file")
    if not pa.types.is_integer(columns["open_time"].type) or columns["open_time"].null_count:
        raise CandleFileError(f"{path}: open_time must be whole milliseconds without gaps")
    count = len(table)
    values = {
        name: np.full(count, np.nan)
        if name not in columns
        else np.asarray(columns[name].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
        for name in COLUMNS
    }
    trades = np.nan_to_num(values.pop("trades"), nan=0.0).astype(np.int64)
    times = columns["open_time"].to_numpy().astype(np.int64)
    return CandleFile(Candles(open_time=times, trades=trades, **values), _fetched(table.schema.metadata))


def _fetched(metadata: dict[bytes, bytes] | None) -> tuple[int, int] | None:
    try:
        return msgspec.json.decode((metadata or {})[_FETCHED], type=tuple[int, int])
    except (KeyError, msgspec.DecodeError):
        return None


def write_candles(path: Path, candles: Candles, fetched: tuple[int, int] | None = None) -> None:
    """Write a file whole or not at all. Raises CandleFileError."""
    table = pa.table(
        {
            "open_time": candles.open_time,
            **{_FILE_NAMES.get(name, name): getattr(candles, name) for name in COLUMNS},
        }
    )
    if fetched is not None:
        table = table.replace_schema_metadata({_FETCHED: msgspec.json.encode(fetched)})
    beside = path.with_name(f".{path.name}.new")
    try:
        pq.write_table(table, beside, compression="zstd")
        beside.replace(path)
    except (pa.ArrowException, OSError) as error:
        beside.unlink(missing_ok=True)
        raise CandleFileError(f"{path} cannot be written: {error}; check space and permissions") from error
