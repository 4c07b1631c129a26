"""What a venue sent that could not be believed: counted by where it came from, the last sample of each kept.

Samples are for the operator's eyes: cut short, printable, without anything that looks like a key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from exchange.errors import printable

if TYPE_CHECKING:
    from exchange.errors import DecodeError

SAMPLE_BYTES = 400
_SOURCES = 64
_FIELD = 64
_REASON = 200
_KEY = re.compile(r"[A-Za-z0-9+/]{32,}={0,2}")


class BadInput(msgspec.Struct, frozen=True):
    """The last refused input of one source."""

    source: str
    """`GET /fapi/v1/depth`, `bookTicker`, `ORDER_TRADE_UPDATE`..."""
    field: str
    reason: str
    sample: str
    count: int
    """How many were refused since the start."""
    time: int
    """UTC milliseconds of the last one."""

    @property
    def text(self) -> str:
        """Return one line for the operator."""
        field = f"{self.field}: " if self.field else ""
        return f"{self.source} (x{self.count}): {field}{self.reason}"


def readable(raw: bytes, limit: int = SAMPLE_BYTES) -> str:
    """Return the beginning of what was sent as printable text: escapes for the rest, `***` for what may be a key."""
    text = printable(raw[:limit].decode("utf-8", "backslashreplace"))
    # A key cut off by the limit is masked too, as long as enough of it shows to be one.
    return _KEY.sub("***", text)[: 2 * limit] + ("..." if len(raw) > limit else "")


def source_of(where: str) -> str:
    """Return the kind of input: streams of all symbols count as one, and so do the rows of a REST answer."""
    stream = where.partition("@")[2]
    if stream and " " not in where:
        return stream[:_FIELD]
    return " ".join(where.split(" ")[:2])[:_FIELD]


class Quarantine:
    """Counts refusals and keeps the last sample per source. Bounded; belongs to one event loop."""

    def __init__(self) -> None:
        self.total = 0
        self.last: BadInput | None = None
        self._rows: dict[str, BadInput] = {}

    def refuse(self, error: DecodeError, raw: bytes, now_ms: int) -> BadInput:
        """Take note of one refusal. `raw` is the frame, body or row it is about."""
        source = source_of(error.where)
        if source not in self._rows and len(self._rows) >= _SOURCES:
            source = "other"
        before = self._rows.get(source)
        row = BadInput(
            source=source,
            field=readable(error.field.encode(errors="backslashreplace"), _FIELD),
            reason=readable(error.reason.encode(errors="backslashreplace"), _REASON),
            sample=readable(raw),
            count=1 if before is None else before.count + 1,
            time=now_ms,
        )
        self.total += 1
        self._rows[source] = self.last = row
        return row

    def rows(self) -> tuple[BadInput, ...]:
        """Return the sources with refusals, the most frequent first."""
        return tuple(sorted(self._rows.values(), key=lambda row: (-row.count, row.source)))
