"""Swings, labels, displacement and breaks of structure (specification 3.1 to 3.4)."""

from __future__ import annotations

from typing import Any

from engine.analysis.changes import BORN, OF_BREAK, OF_SWING, note
from engine.analysis.compiled import kernel
from engine.analysis.layout import (
    BARS,
    BOS,
    BREAKS,
    CHOCH,
    DOWN,
    INTERNAL,
    LABEL_HH,
    LABEL_HL,
    LABEL_LH,
    LABEL_LL,
    LABEL_NONE,
    LAYER_REACH,
    MSS,
    SWING,
    SWINGS,
    UP,
)

MASK = BARS - 1


@kernel
def mark_displacement(s: Any, w: Any, b: Any, t: int) -> None:
    """Store the signed displacement of bar t: body in ATR14 (of the same close), 0 where it is none."""
    body = b.c - b.o
    size = abs(body)
    span = b.h - b.l
    value = 0.0
    if size >= 1.5 * s.atr14 and size >= 0.6 * span and span > 0.0:
        outer = b.h - b.c if body > 0.0 else b.c - b.l
        if outer <= 0.25 * span:
            value = body / s.atr14
    w.displacement[t & MASK] = value


@kernel
def _push_swing(
    s: Any, w: Any, swings: Any, log: Any, row: int, layer: int, side: int, at: int, known: int, level: float
) -> None:
    last = s.last_high[layer] if side == UP else s.last_low[layer]
    label = LABEL_NONE
    if last >= 0:
        beyond = side * (level - swings.x[layer, last].level) > 0.0
        higher, lower = (LABEL_HH, LABEL_LH) if side == UP else (LABEL_LL, LABEL_HL)
        label = higher if beyond else lower
    number = s.swings[layer]
    place = number % SWINGS
    swing = swings.x[layer, place]
    swing.side = side
    swing.label = label
    swing.at = at
    swing.known = known
    swing.level = level
    swing.broken = -1
    column = 0 if side == UP else 1
    w.open[layer, column] = number
    w.open_level[layer, column] = level
    # The ring may have overwritten the last pivot of the other kind.
    if side == UP:
        s.last_high[layer] = place
        if s.last_low[layer] == place:
            s.last_low[layer] = -1
    else:
        s.last_low[layer] = place
        if s.last_high[layer] == place:
            s.last_high[layer] = -1
    s.swings[layer] = number + 1
    note(log, row, OF_SWING, layer, BORN, side, label, number, at, known, level, 0.0, 0.0)


@kernel
def high_first(bar: Any) -> bool:
    """Return which extreme of one bar comes first: the one nearer to the close. Mirrored bars give mirrored answers."""
    return bar.h - bar.c <= bar.c - bar.l  # type: ignore[no-any-return]


@kernel
def confirm_swings(s: Any, w: Any, bars: Any, swings: Any, log: Any, row: int, layer: int, reach: int, t: int) -> int:
    """Confirm the bar `reach` bars ago as a pivot of the layer; return 1 high, 2 low, 3 both, 0 none.

    At most one bar per side is under way to a pivot: a later bar that exceeds it ends its hope, and one that does not
    exceed it has it among the bars before and cannot be a pivot itself.
    """
    b = bars.x[t & MASK]
    if w.hope[layer, 0] >= 0 and b.h > w.hope_level[layer, 0]:
        w.hope[layer, 0] = -1
    if w.hope[layer, 1] >= 0 and b.l < w.hope_level[layer, 1]:
        w.hope[layer, 1] = -1
    i = t - reach
    found = (1 if w.hope[layer, 0] == i else 0) + (2 if w.hope[layer, 1] == i else 0)
    if i < 0:
        return 0
    if found > 0:
        side = UP if high_first(bars.x[i & MASK]) else DOWN
        for _ in range(2):
            column = 0 if side == UP else 1
            if w.hope[layer, column] == i:
                w.hope[layer, column] = -1
                _push_swing(s, w, swings, log, row, layer, side, i, t, w.hope_level[layer, column])
            side = -side
    _new_hopes(w, bars, layer, reach, t)
    return found


