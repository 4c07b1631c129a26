"""The manifest of a recorded session: what was recorded, from where, in which form, and how much of it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from exchange.recorder.records import SCHEMA

MANIFEST_NAME: Final = "manifest.json"
_TOKEN: Final = re.compile(r"^[0-9a-z]{16}$")


class SessionError(ValueError):
    """A folder that is no readable session; the text names the path and the remedy."""


class SegmentEntry(msgspec.Struct, frozen=True):
    """One segment as the writer left it. A segment that is missing here was being written when the recorder ended."""

    number: int
    bytes: int
    records: int
    first_us: int
    last_us: int


class Counts(msgspec.Struct, frozen=True):
    """How much was recorded, up to the last closed segment or the end of the session."""

    frames: int = 0
    answers: int = 0
    notes: int = 0
    raw_bytes: int = 0
    stored_bytes: int = 0
    dropped: int = 0
    """Records given up because the writer was behind or the disk refused them."""


class Manifest(msgspec.Struct, frozen=True):
    """One session. `ended_us` is 0 while it is being recorded, and stays 0 when the recorder was killed."""

    schema: int
    session: str
    """Sixteen characters of [0-9a-z], repeated in every segment."""
    venue: str
    rest_url: str
    stream_url: str
    symbols: tuple[str, ...]
    streams: tuple[str, ...]
    """Channels recorded for every symbol, such as bookTicker or kline_5m."""
    intervals: tuple[str, ...]
    """Candle intervals of which history was read over REST."""
    started_us: int
    ended_us: int = 0
    segments: tuple[SegmentEntry, ...] = ()
    counts: Counts = Counts()

    @property
    def identity(self) -> bytes:
        """Return the session's name as segments carry it."""
        return self.session.encode()


def segment_name(number: int) -> str:
    """Return the file name of a segment."""
    return f"{number:06d}.zst"


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def decode_manifest(data: bytes, where: str) -> Manifest:
    """Return the manifest of these bytes. Raises SessionError naming `where`."""
    try:
        schema = msgspec.json.decode(data, type=dict[str, object]).get("schema")
        if schema != SCHEMA:
            raise SessionError(
                f"{where} is of schema {schema}, this version reads {SCHEMA}: record it again with `perpdesk record`"
            )
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise SessionError(
            f"{where} is no manifest of a session: {error}; give a folder of `perpdesk record`"
        ) from error
    if not _TOKEN.match(manifest.session):
        raise SessionError(f"{where}: session {manifest.session!r} is not sixteen letters and digits")
    return manifest
