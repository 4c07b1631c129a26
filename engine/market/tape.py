"""Columnar candles per symbol and frame, and whether they may be trusted.

The tape holds the newest closed bars as prices, refuses what is inconsistent, and says per series why it is not ready.
It does no I/O: the feed brings candles and bars, `needs` says what to fetch. A slot of the tape is a slot of the
analysis tables: both address their rows by `engine.analysis.tables.row_of`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.analysis.bars import bars_of, bars_of_updates
from engine.analysis.layout import BAR, BARS, FRAMES
from engine.analysis.tables import row_of
from exchange.market_data import FRAME_MS, Candles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.market_data import KlineUpdate

HISTORY = 500
LEAP = 8.0
"""A price that moves by more than this factor between two bars, or from open to close, has changed its unit.

Recorded perpetuals moved at most 1.2-fold between bars and 1.9-fold inside one of up to an hour; a redenomination is
10-fold or more.
"""
HOLE = "hole of "
"""What the fault of a series begins with that lacks bars, which can be fetched; any other wants the whole history."""
COLUMNS = Candles.__struct_fields__

CANDLE = np.dtype([(name, "i8" if name in {"open_time", "trades"} else "f8") for name in COLUMNS])


class Outcome(StrEnum):
    """What became of a bar from the stream."""

    APPENDED = "appended"
    """It is the next bar: step the analysis row."""
    DUPLICATE = "duplicate"
    """Held already with the same values, or older than everything held."""
    CORRECTED = "corrected"
    """Held already with other values, now replaced: the analysis row must be rebuilt from `bars`."""
    GAP = "gap"
    """Bars before it are missing: fetch `needs`, the bar itself included."""
    BAD = "bad"
    """Inconsistent; not taken, the series is not ready until loaded again."""
    FORMING = "forming"
    """Not closed; not taken."""
    UNKNOWN = "unknown"
    """No slot for the symbol, or a frame that no analysis uses."""


class Verdict(NamedTuple):
    """Outcome of one bar, with the reason unless it was appended."""

    outcome: Outcome
    reason: str


class Taken(NamedTuple):
    """Outcome of a batch: `rows` and `bars` of the appended ones are arguments of `step_rows`."""

    rows: npt.NDArray[np.int64]
    bars: npt.NDArray[np.void]
    verdicts: tuple[Verdict, ...]


def moment(time_ms: int) -> str:
    """Return UTC milliseconds as a short text for reasons."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def candle_fault(open_: float, high: float, low: float, close: float, volume: float) -> str:
    """Return what is wrong with one candle, empty if nothing."""
    if not np.isfinite((open_, high, low, close, volume)).all():
        return "a value is not a finite number"
    if min(open_, high, low, close) <= 0.0:
        return "a price is not positive"
    if volume < 0.0:
        return f"volume {volume:g} is negative"
    if high < max(open_, close):
        return f"high {high:g} is below max(open {open_:g}, close {close:g})"
    if low > min(open_, close):
        return f"low {low:g} is above min(open {open_:g}, close {close:g})"
    return ""


def candles_fault(candles: Candles, interval_ms: int) -> str:
    """Return the first fault of a series (bar and reason), empty if it is consistent and without a hole."""
    prices = np.stack([candles.open, candles.high, candles.low, candles.close, candles.volume])
    with np.errstate(invalid="ignore"):
        bad = (
            ~np.isfinite(prices).all(axis=0)
            | (prices[:4].min(axis=0) <= 0.0)
            | (candles.volume < 0.0)
            | (candles.high < np.maximum(candles.open, candles.close))
            | (candles.low > np.minimum(candles.open, candles.close))
        )
    if bad.any():
        k = int(bad.argmax())
        return f"bar {moment(int(candles.open_time[k]))}: {candle_fault(*(float(x) for x in prices[:, k]))}"
    steps = np.diff(candles.open_time)
    off = steps != interval_ms
    if off.any():
        k = int(off.argmax())
        at = moment(int(candles.open_time[k]))
        if steps[k] <= 0:
            return f"open times do not ascend after bar {at}"
        if steps[k] % interval_ms:
            return f"open time {moment(int(candles.open_time[k + 1]))} is off the grid of the frame"
        return f"hole of {int(steps[k]) // interval_ms - 1} bars after {at}"
    return ""


