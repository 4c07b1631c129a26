"""Lines for a terminal or pipe that may hang or vanish: they are lost then, never the engine's time or life."""

from __future__ import annotations

import os
import queue
import stat
import sys
import threading
from contextlib import suppress
from typing import Final

CAPACITY: Final = 10_000
"""Lines that may wait for a reader that is slow; more are dropped and counted."""
CLOSE_S: Final = 2.0
STDIN, STDOUT, STDERR = 0, 1, 2


class OutputLines:
    """Writes lines to stdout and stderr from a thread of its own.

    `data` and `talk` return at once. A stream that refuses (a closed terminal, a reader that left) is given up, the
    other goes on. Nothing passes through Python's own buffers, so nothing is left in them for the interpreter's end.
    """

    def __init__(self, capacity: int = CAPACITY, *, stdout: int = STDOUT, stderr: int = STDERR) -> None:
        """Start the thread on two file descriptors."""
        self._stdout, self._stderr = stdout, stderr
        self._queue: queue.Queue[tuple[int, str] | None] = queue.Queue(capacity)
        self._broken: set[int] = set()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    @property
    def broken(self) -> frozenset[int]:
        """Return the streams that were given up, as file descriptors."""
        return frozenset(self._broken)

    def data(self, line: str) -> None:
        """Write one line to stdout."""
        self._put(self._stdout, line)

    def talk(self, line: str) -> None:
        """Write one line to stderr."""
        self._put(self._stderr, line)

    def close(self, seconds: float = CLOSE_S) -> bool:
        """Wait at most that long for what is queued, and tell whether it was written or given up."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            return False  # nobody has read for a long time: the thread is a daemon and is left behind
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _put(self, stream: int, line: str) -> None:
        if stream in self._broken:
            return
        try:
            self._queue.put_nowait((stream, line + "\n"))
        except queue.Full:
            self.dropped += 1

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            fault = self._write(*item)
            if fault and item[0] == self._stdout:
                self._write(self._stderr, f"stdout is gone ({fault}); the engine goes on without it\n")

    def _write(self, stream: int, text: str) -> str:
        """Write to a stream that was not given up; return why it is given up now, empty while it is not."""
        rest = b"" if stream in self._broken else text.encode("utf-8", "replace")
        try:
            while rest:
                rest = rest[os.write(stream, rest) :]
        except OSError as error:
            self._broken.add(stream)
            return error.strerror or str(error)
        return ""


def abandon_terminal() -> None:
    """Let standard streams that are a terminal lead nowhere: for a program that goes on when its terminal is gone.

    Later writes and the interpreter's last flush then succeed. Files and pipes stay as they are.
    """
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        for stream in (STDIN, STDOUT, STDERR):
            with suppress(OSError):
                # A terminal that was closed denies being one, but a character device it remains.
                if stat.S_ISCHR(os.fstat(stream).st_mode):
                    os.dup2(nowhere, stream)
    finally:
        os.close(nowhere)


def fall_silent() -> None:
    """Let whatever is said from here on lead nowhere: for an end at a terminal that hangs.

    A thread that is stuck in a write holds the lock of the stream it writes to; a word on it, or the interpreter's last
    flush, would wait for as long as the terminal does.
    """
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - open to the end
