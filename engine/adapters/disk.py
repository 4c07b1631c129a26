"""The Disk port over one real directory."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING

from config.atomic import sync_directory, write_atomically
from engine.ports import DiskError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class DirectoryDisk:
    """Files below a private directory: 0600, folders 0700, no symbolic link is followed.

    Files that are appended to stay open until `close`. Names are relative, use `/`, and cannot leave the directory. One
    thread at a time may use an instance.
    """

    def __init__(self, root: Path) -> None:
        """Use an existing directory (see `config.paths.prepare_directory`)."""
        self._root = root
        self._open: dict[str, int] = {}

    def append(self, name: str, data: bytes) -> None:
        """Append to the file, creating it (and its folder) privately."""
        try:
            descriptor = self._descriptor(name)
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError as error:
            raise self._fault("append to", name, error) from error

    def sync(self, name: str) -> None:
        """Return only when all appended bytes survive a power cut."""
        try:
            os.fdatasync(self._descriptor(name))
        except OSError as error:
            raise self._fault("sync", name, error) from error

    def read(self, name: str) -> bytes:
        """Return the whole file; empty when it does not exist."""
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise self._fault("read", name, error) from error
        try:
            with os.fdopen(descriptor, "rb") as handle:
                return handle.read()
        except OSError as error:
            raise self._fault("read", name, error) from error

    def truncate(self, name: str, size: int) -> None:
        """Cut the file to `size` bytes, durably."""
        try:
            descriptor = self._descriptor(name)
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        except OSError as error:
            raise self._fault("truncate", name, error) from error

    def replace(self, name: str, data: bytes) -> None:
        """Write a new file durably beside the old one, then rename over it."""
        path = self._path(name)
        self._forget(name)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, data)
        except OSError as error:
            raise self._fault("replace", name, error) from error

    def rename(self, name: str, target: str) -> None:
        """Rename durably within the directory."""
        self._forget(name)
        self._forget(target)
        path = self._path(name)
        try:
            path.rename(self._path(target))
            sync_directory(path.parent)
        except OSError as error:
            raise self._fault(f"rename to {target}", name, error) from error

    def remove(self, name: str) -> None:
        """Remove the file if it exists."""
        self._forget(name)
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self._fault("remove", name, error) from error

    def holds(self, name: str) -> bool:
        """Say whether a file of this name exists, an empty one too."""
        return os.path.lexists(self._path(name))

    def names(self, prefix: str) -> Sequence[str]:
        """Return the sorted names that start with `prefix`."""
        folder = self._path(prefix.rpartition("/")[0])
        found: list[str] = []
        try:
            for parent, _, files in os.walk(folder, followlinks=False):
                base = os.path.relpath(parent, self._root)
                found += [file if base == "." else f"{base}/{file}" for file in files]
        except OSError as error:
            raise self._fault("list", prefix, error) from error
        return sorted(name for name in found if name.startswith(prefix))

    def map(self, name: str, size: int) -> memoryview:
        """Return `size` writable bytes of a private file made anew; an older mapping keeps its own bytes."""
        path = self._path(name)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            path.unlink(missing_ok=True)
            descriptor = os.open(path, flags, 0o600)
            try:
                # Not a sparse file: a full disk must refuse here, not when a page is written.
                os.posix_fallocate(descriptor, 0, size)
                return memoryview(mmap.mmap(descriptor, size))
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            raise DiskError(f"cannot map {self._root / name}: {error}") from error

    def close(self) -> None:
        """Close every file; the disk stays usable."""
        for name in list(self._open):
            self._forget(name)

    def _path(self, name: str) -> Path:
        if name.startswith("/") or ".." in name.split("/"):
            raise DiskError(f"{name}: not a name inside {self._root}")
        return self._root / name

    def _descriptor(self, name: str) -> int:
        known = self._open.get(name)
        if known is not None:
            return known
        path = self._path(name)
        created = not path.exists()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        self._open[name] = descriptor
        if created:
            sync_directory(path.parent)
        return descriptor

    def _forget(self, name: str) -> None:
        descriptor = self._open.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)

    def _fault(self, operation: str, name: str, error: OSError) -> DiskError:
        return DiskError(f"cannot {operation} {self._root / name}: {error.strerror or error}")
