"""A framed panel with number, title and scrolling text: the shape all panels share."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui import glyphs
from tui.lines import BLANK, Line, Span, between, fit, line_cells
from tui.widgets.board import Board, Row

if TYPE_CHECKING:
    from textual.events import Click, MouseScrollDown, MouseScrollUp

    from tui.view import View


class Pane(Board):
    """A panel. Subclasses give `heading`, `footing`, `head` (fixed lines) and `content` (lines that scroll)."""

    number: ClassVar[str] = ""
    title: ClassVar[str] = ""

    def __init__(self, view: View, *, board_id: str) -> None:
        super().__init__(view, board_id=board_id)
        self.active = False
        self.framed = True
        self.offset_lines = 0
        self._body_height = 0

    def heading(self) -> Line:
        """Return what stands behind the title in the frame."""
        return BLANK

    def footing(self) -> str:
        """Return what stands at the right of the lower frame."""
        return ""

    def notes(self) -> list[str]:
        """Return what a narrow terminal says of this panel beside its tabs, the most important first."""
        footing = self.footing()
        return [footing] if footing else []

    def head(self, width: int) -> list[Line]:
        """Return lines that do not scroll."""
        del width
        return []

    def tail(self, width: int, height: int) -> list[Line]:
        """Return lines that stay below the body; `height` is the room of head, body and tail."""
        del width, height
        return []

    def content(self, width: int) -> list[Line]:
        """Return all lines of the body."""
        raise NotImplementedError

    def body(self, width: int, height: int) -> list[Row]:
        """Return the visible rows of the body."""
        lines = self.content(width)
        self.offset_lines = max(0, min(self.offset_lines, len(lines) - height))
        return [(line, "") for line in lines[self.offset_lines : self.offset_lines + height]]

    def draw(self, width: int, height: int) -> list[Row]:
        """Return the framed rows, or the bare body on narrow terminals."""
        inner, room = (width - 2, height - 2) if self.framed else (width, height)
        fixed = self.head(inner)[: max(0, room - 1)]
        below = self.tail(inner, room)
        self._body_height = max(0, room - len(fixed) - len(below))
        rows: list[Row] = [(line, "") for line in fixed]
        rows += self.body(inner, self._body_height)
        rows += [(BLANK, "")] * (room - len(rows) - len(below))
        rows += [(line, "") for line in below]
        if not self.framed:
            return rows
        rows = rows[:room] + [(BLANK, "")] * (room - len(rows))
        frame = "frame-active" if self.active else "frame"
        side: Span = (glyphs.BOX_DOWN, frame)
        framed: list[Row] = [(self._upper(width, frame), "")]
        framed += [((side, *fit(line, inner), side), ground) for line, ground in rows]
        framed.append((self._lower(width, frame), ""))
        return framed

    def _upper(self, width: int, frame: str) -> Line:
        style = "title-active" if self.active else "title"
        named = f"{self.number} {self.title}" if self.number else self.title
        start: Line = ((glyphs.BOX_TOP_LEFT + glyphs.BOX_ACROSS + " ", frame), (named + " ", style))
        more = self.heading()
        if more:
            start = (*start, *fit(more, min(line_cells(more), width - line_cells(start) - 3)), (" ", frame))
        return between(start, ((glyphs.BOX_TOP_RIGHT, frame),), width, (glyphs.BOX_ACROSS, frame))

    def _lower(self, width: int, frame: str) -> Line:
        note = self.footing()
        end: Line = ((glyphs.BOX_ACROSS + glyphs.BOX_BOTTOM_RIGHT, frame),)
        if note and line_cells(((note, ""),)) < width - 6:
            end = ((f" {note} ", "dim"), *end)
        return between(((glyphs.BOX_BOTTOM_LEFT, frame),), end, width, (glyphs.BOX_ACROSS, frame))

    def move(self, step: int) -> None:
        """Scroll by `step` lines."""
        self.offset_lines = max(0, self.offset_lines + step)
        self.redraw()

    def page(self, step: int) -> None:
        """Scroll by `step` pages."""
        self.move(step * max(1, self._body_height - 1))

    def to_edge(self, *, end: bool) -> None:
        """Go to the first or the last line."""
        self.offset_lines = 1_000_000 if end else 0
        self.redraw()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.move(1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Scroll with the wheel."""
        event.stop()
        self.move(-1)

    def on_click(self, event: Click) -> None:
        """Let a click on a body line choose it; the screen hears the click too and makes this panel the active one."""
        line = event.y - (1 if self.framed else 0) - len(self.head(max(1, self.size.width)))
        if 0 <= line < self._body_height:
            self.clicked(line)

    def clicked(self, line: int) -> None:
        """Take a click on a visible body line; plain text has nothing to choose."""
