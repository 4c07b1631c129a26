"""The venue's clock as round trips show it: an offset with its error, followed continuously.

A round trip bounds the offset to its midpoint, give or take half its length. A bound grows with age, because clocks
drift; a newer trip replaces the estimate when it is tighter than that. Two bounds that exclude each other prove that a
clock stepped: the newer one counts at once. Pure: every instant is an argument.
"""

from __future__ import annotations

import msgspec

DRIFT = 100e-6
"""Largest rate at which two disciplined clocks part, as a share of elapsed time."""
LARGE_STEP_MS = 500
"""A step the operator should hear of: entries need the offset to be known within this bound."""


class ClockSync(msgspec.Struct, frozen=True):
    """How the venue's clock stands to ours: venue = ours + `offset_ms`, within `error_ms`."""

    offset_ms: int
    error_ms: int
    """Half the round trip of the sample it rests on."""


class ClockTracker:
    """Follows the offset of one venue."""

    def __init__(self) -> None:
        self.sync = ClockSync(0, 0)
        self.samples = 0
        self.steps = 0
        """Steps beyond LARGE_STEP_MS seen since the start, of our clock or of the venue's."""
        self.last_step_ms = 0
        """By how much the offset changed at the last of them."""
        self._doubted = False
        self._monotonic = 0.0
        self._line_ms = 0.0
        """Wall clock minus monotonic clock at the sample the estimate rests on."""

    def bound_ms(self, monotonic: float) -> float:
        """Return how far the offset may be off by now."""
        return self.sync.error_ms + (monotonic - self._monotonic) * 1000 * DRIFT

    def sample(self, sent_ms: int, received_ms: int, venue_ms: int, monotonic: float) -> ClockSync:
        """Take one round trip (our wall clock before and after, the venue's answer) and return the estimate."""
        fresh = ClockSync(venue_ms - (sent_ms + received_ms) // 2, max(0, received_ms - sent_ms + 1) // 2)
        jump = fresh.offset_ms - self.sync.offset_ms
        bound = self.bound_ms(monotonic)
        known = self.samples > 0
        stepped = known and abs(jump) > fresh.error_ms + bound + 1
        if stepped and abs(jump) > LARGE_STEP_MS:
            self.steps += 1
            self.last_step_ms = jump
        if stepped or self._doubted or not known or fresh.error_ms <= bound:
            self.sync = fresh
            self._doubted = False
            self._monotonic = monotonic
            self._line_ms = received_ms - monotonic * 1000
        self.samples += 1
        return self.sync

    def doubt(self) -> None:
        """Believe the next sample whatever it says: the venue refused a timestamp."""
        self._doubted = True

    def wall_stepped(self, now_ms: int, monotonic: float) -> bool:
        """Say whether our wall clock left the line of the monotonic clock since the estimate was taken.

        A suspended machine and a set clock look the same; both void the offset.
        """
        return self.samples > 0 and abs(now_ms - monotonic * 1000 - self._line_ms) > LARGE_STEP_MS
