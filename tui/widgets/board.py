"""The one way anything is drawn: a widget that owns cached strips and repaints only the cells that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.lines import Line, changed_cells, fit, to_strip

if TYPE_CHECKING:
    from tui.view import View

Row = tuple[Line, str]
"""A line and the ground (background) it stands on."""


class Board(Widget):
    """Lines on a fixed rectangle.

    `draw` returns the wanted lines; `pull` walks the difference to what is shown and repaints at most `budget` lines a
    call. Strips are cached, so a full repaint by the compositor costs no formatting.
    """

    ALLOW_SELECT: ClassVar[bool] = False
    period: ClassVar[float] = 0.5
    """Seconds between two looks at the data."""

    def __init__(self, view: View, *, board_id: str) -> None:
        super().__init__(id=board_id)
        self.view = view
        self._wanted: list[Row] = []
        self._walk = 0
        self._shown: list[tuple[Line, str, bool, str]] = []
        self._strips: list[Strip] = []
        self._drawn_width = 0
        self.repainted = 0
        """Lines repainted since the start; the tests of the painter read it."""

    def draw(self, width: int, height: int) -> list[Row]:
        """Return at most `height` rows; each is fitted to `width` afterwards."""
        raise NotImplementedError

    def dims_when_stale(self) -> bool:
        """Return whether old figures grey this board out."""
        return True

    def pull(self, budget: int) -> bool:
        """Repaint up to `budget` changed lines; True when more are left for the next turn."""
        width, height = self.size
        if width <= 0 or height <= 0:
            return False
        if self._drawn_width != width or len(self._shown) != height:
            self._reset(width, height)
        if self._walk == 0:
            self._wanted = [(fit(line, width), ground) for line, ground in self.draw(width, height)[:height]]
            self._wanted += [(fit((), width), "")] * (height - len(self._wanted))
        stale = self.dims_when_stale() and bool(self.view.stale())
        theme = self.view.palette.theme
        for y in range(self._walk, min(height, len(self._wanted))):
            line, ground = self._wanted[y]
            before = self._shown[y]
            wanted = (line, ground, stale, theme)
            if before == wanted:
                continue
            if budget <= 0:
                self._walk = y
                return True
            self._repaint(y, before, wanted)
            budget -= 1
        self._walk = 0
        return False

    def redraw(self) -> None:
        """Bring every line up to date at once: after a key, a resize or a change of theme."""
        self._walk = 0
        self.pull(1_000_000)

    def render_line(self, y: int) -> Strip:
        """Return the cached strip of one line."""
        if self._drawn_width != self.size.width or len(self._shown) != self.size.height:
            self.redraw()
        if 0 <= y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self.view.palette.style("text"))

    def on_resize(self) -> None:
        """Draw anew for the new size."""
        self.redraw()

    def _reset(self, width: int, height: int) -> None:
        blank = Strip.blank(width, self.view.palette.style("text"))
        self._shown = [((), "", False, "")] * height
        self._strips = [blank] * height
        self._drawn_width = width
        self._walk = 0

    def _repaint(self, y: int, before: tuple[Line, str, bool, str], wanted: tuple[Line, str, bool, str]) -> None:
        line, ground, stale, _ = wanted
        self._strips[y] = to_strip(line, self.view.palette, ground, stale=stale, ascii_only=self.view.ascii_only)
        start, end = (0, self._drawn_width)
        if before[1:] == wanted[1:] and before[0]:
            start, end = changed_cells(before[0], line)
        self._shown[y] = wanted
        self.repainted += 1
        self.refresh(Region(start, y, end - start, 1))
