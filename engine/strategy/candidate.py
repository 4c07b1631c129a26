"""What a strategy proposes: one symbol's candidate with its reasons."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class StrategyName(StrEnum):
    """The three strategies of the desk; also the values of STRATEGY_MODE."""

    ICT = "ict"
    SELF_LEARNING = "self_learning"
    HYBRID = "hybrid"


class Direction(StrEnum):
    """Side of a candidate or position."""

    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def sign(self) -> int:
        """Return +1 for LONG, -1 for SHORT."""
        return 1 if self is Direction.LONG else -1


class Step(msgspec.Struct, frozen=True):
    """One line of provenance: a step of the reasoning and the object it rests on."""

    step: str
    """Short name of the step, e.g. `bias` or `sweep`."""
    text: str
    """A complete sentence with the numbers."""
    frame: str = ""
    """Frame of the object, empty where none."""
    at: int = 0
    """Open time (UTC ms) of the bar the object is drawn on, 0 where none."""
    known: int = 0
    """Close time (UTC ms) of the bar at which the object first existed, 0 where none."""
    level: float = 0.0
    """Price the step rests on, 0 where none."""


class Candidate(msgspec.Struct, frozen=True):
    """At most one per strategy and symbol and cycle. Prices in quote units."""

    strategy: str
    """One of `StrategyName`, or the name of a strategy from outside (`engine.strategy.plugin`)."""
    symbol: str
    direction: Direction
    pattern: str
    entry: float
    stop: float
    targets: tuple[float, ...]
    """Nearest first; the first one is the take-profit."""
    confidence: float
    sub_scores: dict[str, float]
    """Each in [0, 1], in the order of their weight."""
    provenance: tuple[Step, ...]
    bar_close: int
    """Close time (UTC ms) of the newest closed bar the candidate rests on."""
    anchor: int = 0
    """Close time (UTC ms) at which the set-up came into being; it stays while the set-up lives and so names it."""
    expires: int = 0
    """UTC ms at which the set-up ends, 0 where nothing ends it."""
    limit: bool = False
    """Whether the entry waits for price to come to it; else it is taken at the market."""

    @property
    def reward_risk(self) -> float:
        """Return R:R of the first target."""
        risk = abs(self.entry - self.stop)
        return abs(self.targets[0] - self.entry) / risk if risk > 0 and self.targets else 0.0


class NoCandidate(msgspec.Struct, frozen=True):
    """Why a strategy proposed nothing for a symbol: the gate that stopped it and by how much."""

    strategy: str
    symbol: str
    gate: str
    text: str
    distance: float = 0.0
