"""The venue's public archive: klines and aggregate trades as CSV or zip, with or without a header line.

Source: https://github.com/binance/binance-public-data. Names are `SYMBOL-INTERVAL-DATE` and `SYMBOL-aggTrades-DATE`;
times are milliseconds or, on newer spot files, microseconds. Beside a zip may lie `NAME.zip.CHECKSUM` with its SHA-256.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from exchange.archive.candle_table import concatenate
from exchange.archive.trade_bars import bars_of_trades, merge_parts
from exchange.market_data import Candles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

AGG_TRADES: Final = "aggTrades"
CHECKSUM: Final = ".CHECKSUM"
LARGEST_MEMBER: Final = 16 << 30
"""Bytes of a packed file beyond which it is no file of the archive."""
_MICROSECONDS: Final = 10**14
"""Larger instants are microseconds: as milliseconds they would lie after the year 5000."""
_BLOCK: Final = 8 << 20
_NAME: Final = re.compile(
    r"^(?P<symbol>[^-]+)-(?P<kind>\d+[smhdwM]|1mo|aggTrades)-(?P<date>\d{4}-\d{2}(?:-\d{2})?)\.(?:csv|zip)$"
)
_KLINE: Final = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "trades", "taker_base",
    "taker_quote", "ignore",
)  # fmt: skip
_TRADE: Final = ("id", "price", "quantity", "first", "last", "time", "buyer_is_maker")
_WHOLE: Final = frozenset({"open_time", "close_time", "trades", "id", "first", "last", "time"})
_UNUSED: Final = frozenset({"close_time", "ignore", "best"})
_HEADERS: Final = {b"open_time": _KLINE, b"agg_trade_id": _TRADE}


class ArchiveError(ValueError):
    """A file that is not imported; the text says why and what to do."""


class ArchiveName(NamedTuple):
    """What the name of an archive file tells."""

    symbol: str
    kind: str
    """An interval, or aggTrades."""
    begin_ms: int
    end_ms: int
    """The day or month the file covers, UTC."""


class ArchiveFile(NamedTuple):
    """The bars of one file."""

    name: ArchiveName
    candles: Candles
    rows: int
    """Lines read, without a header."""
    verified: bool
    """Whether a checksum lay beside the file, and fitted."""
    disordered: int
    """Lines that came before an earlier one in time."""


def parse_name(path: Path) -> ArchiveName:
    """Return what a file name tells. Raises ArchiveError for a name of another form."""
    match = _NAME.match(path.name)
    if match is None:
        raise ArchiveError(
            f"{path}: the name is not of the archive; use its names, such as BTCUSDT-1m-2024-01.zip or "
            "BTCUSDT-aggTrades-2024-01-15.csv"
        )
    date = match["date"]
    try:
        begin = datetime.fromisoformat(date if len(date) == 10 else f"{date}-01").replace(tzinfo=UTC)
    except ValueError as error:
        raise ArchiveError(f"{path}: {date} in its name is no date") from error
    end = begin + timedelta(days=1) if len(date) == 10 else (begin + timedelta(days=32)).replace(day=1)
    kind = "1M" if match["kind"] == "1mo" else match["kind"]
    return ArchiveName(match["symbol"], kind, int(begin.timestamp() * 1000), int(end.timestamp() * 1000))


def read_archive(path: Path) -> ArchiveFile:
    """Read one file of the archive. Raises ArchiveError."""
    name = parse_name(path)
    try:
        verified = _verified(path)
        with _opened(path) as stream:
            if name.kind == AGG_TRADES:
                return _trades(path, name, stream, verified=verified)
            return _klines(path, name, stream, verified=verified)
    except (pa.ArrowException, OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArchiveError(f"{path} cannot be read: {reason}; download it again") from error


def _verified(path: Path) -> bool:
    """Compare the file with the checksum beside it; say whether there was one."""
    beside = path.with_name(path.name + CHECKSUM)
    if not beside.exists():
        return False
    words = beside.read_text("utf-8", "replace").split()
    expected = words[0].lower() if words else ""
    if not re.fullmatch(r"[0-9a-f]{64}", expected):
        raise ArchiveError(f"{beside} holds no SHA-256; download it again")
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != expected:
        raise ArchiveError(f"{path} does not fit its checksum in {beside.name}; download it again")
    return True


class _Member(io.BufferedReader):
    """A packed file that closes its archive with itself."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        super().__init__(archive.open(member), _BLOCK)  # type: ignore[arg-type]  # ZipExtFile reads as RawIOBase does
        self._archive = archive

    def close(self) -> None:
        super().close()
        self._archive.close()


