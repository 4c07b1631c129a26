"""Reads a folder of Parquet candles as it is: every file, every symbol, whatever stretches of time they cover.

Files are named `SYMBOL[-YYYY-MM]-INTERVAL[__source].parquet` and hold Binance kline columns with `open_time` in UTC
milliseconds. Files of one symbol are joined; where two hold the same bar, the first by name counts. Nothing is filled
in: a hole ends a stretch, and the next one begins without memory.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine.backtest.faults import HistoryError
from engine.backtest.funding import Funding
from engine.backtest.told import Told
from engine.market.tape import LEAP, build_frame, is_leap, leap_text, moment
from exchange.market_data import FRAME_MS, Candles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

BAR_MS = FRAME_MS["5m"]
BASE_FRAMES = ("5m", "1m")
_PRICES = ("open", "high", "low", "close")
_OTHER = re.compile(r"-(funding|\d+[mhdw]-mark)(__.*)?\.parquet$")
"""Files of other kinds that may lie beside candles."""
_NAME = re.compile(r"^(?P<symbol>[^-]+?)(?:-\d{4}-\d{2})?-(?P<interval>\d+[mhdw])(?:__.*)?\.parquet$")


class Stretch(NamedTuple):
    """Consecutive bars of a series: the bar numbers [first, end)."""

    first: int
    end: int


class Series(NamedTuple):
    """All 5m bars of one symbol, ascending; holes are where open times are not one bar apart."""

    symbol: str
    open_time: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote: Floats
    """Turnover in USDT."""

    def stretches(self) -> list[Stretch]:
        """Return the runs of consecutive bars in one unit: a price that leaps is another contract's from there on."""
        broken = np.diff(self.open_time) != BAR_MS
        broken |= self._leaps()
        borders = [0, *(np.flatnonzero(broken) + 1).tolist(), len(self.open_time)]
        return [Stretch(first, end) for first, end in itertools.pairwise(borders)]

    def units(self) -> list[int]:
        """Return the first bar of every unit its price had: each is a contract of its own."""
        return [0, *(np.flatnonzero(self._leaps()) + 1).tolist()]

    def _leaps(self) -> npt.NDArray[np.bool_]:
        """Say of every bar but the last whether the next one is in another unit."""
        leap = np.log(LEAP)
        between = np.abs(np.log(self.open[1:] / self.close[:-1])) > leap
        inside = np.abs(np.log(self.close / self.open)) > leap  # a bar in two units stands alone
        leaps: npt.NDArray[np.bool_] = between | inside[1:] | inside[:-1]
        return leaps

    def end_text(self, bar: int) -> str:
        """Return in words why nothing goes on after the last bar of a stretch.

        Only a bar that adjoins can tell: of a hole nobody knows at its beginning that it will be one.
        """
        after = bar + 1
        if after >= len(self.open_time) or int(self.open_time[after] - self.open_time[bar]) != BAR_MS:
            return "the history breaks off here"
        before, opened, closed = float(self.close[bar]), float(self.open[after]), float(self.close[after])
        new = opened if is_leap(before, opened) else closed
        return f"the price {leap_text(before, new)} at once: redenominated, this contract ends here"

    def part(self, first: int, end: int) -> Series:
        """Return bars [first, end)."""
        return Series._make((self.symbol, *(column[first:end] for column in self[1:])))

    def candles(self, first: int, end: int) -> Candles:
        """Return bars [first, end) as candles; what the desk does not read is zero."""
        nothing = np.zeros(end - first)
        part = slice(first, end)
        return Candles(
            open_time=self.open_time[part],
            open=self.open[part],
            high=self.high[part],
            low=self.low[part],
            close=self.close[part],
            volume=self.volume[part],
            quote_volume=self.quote[part],
            trades=nothing.astype(np.int64),
            taker_base=nothing,
            taker_quote=nothing,
        )


