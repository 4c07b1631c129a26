"""How often the engine was started again after an end nobody asked for, over processes. Pure.

A desk that does not stay up protects at every start and trades at none: three such starts in ten minutes are told as a
top alert. An end that was asked for, or that forbids a restart, leaves no trace here.
"""

from __future__ import annotations

from typing import Final

import msgspec

NAME: Final = "restarts.json"
WINDOW_MS: Final = 600_000
STORM: Final = 3


class Restarts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the data folder keeps of starts and ends. Instants are UTC milliseconds of the machine."""

    running: bool = False
    """Whether a process runs, or ended without a word."""
    restarts: tuple[int, ...] = ()
    """When processes were started in the place of such a one, within the window."""

    def count(self, now_ms: int) -> int:
        """Return the restarts of the last ten minutes."""
        return sum(0 <= now_ms - at < WINDOW_MS for at in self.restarts)


def begun(before: Restarts, now_ms: int) -> Restarts:
    """Return what is to be kept once a process has started."""
    kept = tuple(at for at in before.restarts if 0 <= now_ms - at < WINDOW_MS)
    return Restarts(running=True, restarts=(*kept, now_ms) if before.running else kept)


def ended(before: Restarts) -> Restarts:
    """Return what is to be kept once a process ended as it was meant to."""
    return Restarts(running=False, restarts=before.restarts)


def read(data: bytes) -> Restarts:
    """Return what was kept. A file nobody can read is as none: this only counts, it decides nothing."""
    try:
        return msgspec.json.decode(data, type=Restarts) if data.strip() else Restarts()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Restarts()


def told(count: int) -> str:
    """Return the sentence for the operator, empty where there is nothing to tell."""
    if not count:
        return ""
    times = "once" if count == 1 else f"{count} times"
    text = f"the engine was started again {times} within 10 minutes after an end nobody asked for"
    return f"{text}: look into perpdesk.log before it goes on" if count >= STORM else text
