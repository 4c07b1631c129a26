"""When a fault strikes: its window, its share of the matching moments, and the count that the report shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from exchange.simulator.faults.plan import Fault


class Chance:
    """The occasions of one fault. Its draws depend on the plan's seed and its place in the plan only."""

    def __init__(self, fault: Fault, seed: int, place: int) -> None:
        """Start without a strike."""
        self.fault = fault
        self.seen = 0
        """Matching occasions inside the window."""
        self.struck = 0
        self.refused = ""
        """Why what was planned for a moment could not be done, the last time."""
        self._rate = float(getattr(fault, "rate", 1.0))
        self._draw = np.random.Generator(np.random.PCG64((seed, place)))

    def open_at(self, second: float) -> bool:
        """Say whether the window is open and the fault not used up."""
        fault = self.fault
        if second < fault.after or (fault.until is not None and second >= fault.until):
            return False
        return fault.times is None or self.struck < fault.times

    def strikes(self, second: float) -> bool:
        """Decide about one occasion at that second since the opening, and count it."""
        if not self.open_at(second):
            return False
        self.seen += 1
        if self._rate < 1.0 and self._draw.random() >= self._rate:
            return False
        self.struck += 1
        return True
