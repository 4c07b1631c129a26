"""A recorded session as it lies in its folder: manifest, records in the order of receipt, and every fault by file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from exchange.recorder.manifest import MANIFEST_NAME, Manifest, SessionError, decode_manifest, segment_name
from exchange.recorder.segment import Fault, FaultKind, SegmentReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from exchange.recorder.records import Record


class FileFault(NamedTuple):
    """A fault and the file it is in."""

    file: str
    fault: Fault


class SessionReader:
    """Reads one session; segments are held in memory one at a time."""

    def __init__(self, folder: Path) -> None:
        """Read the manifest. Raises SessionError."""
        self._folder = folder
        path = folder / MANIFEST_NAME
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SessionError(
                f"session {folder}: {path.name} cannot be read ({error.strerror or error}); "
                "give a folder that `perpdesk record` wrote"
            ) from error
        self.manifest: Manifest = decode_manifest(data, str(path))
        self.faults: list[FileFault] = []

    def records(self) -> Iterator[Record]:
        """Yield every readable record. Raises SessionError for a segment that is there and cannot be opened."""
        last = max((entry.number for entry in self.manifest.segments), default=0)
        number = 0
        while True:
            number += 1
            path = self._folder / segment_name(number)
            if not path.exists():
                if number > last:
                    return
                self.faults.append(FileFault(path.name, Fault(FaultKind.MISSING, 0, 0, "the segment is not there")))
                continue
            try:
                data = path.read_bytes()
            except OSError as error:
                raise SessionError(f"segment {path} cannot be read: {error.strerror or error}") from error
            reader = SegmentReader(data, number, self.manifest.identity)
            yield from reader.records()
            self.faults += [FileFault(path.name, fault) for fault in reader.faults]
