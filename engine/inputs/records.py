"""What a recording of inputs consists of: how the desk began, then one turn after the other.

A turn is what set the desk going (a task that went on, an answer of a port, a command) and everything the desk read
from its ports while it ran, in order. Turns follow each other as they did on the loop, so running the same code turn by
turn gives the same decisions. Fields may be added with defaults; SCHEMA is raised when a reader must know.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from engine.commands import Command, Question

SCHEMA: Final = 1

WALL, CLOCK, UNIFORM, TOKEN, INSTANT = "w", "c", "u", "t", "i"
"""Readings that come so often that their names are one letter: UTC ms, desk seconds, a number, an id, the machine."""


class InputsError(ValueError):
    """A recording of inputs cannot be used; the text says why and what to do."""


class Nothing(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """A wait ended."""


class Reply(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """An HTTP answer. Of its headers only those that a client reads."""

    status: int
    headers: dict[str, str]
    body: bytes


class Messages(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Messages of a stream."""

    data: list[bytes]


class Kept(msgspec.Struct, frozen=True, array_like=True, tag=3):
    """Whether a record of the journal became durable."""

    durable: bool


class Predicted(msgspec.Struct, frozen=True, array_like=True, tag=4):
    """Rows of a model, float32; no columns where it gave none."""

    columns: int
    rows: bytes


class NotSent(msgspec.Struct, frozen=True, array_like=True, tag=5):
    """No byte left."""

    text: str


class Lost(msgspec.Struct, frozen=True, array_like=True, tag=6):
    """No answer came."""

    text: str
    late: bool
    """Whether the deadline had passed."""


class Ended(msgspec.Struct, frozen=True, array_like=True, tag=7):
    """A stream ended."""

    code: int
    reason: str


class Cancelled(msgspec.Struct, frozen=True, array_like=True, tag=8):
    """The desk gave up waiting."""


Result = Nothing | Reply | Messages | Kept | Predicted | NotSent | Lost | Ended | Cancelled


class Made(msgspec.Struct, frozen=True, array_like=True, tag=20):
    """The desk was put together."""


class Stepped(msgspec.Struct, frozen=True, array_like=True, tag=21):
    """A task went on for a reason inside the desk."""

    lane: int


class Answered(msgspec.Struct, frozen=True, array_like=True, tag=22):
    """A port answered a task."""

    lane: int
    label: str
    """Which port and what was asked, without query and key."""
    result: Result
    waited: bool
    """Whether other turns came between question and answer."""


class Ordered(msgspec.Struct, frozen=True, array_like=True, tag=23):
    """An operator gave a command."""

    ticket: int
    command: Command
    by: str


class Asked(msgspec.Struct, frozen=True, array_like=True, tag=24):
    """A screen asked a question."""

    ticket: int
    question: Question


class Stopped(msgspec.Struct, frozen=True, array_like=True, tag=25):
    """The desk was asked to end."""

    reason: str


class Finished(msgspec.Struct, frozen=True, array_like=True, tag=26):
    """The last mark of a recording: the desk had ended and everything before was written."""

    exit_code: int


Cause = Made | Stepped | Answered | Ordered | Asked | Stopped | Finished


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """One turn."""

    cause: Cause
    reads: list[Any] = []
    """What was read and its value, in turn."""
    born: list[tuple[int, str]] = []
    """Number and name of the tasks that were made."""
    decided: list[tuple[int, str, bytes]] = []
    """Time, words and digest of what was decided (`engine.backtest.desk.Decision`)."""


class FlagRow(msgspec.Struct, frozen=True):
    """One feature flag at the start."""

    name: str
    value: bool
    since_ms: int
    by: str


class LiveRow(msgspec.Struct, frozen=True):
    """What a desk that may send orders was given."""

    epoch: str
    account: str
    """Hash that names the account."""
    gives_up: bool = False
    """Whether a start that does not come through ended the process."""


class Beginning(msgspec.Struct, frozen=True):
    """How the desk was put together. Nothing in it is secret."""

    schema: int
    version: str
    session: str
    """The session's id in the journal."""
    started_ms: int
    environment: str
    exchange: str
    speed: float
    settings: str
    """All settings as JSON."""
    settings_hash: str
    """SHA-256 of it, as in the journal's session record."""
    flags: list[FlagRow]
    has_key: bool
    tick_s: float
    publish_s: float
    guests: list[str] = []
    """Names of the strategies from outside."""
    live: LiveRow | None = None
    code: str = ""
    """SHA-256 over the sources of the program (`engine.adapters.program`)."""
    built_with: str = ""
    """Interpreter, processor and libraries."""


_ENCODER: Final = msgspec.msgpack.Encoder()
_TURN: Final = msgspec.msgpack.Decoder(Turn)
_BEGINNING: Final = msgspec.msgpack.Decoder(Beginning)


def encode(record: Turn | Beginning) -> bytes:
    """Return the bytes of a record."""
    return _ENCODER.encode(record)


def decode_turn(data: bytes) -> Turn:
    """Return the turn of these bytes. Raises InputsError."""
    try:
        return _TURN.decode(data)
    except msgspec.MsgspecError as error:
        raise InputsError(
            f"an input cannot be understood ({error}); replay with the version that recorded it"
        ) from None


def decode_beginning(data: bytes) -> Beginning:
    """Return the beginning of these bytes, empty where none could be read. Raises InputsError."""
    if not data:
        raise InputsError("its first block is not whole, so nothing of it can be used; record again")
    try:
        found = _BEGINNING.decode(data)
    except msgspec.MsgspecError as error:
        raise InputsError(f"its beginning cannot be understood ({error}); use the version that recorded it") from None
    if found.schema != SCHEMA:
        raise InputsError(
            f"it is of schema {found.schema}, this version reads {SCHEMA}; use the version that recorded it"
        )
    return found
