"""A venue's order book kept at home from a snapshot and the changes that follow it (contract section 8.4).

Changes carry a first and a last update id and the last id of the change before them; ids count for all contracts
together, so within one they jump and only the link to the change before proves that none is missing. A snapshot is
joined where a change spans its id. The book refuses what cannot be: a missing link, or bids that cross the asks; it
then wants another snapshot. Pure: no clock, no I/O.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.market_data import DepthSnapshot, DepthUpdate

BUFFER = 2048
"""Changes kept for a snapshot, over three minutes at 100 ms; the oldest go first."""
LEVELS = 10_000
"""Levels a side may hold before the book is built anew."""

Level = tuple[float, float]
_EVERYTHING = float("inf")


class BookState(Enum):
    """How far the book can be trusted."""

    WANTS_SNAPSHOT = "wants a snapshot"
    JOINING = "waits for the change that joins its snapshot"
    WHOLE = "whole"


class LocalBook:
    """The book of one symbol."""

    def __init__(self, symbol: str) -> None:
        """Start without levels; changes are buffered until a snapshot comes."""
        self.symbol = symbol
        self.state = BookState.WANTS_SNAPSHOT
        self.reason = "no snapshot yet"
        """Why the book is not whole; empty when it is."""
        self.rebuilds = 0
        """How often the book had to be given up."""
        self.update_id = -1
        self.event_time = 0
        self._buffer: deque[DepthUpdate] = deque(maxlen=BUFFER)
        self._bids = _Side(-1.0)
        self._asks = _Side(1.0)

    def take(self, update: DepthUpdate) -> bool:
        """Take the next change. Return False when the book has to be built anew: it wants a snapshot then."""
        if self.state is BookState.WANTS_SNAPSHOT:
            self._buffer.append(update)
            return True
        if update.last_id < self.update_id or (self.state is BookState.WHOLE and update.last_id == self.update_id):
            return True  # told before
        follows = update.previous_id == self.update_id
        if self.state is BookState.JOINING:
            follows = follows or update.first_id <= self.update_id <= update.last_id
        if not follows:
            return self._give_up(
                f"a change is missing: after update {self.update_id} came one that follows {update.previous_id}", update
            )
        self._bids.change(update.bids)
        self._asks.change(update.asks)
        self.update_id, self.event_time = update.last_id, update.event_time
        self.state, self.reason = BookState.WHOLE, ""
        bid, ask = self._bids.best(), self._asks.best()
        if bid is not None and ask is not None and bid >= ask:
            return self._give_up(f"the book is crossed: bid {bid} is not below ask {ask}", None)
        if max(len(self._bids), len(self._asks)) > LEVELS:
            return self._give_up(f"the book holds more than {LEVELS} levels a side", None)
        return True

    def _give_up(self, reason: str, update: DepthUpdate | None) -> bool:
        self.forget(reason)
        if update is not None:
            self._buffer.append(update)
        return False

    def forget(self, reason: str) -> None:
        """Give the book up and want a snapshot; nothing buffered is kept."""
        self.rebuilds += self.state is not BookState.WANTS_SNAPSHOT
        self.state, self.reason = BookState.WANTS_SNAPSHOT, reason
        self.update_id = -1
        self._buffer.clear()
        self._bids.clear()
        self._asks.clear()

    def settle(self, snapshot: DepthSnapshot, limit: int) -> bool:
        """Take a snapshot of at most `limit` levels a side and apply what was buffered.

        Return False when it does not join: it is older than the first change kept, or what follows it is broken.
        A snapshot may wait for the change that joins it; until then the book is not whole.
        """
        buffered = [update for update in self._buffer if update.last_id >= snapshot.update_id]
        if buffered and not _joins(buffered[0], snapshot.update_id):
            self.reason = f"the snapshot {snapshot.update_id} is older than the first change {buffered[0].first_id}"
            return False
        self._buffer.clear()
        self._bids.fill(snapshot.bids, limit)
        self._asks.fill(snapshot.asks, limit)
        self.update_id, self.event_time = snapshot.update_id, snapshot.event_time
        self.state, self.reason = BookState.JOINING, "waits for the change that joins its snapshot"
        return all(self.take(update) for update in buffered)

    @property
    def is_whole(self) -> bool:
        """Say whether every level told is the venue's."""
        return self.state is BookState.WHOLE

    def bids(self, levels: int) -> tuple[Level, ...]:
        """Return the best bids; fewer where the snapshot did not reach deeper, none while the book is not whole."""
        return self._bids.top(levels) if self.is_whole else ()

    def asks(self, levels: int) -> tuple[Level, ...]:
        """Return the best asks; fewer where the snapshot did not reach deeper, none while the book is not whole."""
        return self._asks.top(levels) if self.is_whole else ()

    def is_shallow(self, levels: int) -> bool:
        """Say whether the price walked so far off the snapshot that a side is certain for fewer levels than these."""
        return any(side.is_cut and side.known() < levels for side in (self._bids, self._asks))


def _joins(update: DepthUpdate, update_id: int) -> bool:
    return update.first_id <= update_id <= update.last_id or update.previous_id == update_id


class _Side:
    """One side, best price first. Prices are kept with their sign turned, so that both sides ascend."""

    def __init__(self, sign: float) -> None:
        self._sign = sign
        self._keys: list[float] = []
        self._quantities: dict[float, float] = {}
        self._horizon = _EVERYTHING
        """The key up to which every level is known: as deep as the snapshot reached."""

    def __len__(self) -> int:
        return len(self._keys)

    def clear(self) -> None:
        self._keys.clear()
        self._quantities.clear()
        self._horizon = _EVERYTHING

    def fill(self, levels: tuple[Level, ...], limit: int) -> None:
        self._quantities = {price * self._sign: quantity for price, quantity in levels if quantity > 0}
        self._keys = sorted(self._quantities)
        is_cut = len(levels) >= limit
        self._horizon = self._keys[-1] if is_cut and self._keys else _EVERYTHING

    def change(self, levels: Iterable[Level]) -> None:
        for price, quantity in levels:
            key = price * self._sign
            if quantity > 0:
                if key not in self._quantities:
                    insort(self._keys, key)
                self._quantities[key] = quantity
            elif self._quantities.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]

    def best(self) -> float | None:
        return self._keys[0] * self._sign if self._keys else None

    @property
    def is_cut(self) -> bool:
        return self._horizon < _EVERYTHING

    def known(self) -> int:
        return bisect_left(self._keys, self._horizon) + (self._horizon in self._quantities)

    def top(self, levels: int) -> tuple[Level, ...]:
        keys = self._keys[: min(levels, self.known())]
        return tuple((key * self._sign, self._quantities[key]) for key in keys)
