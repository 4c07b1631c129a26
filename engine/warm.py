"""Compile every kernel once, with visible progress, so that no trading loop ever waits for a compiler.

Run by `make run` and `make test` after an install, and at every start of the desk, which then only loads the cache.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis import warm as analysis
from engine.market.book_lane import BookLane
from engine.market.quotes import Quotes
from engine.positions.book import VirtualBook
from engine.positions.opening import Opening
from engine.strategy import warm as strategy
from engine.strategy.candidate import Direction

if TYPE_CHECKING:
    from collections.abc import Callable


def warm(progress: Callable[[str], None] = lambda _: None) -> None:
    """Make every kernel of the desk callable without delay, telling `progress` one line before each."""
    analysis.warm(progress)
    strategy.warm(progress)
    progress("market kernels")
    _market_kernels()
    progress("position kernels")
    _position_kernels()
    progress("all kernels ready")


def _market_kernels() -> None:
    """Enter one symbol and offer frames that are none."""
    lane = BookLane(Quotes(1))
    lane.know({"WARM": 0})
    lane.take([b"{}"] * 8)


def _position_kernels() -> None:
    """Walk one position of a throw-away book through a look, a trigger and a change of schedule."""
    book = VirtualBook(8)
    opening = Opening("warm", "WARM", 0, 2, Direction.LONG, 100.0, 99.0, 102.0, Decimal(1), 1.0)
    book.open(opening, 0)
    price = np.array([100.5])
    book.tick(10_000, price, price, price)
    book.set_smart(smart=False, now_ms=10_000)
    high = np.array([103.0])
    book.tick(20_000, high, price, high)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    warm(_say)
