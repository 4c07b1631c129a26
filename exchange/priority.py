"""How much a request matters when the desk must hold some of them back."""

from __future__ import annotations

from enum import IntEnum


class Priority(IntEnum):
    """The urgency a request carries from the decision down to the wire; larger is more urgent."""

    LOW = 0
    """A scan: universe, back-fill, anything that may wait a minute."""
    NORMAL = 1
    """A query the desk waits for."""
    HIGH = 2
    """A new entry."""
    CRITICAL = 3
    """Risk-reducing: a close, a protective stop, a cancel, a position query. The desk never blocks it."""
