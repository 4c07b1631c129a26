"""The Clock port on the machine's clocks."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Real time, or the time of a simulated venue that runs `speed` times faster.

    With `origin_ms` the wall clock starts there at construction and advances with the monotonic clock; without it the
    machine's own UTC clock is read, and `speed` is 1.
    """

    def __init__(self, origin_ms: int | None = None, speed: float = 1.0) -> None:
        """Fix the origin of desk time at this moment."""
        if origin_ms is None and speed != 1.0:
            raise ValueError("only a simulated clock has a speed: give origin_ms too")
        self.speed = speed
        self._origin_ms = origin_ms
        self._started = time.monotonic()

    def now_ms(self) -> int:
        """Return the wall clock in UTC milliseconds."""
        if self._origin_ms is None:
            return time.time_ns() // 1_000_000
        return self._origin_ms + int((time.monotonic() - self._started) * self.speed * 1000)

    def monotonic(self) -> float:
        """Return desk seconds since construction."""
        return (time.monotonic() - self._started) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait for that many desk seconds."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)


def process_monotonic() -> float:
    """Return the machine's monotonic clock in seconds, the time base of `Snapshot.monotonic`."""
    return time.monotonic()
