"""The row in which the ICT kernel leaves its reasoning: the gate that stopped it, or every object it rests on.

Prices are in x space as in the tables; instants are UTC milliseconds; frames are indices into `layout.FRAMES`.
"""

from typing import NamedTuple

import numpy as np

# Gates in the order of the reasoning; a later one means the set-up got further.
WARM_UP, FLAT, BIAS, RANGE, DISCOUNT, SWEEP, BREAK, DISPLACEMENT, FAILED, ZONE, DEAR, TARGET = range(1, 13)
EXPIRED, MOVED, OPPOSED, REACHED = range(13, 17)
PASSED = 99
GATE_NAMES: dict[int, str] = {
    WARM_UP: "warm-up",
    FLAT: "flat market",
    BIAS: "bias",
    RANGE: "dealing range",
    DISCOUNT: "discount",  # price, while nothing else is there yet
    DEAR: "discount",  # the entry the set-up would take
    SWEEP: "sweep",
    BREAK: "structure shift",
    DISPLACEMENT: "displacement",
    FAILED: "sweep failed",
    ZONE: "entry zone",
    TARGET: "target",
    EXPIRED: "expired",
    MOVED: "moved away",
    OPPOSED: "opposite CHoCH",
    REACHED: "target reached",
}

SWEEP_REVERSAL, TREND_BLOCK = 1, 2
PATTERN_NAMES: dict[int, str] = {SWEEP_REVERSAL: "sweep reversal", TREND_BLOCK: "trend block"}
ZONE_GAP, ZONE_BLOCK = 1, 2


class Setup(NamedTuple):
    """One symbol's set-up as the kernel saw it; fields after `distance` count only as far as the gate was passed."""

    gate: int
    distance: float
    sign: int
    pattern: int
    entry: float
    stop: float
    target: float
    target2: float
    target3: float
    targets: int
    bias_layer: int
    range_frame: int
    range_low: float
    range_high: float
    position: float
    """Place of the entry in the dealing range as its direction sees it: 0 deepest discount, 1 premium."""
    range_at: int
    range_known: int
    sweep_frame: int
    sweep_kind: int
    sweep_at: int
    sweep_known: int
    sweep_level: float
    sweep_extreme: float
    sweep_depth: float
    break_frame: int
    break_layer: int
    break_kind: int
    break_at: int
    break_known: int
    break_level: float
    displacement: float
    zone_kind: int
    zone_frame: int
    zone_at: int
    zone_known: int
    zone_low: float
    zone_high: float
    zone_quality: float
    ote: int
    pool_frame: int
    pool_kind: int
    pool_at: int
    pool_known: int
    anchor: int
    """Close at which the set-up came into being; names it over the cycles it lives."""
    expires: int
    trend: float
    structure: float
    place: float
    momentum: float
    volatility: float
    confidence: float


SETUP = np.dtype([(name, "f8" if kind is float else "i8") for name, kind in Setup.__annotations__.items()])
