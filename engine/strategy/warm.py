"""Compile the strategy kernels, or load them from the disk cache, before anything waits for them.

`python -m engine.strategy.warm` fills the cache at installation.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.layout import BAR
from engine.analysis.tables import make_tables
from engine.strategy.hours_kernel import HourReader
from engine.strategy.ict_kernel import decide
from engine.strategy.market_kernel import survey

if TYPE_CHECKING:
    from collections.abc import Callable


def warm(progress: Callable[[str], None] = lambda _: None) -> None:
    """Make the kernels callable without delay, telling `progress` one line before each and one at the end."""
    tables = make_tables(1)
    slots, prices = np.zeros(0, np.int64), np.zeros(0)
    progress("strategy kernels 1/3: set-ups (the first time this compiles for about a quarter of a minute)")
    decide(tables, slots, prices)
    progress("strategy kernels 2/3: market facts")
    survey(tables, slots, prices)
    progress("strategy kernels 3/3: hours")
    HourReader().read(np.zeros(1, BAR), 1)
    progress("strategy kernels ready")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    warm(_say)
