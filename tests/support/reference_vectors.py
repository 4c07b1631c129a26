"""Reference vectors beside the repository: candles with what other programs say about them."""

from __future__ import annotations

import csv
import gzip
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from analysis_laws import analysed

from engine.analysis.layout import BAR

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "market" / "reference"
QUARTER = 900_000


def columns_of(name: str) -> dict[str, list[str]]:
    """Return the columns of a gzip-compressed CSV file as text; skips the test when it is not there."""
    path = REFERENCE / name
    if not path.exists():
        pytest.skip("the reference vectors do not lie beside the repository")
    with gzip.open(path, "rt", newline="") as file:
        head, *rows = csv.reader(file)
    return {key: [row[k] for row in rows] for k, key in enumerate(head)}


def numbers(values: list[str]) -> np.ndarray:
    """Return text as numbers, NaN where it is empty."""
    return np.array([float(value) if value else np.nan for value in values])


def values_of(name: str, key: str) -> np.ndarray:
    """Return one value per row of a JSON list of records, NaN where it is null."""
    path = REFERENCE / name
    if not path.exists():
        pytest.skip("the reference vectors do not lie beside the repository")
    with gzip.open(path, "rt") as file:
        return np.array([np.nan if row.get(key) is None else float(row[key]) for row in json.load(file)])


def price_bars(time: np.ndarray, columns: list[np.ndarray]) -> np.ndarray:
    """Return BAR rows of plain prices: open, high, low, close and volume."""
    bars = np.zeros(len(time), BAR)
    bars["t"] = time
    for name, values in zip("ohlcv", columns, strict=True):
        bars[name] = values
    return bars


def milliseconds(texts: list[str]) -> np.ndarray:
    """Return ISO dates (UTC) as milliseconds."""
    return np.array([np.datetime64(text, "ms") for text in texts]).astype(np.int64)


class SmcCase(NamedTuple):
    """A 15m series with the output of smartmoneyconcepts 0.0.27 (swing length 5) and our own changes."""

    name: str
    prices: np.ndarray
    changes: np.ndarray

    def column(self, call: str, key: str) -> np.ndarray:
        """Return a column of one call's output."""
        return numbers(columns_of(_file(self.name, call))[key])

    def of(self, kind: int, *, layer: int = 0) -> np.ndarray:
        """Return our changes of one kind of object."""
        return self.changes[(self.changes["of"] == kind) & (self.changes["layer"] == layer)]


_STORED = {
    "fvg": ("fvg_result_data", "fvg"),
    "swings": ("swing_highs_lows_result_data", "swing_highs_lows_5"),
    "breaks": ("bos_choch_result_data", "bos_choch_5"),
    "blocks": ("ob_result_data", "ob_5"),
    "day": ("previous_high_low_result_data_1D", "previous_high_low_1D"),
    "week": ("previous_high_low_result_data_W", ""),
    "london": ("sessions_result_data", "sessions_London"),
    "liquidity": ("liquidity_result_data", "liquidity_5"),
}


def _file(name: str, call: str) -> str:
    forex = name == "EURUSD"
    stored = _STORED[call][0 if forex else 1]
    return f"smc/EURUSD/{stored}.csv.gz" if forex else f"smc_lib_runs/{name}-15m/{stored}.csv.gz"


@cache
def smc_case(name: str) -> SmcCase:
    """Return a case by the symbol it is about."""
    if name == "EURUSD":
        table = columns_of("smc/EURUSD/EURUSD_15M.csv.gz")
        time = milliseconds([f"{text[:10].replace('.', '-')}T{text[11:]}" for text in table["Date"]])
        keys = ("Open", "High", "Low", "Close", "Tickvol")
    else:
        table = columns_of(f"smc_lib_runs/{name}-15m/ohlcv.csv.gz")
        time = numbers(table["open_time"]).astype(np.int64)
        keys = ("open", "high", "low", "close", "volume")
    prices = price_bars(time, [numbers(table[key]) for key in keys])
    bars = prices.copy()
    for field in "ohlc":
        bars[field] = np.log(prices[field])
    return SmcCase(name, prices, analysed(bars, QUARTER)[1])
