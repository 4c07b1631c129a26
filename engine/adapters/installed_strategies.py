"""Finds strategies that installed packages offer, in the entry point group `perpdesk.strategies`."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from engine.strategy.guests import Guest, Guests, why_not
from engine.strategy.plugin import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint


def installed_strategies() -> Guests:
    """Load every offered strategy; one that cannot be loaded becomes a sentence, never an error."""
    return load_strategies(sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)))


def load_strategies(points: Iterable[EntryPoint]) -> Guests:
    """Load the given entry points in order."""
    guests: list[Guest] = []
    refused: list[str] = []
    for point in points:
        origin = f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
        strategy, fault = _made(point)
        fault = fault or why_not(point.name, strategy, [guest.name for guest in guests])
        if fault:
            words = " ".join(fault.split())
            what = f"strategy {point.name} of {origin} ({point.value}) is left out"
            refused.append(f"{what}: {words}; repair or uninstall the package")
        else:
            guests.append(Guest(point.name, strategy, origin))  # type: ignore[arg-type] # why_not has looked
    return Guests(guests, refused)


def _made(point: EntryPoint) -> tuple[object, str]:
    """Return the strategy behind an entry point, or what went wrong."""
    try:
        offered = point.load()
        return (offered() if isinstance(offered, type) else offered), ""
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an import from outside may do anything
        return None, f"{type(error).__name__}: {error}"