def leap_text(before: float, after: float) -> str:
    """Return in words by how much a price leapt."""
    return f"rose {after / before:.4g}-fold" if after > before else f"fell to 1/{before / after:.4g}"


def is_leap(before: float, after: float) -> bool:
    """Say whether a price has changed its unit; False where one of the two is unknown."""
    return 0.0 < before * LEAP < after or 0.0 < after * LEAP < before


class Part(NamedTuple):
    """The newest part of a series that is in one piece and in one unit."""

    first: int
    """Index of its first bar; the length of the series when nothing is left."""
    after: str
    """What it begins after, empty where the whole series is one part."""
    leapt: bool
    """Whether that was a change of the price's unit; else it was a hole."""


def newest_part(candles: Candles, interval_ms: int) -> Part:
    """Return the part after the last hole and the last change of the price's unit."""
    opened, closed = candles.open, candles.close
    with np.errstate(all="ignore"):
        sound = np.isfinite(opened) & np.isfinite(closed) & (opened > 0.0) & (closed > 0.0)
        inside = sound & (np.abs(np.log(closed / opened)) > np.log(LEAP))
        between = sound[1:] & sound[:-1] & (np.abs(np.log(opened[1:] / closed[:-1])) > np.log(LEAP))
    steps = np.diff(candles.open_time)
    hole = (steps > interval_ms) & (steps % interval_ms == 0)
    last_inside = int(np.flatnonzero(inside)[-1]) if inside.any() else -1
    last_break = int(np.flatnonzero(between | hole)[-1]) if (between | hole).any() else -1
    if last_inside < 0 and last_break < 0:
        return Part(0, "", leapt=False)
    if last_inside > last_break:
        k = last_inside
        told = leap_text(float(opened[k]), float(closed[k]))
        return Part(k + 1, f"the price {told} within the bar of {moment(int(candles.open_time[k]))}", leapt=True)
    k = last_break
    at = moment(int(candles.open_time[k]))
    if between[k]:
        return Part(k + 1, f"the price {leap_text(float(closed[k]), float(opened[k + 1]))} after {at}", leapt=True)
    return Part(k + 1, f"the hole of {int(steps[k]) // interval_ms - 1} bars after {at}", leapt=False)


