"""The recording of a desk's inputs on a thread of its own: the loop hands over bytes and never waits for the disk."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from engine.inputs.framing import BLOCK_BYTES, FILE, MARK, block
from engine.inputs.records import InputsError, encode

if TYPE_CHECKING:
    from pathlib import Path

    from engine.inputs.records import Beginning

FLUSH_S: Final = 0.5
"""Longest time an input waits for its block."""
WAITING_BYTES: Final = 64 << 20
"""Most bytes that wait for the disk; a desk that has more to say is recorded no further."""


class InputsWriter:
    """Writes one recording into a folder of its own, files 0600. `put` runs on the engine's loop."""

    def __init__(self, folder: Path, beginning: Beginning, waiting_bytes: int = WAITING_BYTES) -> None:
        """Begin the file and start the thread. Raises InputsError."""
        self._limit = waiting_bytes
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self.fault: str | None = None
        """Why nothing more is recorded; None while all is well."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._descriptor = os.open(folder / FILE, flags, 0o600)
            self._write(MARK + block([encode(beginning)]))
        except OSError as error:
            raise InputsError(
                f"--record-inputs {folder}: {error.strerror or error}; name a folder you may write to"
            ) from error
        self._thread = threading.Thread(target=self._run, name="inputs", daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> bool:
        """Take the bytes of one input; False when it could not, and nothing later should be given."""
        if self.fault is not None:
            return False
        with self._lock:
            if self._bytes + len(data) > self._limit:
                self.fault = f"the disk is behind by {self._bytes >> 20} MiB"
                return False
            self._waiting.append(data)
            self._bytes += len(data)
            full = self._bytes >= BLOCK_BYTES
        if full:
            self._wake.set()
        return True

    def close(self, deadline: float = 10.0) -> bool:
        """Write what waits and end the thread; say whether everything is on the disk."""
        self._stop.set()
        self._wake.set()
        self._thread.join(deadline)
        return not self._thread.is_alive() and self.fault is None

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._wake.wait(FLUSH_S)
                self._wake.clear()
                self._drain()
            self._drain()
            os.fdatasync(self._descriptor)
        except OSError as error:
            self.fault = f"it cannot be written: {error.strerror or error}"
        finally:
            os.close(self._descriptor)

    def _drain(self) -> None:
        with self._lock:
            taken, self._waiting, self._bytes = self._waiting, [], 0
        begin = size = 0
        for place, data in enumerate(taken, 1):
            size += len(data)
            if size >= BLOCK_BYTES or place == len(taken):
                self._write(block(taken[begin:place]))
                begin, size = place, 0

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
