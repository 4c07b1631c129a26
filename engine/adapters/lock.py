"""One desk per data directory: an operating-system lock that ends with its process."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class LockHeldError(Exception):
    """Another desk is the writer of this data directory; the text says which process."""


class DeskLock:
    """Holds the lock from construction to `release` or the end of the process, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock at once. Raises LockHeldError, or OSError when the file cannot be made."""
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise LockHeldError(
                f"another desk (process {holder}) uses {path.parent}; stop it, or give this one its own --data-dir"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; more than once is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
