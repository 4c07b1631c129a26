"""Where the columns of the virtual book lie: in a memory-mapped file, or in memory of their own.

The file is no memory over a restart: the journal is, and the file is made anew at every start. What it gives is that
the system may write cold pages of the book out instead of keeping them. Both hold the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.ports import DiskError
from engine.positions.columns import allocate, bytes_of, laid_out

if TYPE_CHECKING:
    from engine.ports import Disk
    from engine.positions.columns import Columns

FILE = "positions.map"


class ColumnStore:
    """Makes columns for the book, and says where the newest ones lie."""

    def __init__(self, disk: Disk, mapped: bool, most: int) -> None:
        """`most` positions are kept in the mapped file; a book that outgrows it moves to plain memory."""
        self.mapped = mapped
        self._disk = disk
        self._most = 1 << (most - 1).bit_length()  # a book grows by doubling
        self.rung = ""
        self.fault = ""
        """Why the file could not be mapped, empty when it could or was not asked for."""

    def __call__(self, capacity: int) -> Columns:
        """Return columns of free rows."""
        self.fault = ""
        if not self.mapped:
            self.rung = "plain columns in memory"
        elif capacity > self._most:
            self.rung = f"plain columns in memory: the mapped store takes {self._most} positions"
        else:
            try:
                columns = laid_out(self._disk.map(FILE, bytes_of(capacity)), capacity)
            except DiskError as error:
                self.fault = str(error)
                self.rung = f"plain columns in memory: {error}"
            else:
                self.rung = f"{FILE}, room for {capacity} positions in {bytes_of(capacity) // 1024} KiB"
                return columns
        return allocate(capacity)
