"""What happened: facts in the past tense, numbered by the ring that carries them to the screens."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class EventKind(StrEnum):
    """The family an event belongs to; the event log filters by it."""

    SIGNAL = "signal"
    POSITION = "position"
    ORDER = "order"
    RISK = "risk"
    FEED = "feed"
    COMMAND = "command"
    SYSTEM = "system"
    MODEL = "model"


class Severity(StrEnum):
    """How much an event wants to be seen."""

    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ALERT = "alert"


class Event(msgspec.Struct, frozen=True):
    """One line of the event log."""

    seq: int
    time: int
    """UTC milliseconds."""
    kind: EventKind
    severity: Severity
    text: str
    symbol: str = ""
    ref: str = ""
    """Id of the object the event is about: a signal, position, command."""
