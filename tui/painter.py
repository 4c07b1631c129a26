"""One turn of the painter serves the one board most overdue, and at most eight changed lines of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tui.widgets.board import Board

ROWS_A_TURN = 8


class Painter:
    """Chooses by due time, so that no board starves and a turn's cost has a bound. Hidden boards get no turn."""

    def __init__(self, boards: Iterable[Board], monotonic: Callable[[], float]) -> None:
        self._boards = tuple(boards)
        self._monotonic = monotonic
        self._due = dict.fromkeys(self._boards, 0.0)

    def turn(self) -> Board | None:
        """Serve one board and return it, None when none is due."""
        now = self._monotonic()
        waiting = [board for board in self._boards if board.display and self._due[board] <= now]
        if not waiting:
            return None
        board = min(waiting, key=self._due.__getitem__)
        if not board.pull(ROWS_A_TURN):
            self._due[board] = now + board.period
        return board

    def hurry(self) -> None:
        """Make every board due: after a change of theme, freeze or selection."""
        self._due = dict.fromkeys(self._boards, 0.0)
