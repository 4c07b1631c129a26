"""Whether the account may take another entry at all, before anything is sized. Exits never ask here.

Specification sections 6.2 and 6.3: halts, the account protection, the number of positions, entries per cycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from engine.risk.protection import ProtectionState


class AdmissionLimits(msgspec.Struct, frozen=True):
    """Settings."""

    max_positions: int = 999
    """`trading.max_positions`; the specification itself limits no number."""
    max_entries: int = 5
    """`risk.max_orders_per_cycle`."""


class Situation(msgspec.Struct, frozen=True):
    """How the account stands at the instant of the question."""

    halted: str
    """Why the desk takes no entries at all, empty when it does."""
    positions: int
    """Open positions and standing orders to open one."""
    entries: int
    """Entries this cycle has decided on already."""


def why_not(
    confidence: float, situation: Situation, protection: ProtectionState, limits: AdmissionLimits | None = None
) -> str:
    """Return why an entry of this confidence may not follow, empty when it may."""
    limits = limits or AdmissionLimits()
    effects, level = protection.effects, protection.level.name
    floor, most, held, taken = effects.confidence_floor, effects.max_positions, situation.positions, situation.entries
    conditions = (
        (bool(situation.halted), f"new entries are halted: {situation.halted}"),
        (not effects.entries_allowed, f"account protection {level}: {protection.reason}"),
        (confidence < floor, f"account protection {level} asks for confidence {floor:.2f}, this is {confidence:.2f}"),
        (
            most is not None and held >= most,
            f"account protection {level} allows {most} positions, {held} are open",
        ),
        (
            held >= limits.max_positions,
            f"{held} positions are open, trading.max_positions allows {limits.max_positions}",
        ),
        (
            taken >= limits.max_entries,
            f"{taken} entries this cycle already, risk.max_orders_per_cycle allows {limits.max_entries}",
        ),
    )
    return next((text for holds, text in conditions if holds), "")
