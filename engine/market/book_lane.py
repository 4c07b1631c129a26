"""The short way of book tops: from the frames of one wake-up into the quote columns, without a message in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.market.book_kernel import NAME_BYTES, PAD, TABLE, enter_name, read_books

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.market.quotes import Quotes

_WORTH = 4
"""Fewer frames than this are cheaper on the usual way: calling the kernel costs as much as decoding two of them."""


class BookLane:
    """Fills the book columns of one quote table."""

    def __init__(self, quotes: Quotes) -> None:
        """Know no member yet."""
        self._quotes = quotes
        self._table = np.full(TABLE, -1, dtype=np.int32)
        self._names = np.zeros((quotes.slots, NAME_BYTES), dtype=np.uint8)
        self._sizes = np.zeros(quotes.slots, dtype=np.int32)

    def know(self, slots: Mapping[str, int]) -> None:
        """Replace the members: symbol to slot."""
        self._table.fill(-1)
        for symbol, slot in slots.items():
            name = symbol.encode()
            if len(name) <= NAME_BYTES:
                data = np.frombuffer(name, dtype=np.uint8)
                enter_name(data, len(name), slot, self._table, self._names, self._sizes)

    def take(self, frames: Sequence[bytes]) -> Sequence[bytes]:
        """Take the usual book tops of members into the columns; return the other frames in their order."""
        count = len(frames)
        if count < _WORTH:
            return frames
        data = np.frombuffer(b"".join((*frames, PAD)), dtype=np.uint8)
        ends = np.fromiter(map(len, frames), np.int64, count).cumsum()
        taken = np.zeros(count, dtype=np.bool_)
        quotes = self._quotes
        found = read_books(
            data, ends, self._table, self._names, self._sizes, quotes.bid, quotes.ask, quotes.book_time, taken
        )
        if found == count:
            return ()
        return [frame for frame, is_taken in zip(frames, taken.tolist(), strict=True) if not is_taken]
