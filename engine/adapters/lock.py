"""One desk per data directory, one writer per account: operating-system locks that end with their process."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class LockHeldError(Exception):
    """Another process holds the lock; the text says which."""


class DeskLock:
    """Holds the lock from construction to `release` or the end of the process, however it ends."""

    def __init__(self, path: Path, what: str = "") -> None:
        """Take the lock at once. Raises LockHeldError, or OSError when the file cannot be made.

        `what` says what another holder does, where it is more than using the folder.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            words = what or f"uses {path.parent}; stop it, or give this one its own --data-dir"
            raise LockHeldError(f"another desk (process {holder}) {words}") from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back; more than once is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def account_lock(folder: Path, account: str) -> DeskLock:
    """Make this process the one writer of an account on this machine, whatever its data directory.

    `account` is the hash that names it. Raises LockHeldError or OSError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return DeskLock(
        folder / f"account-{account[:16]}.lock", "sends orders for this account; stop it before starting another"
    )
