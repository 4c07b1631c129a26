"""Bytes of a recording segment: blocks of records, each an independent zstd frame behind a small index frame.

A segment is a valid `.zst` file. It begins with a skippable frame that names schema, segment and session. Every block
is a skippable frame (tag, length, CRC and time span of what follows, CRC of itself) and one zstd frame, which holds
records as length, CRC32 and payload. Whatever is cut off at the end is one block; damage in the middle costs the blocks
it hits and no others. Integers are little-endian.
"""

from __future__ import annotations

import struct
import zlib
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import zstandard

from exchange.recorder.records import SCHEMA, Record, RecordError, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES: Final = 1 << 20
"""Raw bytes after which a block is closed."""
MAX_RAW: Final = 64 << 20
"""Raw bytes of a block a reader accepts: one oversized record fits, a bomb does not."""
_SKIP_MAGIC: Final = 0x184D2A5E
_SKIP: Final = struct.Struct("<II")
_HEAD: Final = struct.Struct("<4sII16s")
_INDEX: Final = struct.Struct("<4sIIIIqq")
_CRC: Final = struct.Struct("<I")
_RECORD: Final = struct.Struct("<II")
_HEAD_TAG: Final = b"PDRS"
_INDEX_TAG: Final = b"PDRB"
HEADER_SIZE: Final = _SKIP.size + _HEAD.size + _CRC.size
INDEX_SIZE: Final = _SKIP.size + _INDEX.size + _CRC.size
_INDEX_START: Final = _SKIP.pack(_SKIP_MAGIC, _INDEX.size + _CRC.size) + _INDEX_TAG


class FaultKind(StrEnum):
    """How a segment can be wrong."""

    TORN = "torn"
    """Its end was not written completely; no whole block follows."""
    DAMAGED = "damaged"
    """Bytes in its middle are not what was written; whole blocks follow."""
    MISSING = "missing"
    """The manifest knows it and the folder does not hold it."""
    FOREIGN = "foreign"
    """It is no segment of this session, or of a schema this version does not read."""


class Fault(NamedTuple):
    """Where bytes of a segment cannot be used, and why."""

    kind: FaultKind
    offset: int
    size: int
    text: str


class SegmentEncoder:
    """Turns records into the bytes of one segment: first `header`, then what `flush` returns."""

    def __init__(self, number: int, session: bytes, level: int = 3) -> None:
        """Begin segment `number` of a session named by 16 bytes."""
        self._packer = zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)
        self._parts: list[bytes] = []
        self._records = 0
        self._first_us = self._last_us = 0
        self.pending = 0
        """Raw bytes added since the last flush."""
        self.header = _skippable(_HEAD.pack(_HEAD_TAG, SCHEMA, number, session))

    def add(self, record: Record) -> None:
        """Take a record into the open block."""
        payload = encode(record)
        if not self._records:
            self._first_us = record.at_us
        self._last_us = record.at_us
        self._parts += (_RECORD.pack(len(payload), zlib.crc32(payload)), payload)
        self._records += 1
        self.pending += _RECORD.size + len(payload)

    def flush(self) -> bytes:
        """Close the open block and return its bytes; nothing when it is empty."""
        if not self._records:
            return b""
        raw = b"".join(self._parts)
        packed = self._packer.compress(raw)
        index = _INDEX.pack(
            _INDEX_TAG, self._records, len(raw), len(packed), zlib.crc32(packed), self._first_us, self._last_us
        )
        self._parts.clear()
        self._records = self.pending = 0
        return _skippable(index) + packed


