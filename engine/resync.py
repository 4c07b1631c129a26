"""Notices that the desk's loop stood still, and lets no entry happen on what was known before (reliability F47)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from engine.events import EventKind, Severity

if TYPE_CHECKING:
    from engine.desk import Desk

SEEN_S: Final = 0.25
"""Lateness that is told."""
RESYNC_S: Final = 5.0
"""Lateness after which the exchange is read again before new entries."""
TELL_EVERY_S: Final = 60.0


class Resync:
    """Measures how late one desk's loop runs, in real seconds, and reads the exchange again after a long stall.

    `beat` is called at every tick and wherever something is about to be decided on; it is cheap. While `reason` is not
    empty there are no new entries: waiting ones have been withdrawn, positions are watched as ever.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last: float | None = None
        self._told = float("-inf")
        self._untold = 0
        self._asked = asyncio.Event()
        self.reason = ""

    def beat(self) -> None:
        """Compare this instant with the previous beat."""
        now = self._desk.vitals.instant()
        period = self._desk.pace.tick_s / self._desk.identity.speed
        late = 0.0 if self._last is None else now - self._last - period
        self._last = now
        if late > RESYNC_S:
            self._stalled(late)
        elif late > SEEN_S:
            self._tell(late, now)

    async def run(self) -> None:
        """Read the exchange again whenever a long stall was noticed, until it answers; for ever."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self._desk.read_again()
            if not self._asked.is_set():
                self.reason = ""
                self._desk.chronicle.say(
                    EventKind.SYSTEM,
                    "the exchange was read again after the stall; entries are allowed",
                    Severity.NOTICE,
                )

    def _stalled(self, late: float) -> None:
        desk = self._desk
        withdrawn = len(desk.pending.keep(()))
        self.reason = f"the desk stood still for {late:.1f} s and reads the exchange again"
        self._asked.set()
        text = f"{self.reason}; {withdrawn} waiting entries withdrawn, no new ones until it has been read"
        desk.chronicle.say(EventKind.SYSTEM, text, Severity.ALERT)

    def _tell(self, late: float, now: float) -> None:
        """Tell a stall, at most one a minute: on a busy machine they come in crowds."""
        if now - self._told < TELL_EVERY_S:
            self._untold += 1
            return
        more = f" ({self._untold} more in between)" if self._untold else ""
        self._told, self._untold = now, 0
        text = f"the desk stood still for {late * 1000:.0f} ms{more}; prices of that time were judged late"
        self._desk.chronicle.say(EventKind.SYSTEM, text, Severity.WARNING)
