"""The recorder's thread: takes records without ever blocking the loop, and puts them into segments on the disk.

An adapter: files, a thread and the clock live here. Everything taken is on the disk a second later.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from exchange.recorder.manifest import (
    MANIFEST_NAME,
    Counts,
    Manifest,
    SegmentEntry,
    SessionError,
    encode_manifest,
    segment_name,
)
from exchange.recorder.records import DROPPED, Answer, Frame, Note, Record
from exchange.recorder.segment import BLOCK_BYTES, SegmentEncoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLUSH_S: Final = 0.5
"""Longest time a record waits for its block to be closed; the write and its sync follow at once."""
RETRY_S: Final = 1.0


class WriterLimits(msgspec.Struct, frozen=True):
    """Bounds of segments and of what may wait in memory."""

    segment_bytes: int = 32 << 20
    segment_s: float = 3600.0
    waiting_bytes: int = 128 << 20


class SessionWriter:
    """Writes one session into a folder of its own. `put` may be called from any thread and returns at once."""

    def __init__(self, folder: Path, manifest: Manifest, limits: WriterLimits | None = None) -> None:
        """Make the folder, write the manifest and start the thread. Raises SessionError for a folder in use."""
        self._folder = folder
        self._limits = limits or WriterLimits()
        self._manifest = manifest
        self._waiting: deque[Record] = deque()
        self._waiting_bytes = 0
        self._dropped = 0
        self._told_dropped = 0
        self._counts = Counts()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._descriptor = -1
        self._encoder: SegmentEncoder | None = None
        self._entry = SegmentEntry(0, 0, 0, 0, 0)
        self._opened = 0.0
        self.fault: str | None = None
        """Why nothing can be written at present; None while all is well."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise SessionError(f"--out {folder} is not empty: a session needs a folder of its own; name a new one")
            self._write_manifest()
        except OSError as error:
            raise SessionError(
                f"--out {folder} cannot be used: {error.strerror or error}; name a folder you may write to"
            ) from error
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> Counts:
        """Return what has been written so far."""
        return msgspec.structs.replace(self._counts, dropped=self._dropped)

    def put(self, record: Record) -> None:
        """Take a record; it is given up and counted when too much waits already."""
        size = _size(record)
        with self._lock:
            if self._waiting_bytes + size > self._limits.waiting_bytes:
                self._dropped += 1
                return
            self._waiting.append(record)
            self._waiting_bytes += size
        self._wake.set()

    def close(self, ended_us: int, deadline: float = 10.0) -> bool:
        """Write what waits, complete the manifest and end the thread; say whether everything is on the disk."""
        self._manifest = msgspec.structs.replace(self._manifest, ended_us=ended_us)
        self._stop.set()
        self._wake.set()
        self._thread.join(deadline)
        return not self._thread.is_alive() and self.fault is None and not self._dropped

    def _run(self) -> None:
        try:
            self._write()
        except Exception as error:  # noqa: BLE001 - the thread must not die unseen: the command watches `fault`
            self.fault = f"the recorder's writer ended: {error!r}"

    def _write(self) -> None:
        flushed = time.monotonic()
        while True:
            self._wake.wait(FLUSH_S)
            self._wake.clear()
            stopping = self._stop.is_set()
            self._encode(self._take())
            now = time.monotonic()
            if stopping or now - flushed >= FLUSH_S:
                flushed = now
                self._flush(sync=True)
            if stopping and not self._waiting:
                self._finish()
                return
            # Frames come one by one; a short pause lets them come in batches instead.
            self._stop.wait(0.05)

    def _take(self) -> list[Record]:
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
            lost, self._told_dropped = self._dropped - self._told_dropped, self._dropped
        if lost:
            at_us = taken[-1].at_us if taken else self._manifest.started_us
            taken.append(Note(at_us, DROPPED, f"{lost} records were given up: the disk was behind"))
        return taken

    def _encode(self, records: list[Record]) -> None:
        frames = answers = raw = 0
        for record in records:
            encoder = self._encoder or self._open_segment(record.at_us)
            encoder.add(record)
            frames += isinstance(record, Frame)
            answers += isinstance(record, Answer)
            raw += _size(record)
            entry = self._entry
            self._entry = msgspec.structs.replace(
                entry, records=entry.records + 1, first_us=entry.first_us or record.at_us, last_us=record.at_us
            )
            if encoder.pending >= BLOCK_BYTES:
                self._flush(sync=False)
        counts = self._counts
        self._counts = msgspec.structs.replace(
            counts,
            frames=counts.frames + frames,
            answers=counts.answers + answers,
            notes=counts.notes + len(records) - frames - answers,
            raw_bytes=counts.raw_bytes + raw,
        )

    def _open_segment(self, at_us: int) -> SegmentEncoder:
        number = len(self._manifest.segments) + 1
        self._encoder = SegmentEncoder(number, self._manifest.identity)
        self._entry = SegmentEntry(number, 0, 0, at_us, at_us)
        self._opened = time.monotonic()
        self._append(self._encoder.header)
        return self._encoder

    def _flush(self, *, sync: bool) -> None:
        if self._encoder is None:
            return
        block = self._encoder.flush()
        if block:
            self._append(block)
        if sync and self._descriptor >= 0:
            self._attempt(lambda: os.fdatasync(self._descriptor))
        full = self._entry.bytes >= self._limits.segment_bytes
        if full or time.monotonic() - self._opened >= self._limits.segment_s:
            self._close_segment()

    def _append(self, data: bytes) -> None:
        """Write all bytes, or none of them: a refused write is cut off again and tried until it succeeds."""
        begin = self._entry.bytes

        def write() -> None:
            if self._descriptor < 0:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                self._descriptor = os.open(self._folder / segment_name(self._entry.number), flags, 0o600)
            os.ftruncate(self._descriptor, begin)
            os.lseek(self._descriptor, begin, os.SEEK_SET)
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]

        if self._attempt(write):
            self._entry = msgspec.structs.replace(self._entry, bytes=begin + len(data))
            stored = self._counts.stored_bytes + len(data)
            self._counts = msgspec.structs.replace(self._counts, stored_bytes=stored)

    def _attempt(self, operation: Callable[[], None]) -> bool:
        """Carry out a disk operation, again and again while the disk refuses; give up only when asked to end."""
        while True:
            try:
                operation()
            except OSError as error:
                self.fault = f"the recording in {self._folder} cannot be written: {error.strerror or error}"
                if self._stop.wait(RETRY_S):
                    return False
            else:
                self.fault = None
                return True

    def _close_segment(self) -> None:
        if self._descriptor >= 0:
            self._attempt(lambda: os.fdatasync(self._descriptor))
            os.close(self._descriptor)
            self._descriptor = -1
        self._manifest = msgspec.structs.replace(self._manifest, segments=(*self._manifest.segments, self._entry))
        self._encoder = None
        self._attempt(self._write_manifest)

    def _finish(self) -> None:
        if self._encoder is not None:
            self._close_segment()
        else:
            self._attempt(self._write_manifest)

    def _write_manifest(self) -> None:
        manifest = msgspec.structs.replace(self._manifest, counts=self.counts)
        beside = self._folder / f".{MANIFEST_NAME}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
            file.write(encode_manifest(manifest))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._folder / MANIFEST_NAME)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _size(record: Record) -> int:
    if isinstance(record, Frame):
        return len(record.data)
    return len(record.body) if isinstance(record, Answer) else len(record.text)
