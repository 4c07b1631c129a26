"""Reads a folder of Parquet candles: which files, over which common time window, and what is wrong with them.

The only module that touches pyarrow. Format: one file per symbol, interval and source, named
`SYMBOL[-YYYY-MM]-INTERVAL[__source].parquet`, with Binance kline columns and `open_time` in UTC milliseconds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from exchange.simulator.bar_ring import FIELDS
from exchange.simulator.market import INTERVALS
from exchange.simulator.price_grid import Floats
from exchange.simulator.replay_cleaning import MAX_BAD_SHARE, OPTIONAL, PRICES, Defect, clean
from exchange.simulator.stepped_market import MarketError

if TYPE_CHECKING:
    from collections.abc import Sequence

BASE_INTERVALS = ("1m", "5m")
COUNTED_MS = 31 * 86_400_000
"""Longest span that counts when windows are compared; 500 hours of history and ten days to live through."""
LARGEST_SERIES = 160 * 2**20
"""Bytes of candle columns held; a longer window is cut at its end."""
MOST_DEFECTS = 1000
_NAME = re.compile(r"^(?P<symbol>[^-]+?)(?:-\d{4}-\d{2})?-(?P<interval>\d+[mhdw])(?:__.*)?\.parquet$")


class MarketDataError(MarketError):
    """The folder holds no market; the text names the path and the remedy."""


class CandleFile(NamedTuple):
    """A candle file that could be opened."""

    path: Path
    symbol: str
    interval: str
    times: npt.NDArray[np.int64]
    """Open times that could be read, ascending and unique."""


class LeftOut(NamedTuple):
    """A file that is not part of the market, and why."""

    file: str
    reason: str


class Recording(NamedTuple):
    """The chosen bars of all symbols over one time window."""

    interval_ms: int
    start_ms: int
    end_ms: int
    symbols: tuple[str, ...]
    series: Floats
    """[FIELDS, symbols, bars]"""
    estimated: tuple[tuple[str, ...], ...]
    defects: tuple[Defect, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def _open_times(path: Path) -> npt.NDArray[np.int64]:
    """Read the open times of a file; ValueError or an Arrow error when it holds none."""
    column = pq.read_table(path, columns=["open_time"]).column("open_time").drop_null()
    if not pa.types.is_integer(column.type):
        raise ValueError(f"open_time is {column.type}, not int64 milliseconds")
    times = np.unique(column.to_numpy().astype(np.int64))
    if not len(times):
        raise ValueError("it holds no bar")
    return times


def _scan(directory: Path) -> tuple[list[CandleFile], list[LeftOut]]:
    """Open every candle file of the folder, sorted by name."""
    files: list[CandleFile] = []
    left_out: list[LeftOut] = []
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix == ".parquet")
    except OSError as error:
        raise MarketDataError(
            f"replay folder {directory}: {error.strerror or error}; give a readable folder of Parquet candles"
        ) from error
    if not paths:
        below = sorted({path.parent.relative_to(directory).as_posix() for path in directory.rglob("*.parquet")})
        remedy = "give a folder of Parquet candles at 1m or 5m"
        if below:
            remedy = f"candles lie below it in {', '.join(below[:5])}: name one of these"
        raise MarketDataError(f"replay folder {directory} holds no .parquet file; {remedy}")
    for path in paths:
        named = _NAME.match(path.name)
        if named is None:
            left_out.append(LeftOut(path.name, "name is not SYMBOL-INTERVAL__source.parquet"))
        elif named["interval"] not in BASE_INTERVALS:
            left_out.append(LeftOut(path.name, f"interval {named['interval']} is not 1m or 5m"))
        else:
            try:
                files.append(CandleFile(path, named["symbol"], named["interval"], _open_times(path)))
            except (pa.ArrowException, OSError, ValueError, KeyError) as error:
                left_out.append(LeftOut(path.name, f"cannot be read: {str(error).splitlines()[0]}"))
    if not files:
        reasons = "; ".join(f"{item.file}: {item.reason}" for item in left_out[:3])
        raise MarketDataError(
            f"replay folder {directory} holds no usable candle file ({reasons}); give 1m or 5m candles with open_time"
        )
    return files, left_out


def choose_window(spans: Sequence[tuple[str, int, int]]) -> tuple[int, int]:
    """Return the window [start, end) with the most symbol-hours among (symbol, start, end) spans.

    Every window begins where a span begins and ends where one ends; a symbol counts when one of its spans covers the
    window whole. Time beyond COUNTED_MS does not count, so one long series does not displace many short ones. Of
    equals the longest wins, then the latest.
    """
    names = sorted({symbol for symbol, _, _ in spans})
    number = np.array([names.index(symbol) for symbol, _, _ in spans])
    begins = np.array([begin for _, begin, _ in spans])
    ends = np.array([end for _, _, end in spans])
    best = (-1, -1, -1)
    chosen = (int(begins[0]), int(ends[0]))
    for begin in np.unique(begins):
        from_here = begins <= begin
        for end in np.unique(ends[ends > begin]):
            covered = len(np.unique(number[from_here & (ends >= end)]))
            score = (covered * min(int(end - begin), COUNTED_MS), int(end - begin), int(begin))
            if score > best:
                best, chosen = score, (int(begin), int(end))
    return chosen


def _pick(
    files: list[CandleFile], start_ms: int, end_ms: int, interval_ms: int
) -> tuple[list[CandleFile], list[LeftOut]]:
    """Choose per symbol the file with the most bars in the window; of equals the first by name."""
    chosen: dict[str, tuple[int, CandleFile]] = {}
    left_out: list[LeftOut] = []
    for file in files:
        if file.times[0] > start_ms or file.times[-1] + interval_ms < end_ms:
            left_out.append(LeftOut(file.path.name, "does not cover the common time window"))
            continue
        bars = int(np.count_nonzero((file.times >= start_ms) & (file.times < end_ms)))
        rival = chosen.get(file.symbol)
        if rival is None or bars > rival[0]:
            chosen[file.symbol] = (bars, file)
            loser = rival[1] if rival else None
        else:
            loser = file
        if loser is not None:
            left_out.append(LeftOut(loser.path.name, f"another file covers {file.symbol} at least as well"))
    return [file for _, file in chosen.values()], left_out


def _columns(path: Path) -> tuple[npt.NDArray[np.int64], dict[str, Floats]]:
    """Read the columns of a file, null as NaN; rows without an open time are gone (a gap shows them)."""
    present = set(pq.read_schema(path).names)
    missing = [name for name in (*PRICES, "volume") if name not in present]
    if missing:
        raise ValueError(f"columns are missing: {', '.join(missing)}")
    wanted = [name for name in ("open_time", *PRICES, "volume", *OPTIONAL) if name in present]
    table = pq.read_table(path, columns=wanted)
    table = table.filter(table.column("open_time").is_valid())
    columns: dict[str, Floats] = {}
    for name in wanted[1:]:
        column = table.column(name)
        if column.null_count < len(column):
            columns[name] = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
        elif name not in OPTIONAL:
            columns[name] = np.full(len(column), np.nan)
    return table.column("open_time").to_numpy().astype(np.int64), columns


def read_recording(directory: Path) -> Recording:
    """Read the folder. Raises MarketDataError naming the path and the remedy when it holds no market."""
    every, left_out = _scan(directory)
    # One base interval per market: the one most files have, of equals the finer.
    interval = max(BASE_INTERVALS, key=lambda name: sum(file.interval == name for file in every))
    interval_ms = INTERVALS[interval]
    left_out += [
        LeftOut(file.path.name, f"the folder is replayed at {interval}") for file in every if file.interval != interval
    ]
    files = [file for file in every if file.interval == interval]
    start_ms, end_ms = choose_window(
        [
            (
                file.symbol,
                -(-int(file.times[0]) // interval_ms) * interval_ms,
                int(file.times[-1]) // interval_ms * interval_ms + interval_ms,
            )
            for file in files
        ]
    )
    picked, others = _pick(files, start_ms, end_ms, interval_ms)
    left_out += others
    # The open times are not needed any more and would weigh as much as a column of prices.
    files.clear()
    every.clear()
    notes: list[str] = []
    most = max(2, LARGEST_SERIES // (FIELDS * 8 * len(picked)))
    if (end_ms - start_ms) // interval_ms > most:
        end_ms = start_ms + most * interval_ms
        notes.append(f"the window was cut to {most} bars per symbol to bound memory")

    size = (end_ms - start_ms) // interval_ms
    series: Floats = np.empty((FIELDS, len(picked), size))
    symbols: list[str] = []
    estimated: list[tuple[str, ...]] = []
    defects: list[Defect] = []
    for file in sorted(picked, key=lambda file: file.symbol):
        name = file.path.name
        try:
            times, columns = _columns(file.path)
            read = clean(name, times, columns, start_ms, end_ms, interval_ms)
        except (pa.ArrowException, OSError, ValueError) as error:
            left_out.append(LeftOut(name, f"cannot be used: {str(error).splitlines()[0]}"))
            continue
        defects += read.defects
        if read.bad > MAX_BAD_SHARE * size:
            left_out.append(LeftOut(name, f"{read.bad} of {size} bars are missing or unusable"))
            continue
        series[:, len(symbols)] = read.bars
        symbols.append(file.symbol)
        estimated.append(read.estimated)
    if not symbols:
        reasons = "; ".join(f"{item.file}: {item.reason}" for item in left_out[-3:])
        raise MarketDataError(
            f"replay folder {directory}: no file was usable ({reasons}); give complete 1m or 5m candles"
        )
    if len(defects) > MOST_DEFECTS:
        notes.append(f"{len(defects) - MOST_DEFECTS} more defects are not listed")
    return Recording(
        interval_ms=interval_ms,
        start_ms=start_ms,
        end_ms=end_ms,
        symbols=tuple(symbols),
        series=series[:, : len(symbols)],
        estimated=tuple(estimated),
        defects=tuple(defects[:MOST_DEFECTS]),
        left_out=tuple(left_out),
        notes=tuple(notes),
    )
