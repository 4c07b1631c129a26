"""A framed box in the middle of the screen: the base of every question and list."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual.screen import ModalScreen

from tui import glyphs, texts
from tui.lines import Line, between, crop, fit
from tui.widgets.board import Board, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tui.view import View

Result = TypeVar("Result")
FRAME_ROWS = 4
"""Rows of the terminal that no line of a box gets: its frame, and one left free above and below."""
Content = tuple[list[Line], int]
"""Lines of a box and the one that carries the cursor (-1: none)."""


class Box(Board):
    """Draws a frame with title and foot around lines."""

    def __init__(self, view: View, title: str, foot: str, content: Callable[[int], Content]) -> None:
        """`content` is called with the inner width at every redraw."""
        super().__init__(view, board_id="box")
        self._title = title
        self.foot = foot
        self._content = content
        self.top = 0

    def dims_when_stale(self) -> bool:
        """Return False: a question is about now."""
        return False

    def draw(self, width: int, height: int) -> list[Row]:
        """Return the framed rows."""
        inner, room = width - 4, height - 2
        lines, cursor = self._content(inner)
        self.top = max(0, min(self.top, len(lines) - room))
        if cursor >= 0:
            self.top = max(cursor - room + 1, min(self.top, cursor))
        frame = "frame-active"
        across = (glyphs.BOX_ACROSS, frame)
        start: Line = (
            (glyphs.BOX_TOP_LEFT + glyphs.BOX_ACROSS + " ", frame),
            (crop(self._title, width - 8) + " ", "strong"),
        )
        rows: list[Row] = [(between(start, ((glyphs.BOX_TOP_RIGHT, frame),), width, across), "box")]
        for at in range(self.top, self.top + room):
            line = fit(lines[at] if at < len(lines) else (), inner)
            ground = "box-cursor" if at == cursor else "box"
            rows.append((((glyphs.BOX_DOWN + " ", frame), *line, (" " + glyphs.BOX_DOWN, frame)), ground))
        corner: Line = ((glyphs.BOX_ACROSS + glyphs.BOX_BOTTOM_RIGHT, frame),)
        foot = self.foot
        if len(lines) > room:
            foot = texts.LINES_OF.format(first=self.top + 1, last=self.top + room, count=len(lines)) + foot
        end: Line = ((f" {crop(foot, width - 6)} ", "dim"), *corner) if foot else corner
        rows.append((between(((glyphs.BOX_BOTTOM_LEFT, frame),), end, width, across), "box"))
        return rows


class BoxScreen(ModalScreen[Result]):
    """A modal screen with one box. Subclasses give title, foot and content and handle keys."""

    box_width: ClassVar[int] = 76
    refresh_s: ClassVar[float] = 0.5

    def __init__(self, view: View, title: str, foot: str) -> None:
        super().__init__()
        self.view = view
        self.box = Box(view, title, foot, self.content)

    def content(self, width: int) -> Content:
        """Return the lines of the box and its cursor line."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """Mount the box."""
        yield self.box

    def on_mount(self) -> None:
        """Place the box and keep its figures alive."""
        self.place()
        self.set_interval(self.refresh_s, self.box.redraw)

    def on_resize(self) -> None:
        """Place the box anew."""
        self.place()

    def place(self) -> None:
        """Put the box in the middle, as high as its content."""
        columns, rows = self.app.size
        width = min(self.box_width, columns - 2)
        lines, _ = self.content(width - 4)
        height = max(3, min(rows - 2, len(lines) + 2))
        self.box.styles.width, self.box.styles.height = width, height
        self.box.styles.offset = ((columns - width) // 2, max(0, (rows - height) // 2))
        self.box.redraw()
