"""Trading rules and brackets of a replay: as the venue told them, or as a contract's first bars suggest them.

An answer of the venue is of one day and the history of many: where the first bars of a contract do not fit it (prices
off its tick or out of its bounds, volumes off its lots, as in another unit), its rules are inferred from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.backtest.symbols import RULE_BARS, rules_of
from exchange.instrument import Bracket, Instrument

if TYPE_CHECKING:
    from decimal import Decimal

    import numpy.typing as npt

    from engine.backtest.history import Series
    from engine.backtest.told import Told

ON_STEP = 1e-3
"""Distance from a whole count of steps that is float64 noise."""


class Contract(NamedTuple):
    """The rules of one symbol from one bar on."""

    instrument: Instrument
    brackets: tuple[Bracket, ...]
    told_rules: bool
    """Whether the venue told them; else they are inferred."""
    told_brackets: bool


def contract_from(series: Series, first: int, end: int, told: Told) -> Contract:
    """Return the rules of the contract that bars [first, end) are of."""
    part = series.part(first, min(end, first + RULE_BARS))
    instrument, brackets = rules_of(part)
    known = told.instruments.get(series.symbol)
    if known is not None and _fits(part, known):
        instrument = known
    table = told.brackets.get(series.symbol, ())
    return Contract(instrument, table or brackets, instrument is known, bool(table))


def _fits(part: Series, rules: Instrument) -> bool:
    """Say whether recorded prices and volumes are possible under these rules."""
    prices = np.concatenate([part.open, part.high, part.low, part.close])
    inside = float(prices.min()) >= rules.min_price and float(prices.max()) <= rules.max_price
    return inside and _stands_on(prices, rules.tick) and _stands_on(part.volume, rules.lot.step)


def _stands_on(values: npt.NDArray[np.float64], step: Decimal) -> bool:
    counts = values / float(step)
    return bool((np.abs(counts - np.rint(counts)) < np.maximum(ON_STEP, counts * 1e-12)).all())