def _opened(path: Path) -> io.BufferedReader:
    if path.suffix != ".zip":
        return io.BufferedReader(path.open("rb", buffering=0), _BLOCK)
    archive = zipfile.ZipFile(path)
    members = [member for member in archive.infolist() if member.filename.lower().endswith(".csv")]
    if len(members) != 1 or members[0].file_size > LARGEST_MEMBER:
        archive.close()
        found = "none" if not members else f"{len(members)} of them" if len(members) > 1 else "a far too large one"
        raise ArchiveError(f"{path} should hold one CSV file and holds {found}; download it again")
    return _Member(archive, members[0])


def _batches(path: Path, stream: io.BufferedReader, names: tuple[str, ...]) -> Iterator[dict[str, npt.NDArray[Any]]]:
    """Yield the columns of the file in blocks."""
    head = stream.peek(4096)
    if head.startswith(b"\xef\xbb\xbf"):
        stream.read(3)
        head = head[3:]
    if not head.strip():
        raise ArchiveError(f"{path} is empty; download it again")
    line = head.split(b"\n", 1)[0].strip()
    has_header = not line[:1].isdigit()
    if has_header and _HEADERS.get(line.split(b",")[0].strip(b' "').lower()) is not names:
        raise ArchiveError(f"{path} begins with {line[:60].decode('ascii', 'replace')!r}, not with {names[0]}")
    count = line.count(b",") + 1
    if names is _TRADE and count == len(_TRADE) + 1:
        names = (*_TRADE, "best")
    if count != len(names):
        raise ArchiveError(f"{path} has {count} columns instead of {len(names)}; it is no file of the archive")
    reader = pacsv.open_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=pacsv.ReadOptions(column_names=list(names), skip_rows=int(has_header), block_size=_BLOCK),
        convert_options=pacsv.ConvertOptions(
            include_columns=[name for name in names if name not in _UNUSED],
            column_types={name: _type(name) for name in names},
            true_values=["true", "True", "TRUE", "1"],
            false_values=["false", "False", "FALSE", "0"],
            null_values=["", "null", "NULL"],
        ),
    )
    for batch in reader:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if column.null_count and name in _WHOLE | {"buyer_is_maker"}:
                raise ArchiveError(f"{path}: column {name} is empty in {column.null_count} lines; download it again")
        yield {
            name: column.to_numpy(zero_copy_only=False)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        }


def _type(name: str) -> pa.DataType:
    if name in _WHOLE:
        return pa.int64()
    return pa.bool_() if name == "buyer_is_maker" else pa.string() if name in _UNUSED else pa.float64()


def _milliseconds(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.where(times >= _MICROSECONDS, times // 1000, times)


def _klines(path: Path, name: ArchiveName, stream: io.BufferedReader, *, verified: bool) -> ArchiveFile:
    parts = []
    for batch in _batches(path, stream, _KLINE):
        batch["open_time"] = _milliseconds(batch["open_time"])
        parts.append(Candles(**batch))
    candles = concatenate(parts)
    disordered = int((np.diff(candles.open_time) < 0).sum())
    return ArchiveFile(name, candles, len(candles), verified, disordered)


def _trades(path: Path, name: ArchiveName, stream: io.BufferedReader, *, verified: bool) -> ArchiveFile:
    parts: list[Candles] = []
    rows = disordered = 0
    newest = -1
    for batch in _batches(path, stream, _TRADE):
        times = _milliseconds(batch["time"])
        rows += len(times)
        if (np.diff(times, prepend=newest) < 0).any():
            disordered += int((np.diff(times, prepend=newest) < 0).sum())
        order = np.argsort(times, kind="stable")
        newest = int(times.max(initial=newest))
        counts = batch["last"] - batch["first"] + 1
        parts.append(
            bars_of_trades(
                times[order],
                batch["price"][order],
                batch["quantity"][order],
                counts[order],
                batch["buyer_is_maker"][order],
            )
        )
    candles = merge_parts(parts)
    if (np.diff(candles.open_time) <= 0).any():
        raise ArchiveError(f"{path}: its trades are not in order by more than a block; download it again")
    return ArchiveFile(name, candles, rows, verified, disordered)
