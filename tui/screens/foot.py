"""A line to type in at the foot of the screen, with help below it: the base of filter and jump."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from tui.lines import Line, wrapped
from tui.widgets.board import Board, Row

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.view import View

TYPED_MAX = 200


class _FootBoard(Board):
    def __init__(self, view: View, foot: FootScreen) -> None:
        super().__init__(view, board_id="foot")
        self._foot = foot

    def dims_when_stale(self) -> bool:
        return False

    def draw(self, width: int, height: int) -> list[Row]:
        return [(line, "box") for line in self._foot.lines(width)[:height]]


class FootScreen(ModalScreen[None]):
    """Asks at the foot. Subclasses give `prompt` and `below` and handle keys, then call `show`."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.view = view
        self._board = _FootBoard(view, self)

    def prompt(self) -> Line:
        """Return the line with what was typed."""
        raise NotImplementedError

    def below(self) -> tuple[str, str]:
        """Return the text under it and its style; it is wrapped."""
        raise NotImplementedError

    def lines(self, width: int) -> list[Line]:
        """Return every line."""
        text, style = self.below()
        return [self.prompt(), *(((" ", style), *line) for line in wrapped(text, width - 2, style))]

    def compose(self) -> ComposeResult:
        """Mount the board."""
        yield self._board

    def on_mount(self) -> None:
        """Place it at the foot."""
        self.show()

    def on_resize(self) -> None:
        """Keep it there."""
        self.show()

    def show(self) -> None:
        """Place the board, as high as its lines, and draw it."""
        columns, rows = self.app.size
        height = min(len(self.lines(columns)), rows)
        self._board.styles.width, self._board.styles.height = columns, height
        self._board.styles.offset = (0, rows - height)
        self._board.redraw()
