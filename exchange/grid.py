"""Rounding to the steps a venue accepts. Exact: everything is Decimal."""

from __future__ import annotations

import math
from decimal import Decimal


def unit_of(step: Decimal, precision: int) -> Decimal:
    """Return the smallest multiple of `step` with at most `precision` decimals, without trailing zeros.

    The venue checks both, a step and a number of decimals; the step alone is the answer unless it is finer.
    """
    exponent = step.normalize().as_tuple().exponent
    assert isinstance(exponent, int), "a step is finite"
    places = max(0, -exponent)
    if places <= precision:
        return step.normalize()
    scaled = int(step.scaleb(places))
    common = math.lcm(scaled, 10 ** (places - precision))
    return Decimal(common).scaleb(-places).normalize()


def round_to(value: Decimal, step: Decimal, precision: int, *, up: bool) -> Decimal:
    """Return a positive value moved down, or up, to the nearest accepted one, spelled with the unit's decimals.

    Steps count from 0. The venue's documentation counts from the smallest value, which comes to the same: every
    smallest value seen is a whole number of steps, and was moved when a step changed.
    """
    unit = unit_of(step, precision)
    # Whole division is exact, whatever the number of digits; an inexact one could round up what is rounded down.
    steps, rest = divmod(value, unit)
    return ((steps + 1 if up and rest else steps) * unit).quantize(unit)
