"""What a fetch has got so far, as appended bytes that survive an interruption at any instant.

A part file is a sequence of frames: length, CRC32, payload. The first payload names the job, each following one is a
page: the instant from which to go on, and the bars. Whatever is torn at the end is cut at reading.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from exchange.archive.candle_table import COLUMNS
from exchange.market_data import Candles

if TYPE_CHECKING:
    from pathlib import Path

_FRAME: Final = struct.Struct("<II")
_LARGEST: Final = 16 << 20
_VERSION: Final = 1


class Job(msgspec.Struct, frozen=True, array_like=True):
    """The span [from, to) of one symbol and interval."""

    symbol: str
    interval: str
    from_ms: int
    to_ms: int


class _Head(msgspec.Struct, array_like=True):
    version: int
    job: Job


class _Page(msgspec.Struct, array_like=True):
    next_ms: int
    times: bytes
    values: bytes


class Progress(NamedTuple):
    """What a part file holds for a job."""

    parts: tuple[Candles, ...]
    next_ms: int
    """Where to go on."""
    size: int
    """Bytes that can be trusted; what lies behind them is to be cut off."""


_encode = msgspec.msgpack.Encoder().encode
_HEAD: Final = msgspec.msgpack.Decoder(_Head)
_PAGE: Final = msgspec.msgpack.Decoder(_Page)


def _framed(payload: bytes) -> bytes:
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def head(job: Job) -> bytes:
    """Return the bytes a part file begins with."""
    return _framed(_encode(_Head(_VERSION, job)))


def page(candles: Candles, next_ms: int) -> bytes:
    """Return a page's bytes."""
    values = np.stack([getattr(candles, name).astype("<f8") for name in COLUMNS])
    return _framed(_encode(_Page(next_ms, candles.open_time.astype("<i8").tobytes(), values.tobytes())))


def read(data: bytes, job: Job) -> Progress:
    """Return what the bytes hold for this job: nothing when they are of another one."""
    nothing = Progress((), job.from_ms, 0)
    payload, offset = _payload(data, 0)
    if payload is None:
        return nothing
    try:
        known = _HEAD.decode(payload)
        # A later end is the same fetch, going on; its pages are still good.
        if known.version != _VERSION or msgspec.structs.replace(known.job, to_ms=job.to_ms) != job:
            return nothing
    except msgspec.DecodeError:
        return nothing
    parts: list[Candles] = []
    next_ms = job.from_ms
    while True:
        payload, end = _payload(data, offset)
        if payload is None:
            return Progress(tuple(parts), next_ms, offset)
        try:
            one = _PAGE.decode(payload)
            parts.append(_candles(one))
        except (msgspec.DecodeError, ValueError):
            return Progress(tuple(parts), next_ms, offset)
        next_ms, offset = one.next_ms, end


class PartFile:
    """The part file of one job, opened behind its last whole page."""

    def __init__(self, path: Path, job: Job) -> None:
        """Open it, and cut off what is torn or belongs to another job."""
        data = path.read_bytes() if path.exists() else b""
        self.progress = read(data, job)
        self._path = path
        self._file = path.open("r+b" if data else "w+b")
        self._file.truncate(self.progress.size)
        self._file.seek(self.progress.size)
        if not self.progress.size:
            self._append(head(job))

    def add(self, candles: Candles, next_ms: int) -> None:
        """Keep a page."""
        self._append(page(candles, next_ms))

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()

    def close(self) -> None:
        """Close the file and leave it for the next run."""
        self._file.close()

    def remove(self) -> None:
        """Take the file away: its bars are in the candle file."""
        self._path.unlink(missing_ok=True)


def _candles(one: _Page) -> Candles:
    values = np.frombuffer(one.values, "<f8").reshape(len(COLUMNS), -1)
    columns = dict(zip(COLUMNS, values.astype(np.float64), strict=True))
    trades = columns.pop("trades").astype(np.int64)
    times = np.frombuffer(one.times, "<i8").astype(np.int64)
    if len(times) != values.shape[1]:
        raise ValueError("a page's columns are of different lengths")
    return Candles(open_time=times, trades=trades, **columns)


def _payload(data: bytes, offset: int) -> tuple[bytes | None, int]:
    start = offset + _FRAME.size
    if start > len(data):
        return None, offset
    length, crc = _FRAME.unpack_from(data, offset)
    payload = data[start : start + length]
    if not 0 < length <= _LARGEST or len(payload) < length or zlib.crc32(payload) != crc:
        return None, offset
    return payload, start + length
