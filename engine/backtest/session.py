"""The closed 5m bars of a session that `perpdesk record` wrote, as history for a backtest.

They come from the candles that were read when the recording began, and from the frames that followed. A bar that was
still open is left out; a hole stays a hole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from engine.backtest.faults import HistoryError
from engine.backtest.history import BAR_MS, History, Series
from engine.backtest.symbols import frames_of
from engine.replay import READY_BARS, ready_from
from exchange.market_data import FRAME_MS
from exchange.recorder.manifest import SessionError
from exchange.recorder.reading import SessionReader
from exchange.recorder.records import Answer, Frame
from exchange.simulator.recorded.flow import klines_answer
from exchange.simulator.recorded.wire import BarSeen, FrameReader

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

NEEDED: Final = READY_BARS * FRAME_MS["1h"] // BAR_MS
"""5m bars of a symbol, one after the other, that make the 1h bars of a first decision."""
_PRICED: Final = 6
"""Open, high, low, close, volume and turnover: what a series holds of a bar."""


def read_session(folder: Path, *, symbols: Collection[str] = (), end_ms: int | None = None) -> History:
    """Read a session as history. Raises HistoryError, which says what is missing and what to do."""
    try:
        reader = SessionReader(folder)
        bars = _bars(reader, symbols)
    except SessionError as error:
        raise HistoryError(f"--data session:{folder}: {error}") from None
    missing = sorted(set(symbols) - {symbol for symbol, rows in bars.items() if rows})
    if missing:
        raise HistoryError(
            f"--symbols {missing[0]}: session {folder} holds no closed 5m bar of it; it has "
            f"{', '.join(reader.manifest.symbols[:5])} ..."
        )
    series = tuple(_series(symbol, rows, end_ms) for symbol, rows in sorted(bars.items()) if rows)
    series = tuple(one for one in series if len(one.open_time))
    _check(folder, series)
    notes = [f"{one.file}: {one.fault.text}" for one in reader.faults]
    return History(series, sum(len(one.open_time) for one in series), 0, 0, tuple(notes))


def _bars(reader: SessionReader, symbols: Collection[str]) -> dict[str, dict[int, tuple[float, ...]]]:
    """Return by symbol the closed bars by open time; what was told later counts."""
    names = [symbol for symbol in reader.manifest.symbols if not symbols or symbol in symbols]
    found: dict[str, dict[int, tuple[float, ...]]] = {symbol: {} for symbol in names}
    frames = FrameReader({symbol: number for number, symbol in enumerate(names)})
    for record in reader.records():
        if isinstance(record, Frame):
            for seen in frames.read(record.data):
                if isinstance(seen, BarSeen) and seen.closed and seen.interval == "5m":
                    found[names[seen.listing]][seen.open_ms] = tuple(seen.bar[:_PRICED])
        elif isinstance(record, Answer):
            read = klines_answer(record)
            if read is None or read[1] != "5m" or read[0] not in found:
                continue
            part = read[2]
            columns = (part.open, part.high, part.low, part.close, part.volume, part.quote_volume)
            rows = zip(part.open_time.tolist(), *(column.tolist() for column in columns), strict=True)
            closed = record.sent_us // 1000 - BAR_MS
            found[read[0]] |= {opened: tuple(bar) for opened, *bar in rows if opened <= closed}
    return found


def _series(symbol: str, rows: dict[int, tuple[float, ...]], end_ms: int | None) -> Series:
    times = sorted(opened for opened in rows if end_ms is None or opened + BAR_MS <= end_ms)
    table = np.array([rows[opened] for opened in times], np.float64).reshape(-1, _PRICED).T
    return Series(symbol, np.array(times, np.int64), *(np.ascontiguousarray(column) for column in table))


def _check(folder: Path, series: tuple[Series, ...]) -> None:
    """Refuse a session in which no strategy could be asked at any close."""
    longest = 0
    for one in series:
        for stretch in one.stretches():
            longest = max(longest, stretch.end - stretch.first)
            frames = frames_of(one, stretch)
            if ready_from(frames) < len(frames[0]):
                return
    raise HistoryError(
        f"--data session:{folder}: a first decision needs {NEEDED:,} closed 5m bars of a symbol in a row "
        f"({READY_BARS} of 1h), the session holds {longest:,} at most; fetch the days before it with `perpdesk data "
        "fetch --interval 5m` and backtest their folder, or let the desk live through the session with `perpdesk "
        f"--headless --sim-market session:{folder}`"
    )