class Tape:
    """The candles of a fixed number of symbols. Symbols enter by `assign` and leave by `release`."""

    def __init__(self, slots: int, history: int = HISTORY) -> None:
        """Hold up to `slots` symbols; a series is ready from `history` closed bars on (at most BARS).

        Raises ValueError for an impossible size.
        """
        if slots < 1 or not 1 <= history <= BARS:
            raise ValueError(f"slots {slots} must be positive and history {history} between 1 and {BARS}")
        self.history = history
        self._ring = np.zeros((slots * len(FRAMES), BARS), CANDLE)
        self._count = [0] * (slots * len(FRAMES))
        self._fault = [""] * (slots * len(FRAMES))
        self._after = [""] * (slots * len(FRAMES))
        self._leapt = [0] * (slots * len(FRAMES))
        self._read = [-1] * (slots * len(FRAMES))
        self._slots: dict[str, int] = {}
        self._free = list(range(slots - 1, -1, -1))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols that hold a slot."""
        return tuple(self._slots)

    def assign(self, symbol: str) -> int:
        """Return the symbol's slot, a free one if it has none yet. Raises ValueError when all are taken."""
        if symbol in self._slots:
            return self._slots[symbol]
        if not self._free:
            raise ValueError(f"no free slot for {symbol}: all {len(self._slots)} are taken; release one first")
        slot = self._free.pop()
        self._slots[symbol] = slot
        for frame in range(len(FRAMES)):
            self._clear(row_of(slot, frame), "")
        return slot

    def release(self, symbol: str) -> None:
        """Give the symbol's slot back and forget its candles. Unknown symbols are no error."""
        slot = self._slots.pop(symbol, None)
        if slot is not None:
            self._free.append(slot)

    def slot_of(self, symbol: str) -> int | None:
        """Return the symbol's slot, None if it has none."""
        return self._slots.get(symbol)

    def row(self, symbol: str, frame: str) -> int:
        """Return the analysis row of a series. Raises KeyError for a symbol without a slot."""
        return row_of(self._slots[symbol], frame)

    def load(self, symbol: str, frame: str, candles: Candles, now_ms: int) -> str:
        """Replace a series by what REST returned; return its readiness reason, empty if ready.

        A bar still forming at `now_ms` is dropped. Of a series with a hole, or whose price changed its unit, the part
        after that is kept: what the exchange itself does not have cannot be fetched. A faulty series is not kept.
        """
        row, interval = self.row(symbol, frame), FRAME_MS[frame]
        closed = _closed(candles, interval, now_ms)
        part = newest_part(closed, interval)
        closed = _rows_of(closed, np.arange(len(closed)) >= part.first)
        fault = candles_fault(closed, interval)
        self._clear(row, fault)
        if not fault:
            self._put(row, closed)
            self._after[row] = part.after
            self._read[row] = now_ms // interval * interval - interval
            if part.leapt:
                self._leapt[row] = int(closed.open_time[0]) if len(closed) else now_ms // interval * interval
        return self.readiness(symbol, frame)

    def extend(self, symbol: str, frame: str, candles: Candles, now_ms: int) -> npt.NDArray[np.void]:
        """Append fetched closed bars that follow the last held one (gap repair); return them as BAR rows to run.

        Bars already held are skipped. A fault, a remaining hole or a change of the price's unit marks the series not
        ready and appends nothing; the whole history is then needed.
        """
        row, interval = self.row(symbol, frame), FRAME_MS[frame]
        closed = _closed(candles, interval, now_ms)
        last = self.last_open(symbol, frame)
        new = _rows_of(closed, closed.open_time > last)
        fault = newest_part(new, interval).after or candles_fault(new, interval)
        if not fault and len(new) and self._count[row] and int(new.open_time[0]) != last + interval:
            fault = f"the hole after {moment(last)} stays: the repair begins only at {moment(int(new.open_time[0]))}"
        if not fault and len(new) and self._count[row]:
            fault = self._leap_fault(row, int(new.open_time[0]), float(new.open[0]), float(new.open[0]))
        if fault:
            self._fault[row] = f"{fault}; the history is read again"
            return np.empty(0, BAR)
        if len(new):
            self._put(row, new)
            self._fault[row] = ""
        return bars_of(new)

    def append(self, update: KlineUpdate) -> Verdict:
        """Take one bar of a kline stream."""
        slot = self._slots.get(update.symbol)
        if slot is None or update.interval not in FRAMES:
            return Verdict(Outcome.UNKNOWN, f"no series {update.symbol} {update.interval}")
        if not update.closed:
            return Verdict(Outcome.FORMING, "the bar is still forming")
        row, interval = row_of(slot, update.interval), FRAME_MS[update.interval]
        fault = candle_fault(update.open, update.high, update.low, update.close, update.volume)
        if not fault and update.open_time % interval:
            fault = "open time is off the grid of the frame"
        if fault:
            self._fault[row] = f"bar {moment(update.open_time)}: {fault}"
            return Verdict(Outcome.BAD, self._fault[row])
        count = self._count[row]
        last = int(self._ring[row, (count - 1) % BARS]["open_time"]) if count else update.open_time - interval
        ahead = (update.open_time - last) // interval
        if ahead <= 0:
            return self._again(row, count - 1 + ahead, update)
        leap = self._leap_fault(row, update.open_time, update.open, update.close)
        if leap or ahead > 1:
            reason = f"{leap}; the history is read again" if leap else f"{HOLE}{ahead - 1} bars after {moment(last)}"
            self._fault[row] = reason
            return Verdict(Outcome.BAD if leap else Outcome.GAP, reason)
        self._ring[row, count % BARS] = _candle(update)
        self._count[row] = count + 1
        return Verdict(Outcome.APPENDED, "")

    def append_many(self, updates: Sequence[KlineUpdate]) -> Taken:
        """Take bars in the order given; what was appended comes back ready for `step_rows`."""
        verdicts = tuple(self.append(update) for update in updates)
        new = [update for update, verdict in zip(updates, verdicts, strict=True) if verdict.outcome is Outcome.APPENDED]
        rows = np.array([self.row(update.symbol, update.interval) for update in new], np.int64)
        return Taken(rows, bars_of_updates(new), verdicts)

    def readiness(self, symbol: str, frame: str) -> str:
        """Return why a series may not be used, empty if it may."""
        slot = self._slots.get(symbol)
        if slot is None:
            return "not in the universe"
        row = row_of(slot, frame)
        if self._fault[row]:
            return f"{frame}: {self._fault[row]}"
        if self._read[row] < 0 and self._count[row] == 0:
            return f"{frame}: no candles yet"
        if self._count[row] < self.history:
            since = f" since {self._after[row]}" if self._after[row] else ""
            return f"{frame}: {self._count[row]} of {self.history} bars{since}"
        return ""

    def begun(self, symbol: str, frame: str) -> bool:
        """Say whether a series has been read from the exchange, be it that there was no bar of it yet."""
        row = self.row(symbol, frame)
        return self._count[row] > 0 or self._read[row] >= 0

    def unit_since(self, symbol: str, frame: str) -> int:
        """Return the open time of the first bar in the price's present unit, 0 where no other unit was seen."""
        return self._leapt[self.row(symbol, frame)]

    def reasons(self, symbol: str) -> tuple[str, ...]:
        """Return the readiness reasons of all frames of a symbol; empty when it is ready."""
        return tuple(reason for frame in FRAMES if (reason := self.readiness(symbol, frame)))

    def faulty_rows(self) -> list[int]:
        """Return the rows that hold a hole or a fault."""
        return [row for row, fault in enumerate(self._fault) if fault]

    def needs(self, symbol: str, frame: str, now_ms: int) -> tuple[int, int] | None:
        """Return first and last open time of the closed bars to fetch, None when nothing is missing.

        The whole history after a fault or before the first load; else what follows the last held bar. A series that the
        exchange has no bar of is not asked for again before another one may have closed.
        """
        row, interval = self.row(symbol, frame), FRAME_MS[frame]
        end = now_ms // interval * interval - interval
        held = self._count[row]
        if held == 0 and not self._fault[row] and self._read[row] >= end:
            return None
        if held == 0 or (self._fault[row] and not self._fault[row].startswith(HOLE)):
            return end - (self.history - 1) * interval, end
        start = self.last_open(symbol, frame) + interval
        return (start, end) if start <= end else None

    def last_open(self, symbol: str, frame: str) -> int:
        """Return the open time of the newest closed bar, -1 if there is none."""
        row = self.row(symbol, frame)
        count = self._count[row]
        return int(self._ring[row, (count - 1) % BARS]["open_time"]) if count else -1

    def newest_close(self, symbol: str, frame: str) -> float:
        """Return the close of the newest closed bar, 0 if there is none."""
        row = self.row(symbol, frame)
        count = self._count[row]
        return float(self._ring[row, (count - 1) % BARS]["close"]) if count else 0.0

    def candles(self, symbol: str, frame: str, limit: int = BARS) -> Candles:
        """Return copies of the newest closed bars, oldest first."""
        return self._held(self.row(symbol, frame), limit)

    def bars(self, symbol: str, frame: str) -> npt.NDArray[np.void]:
        """Return all held bars in x space, the argument of `run`."""
        return self.bars_of_row(self.row(symbol, frame))

    def bars_of_row(self, row: int) -> npt.NDArray[np.void]:
        """Return all held bars of an analysis row in x space."""
        return bars_of(self._held(row, BARS))

    def _held(self, row: int, limit: int) -> Candles:
        count = self._count[row]
        places = np.arange(max(0, count - min(limit, BARS)), count) % BARS
        held = self._ring[row, places]
        return Candles(**{name: np.ascontiguousarray(held[name]) for name in COLUMNS})

    def _again(self, row: int, number: int, update: KlineUpdate) -> Verdict:
        if number < max(0, self._count[row] - BARS):
            return Verdict(Outcome.DUPLICATE, "older than everything held")
        candle = np.array(_candle(update), CANDLE)
        if self._ring[row, number % BARS] == candle:
            return Verdict(Outcome.DUPLICATE, "held already")
        self._ring[row, number % BARS] = candle
        return Verdict(Outcome.CORRECTED, f"bar {moment(update.open_time)} came again with other values")

    def _leap_fault(self, row: int, open_time: int, opened: float, closed: float) -> str:
        """Return how a bar's price leapt against the held ones or within the bar, empty where it did not."""
        count = self._count[row]
        before = float(self._ring[row, (count - 1) % BARS]["close"]) if count else opened
        if is_leap(before, opened):
            return f"bar {moment(open_time)}: the price {leap_text(before, opened)} against the bar before"
        if is_leap(opened, closed):
            return f"bar {moment(open_time)}: the price {leap_text(opened, closed)} within the bar"
        return ""

    def _clear(self, row: int, fault: str) -> None:
        self._count[row] = 0
        self._fault[row] = fault
        self._after[row] = ""
        self._leapt[row] = 0
        self._read[row] = -1

    def _put(self, row: int, candles: Candles) -> None:
        kept = min(len(candles), BARS)
        count = self._count[row]
        places = np.arange(count, count + kept) % BARS
        for name in COLUMNS:
            self._ring[name][row, places] = getattr(candles, name)[len(candles) - kept :]
        self._count[row] = count + kept


