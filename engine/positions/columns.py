"""Columns of the open positions: one array per property, one row per position, rows reused after a close."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FREE = -2
"""Slot of a row without a position."""
UNSEEN = -1
"""Slot of a position whose symbol has no place in the universe's columns at present."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shorts = npt.NDArray[np.int32]
Flags = npt.NDArray[np.int8]


class Columns(NamedTuple):
    """Struct of arrays. Prices are in quote units, pnl in percent of margin after costs, instants in UTC ms."""

    slot: Shorts
    sign: Flags  # +1 long, -1 short
    strategy: Shorts  # index into the book's list of strategies
    entry: Floats
    stop: Floats
    target: Floats
    floor: Floats  # the lower of stop and target
    ceiling: Floats  # the upper of the two
    half_r: Floats  # half the distance entry to stop, in price
    slope: Floats  # pnl percent = slope x price + offset
    offset: Floats
    r_per_percent: Floats
    margin: Floats  # USDT
    expires: Ints
    price: Floats  # newest price seen
    seen_high: Floats  # since the last look, -inf when nothing was seen
    seen_low: Floats  # since the last look, +inf when nothing was seen
    looked: Floats  # price at the last look
    looked_ms: Ints
    looks: Ints
    due: Ints  # instant of the next look
    tier: Ints  # milliseconds between looks, by risk
    jump_low: Floats  # a price beyond these two is looked at whatever the schedule
    jump_high: Floats
    speed: Floats  # mean price change per second
    percent: Floats  # at the last look
    best: Floats
    worst: Floats
    eta: Floats  # seconds, NaN for none
    tp_armed: Flags
    sl_armed: Flags
    pending: Flags  # a trigger that was seen but not yet looked at
    fill: Floats  # price of the pending trigger


_TYPES: dict[str, type[np.generic]] = {
    "slot": np.int32,
    "strategy": np.int32,
    "sign": np.int8,
    "tp_armed": np.int8,
    "sl_armed": np.int8,
    "pending": np.int8,
    "expires": np.int64,
    "looked_ms": np.int64,
    "looks": np.int64,
    "due": np.int64,
    "tier": np.int64,
}


LINE = 64
"""Columns in one buffer begin at multiples of this many bytes."""


def _room(name: str, capacity: int) -> int:
    """Return the bytes a column takes in a buffer."""
    size = capacity * np.dtype(_TYPES.get(name, np.float64)).itemsize
    return -(-size // LINE) * LINE


def bytes_of(capacity: int) -> int:
    """Return the bytes of a buffer that holds the columns of `capacity` rows."""
    return sum(_room(name, capacity) for name in Columns._fields)


def allocate(capacity: int) -> Columns:
    """Return columns of free rows in memory of their own."""
    return _freed(Columns(*(np.zeros(capacity, _TYPES.get(name, np.float64)) for name in Columns._fields)))


def laid_out(buffer: memoryview, capacity: int) -> Columns:
    """Return columns of free rows over a writable buffer of at least `bytes_of(capacity)` bytes; it is cleared."""
    parts, start = [], 0
    for name in Columns._fields:
        parts.append(np.frombuffer(buffer, _TYPES.get(name, np.float64), capacity, start))
        parts[-1].fill(0)
        start += _room(name, capacity)
    return _freed(Columns(*parts))


def copy_into(columns: Columns, larger: Columns) -> Columns:
    """Copy columns to the beginning of others that are at least as long; return those."""
    for name in Columns._fields:
        old = getattr(columns, name)
        getattr(larger, name)[: len(old)] = old
    return larger


def _freed(columns: Columns) -> Columns:
    columns.slot.fill(FREE)
    return columns
