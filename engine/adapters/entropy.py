"""The Entropy port: the system's randomness, or a seeded one that repeats."""

from __future__ import annotations

import random

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class RandomEntropy:
    """Numbers and ids from a `random.Random`; a seed makes the sequence repeat."""

    def __init__(self, seed: int | None = None) -> None:
        """Use the operating system's randomness unless a seed is given."""
        self._random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 - jitter and ids

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()

    def token(self, length: int) -> str:
        """Return `length` characters from `[0-9a-z]`."""
        return "".join(self._random.choices(ALPHABET, k=length))