class History(NamedTuple):
    """What a folder held."""

    series: tuple[Series, ...]
    """In order of name."""
    rows: int
    """Bars in the files."""
    doubled: int
    """Bars that another file held already."""
    refused: int
    """Bars that are inconsistent."""
    notes: tuple[str, ...]
    funding: Mapping[str, Funding] = MappingProxyType({})
    """Recorded payments by symbol."""
    told: Told = Told()
    """What the venue told of the contracts."""

    @property
    def bars(self) -> int:
        """Return how many 5m bars are left to replay."""
        return sum(len(one.open_time) for one in self.series)

    @property
    def bytes(self) -> int:
        """Return the memory of the columns."""
        return sum(column.nbytes for one in self.series for column in one[1:])

    def until(self, end_ms: int) -> History:
        """Return the history as it was at an instant: bars that had closed by then."""
        cut = []
        for one in self.series:
            count = int(np.searchsorted(one.open_time, end_ms - BAR_MS, side="right"))
            if count:
                cut.append(one.part(0, count))
        return self._replace(series=tuple(cut))


def read_history(
    directory: Path, *, frame: str = "5m", symbols: Collection[str] = (), end_ms: int | None = None
) -> History:
    """Read the folder. Raises HistoryError, which names the option and the remedy."""
    if frame not in BASE_FRAMES:
        raise HistoryError(f"--frame {frame}: the desk is replayed on {' or '.join(BASE_FRAMES)} candles; give one")
    notes: list[str] = []
    paths: dict[str, list[Path]] = {}
    for path, symbol in _files(directory, frame, symbols, notes):
        paths.setdefault(symbol, []).append(path)
    series: list[Series] = []
    rows = doubled = refused = 0
    for symbol in sorted(paths):
        files = [columns for path in paths[symbol] if (columns := _read(path, notes)) is not None]
        if not files:
            continue
        rows += sum(len(columns[0]) for columns in files)
        one, twice, bad = _joined(symbol, files, FRAME_MS[frame], end_ms)
        doubled += twice
        refused += bad
        if frame != "5m":
            one = _five_minutes(one, frame)
        if len(one.open_time):
            series.append(one)
    pa.default_memory_pool().release_unused()  # the pool would keep what reading needed until the program ends
    if not series:
        why = f" ({'; '.join(notes[:3])})" if notes else ""
        raise HistoryError(f"--data {directory}: no usable {frame} candle is left{why}; name another folder or span")
    missing = sorted(set(symbols) - {one.symbol for one in series})
    if missing:
        raise HistoryError(
            f"--symbols {missing[0]}: {directory} holds no {frame} candles of it; it has {_some(series)}"
        )
    return History(tuple(series), rows, doubled, refused, tuple(notes))


def _some(series: Sequence[Series]) -> str:
    names = [one.symbol for one in series]
    return ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")


def _files(directory: Path, frame: str, symbols: Collection[str], notes: list[str]) -> Iterator[tuple[Path, str]]:
    """Yield the candle files of the frame in order of name."""
    try:
        parquet = sorted(path for path in directory.iterdir() if path.suffix == ".parquet")
    except OSError as error:
        raise HistoryError(
            f"--data {directory}: {error.strerror or error}; give a readable folder of Parquet candles"
        ) from error
    paths = [path for path in parquet if not _OTHER.search(path.name)]
    if not paths:
        below = sorted(
            {
                path.parent.relative_to(directory).as_posix()
                for path in directory.rglob("*.parquet")
                if not _OTHER.search(path.name)
            }
        )
        remedy = f"candles lie in {', '.join(below[:4])}: name one of these" if below else "`perpdesk data` makes them"
        raise HistoryError(f"--data {directory}: there is no .parquet file with candles; {remedy}")
    known = set()
    for path in paths:
        named = _NAME.match(path.name)
        if named is None:
            notes.append(f"{path.name}: the name is not SYMBOL-INTERVAL__source.parquet")
        elif named["interval"] == frame:
            known.add(named["symbol"])
            if not symbols or named["symbol"] in symbols:
                yield path, named["symbol"]
    if not known:
        raise HistoryError(f"--data {directory}: no file holds {frame} candles; name another --frame or folder")
    missing = sorted(set(symbols) - known)
    if missing:
        some = ", ".join(sorted(known)[:6])
        raise HistoryError(f"--symbols {missing[0]}: {directory} holds no {frame} candles of it; it has {some}")