def _candle(update: KlineUpdate) -> tuple[float | int, ...]:
    return tuple(getattr(update, name) for name in COLUMNS)


def _closed(candles: Candles, interval: int, now_ms: int) -> Candles:
    return _rows_of(candles, candles.open_time + interval <= now_ms)


def _rows_of(candles: Candles, keep: npt.NDArray[np.bool_]) -> Candles:
    return Candles(**{name: getattr(candles, name)[keep] for name in COLUMNS})


def build_frame(candles: Candles, frame: str, target: str) -> Candles:
    """Return the bars of a longer frame made of consecutive bars of a shorter one; incomplete groups are left out.

    Raises ValueError when the target is no multiple of the frame, or the series is faulty.
    """
    short, long = FRAME_MS[frame], FRAME_MS[target]
    if long % short or long <= short:
        raise ValueError(f"{target} cannot be built from {frame}; it must be a longer multiple")
    fault = candles_fault(candles, short)
    if fault:
        raise ValueError(f"{target} cannot be built from {frame}: {fault}")
    size = long // short
    starts = np.flatnonzero(candles.open_time % long == 0)
    first = int(starts[0]) if len(starts) else len(candles)
    groups = (len(candles) - first) // size
    last = first + groups * size
    parts = {name: getattr(candles, name)[first:last].reshape(groups, size) for name in COLUMNS}
    columns = {name: part.sum(axis=1) for name, part in parts.items()}
    columns["open_time"] = parts["open_time"][:, 0]
    columns["open"] = parts["open"][:, 0]
    columns["close"] = parts["close"][:, -1]
    columns["high"] = parts["high"].max(axis=1)
    columns["low"] = parts["low"].min(axis=1)
    return Candles(**columns)


def differences(built: Candles, given: Candles) -> tuple[str, ...]:
    """Compare bars built here with the exchange's where open times coincide; one text per differing bar.

    Prices must be equal; sums of volume may differ by rounding (1e-9 relative).
    """
    times, ours, theirs = np.intersect1d(built.open_time, given.open_time, return_indices=True)
    found: dict[int, str] = {}
    for name in ("open", "high", "low", "close", "volume"):
        a, b = getattr(built, name)[ours], getattr(given, name)[theirs]
        equal = np.isclose(a, b, rtol=1e-9, atol=0.0) if name == "volume" else a == b
        for k in np.flatnonzero(~equal):
            text = f"{moment(int(times[k]))}: {name} built {a[k]:.10g}, exchange {b[k]:.10g}"
            found.setdefault(int(times[k]), text)
    return tuple(found[time] for time in sorted(found))
