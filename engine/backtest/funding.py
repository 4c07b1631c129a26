"""Recorded funding: files `SYMBOL-funding[__source].parquet` with `funding_time` (ms) and `funding_rate`.

They are looked for beside the candles: in the candles' own folder, in `funding/` below it, then in `funding/` of up to
three folders above (`funding/` beside `candles/um/5m/`). `mark/SYMBOL-1h-mark[__source].parquet` beside that folder
gives the mark price of the instant; so does a column `mark_price`. Files of one symbol are joined; of two payments
within a minute the first by name counts, since sources round instants otherwise. Nothing is filled in: over instants
that the record does not reach, or leaves out for longer than eight hours, the constant rate is paid.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from engine.backtest.faults import HistoryError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MINUTE_MS = 60_000
USUAL_MS = 28_800_000
"""The longest interval of the venue, and that of the constant rate: 00, 08 and 16 UTC."""
LEVELS = 3
"""Folders above the candles in which a `funding` folder is looked for."""
_NAME = re.compile(r"^(?P<symbol>[^-]+?)-funding(?:__.*)?\.parquet$")
_MARK = re.compile(r"^(?P<symbol>[^-]+?)-1h-mark(?:__.*)?\.parquet$")

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Payment(NamedTuple):
    """One funding instant of one symbol."""

    time_ms: int
    rate: float
    mark: float
    """NaN where it was not recorded."""


class Funding(NamedTuple):
    """The payments of one symbol, ascending. Longs pay a positive rate."""

    time: Integers
    """UTC milliseconds on the minute."""
    rate: Floats
    mark: Floats
    """NaN where it was not recorded."""

    def payments(self, after_ms: int, until_ms: int, constant: float) -> list[Payment]:
        """Return what is paid in (after, until]: what was recorded, and the constant rate where nothing is known."""
        first, end = np.searchsorted(self.time, [after_ms, until_ms], side="right").tolist()
        columns = (column[first:end].tolist() for column in self)
        paid = [Payment(*one) for one in zip(*columns, strict=True)]
        usual = [one for one in usual_payments(after_ms, until_ms, constant) if not self._reaches(one.time_ms)]
        return sorted([*paid, *usual]) if usual else paid

    def _reaches(self, time_ms: int) -> bool:
        """Say whether the record knows an instant: it holds a payment then, or two around it that are not far apart."""
        place = int(np.searchsorted(self.time, time_ms, side="right"))
        if place == 0:
            return False
        before = int(self.time[place - 1])
        return before == time_ms or (place < len(self.time) and int(self.time[place]) - before <= USUAL_MS)

    def share(self, first_ms: int, last_ms: int) -> float:
        """Return the share of a span's usual instants that the record knows, 1 where the span holds none."""
        usual = [one.time_ms for one in usual_payments(first_ms, last_ms, 0.0)]
        return sum(map(self._reaches, usual)) / len(usual) if usual else 1.0

    def known(self, now_ms: int) -> float | None:
        """Return the newest rate paid by an instant, None where it is not known."""
        place = int(np.searchsorted(self.time, now_ms, side="right")) - 1
        fresh = place >= 0 and now_ms - int(self.time[place]) <= USUAL_MS
        return float(self.rate[place]) if fresh else None


class Instants:
    """The instants at which any symbol may pay, recorded or usual, to be asked about in order of time."""

    def __init__(self, recorded: Iterable[Funding]) -> None:
        times = [one.time for one in recorded]
        self._recorded: list[int] = np.unique(np.concatenate(times)).tolist() if times else []
        self._place = 0

    def between(self, after_ms: int, until_ms: int) -> bool:
        """Say whether one lies in (after, until]; `after` never goes back."""
        while self._place < len(self._recorded) and self._recorded[self._place] <= after_ms:
            self._place += 1
        recorded = self._place < len(self._recorded) and self._recorded[self._place] <= until_ms
        return recorded or until_ms // USUAL_MS > after_ms // USUAL_MS


