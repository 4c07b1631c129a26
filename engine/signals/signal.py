"""A judged candidate: what is journaled whatever becomes of it."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import NamedTuple

import msgspec

from engine.signals.features import feature_rows
from engine.signals.quality import DimensionCount, Quality, count
from engine.strategy.candidate import Candidate, Direction
from engine.strategy.facts import Facts
from engine.strategy.reading import Reading


class SignalState(StrEnum):
    """What a cycle made of a candidate."""

    ACCEPTED = "accepted"
    CANDIDATE = "candidate"


class RowSource(NamedTuple):
    """What a candidate's feature row is made from beside the candidate itself."""

    market: tuple[float, ...]
    """The market columns of the row, as the cycle saw them."""
    facts: Facts
    reading: Reading


class Signal(msgspec.Struct, frozen=True):
    """One candidate with its quality, its worth and its fate in one cycle."""

    signal_id: str
    """The same in every cycle the set-up lives in: journal and trade once."""
    time: int
    """UTC ms of the cycle."""
    candidate: Candidate
    quality: Quality
    p_win: float
    p_source: str
    """`predictor`, `trained head` or `shrunk win rate`."""
    costs_r: float
    expected_r: float
    rank: int
    """1 = best of the acting strategy's candidates that passed the gates, 0 where none was given."""
    executable: bool
    """Accepted and within EXECUTE_RANK: may trade live."""
    state: SignalState
    reason: str
    """Why it is not accepted; for an accepted one what it stands on."""
    source: RowSource
    """What its feature row is made from."""
    gate: str = ""
    """What kept it from being accepted (`engine.signals.gates`), empty for an accepted one."""
    distance: float = 0.0
    """By how much, in the unit of the gate."""
    misses: tuple[tuple[str, float], ...] = ()
    """(quality dimension, distance to its limit) of every limit that was missed, hard or not."""

    @property
    def features(self) -> tuple[float, ...]:
        """Return the feature row (`ml.schema`) at this cycle."""
        row: list[float] = feature_rows([(self.candidate, *self.source)])[0].tolist()
        return tuple(row)

    @property
    def passed(self) -> bool:
        """Say whether all hard gates were passed: the virtual book may take it."""
        return self.quality.dropped_by is None


class Selection(msgspec.Struct, frozen=True):
    """What one cycle made of all candidates."""

    time: int
    mode: str
    """The acting strategy."""
    signals: tuple[Signal, ...]
    """All judged candidates of all strategies."""
    accepted: tuple[Signal, ...]
    """Of the acting strategy, best first."""
    fallen: tuple[Signal, ...]
    """The acting strategy's others, each with its reason."""
    virtual: tuple[Signal, ...]
    """Candidates of all three strategies that passed the gates, one per (strategy, symbol)."""
    candidates: tuple[tuple[str, int], ...]
    """(strategy, candidates)."""
    long_share: float
    """Among the accepted, NaN where none."""

    @property
    def dimensions(self) -> tuple[DimensionCount, ...]:
        """Return kept and dropped per dimension over the candidates of all strategies."""
        return count(signal.quality for signal in self.signals)

    def signal_of(self, strategy: str, symbol: str) -> Signal | None:
        """Return the signal of one strategy and symbol, None where it proposed nothing."""
        for signal in self.signals:
            if signal.candidate.symbol == symbol and signal.candidate.strategy == strategy:
                return signal
        return None


def signal_id(candidate: Candidate) -> str:
    """Return the id of a candidate's set-up: the same as long as strategy, symbol, side, pattern and anchor are."""
    side = "L" if candidate.direction is Direction.LONG else "S"
    text = f"{candidate.strategy}|{candidate.symbol}|{side}|{candidate.pattern}|{candidate.anchor}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
