"""What is wrong with candle files: gaps, defects, coverage. Nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from exchange.archive.candle_files import CandleFileError, named, read_candles
from exchange.archive.fetching import INTERVAL_MS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

    from exchange.market_data import Candles

QUIET_MS: Final = 60 * 60_000
"""A contract that trades at all trades within an hour: longer runs without volume are told."""
QUIET_BARS: Final = 3
MOST_SPANS: Final = 20
_PRICES: Final = ("open", "high", "low", "close")
_AMOUNTS: Final = ("volume", "quote_volume", "taker_base", "taker_quote")


class Span(msgspec.Struct, frozen=True):
    """Consecutive bars, by the open time of the first."""

    first_ms: int
    bars: int


class Finding(msgspec.Struct, frozen=True):
    """One kind of fault of a file."""

    fault: str
    bars: int
    spans: tuple[Span, ...]
    """Where, at most the first MOST_SPANS."""
    grave: bool
    """Whether the data cannot be trusted there; a quiet market is told and no fault."""


class Report(msgspec.Struct, frozen=True):
    """One file."""

    file: str
    symbol: str
    interval: str
    bars: int
    first_ms: int
    last_ms: int
    coverage: float
    """Share of the bars of the folder's whole span at this interval that the file holds."""
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Say whether nothing grave was found."""
        return not any(finding.grave for finding in self.findings)


def check_folder(folder: Path) -> list[Report]:
    """Check every candle file of a folder. Raises CandleFileError when there is none."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".parquet" and not path.name.startswith("."))
    except OSError as error:
        raise CandleFileError(
            f"{folder} cannot be read: {error.strerror or error}; give a folder of candle files"
        ) from error
    files = [(path, *name) for path in paths if (name := named(path)) is not None and name[1] in INTERVAL_MS]
    if not files:
        raise CandleFileError(
            f"{folder} holds no candle file named SYMBOL-INTERVAL__source.parquet; give another folder"
        )
    spans: dict[str, tuple[int, int]] = {}
    reports: list[Report] = []
    for path, symbol, interval in files:
        try:
            candles = read_candles(path).candles
        except CandleFileError as error:
            reports.append(Report(path.name, symbol, interval, 0, 0, 0, 0.0, (Finding(str(error), 0, (), grave=True),)))
            continue
        reports.append(_report(path.name, symbol, interval, candles))
        if len(candles):
            first, last = int(candles.open_time.min()), int(candles.open_time.max())
            begin, end = spans.get(interval, (first, last))
            spans[interval] = (min(begin, first), max(end, last))
    return [_with_coverage(report, spans) for report in reports]


def _with_coverage(report: Report, spans: dict[str, tuple[int, int]]) -> Report:
    if not report.bars:
        return report
    begin, end = spans[report.interval]
    whole = (end - begin) // INTERVAL_MS[report.interval] + 1
    return msgspec.structs.replace(report, coverage=min(1.0, report.coverage / whole))


def _report(file: str, symbol: str, interval: str, candles: Candles) -> Report:
    """Return the report of one file; its coverage still is a number of bars."""
    size = INTERVAL_MS[interval]
    times = candles.open_time
    if not len(times):
        return Report(file, symbol, interval, 0, 0, 0, 0.0, (Finding("it holds no bar", 0, (), grave=True),))
    ordered = np.unique(times)
    findings = [_found(fault, times, rows, size) for fault, rows in _faults(candles, size) if rows.any()]
    gaps = _gaps(ordered[ordered % size == 0], size)
    if gaps:
        missing = sum(span.bars for span in gaps)
        findings.append(Finding("bars are missing", missing, tuple(gaps[:MOST_SPANS]), grave=True))
    quiet = _quiet(candles, size)
    if quiet:
        bars = sum(span.bars for span in quiet)
        findings.append(Finding("no volume for an hour or more", bars, tuple(quiet[:MOST_SPANS]), grave=False))
    return Report(
        file, symbol, interval, len(times), int(ordered[0]), int(ordered[-1]), float(len(ordered)), tuple(findings)
    )


def _faults(candles: Candles, size: int) -> Iterable[tuple[str, npt.NDArray[np.bool_]]]:
    times = candles.open_time
    prices = np.stack([getattr(candles, name) for name in _PRICES])
    amounts = np.stack([getattr(candles, name) for name in _AMOUNTS])
    finite = np.isfinite(prices).all(axis=0)
    opened, high, low, close = prices
    newest = np.maximum.accumulate(times)
    earlier = np.concatenate([[times[0] - 1], newest[:-1]])
    yield "open time is not on the interval's grid", times % size != 0
    yield "open times are out of order", times < earlier
    yield "open time occurs twice", _repeated(times)
    yield "a price is not finite", ~finite
    yield "a price is not positive", finite & (prices <= 0).any(axis=0)
    yield "high is below low", high < low
    yield (
        "open or close lies outside high and low",
        ((high >= low) & ((np.maximum(opened, close) > high) | (np.minimum(opened, close) < low))),
    )
    yield "volume is missing, negative or not finite", ~np.isfinite(candles.volume) | (candles.volume < 0)
    # Columns other than volume are optional: where they are absent they are NaN, and only a value can be wrong.
    yield "an amount is negative or infinite", np.isinf(amounts[1:]).any(axis=0) | (amounts[1:] < 0).any(axis=0)


def _repeated(times: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    _, first = np.unique(times, return_index=True)
    again = np.ones(len(times), dtype=bool)
    again[first] = False
    return again


def _found(fault: str, times: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_], size: int) -> Finding:
    spans = _runs(times[rows], size)
    return Finding(fault, int(np.count_nonzero(rows)), tuple(spans[:MOST_SPANS]), grave=True)


def _runs(times: npt.NDArray[np.int64], size: int) -> list[Span]:
    """Return the consecutive bars among these."""
    if not len(times):
        return []
    cuts = np.flatnonzero(np.diff(times) != size) + 1
    return [Span(int(run[0]), len(run)) for run in np.split(times, cuts)]


def _gaps(ordered: npt.NDArray[np.int64], size: int) -> list[Span]:
    steps = np.diff(ordered)
    return [Span(int(ordered[at]) + size, int(steps[at] // size) - 1) for at in np.flatnonzero(steps > size)]


def _quiet(candles: Candles, size: int) -> list[Span]:
    least = max(QUIET_BARS, QUIET_MS // size)
    return [span for span in _runs(candles.open_time[candles.volume == 0], size) if span.bars >= least]
