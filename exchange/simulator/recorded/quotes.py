"""The present prices of a session's symbols: what was seen last, and estimates of what was never recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.market import Columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from exchange.simulator.market import Listing
    from exchange.simulator.price_grid import Floats, Grids
    from exchange.simulator.recorded.beginning import Beginning
    from exchange.simulator.recorded.wire import BookSeen, MarkSeen

USUAL_RATE = 0.0001
HOUR_MS = 3_600_000


class Quotes:
    """One entry per symbol of everything that `Columns` tells."""

    def __init__(self, beginning: Beginning, listings: Sequence[Listing], grids: Grids, *, has_books: bool) -> None:
        """Begin with what REST said; what it did not say is estimated from the last price."""
        names = [listing.instrument.symbol for listing in listings]
        books = [beginning.books.get(name) for name in names]
        marks = [beginning.marks.get(name) for name in names]
        self._has_books = has_books
        self._tick = grids.price.step
        lot = grids.lot.step
        self.last: Floats = np.array([beginning.tickers[name].last for name in names])
        self.bid, self.ask = self.last.copy(), self.last + self._tick
        self.bid_quantity, self.ask_quantity = lot.copy(), lot.copy()
        self._mark, self._index_price = self.last.copy(), self.last.copy()
        self._rate: Floats = np.full(len(names), USUAL_RATE)
        self._due: npt.NDArray[np.int64] = np.zeros(len(names), np.int64)
        self._period = np.array([listing.funding_hours for listing in listings], np.int64) * HOUR_MS
        for i, book in enumerate(books):
            if book is not None:
                self.bid[i], self.bid_quantity[i] = book.bid, book.bid_quantity
                self.ask[i], self.ask_quantity[i] = book.ask, book.ask_quantity
        for i, mark in enumerate(marks):
            if mark is not None:
                self._mark[i], self._index_price[i] = mark.mark, mark.index
                self._rate[i], self._due[i] = mark.funding_rate, mark.next_funding
        self.moved: npt.NDArray[np.bool_] = np.zeros(len(names), np.bool_)

    def see_book(self, seen: BookSeen) -> None:
        """Take over best bid and ask; a frame that came is told again, whatever changed in it."""
        i = seen.listing
        self.bid[i], self.bid_quantity[i] = seen.bid, seen.bid_quantity
        self.ask[i], self.ask_quantity[i] = seen.ask, seen.ask_quantity
        self.moved[i] = True

    def see_mark(self, seen: MarkSeen) -> None:
        """Take over mark, index and funding."""
        i = seen.listing
        self._mark[i], self._index_price[i] = seen.mark, seen.index_price
        self._rate[i], self._due[i] = seen.rate, seen.due

    def see_price(self, i: int, price: float) -> None:
        """Take over a last price; without recorded books the best prices follow it one tick apart."""
        if price == self.last[i]:
            return
        self.last[i] = price
        if not self._has_books:
            self.bid[i], self.ask[i] = price, price + self._tick[i]
            self.moved[i] = True

    def columns(self, now_ms: int) -> Columns:
        """Return the present state as arrays of its own."""
        due = self._due
        passed = due <= now_ms
        if passed.any():
            # The frame with the next funding time has not come yet, or was never recorded.
            due = np.where(passed, (now_ms // self._period + 1) * self._period, due)
        return Columns(
            last=self.last.copy(),
            bid=self.bid.copy(),
            bid_quantity=self.bid_quantity.copy(),
            ask=self.ask.copy(),
            ask_quantity=self.ask_quantity.copy(),
            mark=self._mark.copy(),
            index_price=self._index_price.copy(),
            funding_rate=self._rate.copy(),
            next_funding=due.copy(),
            changed=self.moved.copy(),
        )
