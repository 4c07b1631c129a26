"""Stop levels: how far the desk is stopped. Each includes what the one before it forbids."""

from __future__ import annotations

from enum import IntEnum


class StopLevel(IntEnum):
    """The levels in the order of their weight."""

    RUN = 0
    PAUSE = 1
    """No entries; care of positions goes on."""
    CANCEL = 2
    """Also no resting entries; stops and targets stay."""
    FLATTEN = 3
    """Cancel entries, close every position, remove its stops when it is flat."""
    HALT = 4
    """End the process; stops stay at the exchange."""
