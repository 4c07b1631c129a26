"""The book with its retail price improvement orders, which depth and bookTicker leave out and rpiDepth shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.tape import Book

if TYPE_CHECKING:
    from exchange.simulator.tape import Levels, Tape

_EVERY = 4
"""One price in so many holds such orders."""
_SHARE = 0.25
"""How much they add to what the price holds."""


def rpi_book(tape: Tape, index: int) -> Book:
    """Return the contract's book including retail orders; the best prices are the same."""
    instrument = tape.listings[index].instrument
    tick, lot = float(instrument.tick), float(instrument.lot.step)
    bids, asks = tape.book(index)
    return Book(_with_retail(bids, tick, lot), _with_retail(asks, tick, lot))


def _with_retail(levels: Levels, tick: float, lot: float) -> Levels:
    return [
        (
            price,
            quantity + max(1, round(quantity * _SHARE / lot)) * lot if round(price / tick) % _EVERY == 0 else quantity,
        )
        for price, quantity in levels
    ]
