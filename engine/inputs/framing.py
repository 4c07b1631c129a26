"""Bytes of a recording of inputs: a mark, then blocks that each stand for themselves.

A block is tag, packed length, raw length and CRC32 of the packed bytes, and one zstd frame of records, each behind its
length. The first block holds the beginning alone. A kill costs the block that was being written. Integers are
little-endian.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

import zstandard

from engine.inputs.records import InputsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from mmap import mmap

FILE: Final = "inputs.pdin"
MARK: Final = b"perpdesk inputs\n"
BLOCK_BYTES: Final = 1 << 20
MAX_RAW: Final = 256 << 20
"""Raw bytes of a block that a reader accepts."""
_TAG: Final = b"PDIN"
_HEAD: Final = struct.Struct("<4sIII")
_LENGTH: Final = struct.Struct("<I")


class Tail(NamedTuple):
    """Where a recording stops being readable."""

    offset: int
    size: int
    torn: bool
    """Whether nothing whole follows; else bytes in the middle are not what was written."""


def block(records: Iterable[bytes]) -> bytes:
    """Return the block of these records."""
    raw = b"".join(part for record in records for part in (_LENGTH.pack(len(record)), record))
    packed = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(raw)
    return _HEAD.pack(_TAG, len(packed), len(raw), zlib.crc32(packed)) + packed


class BlockReader:
    """Reads a recording as far as it can be trusted."""

    def __init__(self, data: bytes | mmap) -> None:
        """Look at the bytes. Raises InputsError where they are no recording."""
        if data[: len(MARK)] != MARK:
            raise InputsError("it does not begin as a recording of inputs does; name a folder of --record-inputs")
        self._data = data
        self.tail: Tail | None = None
        """What could not be read; known once `records` is exhausted."""

    def records(self) -> Iterator[bytes]:
        """Yield the records of every block up to the first that is not whole."""
        offset = len(MARK)
        while offset < len(self._data):
            raw, end = self._block(offset)
            if raw is None:
                following = self._data.find(_TAG, offset + 1)
                while following >= 0 and self._block(following)[0] is None:
                    following = self._data.find(_TAG, following + 1)
                self.tail = Tail(offset, len(self._data) - offset, following < 0)
                return
            yield from _unframed(raw)
            offset = end

    def _block(self, offset: int) -> tuple[bytes | None, int]:
        start = offset + _HEAD.size
        if start > len(self._data):
            return None, 0
        tag, size, raw_size, crc = _HEAD.unpack_from(self._data, offset)
        packed = self._data[start : start + size]
        if tag != _TAG or len(packed) < size or raw_size > MAX_RAW or zlib.crc32(packed) != crc:
            return None, 0
        try:
            raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=raw_size)
        except zstandard.ZstdError:
            return None, 0
        return (raw, start + size) if len(raw) == raw_size else (None, 0)


def _unframed(raw: bytes) -> Iterator[bytes]:
    offset = 0
    while offset < len(raw):
        (length,) = _LENGTH.unpack_from(raw, offset)
        offset += _LENGTH.size + length
        yield raw[offset - length : offset]