def usual_payments(after_ms: int, until_ms: int, rate: float) -> list[Payment]:
    """Return the payments of a constant rate in (after, until]."""
    first = (after_ms // USUAL_MS + 1) * USUAL_MS
    return [Payment(due, rate, float("nan")) for due in range(first, until_ms + 1, USUAL_MS)]


def folders_of(candles: Path) -> list[Path]:
    """Return the folders in which what belongs to candles is looked for: their own and some above."""
    return [candles, *candles.absolute().parents][: LEVELS + 1]


def find_funding(candles: Path) -> Path | None:
    """Return the folder of recorded funding that stands beside the candles, None where there is none."""
    for folder in (candles, *(one / "funding" for one in folders_of(candles))):
        try:
            if any(_NAME.match(path.name) for path in folder.iterdir()):
                return folder
        except OSError:
            continue
    return None


def read_funding(directory: Path) -> tuple[dict[str, Funding], list[str]]:
    """Return the payments by symbol, and a note per file that cannot be used. Raises HistoryError."""
    try:
        paths = sorted(path for path in directory.iterdir() if _NAME.match(path.name))
    except OSError as error:
        raise HistoryError(f"--funding {directory}: {error.strerror or error}; give a readable folder") from error
    if not paths:
        raise HistoryError(f"--funding {directory}: no SYMBOL-funding.parquet is there; name their folder")
    notes: list[str] = []
    parts: dict[str, list[Funding]] = {}
    for path in paths:
        named = _NAME.match(path.name)
        assert named is not None
        columns = _columns(path, ("funding_time", "funding_rate"), "mark_price", notes)
        if columns is not None:
            times, rates, marks = columns
            good = np.isfinite(rates) & (times > 0) & (np.abs(rates) < 1.0)
            minutes = (times[good].astype(np.int64) + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
            parts.setdefault(named["symbol"], []).append(Funding(minutes, rates[good], marks[good]))
    marks_by_symbol = _read_marks(directory, notes)
    found = {}
    for symbol, files in sorted(parts.items()):
        minutes, first = np.unique(np.concatenate([one.time for one in files]), return_index=True)
        rates = np.concatenate([one.rate for one in files])[first]
        marks = np.concatenate([one.mark for one in files])[first]
        found[symbol] = _marked(Funding(minutes, rates, marks), marks_by_symbol.get(symbol))
    return found, notes


def _read_marks(directory: Path, notes: list[str]) -> dict[str, tuple[Integers, Floats]]:
    """Return the mark prices by symbol: open times of hours, ascending, and the price each opened at."""
    parts: dict[str, list[tuple[Integers, Floats]]] = {}
    for folder in (directory, directory.parent / "mark"):
        try:
            paths = sorted(path for path in folder.iterdir() if _MARK.match(path.name))
        except OSError:
            continue
        for path in paths:
            named = _MARK.match(path.name)
            assert named is not None
            columns = _columns(path, ("open_time", "open"), "", notes)
            if columns is not None:
                parts.setdefault(named["symbol"], []).append((columns[0].astype(np.int64), columns[1]))
    marks = {}
    for symbol, files in parts.items():
        times, first = np.unique(np.concatenate([one[0] for one in files]), return_index=True)
        marks[symbol] = (times, np.concatenate([one[1] for one in files])[first])
    return marks


def _marked(one: Funding, marks: tuple[Integers, Floats] | None) -> Funding:
    """Return the payments with the mark price of their instant, where an hour opened then and none was given."""
    price = np.where(np.isfinite(one.mark) & (one.mark > 0.0), one.mark, np.nan)
    if marks is not None and len(marks[0]):
        place = np.minimum(np.searchsorted(marks[0], one.time), len(marks[0]) - 1)
        here = (marks[0][place] == one.time) & (marks[1][place] > 0.0)
        price = np.where(np.isfinite(price) | ~here, price, marks[1][place])
    return one._replace(mark=price)


def _columns(
    path: Path, wanted: tuple[str, str], optional: str, notes: list[str]
) -> tuple[Floats, Floats, Floats] | None:
    """Return two columns and an optional third (NaN where it is not there); None, with a note, where that fails."""
    try:
        present = pq.read_schema(path).names
        names = [*wanted, *((optional,) if optional in present else ())]
        table = pq.read_table(path, columns=names, use_threads=False)
        columns = [
            np.asarray(table.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
            for name in names
        ]
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        notes.append(f"{path.name} cannot be read: {str(error).splitlines()[0]}")
        return None
    sound = np.isfinite(columns[0])
    third = columns[2] if len(columns) > 2 else np.full(len(columns[0]), np.nan)
    return columns[0][sound], columns[1][sound], third[sound]
