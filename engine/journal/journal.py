"""The journal as the runtime sees it, and its plain form for simulations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engine.journal.queue import RecordQueue
from engine.ports import DiskError

if TYPE_CHECKING:
    from engine.journal.log import JournalLog
    from engine.journal.record import Record


class Journal(Protocol):
    """Where records go. Nothing here waits for the disk except `flush` and `close`, and nothing raises."""

    @property
    def records(self) -> int:
        """Return how many records were taken since the start."""

    @property
    def durable(self) -> int:
        """Return how many of them survive a power cut by now."""

    @property
    def lag_ms(self) -> float:
        """Return the age of the oldest record that is not durable yet."""

    @property
    def failed(self) -> str | None:
        """Return why records cannot be kept at present, None while all is well. New entries must stop meanwhile."""

    @property
    def view_fault(self) -> str | None:
        """Return why the indexed view is not kept, None while it is. The log itself is complete all the same."""

    def write(self, record: Record) -> None:
        """Take a record."""

    def flush(self, deadline: float) -> bool:
        """Wait at most `deadline` seconds until everything taken is durable; tell whether it is."""

    def close(self, deadline: float) -> bool:
        """Flush, stop, and tell whether everything taken is durable. Later records are refused."""


class DurableJournal(Journal, Protocol):
    """A journal that can say of one record that it survives a power cut: what an intent waits for before it leaves."""

    async def commit(self, record: Record, deadline: float) -> bool:
        """Take a record and return whether it is durable, at the latest after `deadline` real seconds."""


class InlineJournal:
    """A journal that writes at once in the caller: for simulations, where threads are forbidden.

    A failing disk keeps the records waiting (bounded); the next write tries again.
    """

    lag_ms = 0.0
    view_fault: str | None = None

    def __init__(self, log: JournalLog) -> None:
        """Write to an opened log."""
        self._log = log
        self._queue = RecordQueue()
        self._batch: list[Record] = []
        self._closed = False
        self.records = 0
        self.durable = 0
        self.failed: str | None = None

    def write(self, record: Record) -> None:
        """Write the record, and those that waited before it."""
        if self._closed:
            self.failed = "the journal is closed"
        elif self._queue.put(record):
            self.records += 1
            self._drain()

    async def commit(self, record: Record, deadline: float) -> bool:
        """Write at once; False when the disk refused, and the record waits."""
        del deadline
        self.write(record)
        return not self._closed and self.failed is None

    def flush(self, deadline: float) -> bool:
        """Try once; there is nothing to wait for."""
        del deadline
        self._drain()
        return not self._batch and not len(self._queue)

    def close(self, deadline: float) -> bool:
        """Flush and refuse later records."""
        done = self.flush(deadline)
        self._closed = True
        return done

    def _drain(self) -> None:
        while self._batch or len(self._queue):
            self._batch = self._batch or self._queue.take()
            try:
                self._log.append(self._batch)
            except DiskError as error:
                self.failed = str(error)
                return
            self.durable += len(self._batch)
            self._batch = []
            self.failed = None
