"""Replacing a socket without losing or repeating a frame: the old one goes on while the new one is heard aside.

Both carry the same frames in the same order, the old one for longer. Frames of the new one are kept until the old one
is left; then those the old one did not deliver follow. Frames are compared as they stand on the wire.
"""

from __future__ import annotations

from collections import Counter

KEPT = 65_536
"""Frames of the new socket kept at most; a venue that sends more within the overlap is handed over at once."""


class Handover:
    """One replacement under way."""

    def __init__(self, bound: int = KEPT) -> None:
        """Begin when the new socket is dialled, so that every frame both carry is compared."""
        self._bound = bound
        self._delivered: Counter[int] = Counter()
        """Frames by their hash: two that differ and share one are rarer than a broken disk."""
        self._kept: list[bytes] = []

    @property
    def is_full(self) -> bool:
        """Say whether the old socket must be left now."""
        return len(self._kept) >= self._bound or len(self._delivered) >= self._bound

    def delivered(self, raw: bytes) -> None:
        """Note a frame that the old socket delivered."""
        self._delivered[hash(raw)] += 1

    def keep(self, raw: bytes) -> None:
        """Keep a frame of the new socket."""
        self._kept.append(raw)

    def restart(self) -> None:
        """Forget everything: the new socket was lost and begins anew."""
        self._delivered.clear()
        self._kept.clear()

    def finish(self) -> list[bytes]:
        """Return the kept frames that the old socket did not deliver, in order; the handover is over."""
        kept, self._kept = self._kept, []
        left = []
        for raw in kept:
            if self._delivered[hash(raw)] > 0:
                self._delivered[hash(raw)] -= 1
            else:
                left.append(raw)
        self._delivered.clear()
        return left
