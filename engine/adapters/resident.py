"""What the process holds of mapped files, and giving back what only its start needed.

Linux tells both; elsewhere nothing is found and nothing is done.
"""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path
from typing import NamedTuple

COMPILER = "/libllvmlite"
MAPS = Path("/proc/self/smaps")


class Mapping(NamedTuple):
    """One mapped range of a file."""

    start: int
    length: int
    changed: bool
    """Whether any page differs from the file; such a page exists nowhere else."""
    resident_kb: int


def mappings_of(smaps: str, name: str) -> list[Mapping]:
    """Return the ranges of `smaps` (the text of /proc/PID/smaps) whose file's path contains `name`."""
    found: list[Mapping] = []
    wanted = False
    for line in smaps.splitlines():
        key, _, rest = line.partition(" ")
        if not key.endswith(":"):
            wanted = name in rest
            if wanted:
                start, _, end = key.partition("-")
                # Without the system's word a range counts as changed.
                found.append(Mapping(int(start, 16), int(end, 16) - int(start, 16), changed=True, resident_kb=0))
        elif wanted and key == "Rss:":
            found[-1] = found[-1]._replace(resident_kb=int(rest.split()[0]))
        elif wanted and key == "Anonymous:":
            found[-1] = found[-1]._replace(changed=int(rest.split()[0]) > 0)
    return found


def release_compiler() -> None:
    """Take the compiler's code out of the resident memory: once the kernels are loaded nothing runs it.

    Loading cached kernels walks through some 65 MiB of LLVM. Only ranges equal to their file go, so a later use reads
    them again. Until the system needs the room it keeps them in its file cache, where the next start finds them.
    """
    try:
        ranges = mappings_of(MAPS.read_text(encoding="utf-8"), COMPILER)
        madvise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for one in ranges:
        if not one.changed:
            madvise(one.start, one.length, mmap.MADV_DONTNEED)
