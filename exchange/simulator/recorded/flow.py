"""The records of a session in the order of the venue's event times.

Sockets deliver side by side, so the order of receipt is not quite that of the events. Records are read a little ahead
and sorted; a bar's closing frame, which comes shortly after its time, is thereby known when the bar ends.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from exchange.binance.candles_wire import candles
from exchange.errors import DecodeError
from exchange.recorder.records import READY, Answer, Frame, Note
from exchange.simulator.market import INTERVALS
from exchange.simulator.recorded.wire import BarSeen, FrameReader, Seen, bars_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from exchange.market_data import Candles
    from exchange.recorder.records import Record

AHEAD_MS = 3_000
"""How far events are read ahead of the instant asked for."""
LARGEST_JUMP_MS = 7 * 86_400_000
"""An event this far from the one before it is no event of this session but a damaged instant."""
KLINES = "/fapi/v1/klines"


def klines_answer(answer: Answer) -> tuple[str, str, Candles] | None:
    """Return symbol, interval and bars of a recorded klines answer; None for any other or an unreadable one."""
    if answer.path != KLINES or answer.status != 200:
        return None
    query = parse_qs(answer.query)
    symbol, interval = query.get("symbol", [""])[0], query.get("interval", [""])[0]
    if interval not in INTERVALS:
        return None
    try:
        return symbol, interval, candles(answer.body, KLINES)
    except DecodeError:
        return None


class Flow:
    """What a session saw, up to any instant."""

    def __init__(self, records: Iterator[Record], index: Mapping[str, int], begin_ms: int) -> None:
        """Read from records; `begin_ms` is an instant of the venue near the first event."""
        self._records = records
        self._index = index
        self._reader = FrameReader(index)
        self._heap: list[tuple[int, int, Seen]] = []
        self._number = 0
        self._newest = begin_ms
        self._ended = False
        self._implausible = 0
        self.closings: dict[tuple[str, int], dict[int, tuple[float, ...]]] = {}
        """Closing bars read ahead, by interval and open time, then by symbol; the market takes them out."""

    @property
    def left_out(self) -> int:
        """Return how many frames could not be used."""
        return self._reader.left_out + self._implausible

    @property
    def exhausted(self) -> bool:
        """Say whether nothing is left."""
        return self._ended and not self._heap

    def up_to_ready(self) -> list[Seen]:
        """Return what was seen before the session could be served: one entry per symbol and kind, bars all.

        The session must have the note; it was found by whoever made the iterator.
        """
        kept: dict[tuple[object, ...], Seen] = {}
        for record in self._records:
            if isinstance(record, Note) and record.what == READY:
                break
            if not isinstance(record, Frame):
                continue  # the answers are the history, which is read by its own way
            for seen in self._read(record):
                place = (seen.interval, seen.open_ms) if isinstance(seen, BarSeen) else ()
                kept[type(seen), seen.listing, *place] = seen
        self.closings.clear()
        return sorted(kept.values(), key=lambda seen: seen.at)

    @property
    def newest_ms(self) -> int:
        """Return the latest event time read so far."""
        return self._newest

    def until(self, now_ms: int) -> list[Seen]:
        """Return everything with an event time up to `now_ms` that was not returned before, in order."""
        while not self._ended and self._newest < now_ms + AHEAD_MS:
            record = next(self._records, None)
            if record is None:
                self._ended = True
                break
            for seen in self._read(record):
                self._number += 1
                heappush(self._heap, (seen.at, self._number, seen))
        due: list[Seen] = []
        while self._heap and self._heap[0][0] <= now_ms:
            due.append(heappop(self._heap)[2])
        return due

    def _read(self, record: Record) -> list[Seen]:
        if isinstance(record, Frame):
            seen = self._reader.read(record.data)
        elif isinstance(record, Answer):
            seen = self._refilled(record)
        else:
            return []
        plausible = [one for one in seen if abs(one.at - self._newest) < LARGEST_JUMP_MS]
        self._implausible += len(seen) - len(plausible)
        for one in plausible:
            self._newest = max(self._newest, one.at)
            if isinstance(one, BarSeen) and one.closed:
                self.closings.setdefault((one.interval, one.open_ms), {})[one.listing] = one.bar
        return plausible

    def _refilled(self, answer: Answer) -> list[Seen]:
        """Return the bars of an answer that came while the session ran; an answer has no event time of its own."""
        read = klines_answer(answer)
        if read is None or read[0] not in self._index:
            return []
        symbol, interval, rows = read
        return list(bars_of(rows, self._newest, self._index[symbol], interval))