def _read(path: Path, notes: list[str]) -> list[npt.NDArray[np.generic]] | None:
    """Return the columns of a file; None, with a note, where that fails."""
    try:
        return _columns(path)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        notes.append(f"{path.name} cannot be read: {str(error).splitlines()[0]}")
        return None


def _columns(path: Path) -> list[npt.NDArray[np.generic]]:
    """Return open time, prices, volume and turnover of a file; turnover is estimated where it is not there.

    Column by column and into memory of our own: slices of tables would keep whole tables alive.
    """
    with pq.ParquetFile(path) as file:
        present = set(file.schema_arrow.names)
        lacking = [name for name in ("open_time", *_PRICES, "volume") if name not in present]
        if lacking:
            raise ValueError(f"columns are missing: {', '.join(lacking)}")
        times = file.read(["open_time"], use_threads=False).column(0)
        if not pa.types.is_integer(times.type):
            raise ValueError(f"open_time is {times.type}, not int64 milliseconds")
        known = times.is_valid()
        columns = [times.filter(known).to_numpy().astype(np.int64)]
        for name in (*_PRICES, "volume", *(("quote_volume",) if "quote_volume" in present else ())):
            column = file.read([name], use_threads=False).column(0).cast(pa.float64())
            if times.null_count:
                column = column.filter(known)
            columns.append(np.array(column.to_numpy(), np.float64))
    guess = columns[5] * columns[4]
    if len(columns) < 7:
        columns.append(guess)
    else:
        columns[6] = np.where(np.isfinite(columns[6]), columns[6], guess)
    return columns


def _joined(
    symbol: str, files: list[list[npt.NDArray[np.generic]]], interval: int, end_ms: int | None
) -> tuple[Series, int, int]:
    """Return the bars of a symbol in order, with how many were doubled and how many refused; `files` is used up."""
    times = np.concatenate([columns[0] for columns in files]) if len(files) > 1 else files[0][0]
    keep: npt.NDArray[np.intp] | slice = slice(None)
    if len(files) > 1 or (np.diff(times) <= 0).any():
        _, keep = np.unique(times, return_index=True)
    columns: list[npt.NDArray[Any]] = []
    for _ in range(len(files[0])):  # one column after the other: not all of them lie in memory twice
        kind = [file.pop(0) for file in files]
        columns.append((np.concatenate(kind) if len(kind) > 1 else kind[0])[keep])
    doubled = len(times) - len(columns[0])
    opened, high, low, close, volume, _quote = columns[1:]
    with np.errstate(invalid="ignore"):
        good = np.isfinite(opened) & np.isfinite(high) & np.isfinite(low) & np.isfinite(close) & np.isfinite(volume)
        good &= (np.minimum(low, np.minimum(opened, close)) > 0.0) & (volume >= 0.0) & (columns[0] % interval == 0)
        good &= (high >= np.maximum(opened, close)) & (low <= np.minimum(opened, close))
    refused = int(len(good) - good.sum())
    if end_ms is not None:
        good &= columns[0] + interval <= end_ms
    if not good.all():
        columns = [column[good] for column in columns]
    return Series(symbol, *(np.ascontiguousarray(column) for column in columns)), doubled, refused


def _five_minutes(one: Series, frame: str) -> Series:
    """Return the 5m bars that whole groups of shorter ones make."""
    step = FRAME_MS[frame]
    cuts = np.flatnonzero(np.diff(one.open_time) != step) + 1
    borders = [0, *cuts.tolist(), len(one.open_time)]
    built = [build_frame(one.candles(first, end), frame, "5m") for first, end in itertools.pairwise(borders)]
    names = ("open_time", *_PRICES, "volume", "quote_volume")
    return Series(one.symbol, *(np.concatenate([getattr(part, name) for part in built]) for name in names))


def span_text(history: History) -> str:
    """Return first and last bar of everything as a short text."""
    first = min(int(one.open_time[0]) for one in history.series)
    last = max(int(one.open_time[-1]) for one in history.series) + BAR_MS
    return f"{moment(first)} to {moment(last)}"
