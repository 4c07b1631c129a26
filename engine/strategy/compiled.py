"""What makes a compiled strategy kernel stale: any source that ends up in its machine code."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.analysis import layout

SOURCES = (
    "compiled",
    "ict_block",
    "ict_kernel",
    "ict_reversal",
    "ict_steps",
    "market_kernel",
    "oriented",
    "scores",
    "setup",
)


def source_digest() -> str:
    """Return a digest of the strategy kernels' sources and of the table layout; entry points close over it.

    Numba's disk cache looks only at the file that holds the cached function.
    """
    digest = hashlib.sha256(Path(layout.__file__).read_bytes())
    for name in SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()
