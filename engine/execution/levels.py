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


SENTINEL = "STOP"
"""File in the data directory whose word stops the desk: for when neither screen nor socket can be reached."""


def read_sentinel(data: bytes) -> StopLevel:
    """Return the level a sentinel file of this content asks for.

    An empty file and a word nobody knows ask for PAUSE: whoever wrote it wanted the desk to stop.
    """
    word = data.decode("utf-8", "replace").strip().upper()
    if word in StopLevel.__members__ and word != StopLevel.RUN.name:
        return StopLevel[word]
    return StopLevel.PAUSE
