"""A folder with a recording of inputs, as it is read: the beginning, the turns, and what is missing of it."""

from __future__ import annotations

from mmap import ACCESS_READ, mmap
from typing import TYPE_CHECKING, Final

from engine.inputs.framing import FILE, BlockReader, Tail
from engine.inputs.records import Beginning, InputsError, Turn, decode_beginning, decode_turn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEFORE: Final = "before"
"""Folder with the journal as it was before the run."""


class Recording:
    """One recorded run."""

    def __init__(self, folder: Path) -> None:
        """Read the beginning. Raises InputsError with what to do."""
        self.folder = folder
        path = folder / FILE
        try:
            data = _mapped(path)
        except OSError as error:
            raise InputsError(
                f"run:{folder}: {FILE} cannot be read ({error.strerror or error}); "
                "give a folder that `perpdesk --headless --record-inputs` wrote"
            ) from None
        try:
            self._blocks = BlockReader(data)
            self._records = self._blocks.records()
            self.beginning: Beginning = decode_beginning(next(self._records, b""))
        except InputsError as error:
            raise InputsError(f"run:{folder}: {error}") from None

    def turns(self) -> Iterator[Turn]:
        """Yield every turn up to the end or the first damage; once only. Raises InputsError."""
        for record in self._records:
            yield decode_turn(record)

    @property
    def tail(self) -> Tail | None:
        """Return what could not be read; known once all turns are."""
        return self._blocks.tail


def _mapped(path: Path) -> mmap | bytes:
    """Return the bytes of a file that may be larger than the memory. Raises OSError."""
    with path.open("rb") as file:
        try:
            return mmap(file.fileno(), 0, access=ACCESS_READ)
        except ValueError:  # an empty file cannot be mapped
            return b""
