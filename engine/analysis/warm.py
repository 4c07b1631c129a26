"""Compile the kernels, or load them from the disk cache, before anything waits for them.

`python -m engine.analysis.warm` fills the cache at installation. The cache lies beside the sources, or where
NUMBA_CACHE_DIR says.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.layout import BAR
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables

if TYPE_CHECKING:
    from collections.abc import Callable


def warm(progress: Callable[[str], None] = lambda _: None) -> None:
    """Make every kernel callable without delay, telling `progress` one line before each and one at the end."""
    tables = make_tables(1)
    nothing = np.zeros(0, BAR)
    progress("analysis kernels 1/3: reset")
    reset(tables, 0, 300_000)
    progress("analysis kernels 2/3: history (the first time this compiles for about half a minute)")
    run(tables, 0, nothing)
    progress("analysis kernels 3/3: step")
    step_rows(tables, np.zeros(0, np.int64), nothing)
    progress("analysis kernels ready")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    warm(_say)
