"""The filter line at the foot of the screen: applied while it is typed, a wrong one says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import ModalScreen

from tui import texts
from tui.filtering import FilterError
from tui.widgets.board import Board, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult
    from textual.events import Key

    from tui.lines import Line
    from tui.view import View

_TYPED_MAX = 200


class _FilterLines(Board):
    def __init__(self, view: View, lines: Callable[[], list[Line]]) -> None:
        super().__init__(view, board_id="filter-lines")
        self._lines = lines

    def dims_when_stale(self) -> bool:
        return False

    def draw(self, width: int, height: int) -> list[Row]:
        del width
        return [(line, "box") for line in self._lines()[:height]]


class FilterScreen(ModalScreen[None]):
    """Edits a filter; enter keeps it, esc brings the old one back (and clears an old one that was not touched)."""

    def __init__(self, view: View, title: str, start: str, fields: Iterable[str], apply: Callable[[str], None]) -> None:
        """`apply` raises FilterError for a filter that cannot be understood."""
        super().__init__()
        self._title = title
        self._start = start
        self._typed = start
        self._fields = " ".join(fields)
        self._apply = apply
        self._error = ""
        self._board = _FilterLines(view, self._lines)

    def compose(self) -> ComposeResult:
        """Mount the two lines."""
        yield self._board

    def on_mount(self) -> None:
        """Place the lines at the foot."""
        self.on_resize()

    def on_resize(self) -> None:
        """Keep them at the foot."""
        columns, rows = self.app.size
        self._board.styles.width, self._board.styles.height = columns, 2
        self._board.styles.offset = (0, rows - 2)
        self._board.redraw()

    def _lines(self) -> list[Line]:
        help_line = texts.FILTER_HELP.format(fields=self._fields)
        below: Line = ((" " + (self._error or help_line), "alert" if self._error else "dim"),)
        return [((f" {self._title} / ", "key"), (self._typed, "strong"), ("_", "dim")), below]

    def on_key(self, event: Key) -> None:
        """Edit."""
        event.stop()
        event.prevent_default()
        if event.key == "enter":
            if not self._error:
                self.dismiss(None)
            return
        if event.key in {"escape", "ctrl+c"}:
            self._apply("" if self._typed == self._start else self._start)
            self.dismiss(None)
            return
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.key == "ctrl+u":
            self._typed = ""
        elif event.character and event.character.isprintable() and len(self._typed) < _TYPED_MAX:
            self._typed += event.character
        try:
            self._apply(self._typed)
            self._error = ""
        except FilterError as error:
            self._error = str(error)
        self._board.redraw()
