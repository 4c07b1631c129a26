"""Files of the public archive into candle files: one per symbol and interval, together with what is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchange.archive.archive_csv import AGG_TRADES, CHECKSUM, ArchiveError, ArchiveFile, parse_name, read_archive
from exchange.archive.candle_files import CandleFileError, file_name, read_candles, write_candles
from exchange.archive.candle_table import join, take
from exchange.archive.trade_bars import MINUTE, fill_quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from exchange.market_data import Candles

KLINES = "klines"
_SUFFIXES = (".csv", ".zip")


class Imported(NamedTuple):
    """One candle file that was written."""

    file: str
    bars: int
    first_ms: int
    last_ms: int
    sources: int
    replaced: int
    """Bars that were there with other values before."""


class Refused(NamedTuple):
    """One file that was not imported, and why."""

    file: str
    reason: str


class Outcome(NamedTuple):
    """What an import did."""

    written: tuple[Imported, ...]
    refused: tuple[Refused, ...]


def archive_files(places: Iterable[Path]) -> list[Path]:
    """Return the files meant: those of folders that look like files of the archive, and every file named itself."""
    files: list[Path] = []
    for place in places:
        if place.is_dir():
            files += sorted(path for path in place.iterdir() if path.suffix in _SUFFIXES)
        elif not place.name.endswith(CHECKSUM):
            files.append(place)
    return list(dict.fromkeys(files))


def import_files(files: Iterable[Path], out: Path, tell: Callable[[Path, ArchiveFile], None]) -> Outcome:
    """Read the files, one symbol and interval after the other, and write `out`. Raises CandleFileError.

    A file that cannot be used is refused and the others go on. Where bars meet, the later file's count.
    """
    refused: list[Refused] = []
    groups: dict[tuple[str, str], list[Path]] = {}
    for path in files:
        try:
            name = parse_name(path)
            groups.setdefault((name.symbol, name.kind), []).append(path)
        except ArchiveError as error:
            refused.append(Refused(str(path), str(error)))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CandleFileError(f"--out {out} cannot be made: {error.strerror or error}; name another folder") from error
    written: list[Imported] = []
    for (symbol, kind), paths in sorted(groups.items()):
        interval, source = ("1m", AGG_TRADES) if kind == AGG_TRADES else (kind, KLINES)
        target = out / file_name(symbol, interval, source)
        parts = [read_candles(target).candles]
        spans: list[tuple[int, int]] = []
        for path in sorted(paths, key=lambda path: parse_name(path).begin_ms):
            try:
                read = read_archive(path)
            except ArchiveError as error:
                refused.append(Refused(str(path), str(error)))
                continue
            tell(path, read)
            parts.append(read.candles)
            spans.append((read.name.begin_ms, read.name.end_ms))
        if len(parts) == 1:
            continue
        candles, replaced = join(parts)
        if kind == AGG_TRADES:
            candles = _with_quiet_minutes(candles, spans)
        write_candles(target, candles)
        first, last = (int(candles.open_time[at]) for at in (0, -1)) if len(candles) else (0, 0)
        written.append(Imported(target.name, len(candles), first, last, len(parts) - 1, replaced))
    return Outcome(tuple(written), tuple(refused))


def _with_quiet_minutes(candles: Candles, spans: list[tuple[int, int]]) -> Candles:
    """Add the minutes without a trade, from the first trade known before or in each file's span to the span's end."""
    adjoining: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if adjoining and begin <= adjoining[-1][1]:
            adjoining[-1] = (adjoining[-1][0], max(end, adjoining[-1][1]))
        else:
            adjoining.append((begin, end))
    parts = [candles]
    for begin, end in adjoining:
        inside = take(candles, (candles.open_time >= begin - MINUTE) & (candles.open_time < end))
        if len(inside):
            parts.append(fill_quiet(inside, int(inside.open_time[0]), end))
    return join(parts)[0]
