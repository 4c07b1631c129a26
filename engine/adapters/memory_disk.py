"""The Disk port in memory, with a power switch: for simulations and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ports import DiskError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class MemoryDisk:
    """Named bytes that remember what was synced.

    `fault` is asked before every operation with (operation, name); what it returns is the system's reason to fail with,
    None lets the operation through. `torn` bytes of a failing append are written before it fails.
    """

    def __init__(self, fault: Callable[[str, str], str | None] | None = None, torn: int = 0) -> None:
        """Start empty."""
        self.files: dict[str, bytearray] = {}
        self.fault = fault
        self.torn = torn
        self._synced: dict[str, int] = {}

    def append(self, name: str, data: bytes) -> None:
        """Append to the file, creating it."""
        reason = self._reason("append", name)
        kept = data if reason is None else data[: self.torn]
        self.files.setdefault(name, bytearray()).extend(kept)
        if reason is not None:
            raise DiskError(f"cannot append to {name}: {reason}")

    def sync(self, name: str) -> None:
        """Make every appended byte survive `crash`."""
        self._check("sync", name)
        self._synced[name] = len(self.files.get(name, b""))

    def read(self, name: str) -> bytes:
        """Return the whole file; empty when it does not exist."""
        self._check("read", name)
        return bytes(self.files.get(name, b""))

    def truncate(self, name: str, size: int) -> None:
        """Cut the file to `size` bytes."""
        self._check("truncate", name)
        del self.files.setdefault(name, bytearray())[size:]
        self._synced[name] = min(size, self._synced.get(name, 0))

    def replace(self, name: str, data: bytes) -> None:
        """Exchange the whole file, durably."""
        self._check("replace", name)
        self.files[name] = bytearray(data)
        self._synced[name] = len(data)

    def rename(self, name: str, target: str) -> None:
        """Rename, durably."""
        self._check("rename", name)
        if name not in self.files:
            raise DiskError(f"cannot rename to {target} {name}: No such file")
        self.files[target] = self.files.pop(name)
        self._synced[target] = self._synced.pop(name, 0)

    def remove(self, name: str) -> None:
        """Remove the file if it exists."""
        self._check("remove", name)
        self.files.pop(name, None)
        self._synced.pop(name, None)

    def holds(self, name: str) -> bool:
        """Say whether a file of this name exists, an empty one too."""
        return name in self.files

    def names(self, prefix: str) -> Sequence[str]:
        """Return the sorted names that start with `prefix`."""
        self._check("list", prefix)
        return sorted(name for name in self.files if name.startswith(prefix))

    def map(self, name: str, size: int) -> memoryview:
        """Return `size` writable bytes of their own: a mapped file is no memory over a crash."""
        self._check("map", name)
        return memoryview(bytearray(size))

    def synced(self, name: str) -> int:
        """Return how many bytes of a file would survive a power cut."""
        return self._synced.get(name, 0)

    def crash(self, keep_unsynced: int = 0) -> None:
        """Cut the power: of the bytes that were not synced only the first `keep_unsynced` of each file stay."""
        for name, data in list(self.files.items()):
            del data[self._synced.get(name, 0) + keep_unsynced :]
            if not data and name not in self._synced:
                del self.files[name]

    def _reason(self, operation: str, name: str) -> str | None:
        return self.fault(operation, name) if self.fault is not None else None

    def _check(self, operation: str, name: str) -> None:
        reason = self._reason(operation, name)
        if reason is not None:
            raise DiskError(f"cannot {operation} {name}: {reason}")
