"""All keys, read from the bindings in force (a keymap may have moved them)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tui import texts
from tui.keys import KEYS
from tui.lines import BLANK, Line, fit, left, wrapped
from tui.screens.box import BoxScreen, Content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.events import Key

    from tui.view import View

_TWO_COLUMNS_FROM = 96
_KEYS_WIDTH = 14


class HelpScreen(BoxScreen[None]):
    """A list of keys by group; two columns where the terminal is wide enough."""

    box_width: ClassVar[int] = 124

    def __init__(self, view: View, keys_of: Mapping[str, str]) -> None:
        """`keys_of` maps a binding id to the keys that reach it now."""
        self._keys_of = keys_of
        super().__init__(view, texts.HELP_TITLE, texts.HELP_FOOT)

    def content(self, width: int) -> Content:
        """Return the groups."""
        groups: dict[str, list[Line]] = {}
        column = width if width < _TWO_COLUMNS_FROM else width // 2 - 1
        for key in KEYS:
            if key.id not in self._keys_of:
                continue
            pressed = self._keys_of[key.id]
            lines = groups.setdefault(key.group, [BLANK, ((key.group, "title-active"),)])
            parts = wrapped(key.help, column - _KEYS_WIDTH, "text")
            lines.append(((left("  " + pressed, _KEYS_WIDTH), "key"), *parts[0]))
            lines += [((" " * _KEYS_WIDTH, "text"), *part) for part in parts[1:]]
        if width < _TWO_COLUMNS_FROM:
            return [line for lines in groups.values() for line in lines] + [BLANK], -1
        blocks = list(groups.values())
        first, second = blocks[0] + blocks[2], blocks[1] + blocks[3]
        half = width // 2
        rows: list[Line] = []
        for at in range(max(len(first), len(second))):
            start = fit(first[at] if at < len(first) else BLANK, half)
            rows.append((*start, *(second[at] if at < len(second) else BLANK)))
        return [*rows, BLANK], -1

    def on_key(self, event: Key) -> None:
        """Scroll or leave."""
        event.stop()
        event.prevent_default()
        steps = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10}
        if event.key in steps:
            self.box.top = max(0, self.box.top + steps[event.key])
            self.box.redraw()
        else:
            self.dismiss(None)
