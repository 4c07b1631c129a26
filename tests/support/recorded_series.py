"""Every recorded candle file beside the repository, by name, for tests that go through all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from market_series import CANDLES

from exchange.market_data import Candles

if TYPE_CHECKING:
    from collections.abc import Iterator

ABSENT = "the recorded market data does not lie beside the repository"
UNITS = {"m": 60_000, "h": 3_600_000}
NEEDED = ("open_time", "open", "high", "low", "close", "volume")


def recorded_names() -> list[object]:
    """Return the names of all series as parameters, e.g. `um/5m/ADAUSDT-5m__Alpergulsen`; one that skips if none."""
    root = CANDLES.parent
    names = sorted(str(path.relative_to(root).with_suffix("")) for path in root.rglob("*.parquet"))
    return [*names] or [pytest.param("absent", marks=pytest.mark.skip(reason=ABSENT))]


def interval_of(name: str) -> int:
    """Return the length of a series' bars in milliseconds."""
    frame = name.split("/")[1]
    return int(frame[:-1]) * UNITS[frame[-1]]


def read_series(name: str, symbols: int | None = None) -> Iterator[Candles]:
    """Yield the candles of a file, symbol by symbol where it holds many (then of at most `symbols` of them).

    Only what the analysis reads is there; the other columns are zero.
    """
    parquet = pytest.importorskip("pyarrow.parquet")
    path = CANDLES.parent / f"{name}.parquet"
    many = "symbol" in parquet.read_schema(path).names
    table = parquet.read_table(path, columns=[*NEEDED, *(["symbol"] if many else [])])
    columns = {key: table.column(key).to_numpy() for key in NEEDED}
    if not many:
        yield _candles(columns)
        return
    owner = table.column("symbol").to_numpy(zero_copy_only=False)
    for symbol in sorted(set(owner))[:symbols]:
        yield _candles({key: values[owner == symbol] for key, values in columns.items()})


def _candles(columns: dict[str, np.ndarray]) -> Candles:
    count = len(columns["open_time"])
    prices = {key: columns[key].astype(np.float64) for key in NEEDED[1:]}
    nothing = np.zeros(count)
    return Candles(
        open_time=columns["open_time"].astype(np.int64),
        **prices,
        quote_volume=nothing,
        trades=np.zeros(count, np.int64),
        taker_base=nothing,
        taker_quote=nothing,
    )


def window(candles: Candles, first: int, count: int) -> Candles:
    """Return `count` bars from the `first` on."""
    return Candles(**{name: getattr(candles, name)[first : first + count] for name in candles.__struct_fields__})
