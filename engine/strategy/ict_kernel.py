"""The ICT set-up automaton over the analysis columns: one pass over the symbols, no memory between calls.

A pure function of closed-bar tables and prices. Each symbol's reasoning, or the gate that stopped it, is left in a
`SETUP` row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.compiled import entry, kernel
from engine.analysis.layout import INTERNAL, SWING
from engine.strategy.compiled import source_digest
from engine.strategy.ict_block import at_block, bias_of, trend_block
from engine.strategy.ict_reversal import lately, reversal
from engine.strategy.ict_steps import find_range, to_swing
from engine.strategy.setup import BIAS, FLAT, PASSED, RANGE, SETUP, WARM_UP

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.analysis.layout import Tables


@kernel
def _warm(state: Any) -> bool:
    """Return whether every indicator the automaton reads has a value."""
    return bool(
        state["n"] > 0
        and np.isfinite(state["ema200"])
        and np.isfinite(state["atr14"])
        and np.isfinite(state["rsi14"])
        and np.isfinite(state["macd_hist"])
        and np.isfinite(state["bb_width_pct"])
    )


@kernel
def could_pass(t: Tables, base: int, price: float, row: Any) -> bool:
    """Return whether a set-up may pass; False is certain, True only worth the whole reasoning. `row` is scratch."""
    sign = bias_of(t.series[base + 2])
    return bool(sign != 0 and (lately(t, base, sign) or at_block(t, base, sign, price, row)))


@kernel
def _decide_one(
    t: Tables, base: int, price: float, work: npt.NDArray[np.void], out: npt.NDArray[np.void], i: int
) -> None:
    row = out[i]
    if not np.isfinite(price):
        row["gate"] = FLAT
        row["distance"] = 1.0
        return
    for frame in range(3):
        if not _warm(t.series[base + frame]):
            row["gate"] = WARM_UP
            row["distance"] = max(1, 200 - t.series[base + frame]["n"])
            return
        if not (t.series[base + frame]["atr14"] > 0.0 and t.series[base + frame]["vol_mean"] > 0.0):
            row["gate"] = FLAT
            row["distance"] = 1.0
            return
    sign = bias_of(t.series[base + 2])
    row["sign"] = sign
    row["bias_layer"] = SWING if t.series[base + 2]["bias"][SWING] != 0 else INTERNAL
    if sign == 0:
        row["gate"] = BIAS
        row["distance"] = min(to_swing(t, base + 2, INTERNAL, 1, price), to_swing(t, base + 2, INTERNAL, -1, price))
        return
    ranged = find_range(t, base, row)
    work[0] = out[i]
    work[1] = out[i]
    if ranged:
        reversal(t, base, sign, price, work, out, i)
    else:
        row["gate"] = RANGE
        row["distance"] = 1.0
    if out[i]["gate"] == PASSED:
        return
    gate = trend_block(t, base, sign, price, work[1])
    if gate > out[i]["gate"]:
        out[i] = work[1]
        out[i]["gate"] = gate


def _entry(digest: str) -> Any:
    @entry
    def decide_kernel(t: Any, slots: Any, prices: Any, work: Any, out: Any) -> int:
        for i in range(len(slots)):
            _decide_one(t, slots[i] * 3, prices[i], work, out, i)
        return len(digest)

    return decide_kernel


DECIDE = _entry(source_digest())


def decide(t: Tables, slots: npt.NDArray[np.int64], prices: npt.NDArray[np.float64]) -> npt.NDArray[np.void]:
    """Return [n] SETUP rows: what became of the symbols in `slots` at `prices` (x space). Releases the lock."""
    out = np.zeros(len(slots), SETUP)
    DECIDE(t, slots, prices, np.zeros(2, SETUP), out)
    return out
