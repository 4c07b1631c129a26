"""Periodic work that never overlaps itself and counts when it overran."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from exchange.ports import Clock


class Periodic:
    """Runs a body every `period` desk seconds on a fixed grid.

    A body that takes longer than the period costs the grid points it covered: they are skipped, not made up for, and
    counted in `overruns`.
    """

    def __init__(self, clock: Clock, period: float, body: Callable[[], Awaitable[None]]) -> None:
        """Take the body; nothing runs before `run`."""
        self._clock = clock
        self._body = body
        self.period = period
        self.runs = 0
        self.overruns = 0
        self.duration = 0.0
        """Desk seconds the last run took."""
        self.next_due = 0.0
        """Desk monotonic seconds of the next run."""

    async def run(self) -> None:
        """Run for ever; the first run starts at once."""
        self.next_due = self._clock.monotonic()
        while True:
            started = self._clock.monotonic()
            await self._body()
            self.runs += 1
            now = self._clock.monotonic()
            self.duration = now - started
            self.next_due += self.period
            if now > self.next_due:
                missed = int((now - self.next_due) / self.period) + 1
                self.overruns += missed
                self.next_due += missed * self.period
            await self._clock.sleep(self.next_due - now)
