"""The strategies that may be made the acting one: the three of the desk, and those from outside that take part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import texts

if TYPE_CHECKING:
    from engine.snapshot import Snapshot


def modes(snapshot: Snapshot | None) -> tuple[tuple[str, str, str], ...]:
    """Return (name, title, sentence) of every mode there is to choose."""
    known = {name for name, _, _ in texts.MODES}
    others = [row.strategy for row in snapshot.standings if row.strategy not in known] if snapshot else []
    return (*texts.MODES, *((name, name.upper().replace("_", "-"), texts.MODE_GUEST) for name in others))
