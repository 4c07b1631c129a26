"""The journal on a thread of its own: group commit off the loop, and the indexed view behind it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from engine.journal.queue import RecordQueue
from engine.ports import DiskError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.journal.codec import Entry
    from engine.journal.log import JournalLog
    from engine.journal.record import Record
    from engine.journal.view import JournalView

RETRY_S: Final = 1.0
"""Wait after a refused append before it is tried again."""
VIEW_BEHIND: Final = 10_000
"""Durable records the view may be behind before it is fed in the middle of a burst."""
GATHER_S: Final = 0.02
"""Records that arrive within this time share one sync."""


class JournalWriter:
    """The Journal of a running desk.

    `write` puts into a bounded queue (see RecordQueue for what is given up when) and returns. The thread appends each
    batch with one sync, then feeds the view. A disk that refuses keeps the batch and is tried again every second;
    `failed` tells until it succeeds. A view that fails is given up until the next start and never holds up the log.
    """

    def __init__(
        self, log: JournalLog, open_view: Callable[[], JournalView] | None = None, queue: RecordQueue | None = None
    ) -> None:
        """Start the thread on an opened log. `open_view` runs in the thread, where the view will be used."""
        self._log = log
        self._open_view = open_view
        self._queue = queue or RecordQueue()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._idle = threading.Condition()
        self._waiting: deque[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()
        self._oldest = 0.0
        self._view: JournalView | None = None
        self._disk_fault: str | None = None
        self._stopped: str | None = None
        self.view_fault: str | None = None
        self.records = 0
        self.durable = 0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def failed(self) -> str | None:
        """Return why records cannot be kept at present."""
        if self._queue.refused:
            return f"the journal's queue was full: {self._queue.refused} records are lost"
        return self._stopped or self._disk_fault

    @property
    def shed(self) -> int:
        """Return how many log lines and cycle summaries were given up under pressure."""
        return self._queue.shed

    @property
    def lag_ms(self) -> float:
        """Return the age of the oldest record that is not durable yet."""
        oldest = self._oldest
        return (time.monotonic() - oldest) * 1000 if oldest and self.durable < self.records else 0.0

    def write(self, record: Record) -> None:
        """Take a record and return at once."""
        if self._stop.is_set():
            self._stopped = "the journal is closed"
            return
        if not self._oldest:
            self._oldest = time.monotonic()
        if self._queue.put(record):
            self.records += 1
            self._wake.set()

    async def commit(self, record: Record, deadline: float) -> bool:
        """Take a record and wait until it is durable, without the pause in which others could share its sync."""
        before = self.records
        self.write(record)
        if self.records == before:
            return False
        loop = asyncio.get_running_loop()
        durable = loop.create_future()
        self._waiting.append((self.records, loop, durable))
        self._hurry.set()
        self._wake.set()
        try:
            await asyncio.wait_for(durable, deadline)
        except TimeoutError:
            return False
        return True

    def flush(self, deadline: float) -> bool:
        """Wait until everything taken is durable."""
        self._wake.set()
        with self._idle:
            return self._idle.wait_for(lambda: self.durable >= self.records, deadline)

    def close(self, deadline: float) -> bool:
        """Write what waits, stop the thread, and tell whether everything is durable."""
        self._stop.set()
        self._hurry.set()
        self._wake.set()
        self._thread.join(deadline)
        return self.durable >= self.records

    def _run(self) -> None:
        if self._open_view is not None:
            try:
                self._view = self._open_view()
            except (sqlite3.Error, OSError, DiskError) as error:
                self.view_fault = f"the journal's view could not be opened: {error}"
        try:
            while True:
                self._wake.wait(RETRY_S)
                self._wake.clear()
                if not self._stop.is_set():
                    self._hurry.wait(GATHER_S)
                    self._hurry.clear()
                if not self._drain() or (self._stop.is_set() and not len(self._queue)):
                    break
        except Exception as error:  # noqa: BLE001 - the thread must not die unseen: the desk stops entries on `failed`
            self._stopped = f"the journal's writer ended: {error!r}"
        finally:
            if self._view is not None:
                self._view.close()

    def _drain(self) -> bool:
        """Write everything that waits; False when a stop was asked while the disk refuses."""
        unseen: list[Entry] = []
        while batch := self._queue.take():
            began = time.monotonic()
            entries = self._store(batch)
            if entries is None:
                self._index(unseen)
                return False
            self.durable += len(batch)
            self._oldest = began if len(self._queue) else 0.0
            with self._idle:
                self._idle.notify_all()
            self._tell_durable()
            unseen += entries
            # Durability comes first: while records wait, the view waits, up to a bound.
            if not len(self._queue) or len(unseen) >= VIEW_BEHIND:
                self._index(unseen)
                unseen = []
        return True

    def _tell_durable(self) -> None:
        """Wake whoever waits for a record that is durable now."""
        while self._waiting and self._waiting[0][0] <= self.durable:
            _, loop, durable = self._waiting.popleft()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, durable)

    def _store(self, batch: list[Record]) -> list[Entry] | None:
        while True:
            try:
                entries = self._log.append(batch)
            except DiskError as error:
                self._disk_fault = str(error)
                if self._stop.wait(RETRY_S):
                    return None
            else:
                self._disk_fault = None
                return entries

    def _index(self, entries: list[Entry]) -> None:
        if self._view is None:
            return
        try:
            self._view.apply(entries)
        except sqlite3.Error as error:
            self.view_fault = f"the journal's view is behind and catches up at the next start: {error}"
            self._view.close()
            self._view = None


def _settle(durable: asyncio.Future[None]) -> None:
    if not durable.done():
        durable.set_result(None)
