"""Records to bytes and back, strictly."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from engine.events import Event, EventKind, Severity
from engine.journal.record import EventRecord, Kind, Record

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Record)
_KIND: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_TAG: Final = msgspec.msgpack.Decoder(str)


class JournalFormatError(Exception):
    """A record cannot be understood, though its bytes are intact: it was written by another version."""


class Entry(NamedTuple):
    """A record with its number in the log, counted from 1."""

    seq: int
    record: Record


def encode(record: Record) -> tuple[Record, bytes]:
    """Return a record with its bytes. One that cannot be encoded becomes an event that says so: no silent gap."""
    try:
        return record, _ENCODER.encode(record)
    except (TypeError, ValueError, OverflowError) as error:
        text = f"a record of type {type(record).__name__} could not be written: {error}"
        event = Event(0, record.time, EventKind.SYSTEM, Severity.ALERT, text, ref=record.ref)
        note = EventRecord(record.time, record.ref, record.cause, event=event)
        return note, _ENCODER.encode(note)


def decode(seq: int, payload: bytes) -> Entry:
    """Return the record of a payload. Raises JournalFormatError."""
    try:
        return Entry(seq, _DECODER.decode(payload))
    except msgspec.MsgspecError as error:
        raise JournalFormatError(f"journal record {seq} cannot be understood: {error}") from None


def kind_at(payload: bytes) -> Kind | None:
    """Return the kind of a payload without decoding the rest, None when it is of no known kind."""
    try:
        return Kind(_TAG.decode(_KIND.decode(payload)["kind"]))
    except (msgspec.MsgspecError, KeyError, ValueError):
        return None
