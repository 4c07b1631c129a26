"""The plain other side of the incremental kernels: every closed bar recomputes its series over the bars held.

A slow average remembers more bars than the tape holds, so a recompute that began with nothing would differ from the
incremental value. It therefore begins at a checkpoint: the state of the series at an older bar whose successors are all
held. From there the same kernel runs over every bar since, and ends with the same bits as a single step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.layout import BARS, FRAMES
from engine.analysis.step import reset, run
from engine.analysis.tables import make_tables

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.analysis.layout import Tables

LONGEST = BARS - 64
"""Bars recomputed at most; the rest of the ring is room for bars that come in one batch."""
STRIDE = 128
"""Bars a checkpoint moves on by once its series has grown too long."""


class Recompute:
    """Checkpoints of the series of some tables. Costs their memory a second time, from the first use of a row on."""

    def __init__(self, tables: Tables) -> None:
        """Begin without checkpoints."""
        self._tables = tables
        self._past = make_tables(len(tables.series) // len(FRAMES))
        self._known = np.zeros(len(tables.series), np.bool_)

    def begin(self, row: int, held: npt.NDArray[np.void]) -> None:
        """Take a series that was just run anew over the bars held: its checkpoint lies as far back as they reach."""
        reset(self._past, row, int(self._tables.series[row]["interval"]))
        run(self._past, row, held[: max(0, len(held) - LONGEST)])
        self._known[row] = True

    def advance(self, row: int, held: npt.NDArray[np.void], new: int) -> int:
        """Recompute a row over the bars since its checkpoint; return how many those were.

        `held` are the newest bars (BAR, x space), the last `new` of which the row has not taken yet. A row without a
        usable checkpoint gets its present state as one: the recompute grows from there.
        """
        behind = int(self._tables.series[row]["n"] - self._past.series[row]["n"])
        if not self._known[row] or behind + new > len(held):
            self._copy(self._tables, self._past, row)
            self._known[row] = True
            behind = 0
        since = behind + new
        if since > LONGEST and behind >= STRIDE:
            run(self._past, row, held[len(held) - since :][:STRIDE])
            since -= STRIDE
        self._copy(self._past, self._tables, row)
        run(self._tables, row, held[len(held) - since :])
        return since

    @staticmethod
    def _copy(source: Tables, target: Tables, row: int) -> None:
        for of, into in zip(source, target, strict=True):
            into[row] = of[row]
