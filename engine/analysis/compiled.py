"""How the kernels are compiled, and what makes a compiled kernel stale."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from numba import njit

# No fastmath: reordered sums would break the incremental law. numpy's error model turns x / 0 into inf or NaN without a
# branch that raises.
kernel: Any = njit(nogil=True, error_model="numpy")
entry: Any = njit(nogil=True, error_model="numpy", cache=True)

# Every module whose code or constants end up in machine code.
SOURCES = (
    "blocks",
    "changes",
    "compiled",
    "gaps",
    "indicators",
    "layout",
    "pools",
    "scratch",
    "sessions",
    "step",
    "structure",
)


def source_digest() -> str:
    """Return a digest of the kernels' sources.

    Numba's disk cache looks only at the file that holds the cached function, so a change in an inlined kernel would
    leave stale machine code in use. Entry points close over this digest, which makes it part of their cache key.
    """
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()
