"""What waits between the loop and the disk: bounded, with a stated order of sacrifice."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from engine.journal.record import CycleRecord, EventRecord

if TYPE_CHECKING:
    from engine.journal.record import Record

CAPACITY: Final = 50_000
SHED_FROM: Final = 0.8
"""Share of the capacity from which log lines and cycle summaries are given up."""
BATCH: Final = 2_000


class RecordQueue:
    """A bounded queue that never waits.

    Up to 80 % full everything is taken. Above, records that rebuild no state (log lines, cycle summaries) are shed and
    counted. A full queue refuses and counts every record: the desk must then stop taking new entries. One thread puts,
    one takes; every step is a single operation of a deque.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start empty."""
        self._capacity = capacity
        self._waiting: deque[Record] = deque()
        self.shed = 0
        self.refused = 0

    def __len__(self) -> int:
        """Return how many records wait."""
        return len(self._waiting)

    def put(self, record: Record) -> bool:
        """Take a record; False when it was shed or refused."""
        waiting = len(self._waiting)
        if waiting >= self._capacity:
            self.refused += 1
            return False
        if waiting >= SHED_FROM * self._capacity and isinstance(record, EventRecord | CycleRecord):
            self.shed += 1
            return False
        self._waiting.append(record)
        return True

    def take(self) -> list[Record]:
        """Return the next batch in order."""
        batch: list[Record] = []
        while self._waiting and len(batch) < BATCH:
            batch.append(self._waiting.popleft())
        return batch
