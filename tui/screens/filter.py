"""The filter line at the foot of the screen: applied while it is typed, a wrong one says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import texts
from tui.filtering import FilterError
from tui.screens.foot import TYPED_MAX, FootScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.events import Key

    from tui.lines import Line
    from tui.view import View


class FilterScreen(FootScreen):
    """Edits a filter; enter keeps it, esc brings the old one back (and clears an old one that was not touched)."""

    def __init__(self, view: View, title: str, start: str, fields: Iterable[str], apply: Callable[[str], None]) -> None:
        """`apply` raises FilterError for a filter that cannot be understood."""
        super().__init__(view)
        self._title = title
        self._start = start
        self._typed = start
        self._help = texts.FILTER_HELP.format(fields=" ".join(fields))
        self._apply = apply
        self._error = ""

    def prompt(self) -> Line:
        """Return the filter as typed."""
        return ((f" {self._title} / ", "key"), (self._typed, "strong"), ("_", "dim"))

    def below(self) -> tuple[str, str]:
        """Return what is wrong, or the help."""
        return (self._error, "alert") if self._error else (self._help, "dim")

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
        elif event.character and event.character.isprintable() and len(self._typed) < TYPED_MAX:
            self._typed += event.character
        try:
            self._apply(self._typed)
            self._error = ""
        except FilterError as error:
            self._error = str(error)
        self.show()
