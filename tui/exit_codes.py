"""How a run ended, for whoever started it: the codes of the operating rules."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes are an interface: 10, 11, 12, 14, 16 and 20 forbid an automatic restart."""

    CLEAN = 0
    NOT_FOUND = 1
    """A question without an answer, such as `journal why` of an unknown id."""
    USAGE = 2
    NOT_LIVE = 3
    """`status --health`: no engine, or one that stands still."""
    CONFIG = 10
    CREDENTIALS = 11
    LOCK_HELD = 12
    RECONCILE = 13
    """A live start that did not come through while nothing was held; so are 15 and 17."""
    JOURNAL_DAMAGED = 14
    CLOCK = 15
    INVARIANT = 16
    VENUE = 17
    """A ban or maintenance."""
    DATA = 18
    """Market data with gaps or defects, or a file of them that could not be used."""
    OPERATOR_HALT = 20
    INTERNAL = 70
    """A fault of the program itself; the log has the details."""
    INTERRUPTED = 130
