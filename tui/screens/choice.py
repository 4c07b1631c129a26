"""Lists to choose from: strategy modes, feature flags, what to do about the breaker."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from tui import glyphs
from tui.lines import BLANK, Line
from tui.screens.box import FRAME_ROWS, BoxScreen, Content

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.events import Key

    from tui.view import View


_LEAST_SHOWN = 3


class Option(NamedTuple):
    """A line to choose, with lines of explanation shown below the list while it is under the cursor."""

    key: str
    line: Line
    notes: tuple[Line, ...] = ()


class ChoiceScreen(BoxScreen[str]):
    """Dismisses with the key of the chosen option, with an empty string on esc.

    With `stays` it calls that function with each choice instead and remains open.
    """

    box_width: ClassVar[int] = 104

    def __init__(
        self,
        view: View,
        title: str,
        foot: str,
        options: Callable[[int], list[Option]],
        *,
        head: Callable[[int], list[Line]] | None = None,
        start: str = "",
        stays: Callable[[str], None] | None = None,
    ) -> None:
        """`options` and `head` are read anew at every redraw, so what they show stays alive."""
        self._options = options
        self._head = head
        self._stays = stays
        self._at = next((at for at, option in enumerate(options(80)) if option.key == start), 0)
        super().__init__(view, title, foot)

    def content(self, width: int) -> Content:
        """Return head, options and the notes of the chosen one."""
        lines: list[Line] = [*self._head(width), BLANK] if self._head else [BLANK]
        options = self._options(width)
        self._at = max(0, min(self._at, len(options) - 1))
        most = max((len(option.notes) for option in options), default=0)
        first, last = self._window(len(options), self.app.size.height - FRAME_ROWS - len(lines) - 1 - most)
        cursor = len(lines) + self._at - first
        for at in range(first, last):
            beyond = glyphs.UP if at == first > 0 else glyphs.DOWN if at == last - 1 < len(options) - 1 else " "
            lines.append(((">" if at == self._at else beyond, "key"), (" ", "text"), *options[at].line))
        lines.append(BLANK)
        notes = list(options[self._at].notes) if options else []
        lines += notes + [BLANK] * (most - len(notes))
        return lines, cursor if options else -1

    def _window(self, count: int, room: int) -> tuple[int, int]:
        """Return the options to show: all, or on a small terminal those around the cursor, so that notes have room."""
        shown = min(count, max(_LEAST_SHOWN, room))
        first = max(0, min(self._at - shown // 2, count - shown))
        return first, first + shown

    def on_key(self, event: Key) -> None:
        """Move, choose or leave."""
        event.stop()
        event.prevent_default()
        key = event.key
        if key in {"escape", "q", "ctrl+c"}:
            self.dismiss("")
        elif key in {"j", "down", "tab"}:
            self._at += 1
            self.box.redraw()
        elif key in {"k", "up", "shift+tab"}:
            self._at = max(0, self._at - 1)
            self.box.redraw()
        elif key in {"enter", "space"}:
            self._choose()
        elif key.isdigit() and key != "0":
            self._at = int(key) - 1
            self.box.redraw()

    def _choose(self) -> None:
        options = self._options(80)
        if not options:
            return
        chosen = options[max(0, min(self._at, len(options) - 1))].key
        if self._stays is None:
            self.dismiss(chosen)
        else:
            self._stays(chosen)
            self.box.redraw()
