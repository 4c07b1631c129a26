"""Where a value came from."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Source(IntEnum):
    """Kinds of origin; a greater one wins."""

    DEFAULT = 0
    FILE = 1
    ENVIRONMENT = 2
    COMMAND_LINE = 3


class Origin(NamedTuple):
    """One origin, exact enough to find the value again."""

    source: Source
    where: str = ""
    """File and line, variable, or option."""

    def __str__(self) -> str:
        """Return the origin as the operator reads it."""
        words = {
            Source.DEFAULT: "default",
            Source.FILE: "file",
            Source.ENVIRONMENT: "environment",
            Source.COMMAND_LINE: "command line",
        }[self.source]
        return f"{words} {self.where}".rstrip()


class Given(NamedTuple):
    """A value as it was given, before it is checked."""

    value: object
    origin: Origin
