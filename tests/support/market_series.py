"""Series of bars for tests: seeded random ones with ties on a coarse grid, and recorded ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engine.analysis.layout import BAR
from exchange.market_data import Candles

CANDLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "market" / "candles" / "um"
START = 1_709_953_200_000  # 2024-03-09 03:00 UTC: weekend, month and a change of New York's clock lie ahead


def random_candles(seed: int, count: int, interval: int = 300_000, tick: float = 0.05) -> Candles:
    """Return a random walk with volatility clusters whose prices lie on a grid, so that equal prices are common."""
    rng = np.random.default_rng(seed)
    volatility = np.exp(np.cumsum(rng.normal(0, 0.05, count)).clip(-1.2, 1.2)) * 0.0025
    jumps = rng.standard_t(3, count) * volatility
    closes = 100 * np.exp(np.cumsum(jumps))
    opens = np.concatenate([[100.0], closes[:-1]])
    reach = volatility * closes
    highs = np.maximum(opens, closes) + rng.exponential(0.5, count) * reach
    lows = np.minimum(opens, closes) - rng.exponential(0.5, count) * reach
    opens, highs, lows, closes = (np.round(x / tick) * tick for x in (opens, highs, lows, closes))
    volume = np.round(rng.lognormal(4, 0.6, count), 1)
    volume[rng.random(count) < 0.01] = 0.0
    return Candles(
        open_time=START + np.arange(count, dtype=np.int64) * interval,
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=volume,
        quote_volume=volume * closes,
        trades=np.ones(count, np.int64),
        taker_base=volume / 2,
        taker_quote=volume * closes / 2,
    )


@cache
def recorded_candles(name: str, first: int, count: int) -> Candles:
    """Return part of a recorded series, e.g. `5m/ADAUSDT-5m__Alpergulsen`; skips the test when it is not there."""
    path = CANDLES / f"{name}.parquet"
    if not path.exists():
        pytest.skip("the recorded market data does not lie beside the repository")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(path).slice(first, count)

    def column(key: str, kind: type) -> npt.NDArray[np.generic]:
        return np.nan_to_num(table.column(key).to_numpy(zero_copy_only=False).astype(np.float64)).astype(kind)

    return Candles(
        open_time=table.column("open_time").to_numpy().astype(np.int64),
        open=column("open", np.float64),
        high=column("high", np.float64),
        low=column("low", np.float64),
        close=column("close", np.float64),
        volume=column("volume", np.float64),
        quote_volume=column("quote_volume", np.float64),
        trades=column("trades", np.int64),
        taker_base=column("taker_buy_volume", np.float64),
        taker_quote=column("taker_buy_quote_volume", np.float64),
    )


def raw_bars(candles: Candles) -> npt.NDArray[np.void]:
    """Return BAR rows with plain prices instead of logarithms."""
    bars = np.empty(len(candles), BAR)
    bars["t"] = candles.open_time
    for name, column in zip("ohlcv", ("open", "high", "low", "close", "volume"), strict=True):
        bars[name] = getattr(candles, column)
    return bars
