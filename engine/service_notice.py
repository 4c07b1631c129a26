"""What a service manager is told of the engine (sd_notify): ready, alive, stopping, and one line of status. Pure.

Alive means that the desk itself publishes, not only that the loop turns. Ready means that the desk runs: the exchange
may still be away, and a desk that waits for it with positions open must not be ended for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.health import ALIVE_S

if TYPE_CHECKING:
    from engine.snapshot import Snapshot

STARTING: Final = "STATUS=starting"
STOPPING: Final = "STOPPING=1"


def notice(snapshot: Snapshot | None, age_s: float) -> tuple[str, ...]:
    """Return the assignments to send now; `age_s` is how many real seconds ago the snapshot was published."""
    if snapshot is None:
        return (STARTING,)
    if snapshot.phase == "stopping":
        return STOPPING, _status(f"stopping: {snapshot.phase_text}")
    if age_s >= ALIVE_S:
        return (_status(f"standing still for {age_s:.0f} s"),)
    return "READY=1", "WATCHDOG=1", _status(_words(snapshot))


def _status(text: str) -> str:
    """Return the assignment; a line end in a text from outside must not become another one."""
    return "STATUS=" + "".join(letter if letter.isprintable() else " " for letter in text)


def _words(snapshot: Snapshot) -> str:
    words = [f"{snapshot.trading} on {snapshot.environment}", snapshot.phase, f"entries {snapshot.entries}"]
    hand = snapshot.hand
    if hand is not None:
        armed = "armed" if hand.arming.armed else "not armed"
        words += [hand.step, armed, f"{len(hand.coverage)} positions, {hand.naked} naked, {hand.unknown} unknown"]
    return ", ".join(words)
