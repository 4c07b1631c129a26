"""Making the tables and addressing their rows."""

from __future__ import annotations

import numpy as np

from engine.analysis import layout
from engine.analysis.layout import FRAMES, Tables
from engine.analysis.scratch import SCRATCH


def make_tables(slots: int) -> Tables:
    """Return empty tables for `slots` symbols; every row still needs `engine.analysis.step.reset` before its first bar.

    Raises ValueError when `slots` is not positive.
    """
    if slots < 1:
        raise ValueError(f"slots is {slots}; the analysis needs at least one symbol")
    rows = slots * len(FRAMES)
    return Tables(
        series=np.zeros(rows, layout.SERIES),
        bars=np.zeros((rows, layout.BARS), layout.BAR),
        swings=np.zeros((rows, 2, layout.SWINGS), layout.SWING_ROW),
        breaks=np.zeros((rows, 2, layout.BREAKS), layout.BREAK_ROW),
        gaps=np.zeros((rows, layout.GAPS), layout.GAP_ROW),
        blocks=np.zeros((rows, layout.BLOCKS), layout.BLOCK_ROW),
        pools=np.zeros((rows, layout.POOLS), layout.POOL_ROW),
        sweeps=np.zeros((rows, layout.SWEEPS), layout.SWEEP_ROW),
        scratch=np.zeros(rows, SCRATCH),
    )


def row_of(slot: int, frame: int | str) -> int:
    """Return the row of a slot's frame (an index into FRAMES or its name)."""
    return slot * len(FRAMES) + (FRAMES.index(frame) if isinstance(frame, str) else frame)
