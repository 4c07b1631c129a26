"""Compile every kernel once, with visible progress, so that no trading loop ever waits for a compiler.

Run by `make run` and `make test` after an install, and at every start of the desk, which then only loads the cache. A
desk needs nothing of the backtest: its kernels are compiled at the install and loaded by `perpdesk backtest`.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis import warm as analysis
from engine.analysis.layout import BAR
from engine.analysis.tables import make_tables
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


def warm_backtest(progress: Callable[[str], None] = lambda _: None) -> None:
    """Make the kernels that only a backtest needs callable without delay."""
    from engine.backtest.gates import Limits, judge  # noqa: PLC0415 - a desk never loads it
    from engine.backtest.symbols import first_beyond  # noqa: PLC0415

    progress("backtest kernels (the first time this compiles for about a quarter of a minute)")
    nothing = np.zeros(0, BAR)
    one = np.zeros(1, BAR)
    list(judge(make_tables(1), 0, (one, nothing, nothing), 1, Limits(0.5, 0.0, 0.001, 0.0, 1.0, 1.0, 1.5, 8.0)))
    first_beyond(np.zeros(0), np.zeros(0), 0, 0, 1.0, 0.0)
    book = VirtualBook(8)
    book.open(_opening(), 0)
    book.pass_bars(0, np.array([(10_000, 100.5, 100.5, 100.5)]))


def _market_kernels() -> None:
    """Enter one symbol and offer frames that are none."""
    lane = BookLane(Quotes(1))
    lane.know({"WARM": 0})
    lane.take([b"{}"] * 8)


def _position_kernels() -> None:
    """Walk one position of a throw-away book through a look, a trigger and a change of schedule."""
    book = VirtualBook(8)
    book.open(_opening(), 0)
    price = np.array([100.5])
    book.tick(10_000, price, price, price)
    book.set_smart(smart=False, now_ms=10_000)
    high = np.array([103.0])
    book.tick(20_000, high, price, high)


def _opening() -> Opening:
    return Opening("warm", "WARM", 0, 2, Direction.LONG, 100.0, 99.0, 102.0, Decimal(1), 1.0)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    warm(_say)
    warm_backtest(_say)
