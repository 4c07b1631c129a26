"""What a recording consists of: frames, REST answers and notes, each with the instant at which it was received.

A record is a kind byte and a body. Frames, which are nearly everything, have a fixed head and then the bytes as they
came; answers and notes are msgpack arrays. Requests that carried a key are never recorded.
"""

from __future__ import annotations

import struct
from typing import Final

import msgspec

SCHEMA: Final = 1
"""Version of everything in this package that is stored: raised when a reader must know the difference."""
_FRAME: Final = struct.Struct("<BqI")
_FRAME_KIND: Final = 0x46
_ANSWER_KIND: Final = 0x41
_NOTE_KIND: Final = 0x4E

READY: Final = "ready"
"""Note: everything a market needs to begin has been recorded; what follows can be served as live."""
DROPPED: Final = "dropped"
"""Note: the writer was behind and gave up records; the text says how many."""
SOCKET_OPENED: Final = "socket opened"
SOCKET_LOST: Final = "socket lost"
STREAMS_BACK: Final = "streams back"


class RecordError(ValueError):
    """Bytes that are no record."""


class Frame(msgspec.Struct, frozen=True):
    """One message of a stream socket, byte for byte."""

    at_us: int
    """Instant of receipt, UTC microseconds of the recording desk's clock (simulated time at a simulator)."""
    socket: int
    data: bytes


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """One REST answer; requests are GET without a key."""

    at_us: int
    sent_us: int
    path: str
    query: str
    status: int
    body: bytes


class Note(msgspec.Struct, frozen=True, array_like=True):
    """Something that happened to the recording itself."""

    at_us: int
    what: str
    text: str


Record = Frame | Answer | Note

_encode = msgspec.msgpack.Encoder().encode
_ANSWER: Final = msgspec.msgpack.Decoder(Answer)
_NOTE: Final = msgspec.msgpack.Decoder(Note)


def encode(record: Record) -> bytes:
    """Return the bytes of a record."""
    if isinstance(record, Frame):
        return _FRAME.pack(_FRAME_KIND, record.at_us, record.socket) + record.data
    kind = _ANSWER_KIND if isinstance(record, Answer) else _NOTE_KIND
    return bytes((kind,)) + _encode(record)


def decode(data: bytes) -> Record:
    """Return the record of these bytes. Raises RecordError."""
    kind = data[0] if data else -1
    try:
        if kind == _FRAME_KIND:
            _, at_us, socket = _FRAME.unpack_from(data)
            return Frame(at_us, socket, data[_FRAME.size :])
        if kind == _ANSWER_KIND:
            return _ANSWER.decode(memoryview(data)[1:])
        if kind == _NOTE_KIND:
            return _NOTE.decode(memoryview(data)[1:])
    except (struct.error, msgspec.DecodeError) as error:
        raise RecordError(f"a record of kind {kind:#x} cannot be read: {error}") from error
    raise RecordError(f"{kind:#x} is no kind of record")
