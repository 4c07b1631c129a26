"""Recorded funding of a folder: files `SYMBOL-funding[__source].parquet` with `funding_time` (ms) and `funding_rate`.

Files of one symbol are joined; of two payments within a minute the first by name counts, since sources round instants
otherwise. Nothing is filled in.
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
    from pathlib import Path

MINUTE_MS = 60_000
_NAME = re.compile(r"^(?P<symbol>[^-]+?)-funding(?:__.*)?\.parquet$")
_COLUMNS = ("funding_time", "funding_rate")


class Funding(NamedTuple):
    """The payments of one symbol, ascending. Longs pay a positive rate."""

    time: npt.NDArray[np.int64]
    """UTC milliseconds on the minute."""
    rate: npt.NDArray[np.float64]

    def between(self, after_ms: int, until_ms: int) -> list[tuple[int, float]]:
        """Return (instant, rate) of the payments in (after, until]."""
        first, end = np.searchsorted(self.time, [after_ms, until_ms], side="right").tolist()
        return list(zip(self.time[first:end].tolist(), self.rate[first:end].tolist(), strict=True))

    def covers(self, after_ms: int, until_ms: int) -> bool:
        """Say whether the record reaches over a span: outside of it nothing is known."""
        return bool(len(self.time)) and int(self.time[0]) <= until_ms and after_ms < int(self.time[-1])

    def known(self, now_ms: int) -> float | None:
        """Return the newest rate paid by an instant, None before the first."""
        place = int(np.searchsorted(self.time, now_ms, side="right")) - 1
        return float(self.rate[place]) if place >= 0 else None


def read_funding(directory: Path) -> tuple[dict[str, Funding], list[str]]:
    """Return the payments by symbol, and a note per file that cannot be used. Raises HistoryError."""
    try:
        paths = sorted(path for path in directory.iterdir() if _NAME.match(path.name))
    except OSError as error:
        raise HistoryError(f"--funding {directory}: {error.strerror or error}; give a readable folder") from error
    if not paths:
        raise HistoryError(f"--funding {directory}: no SYMBOL-funding.parquet is there; name their folder")
    parts: dict[str, list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]] = {}
    notes = []
    for path in paths:
        try:
            table = pq.read_table(path, columns=list(_COLUMNS), use_threads=False)
            times = np.asarray(table.column("funding_time").to_numpy(), np.int64)
            rates = np.asarray(table.column("funding_rate").cast(pa.float64()).to_numpy(), np.float64)
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            notes.append(f"{path.name} cannot be read: {str(error).splitlines()[0]}")
            continue
        good = np.isfinite(rates) & (times > 0) & (np.abs(rates) < 1.0)
        named = _NAME.match(path.name)
        assert named is not None
        parts.setdefault(named["symbol"], []).append((times[good], rates[good]))
    return {symbol: _joined(files) for symbol, files in sorted(parts.items())}, notes


def _joined(files: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]) -> Funding:
    times = np.concatenate([one[0] for one in files])
    minute = (times + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
    kept, first = np.unique(minute, return_index=True)
    return Funding(kept, np.concatenate([one[1] for one in files])[first])