class SegmentReader:
    """Reads a segment as far as it can be trusted. Never raises for its content: damage is a result."""

    def __init__(self, data: bytes, number: int, session: bytes) -> None:
        """Look at the bytes of segment `number` of a session."""
        self._data = data
        self._unpacker = zstandard.ZstdDecompressor()
        self.faults: list[Fault] = []
        """What could not be used; complete once `records` is exhausted."""
        self.end = 0
        """Offset behind the last whole block read."""
        self._open = self._check_header(number, session)

    def _check_header(self, number: int, session: bytes) -> bool:
        size = len(self._data)
        head = _content(self._data, 0, _HEAD.size)
        if head is None:
            kind = FaultKind.FOREIGN if size >= HEADER_SIZE else FaultKind.TORN
            self.faults.append(Fault(kind, 0, size, "the segment's header is not readable"))
            return False
        tag, schema, written, owner = _HEAD.unpack(head)
        if tag != _HEAD_TAG or schema != SCHEMA or written != number or owner != session:
            text = f"segment {written} of schema {schema} is not segment {number} of this session in schema {SCHEMA}"
            self.faults.append(Fault(FaultKind.FOREIGN, 0, size, text))
            return False
        self.end = HEADER_SIZE
        return True

    def records(self) -> Iterator[Record]:
        """Yield every record of every whole block, in the order of receipt."""
        data, offset = self._data, self.end
        while self._open and offset < len(data):
            raw, end = self._block(offset)
            if raw is None:
                following = self._next_whole(offset + 1)
                kind = FaultKind.TORN if following < 0 else FaultKind.DAMAGED
                size = (len(data) if following < 0 else following) - offset
                self.faults.append(Fault(kind, offset, size, f"{size} bytes at {offset} are no whole block"))
                if following < 0:
                    return
                offset = following
                continue
            yield from self._unframed(raw, offset)
            offset = self.end = end

    def _next_whole(self, start: int) -> int:
        offset = self._data.find(_INDEX_START, start)
        while offset >= 0 and self._block(offset)[0] is None:
            offset = self._data.find(_INDEX_START, offset + 1)
        return offset

    def _block(self, offset: int) -> tuple[bytes | None, int]:
        """Return the raw bytes of the block at `offset` and where it ends; None for bytes that are no whole block."""
        content = _content(self._data, offset, _INDEX.size)
        if content is None:
            return None, 0
        tag, _, raw_size, packed_size, packed_crc, _, _ = _INDEX.unpack(content)
        start = offset + INDEX_SIZE
        packed = self._data[start : start + packed_size]
        if tag != _INDEX_TAG or raw_size > MAX_RAW or len(packed) < packed_size or zlib.crc32(packed) != packed_crc:
            return None, 0
        try:
            raw = self._unpacker.decompress(packed, max_output_size=raw_size)
        except zstandard.ZstdError:
            return None, 0
        return (raw, start + packed_size) if len(raw) == raw_size else (None, 0)

    def _unframed(self, raw: bytes, block: int) -> Iterator[Record]:
        offset, size = 0, len(raw)
        while offset + _RECORD.size <= size:
            length, crc = _RECORD.unpack_from(raw, offset)
            payload = raw[offset + _RECORD.size : offset + _RECORD.size + length]
            if len(payload) < length or zlib.crc32(payload) != crc:
                break
            offset += _RECORD.size + length
            try:
                yield decode(payload)
            except RecordError as error:
                self.faults.append(Fault(FaultKind.DAMAGED, block, length, str(error)))
        if offset < size:
            text = f"the block at {block} holds {size - offset} bytes that are no record"
            self.faults.append(Fault(FaultKind.DAMAGED, block, size - offset, text))


def _skippable(content: bytes) -> bytes:
    return _SKIP.pack(_SKIP_MAGIC, len(content) + _CRC.size) + content + _CRC.pack(zlib.crc32(content))


def _content(data: bytes, offset: int, size: int) -> bytes | None:
    """Return the content of a skippable frame of that size, None where there is none that is whole."""
    end = offset + _SKIP.size + size
    if end + _CRC.size > len(data):
        return None
    magic, length = _SKIP.unpack_from(data, offset)
    content = data[offset + _SKIP.size : end]
    (crc,) = _CRC.unpack_from(data, end)
    return content if magic == _SKIP_MAGIC and length == size + _CRC.size and crc == zlib.crc32(content) else None
