"""Ticks and lots: whole numbers inside the market, exact decimal prices and quantities outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from exchange.instrument import Instrument

Floats = npt.NDArray[np.float64]


def _fraction(step: Decimal) -> tuple[int, int]:
    """Split a step into units / scale with scale a power of ten."""
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    scale = 10 ** max(0, -exponent)
    return int(step * scale), scale


class Grid(NamedTuple):
    """One step per symbol as units / scale. Dividing whole numbers gives the float64 nearest to the decimal."""

    units: Floats
    scale: Floats

    @classmethod
    def of(cls, steps: Sequence[Decimal]) -> Grid:
        """Build the grid of these steps."""
        parts = [_fraction(step) for step in steps]
        return cls(np.array([unit for unit, _ in parts], float), np.array([scale for _, scale in parts], float))

    @property
    def step(self) -> Floats:
        """Return the step of every symbol."""
        return self.units / self.scale

    def value(self, count: Floats) -> Floats:
        """Turn whole step counts (last axis: symbols) into values."""
        value: Floats = count * self.units / self.scale
        return value

    def steps(self, value: Floats) -> Floats:
        """Return the nearest whole step counts of values (last axis: symbols)."""
        return np.rint(value * self.scale / self.units)


class Grids(NamedTuple):
    """Price and quantity grid of a list of symbols."""

    price: Grid
    lot: Grid

    @classmethod
    def of(cls, instruments: Sequence[Instrument]) -> Grids:
        """Build both grids from trading rules."""
        return cls(
            Grid.of([instrument.tick for instrument in instruments]),
            Grid.of([instrument.lot.step for instrument in instruments]),
        )
