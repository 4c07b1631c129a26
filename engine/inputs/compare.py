"""Compares what two runs decided, and names why they differ."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.inputs.player import Decided


class Difference(msgspec.Struct, frozen=True):
    """One decision that only one run made, or that the runs made differently."""

    how: str
    """`missing` here, `extra` here, `other` content, or `moved` in the order."""
    what: str
    time: int
    """UTC ms of the desk."""
    turn: int
    """Input at which it was decided, 0 where it is known from a journal only."""
    cause: str
    """That input, in a few words."""


class Comparison(msgspec.Struct, frozen=True):
    """Two sequences of decisions."""

    there: int
    here: int
    there_hash: str
    here_hash: str
    differences: tuple[Difference, ...]
    """In the order of time, the first one first."""

    @property
    def same(self) -> bool:
        """Say whether they are the same, byte for byte and in order."""
        return self.there_hash == self.here_hash


def hash_of(decisions: Iterable[tuple[int, str, bytes]]) -> str:
    """Return one SHA-256 over the digests of decisions in their order, as a backtest prints it."""
    digest = hashlib.sha256()
    for _, _, one in decisions:
        digest.update(one)
    return digest.hexdigest()


def compare(there: Sequence[Decided], here: Sequence[Decided]) -> Comparison:
    """Compare a recorded run with one that repeats it.

    Decisions are the same thing when time and words are: what differs then is their content.
    """
    hashes = hash_of(one.decision for one in there), hash_of(one.decision for one in here)
    found: tuple[Difference, ...] = ()
    if hashes[0] != hashes[1]:
        found = tuple(sorted(_differences(there, here), key=lambda one: (one.time, one.turn)))
    return Comparison(len(there), len(here), *hashes, found)


def _differences(there: Sequence[Decided], here: Sequence[Decided]) -> list[Difference]:
    waiting: dict[tuple[int, str], deque[Decided]] = defaultdict(deque)
    for one in here:
        waiting[one.decision[:2]].append(one)
    found = []
    for one in there:
        partners = waiting[one.decision[:2]]
        if not partners:
            found.append(_told("missing", one))
        elif partners.popleft().decision[2] != one.decision[2]:
            found.append(_told("other", one))
    found += [_told("extra", one) for left in waiting.values() for one in left]
    if not found:
        first = next(pair[0] for pair in zip(there, here, strict=True) if pair[0].decision != pair[1].decision)
        found.append(_told("moved", first))
    return found


def _told(how: str, one: Decided) -> Difference:
    time, what, _ = one.decision
    return Difference(how, what, time, one.at.turn, one.at.cause)


def counted(differences: Iterable[Difference]) -> dict[str, int]:
    """Return how many differences there are of each kind."""
    return dict(Counter(one.how for one in differences))
