"""Bytes of a journal segment: a header, then frames of length, checksum, chain and payload.

Segment header: magic, number, number of its first record, chain so far, CRC32. Frame: length of the payload, CRC32 over
everything else in the frame, chain, payload. chain[n] = BLAKE2b-128(chain[n-1] + payload[n]), so no record can be
changed, taken out or put in without breaking every later one. Integers are little-endian.
"""

from __future__ import annotations

import struct
import zlib
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple

MAGIC: Final = b"PDJ1"
GENESIS: Final = bytes(16)
MAX_PAYLOAD: Final = 16 << 20
_HEAD: Final = struct.Struct("<4sIQ16s")
_CRC: Final = struct.Struct("<I")
_FRAME: Final = struct.Struct("<II16s")
HEADER_SIZE: Final = _HEAD.size + _CRC.size
FRAME_SIZE: Final = _FRAME.size


class FaultKind(StrEnum):
    """How a segment can be wrong."""

    TORN = "torn"
    """Its end was not written completely: nothing valid follows."""
    DAMAGED = "damaged"
    """Bytes in its middle are not what was written: valid records follow, or the chain does not fit."""


class Fault(NamedTuple):
    """Where a segment stops being trustworthy, and why."""

    kind: FaultKind
    offset: int
    text: str


class Segment(NamedTuple):
    """What could be read of a segment: every payload up to its end or to its fault."""

    number: int
    first_seq: int
    before: bytes
    """Chain its header continues."""
    payloads: tuple[bytes, ...]
    end: int
    """Offset behind the last good payload."""
    chain: bytes
    """Chain behind the last good payload."""
    fault: Fault | None

    @property
    def next_seq(self) -> int:
        """Return the number behind the last good record."""
        return self.first_seq + len(self.payloads)


def header(number: int, first_seq: int, chain: bytes) -> bytes:
    """Return the header of a segment."""
    head = _HEAD.pack(MAGIC, number, first_seq, chain)
    return head + _CRC.pack(zlib.crc32(head))


def link(chain: bytes, payload: bytes) -> bytes:
    """Return the chain behind a payload."""
    return blake2b(chain + payload, digest_size=16).digest()


def frame(chain: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """Return a payload as a frame, and the chain behind it. Raises ValueError for an oversized payload."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a journal record of {len(payload)} bytes exceeds {MAX_PAYLOAD}")
    after = link(chain, payload)
    return _FRAME.pack(len(payload), _checksum(after, payload), after) + payload, after


def read_segment(data: bytes, number: int) -> Segment:
    """Read a segment as far as it can be trusted. Never raises: damage is a result."""
    size = len(data)
    if size < HEADER_SIZE or not _header_fits(data, number):
        kind = FaultKind.DAMAGED if _valid_after(data, 0) else FaultKind.TORN
        return Segment(number, 0, GENESIS, (), 0, GENESIS, Fault(kind, 0, "the header is not readable"))
    _, _, first_seq, before = _HEAD.unpack_from(data)
    chain = before
    payloads: list[bytes] = []
    offset = HEADER_SIZE
    fault = None
    while offset < size:
        payload = _payload_at(data, offset)
        if payload is None:
            if _valid_after(data, offset + 1):
                fault = Fault(FaultKind.DAMAGED, offset, f"record {first_seq + len(payloads)} fails its checksum")
            else:
                fault = Fault(FaultKind.TORN, offset, f"record {first_seq + len(payloads)} was not written completely")
            break
        after = link(chain, payload)
        if after != data[offset + 8 : offset + FRAME_SIZE]:
            text = f"record {first_seq + len(payloads)} does not continue the chain"
            fault = Fault(FaultKind.DAMAGED, offset, text)
            break
        payloads.append(payload)
        chain = after
        offset += FRAME_SIZE + len(payload)
    return Segment(number, first_seq, before, tuple(payloads), offset, chain, fault)


def _checksum(chain: bytes, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(chain, len(payload)))


def _header_fits(data: bytes, number: int) -> bool:
    magic, written, _, _ = _HEAD.unpack_from(data)
    (crc,) = _CRC.unpack_from(data, _HEAD.size)
    return bool(magic == MAGIC and written == number and crc == zlib.crc32(data[: _HEAD.size]))


def _payload_at(data: bytes, offset: int) -> bytes | None:
    """Return the payload of a whole, unhurt frame at `offset`, None where there is none."""
    if offset + FRAME_SIZE > len(data):
        return None
    length, crc, chain = _FRAME.unpack_from(data, offset)
    start = offset + FRAME_SIZE
    if not 0 < length <= min(MAX_PAYLOAD, len(data) - start):
        return None
    payload = data[start : start + length]
    return payload if _checksum(chain, payload) == crc else None


def _valid_after(data: bytes, start: int) -> bool:
    """Tell whether any whole frame begins at or behind `start`: then the bytes before it were not a torn end."""
    return any(_payload_at(data, offset) is not None for offset in range(start, len(data) - FRAME_SIZE))
