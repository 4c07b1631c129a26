"""A small history on disk for backtests: random walks with trends and shocks, some symbols, one with a hole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BAR = 300_000
START = 1_704_067_200_000  # 2024-01-01 00:00 UTC


def columns(seed, bars, price=100.0, start=START):
    """Walk of 5m bars; volatility and drift change every few hours so that structure arises."""
    draw = np.random.default_rng(seed)
    regime = np.repeat(draw.normal(0.0, 0.0009, bars // 48 + 1), 48)[:bars]
    wild = np.repeat(draw.uniform(0.6, 1.8, bars // 96 + 1), 96)[:bars]
    inside = draw.normal(0.0, 0.0014, (bars, 6)) * wild[:, None] + regime[:, None] / 6
    path = np.log(price) + np.concatenate([[0.0], np.cumsum(inside.ravel())])
    points = np.exp(path)
    groups = np.lib.stride_tricks.sliding_window_view(points, 7)[::6][:bars]
    opened, close = groups[:, 0], groups[:, -1]
    volume = draw.lognormal(8.0, 0.6, bars) * (1 + 200 * np.abs(close / opened - 1))
    places = np.round(np.stack([opened, groups.max(axis=1), groups.min(axis=1), close]), 4)
    return {
        "open_time": start + BAR * np.arange(bars),
        "open": places[0],
        "high": places[1],
        "low": places[2],
        "close": places[3],
        "volume": np.round(volume, 1),
        "quote_volume": np.round(volume * close, 2),
    }


def write(folder, symbol, table, name="made"):
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table), folder / f"{symbol}-5m__{name}.parquet")


def small_history(folder, symbols=4, bars=9_000, seed=1):
    """Write that many symbols; the last one has a hole of three bars."""
    for number in range(symbols):
        table = columns(seed * 100 + number, bars, price=20.0 * (number + 1))
        if number == symbols - 1:
            keep = np.r_[0:7_400, 7_403:bars]
            table = {key: column[keep] for key, column in table.items()}
        write(folder, f"S{number}USDT", table)
    return folder
