"""What became of an order whose answer is unknown: evidence is collected until the order is found or proven absent.

Reliability rule 1. One "does not exist" proves nothing: answers lag behind, and a request may still be executed while
its receive window lasts. An order is dead only when, after the end of that window, the venue has denied it in spaced
queries and a second witness (the lists of orders and executions) agrees. Pure; instants are the venue's milliseconds.
"""

from __future__ import annotations

from enum import Enum

LOOKS_MS = (1_000, 3_000, 10_000)
"""When to look after the sending; from then on at the last distance."""
LEAST_DENIALS = 3
MARGIN_MS = 1_000
OVERDUE_MS = 60_000


class Fate(Enum):
    """What the evidence says so far."""

    PENDING = "pending"
    FOUND = "found"
    DEAD = "dead"


class UnknownOrder:
    """The case of one order. It counts as exposure, and its symbol takes no entries, while it is pending."""

    def __init__(self, sent_ms: int, window_ms: int, clock_error_ms: int) -> None:
        """Open the case of an order sent at `sent_ms` with a receive window, both by a clock known that well."""
        self.sent_ms = sent_ms
        self.window_end_ms = sent_ms + window_ms + clock_error_ms + MARGIN_MS
        self._looks = 0
        self._denials = 0
        self._denied_ms = -1
        self._witness_ms = -1
        self._found = False

    @property
    def next_look_ms(self) -> int:
        """Return when to look again."""
        if self._looks < len(LOOKS_MS):
            return self.sent_ms + LOOKS_MS[self._looks]
        return self.sent_ms + LOOKS_MS[-1] * (2 + self._looks - len(LOOKS_MS))

    def looked(self) -> None:
        """Note that a look was made, whatever it brought."""
        self._looks += 1

    def found(self) -> None:
        """Note that the venue showed the order, in an answer or on the stream. That is final."""
        self._found = True

    def denied(self, now_ms: int) -> None:
        """Note that a query made at `now_ms` said that there is no such order."""
        if self._denied_ms < 0 or now_ms - self._denied_ms >= LOOKS_MS[0]:
            self._denials += 1
            self._denied_ms = now_ms

    def witnessed(self, taken_ms: int) -> None:
        """Note that lists asked for at `taken_ms` show neither the order nor an execution nobody else explains."""
        self._witness_ms = taken_ms

    def contradicted(self) -> None:
        """Note that the lists show an execution nobody else explains: the order may be there."""
        self._witness_ms = -1

    def wants_witness(self, now_ms: int) -> bool:
        """Say whether the lists are worth their weight now: only they are missing for a verdict."""
        return self._is_denied() and now_ms > self.window_end_ms

    def is_overdue(self, now_ms: int) -> bool:
        """Say whether the operator must hear of it."""
        return self.fate() is Fate.PENDING and now_ms - self.sent_ms > OVERDUE_MS

    def _is_denied(self) -> bool:
        return self._denials >= LEAST_DENIALS and self._denied_ms > self.window_end_ms

    def fate(self) -> Fate:
        """Return the verdict on the evidence. An order found after it was dead is adopted: found is stronger."""
        if self._found:
            return Fate.FOUND
        if self._is_denied() and self._witness_ms > self.window_end_ms:
            return Fate.DEAD
        return Fate.PENDING
