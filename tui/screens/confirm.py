"""Questions before something happens: `y`, a typed word, or a typed reason. Enter alone confirms nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import texts
from tui.lines import BLANK, Line, wrapped
from tui.screens.box import FRAME_ROWS, BoxScreen, Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.events import Key

    from tui.view import View

_TYPED_MAX = 120
REASON_LETTERS = 3


class ConfirmScreen(BoxScreen[str]):
    """Dismisses with what was typed when it confirms, with an empty string otherwise.

    `word` is `y` (one key), a word to type, or empty for a free reason of at least three letters.
    """

    def __init__(self, view: View, title: str, body: Sequence[str], word: str) -> None:
        foot = (
            texts.CONFIRM_Y if word == "y" else texts.CONFIRM_WORD.format(word=word) if word else texts.CONFIRM_REASON
        )
        super().__init__(view, title, "")
        self._ask = foot
        self._body = tuple(body)
        self._word = word
        self._typed = ""

    def content(self, width: int) -> Content:
        """Return what will happen, what will not, and how to confirm."""
        body = [line for sentence in self._body for line in wrapped(sentence, width, "text", "  ")]
        ask: list[Line] = wrapped(self._ask, width, "key")
        answer: list[Line] = []
        if self._word != "y":
            right_so_far = not self._word or self._word.startswith(self._typed)
            answer = [(("> ", "key"), (self._typed, "strong" if right_so_far else "alert"), ("_", "dim"))]
        airy = [BLANK, *body, BLANK, *ask, *([BLANK] if answer else []), *answer, BLANK]
        if len(airy) <= self.app.size.height - FRAME_ROWS:
            return airy, -1
        tight = [*body, *ask, *answer]
        return tight, len(tight) - 1

    def on_key(self, event: Key) -> None:
        """Take the answer."""
        event.stop()
        event.prevent_default()
        if self._word == "y":
            self.dismiss("y" if event.key == "y" else "")
        elif event.key in {"escape", "ctrl+c"}:
            self.dismiss("")
        elif event.key == "enter":
            typed = self._typed.strip()
            if typed == self._word or (not self._word and len(typed) >= REASON_LETTERS):
                self.dismiss(typed)
        elif event.key == "backspace":
            self._typed = self._typed[:-1]
            self.box.redraw()
        elif event.character and event.character.isprintable() and len(self._typed) < _TYPED_MAX:
            self._typed += event.character
            self.box.redraw()