@kernel
def _new_hopes(w: Any, bars: Any, layer: int, reach: int, t: int) -> None:
    """Set the hope of bar t where it exceeds every one of the `reach` bars before it.

    What does not exceed the bars of the internal layer's reach does not exceed those of a longer one: the swing layer,
    which comes after it, looks only at the hopes of that layer and only at the bars beyond its reach.
    """
    high = bars.x[t & MASK].h
    low = bars.x[t & MASK].l
    is_high = True
    is_low = True
    first = 1
    if layer == SWING:
        is_high = w.hope[INTERNAL, 0] == t
        is_low = w.hope[INTERNAL, 1] == t
        if not (is_high or is_low):
            return
        first = LAYER_REACH[INTERNAL] + 1
    for j in range(first, reach + 1):
        before = bars.x[(t - j) & MASK]
        is_high = is_high and before.h < high
        is_low = is_low and before.l > low
        if not (is_high or is_low):
            return
    if is_high:
        w.hope[layer, 0] = t
        w.hope_level[layer, 0] = high
    if is_low:
        w.hope[layer, 1] = t
        w.hope_level[layer, 1] = low


@kernel
def _leg(w: Any, bars: Any, pivot: int, side: int, t: int) -> tuple[int, float]:
    """Return the first bar of the leg that broke the pivot (its far extreme, the latest on ties), its displacement."""
    first = max(pivot + 1, t - BARS + 1)
    origin = first
    extreme = bars.x[first & MASK].l if side == UP else bars.x[first & MASK].h
    for i in range(first + 1, t + 1):
        x = bars.x[i & MASK].l if side == UP else bars.x[i & MASK].h
        if (side == UP and x <= extreme) or (side == DOWN and x >= extreme):
            extreme = x
            origin = i
    largest = 0.0
    for i in range(origin, t + 1):
        largest = max(largest, side * w.displacement[i & MASK])
    return origin, largest


@kernel
def _older_unbroken(s: Any, swings: Any, layer: int, side: int, number: int) -> int:
    oldest = max(0, s.swings[layer] - SWINGS)
    for k in range(number - 1, oldest - 1, -1):
        swing = swings.x[layer, k % SWINGS]
        if swing.side == side and swing.broken < 0:
            return k
    return -1


@kernel
def _push_break(
    s: Any, w: Any, bars: Any, swings: Any, breaks: Any, log: Any, row: int, layer: int, side: int, number: int, t: int
) -> None:
    swing = swings.x[layer, number % SWINGS]
    swing.broken = t
    older = _older_unbroken(s, swings, layer, side, number)
    column = 0 if side == UP else 1
    w.open[layer, column] = older
    if older >= 0:
        w.open_level[layer, column] = swings.x[layer, older % SWINGS].level
    origin, displacement = _leg(w, bars, swing.at, side, t)
    kind = BOS
    if s.bias[layer] == -side:
        kind = MSS if displacement > 0.0 else CHOCH
    s.bias[layer] = side
    count = s.breaks[layer]
    entry = breaks.x[layer, count % BREAKS]
    entry.kind = kind
    entry.side = side
    entry.at = swing.at
    entry.known = t
    entry.level = swing.level
    entry.displacement = displacement
    s.breaks[layer] = count + 1
    w.leg_side[layer] = side
    w.leg_pivot[layer] = swing.at
    w.leg_origin[layer] = origin
    w.leg_displacement[layer] = displacement
    note(log, row, OF_BREAK, layer, BORN, side, kind, count, swing.at, t, swing.level, displacement, float(origin))


@kernel
def find_breaks(
    s: Any, w: Any, bars: Any, swings: Any, breaks: Any, log: Any, row: int, layer: int, c: float, before: float, t: int
) -> None:
    """Break the newest unbroken pivot the close `c` crossed, `before` being the close before it."""
    w.leg_side[layer] = 0
    side = UP if c > before else DOWN
    column = 0 if side == UP else 1
    number = w.open[layer, column]
    level = w.open_level[layer, column]
    if side * (c - level) <= 0.0 or side * (before - level) > 0.0:
        return
    if number >= 0 and number >= s.swings[layer] - SWINGS:
        _push_break(s, w, bars, swings, breaks, log, row, layer, side, number, t)
