"""Whether a venue still is what the desk was built for."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Weight(StrEnum):
    """What a finding means for orders."""

    BLOCKS = "blocks"
    """New entries stay off until the venue or the desk has changed."""
    WARNS = "warns"
    """The venue grew; the desk goes on without what is new."""
    UNSURE = "unsure"
    """The check could not be made; it is made again soon."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is not as the contract the desk was built for says."""

    name: str
    expected: str
    seen: str
    consequence: str
    weight: Weight = Weight.BLOCKS

    @property
    def text(self) -> str:
        """Return one line for the operator."""
        return f"{self.name}: expected {self.expected}, seen {self.seen}; {self.consequence}"


class Capability(msgspec.Struct, frozen=True):
    """The outcome of one probe of the venue."""

    checked_ms: int
    checks: tuple[str, ...]
    """What was looked at."""
    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Return the findings that keep new entries off."""
        return tuple(finding for finding in self.findings if finding.weight is Weight.BLOCKS)

    @property
    def unsure(self) -> bool:
        """Say whether a check could not be made."""
        return any(finding.weight is Weight.UNSURE for finding in self.findings)

    @property
    def entries_off(self) -> str:
        """Return why new entries are off, empty where they are not."""
        names = ", ".join(finding.name for finding in self.blocking)
        return f"the exchange is not as expected ({names})" if names else ""
