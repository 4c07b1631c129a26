"""One turn of the painter repaints one board, the most overdue, and at most eight changed lines of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tui.widgets.board import Board

ROWS_A_TURN = 8
LOOKS_A_TURN = 3


class Painter:
    """Chooses by due time, so that no board starves and a turn's cost has a bound. Hidden boards get no turn."""

    def __init__(self, boards: Iterable[Board], monotonic: Callable[[], float], *, least_period: float = 0.0) -> None:
        """`least_period` is the shortest time in seconds between two looks of any board at its data."""
        self._boards = tuple(boards)
        self._monotonic = monotonic
        self._least_period = least_period
        self._due = dict.fromkeys(self._boards, 0.0)

    def turn(self) -> list[Board]:
        """Serve the most overdue board, and more only while those before had nothing to repaint; return the served."""
        now = self._monotonic()
        waiting = [board for board in self._boards if board.display and self._due[board] <= now]
        waiting.sort(key=self._due.__getitem__)
        served: list[Board] = []
        for board in waiting[:LOOKS_A_TURN]:
            served.append(board)
            before = board.repainted
            if not board.pull(ROWS_A_TURN):
                self._due[board] = now + max(board.period, self._least_period)
            if board.repainted > before:
                break
        return served

    def hurry(self, board: Board) -> None:
        """Make a board the most overdue one: what it waited for has arrived."""
        self._due[board] = 0.0
