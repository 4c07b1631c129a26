"""Jump mode: `g` and a letter goes to a panel, `g` and a symbol goes to its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui import texts
from tui.screens.foot import TYPED_MAX, FootScreen

if TYPE_CHECKING:
    from textual.events import Key

    from tui.lines import Line
    from tui.screens.actions import DeskActions
    from tui.view import View

PANELS: Final = {
    "s": "signals",
    "p": "positions",
    "v": "virtual",
    "l": "leverage",
    "b": "breaker",
    "m": "models",
    "e": "events",
    "c": "chart",
}
FIRST_LINE, SYMBOL = "g", "t"


class JumpScreen(FootScreen):
    """Waits for one letter. `t`, a capital or a digit begins a symbol: the cursor follows while it is typed.

    Enter keeps the place, esc brings panel and cursor back.
    """

    def __init__(self, view: View, desk: DeskActions, *, typing: bool) -> None:
        """With `typing` it begins with the symbol at once."""
        super().__init__(view)
        self._desk = desk
        self._from = (desk.active, desk.signals.cursor_key)
        self._typing = False
        self._typed = ""
        self._found = True
        if typing:
            self._begin("")

    def prompt(self) -> Line:
        """Return what is asked for."""
        if not self._typing:
            return ((f" {texts.JUMP_TITLE} ", "key"), ("_", "dim"))
        return ((f" {texts.JUMP_SYMBOL} ", "key"), (self._typed, "strong" if self._found else "alert"), ("_", "dim"))

    def below(self) -> tuple[str, str]:
        """Return the letters, or what became of the symbol."""
        if not self._typing:
            letters = "  ".join(f"{letter} {name}" for letter, name in PANELS.items())
            return texts.JUMP_HELP.format(letters=letters), "dim"
        if self._found:
            return texts.JUMP_SYMBOL_HELP, "dim"
        hidden = texts.JUMP_FILTERED.format(text=self._desk.signals.filter_text)
        return texts.JUMP_NOT_FOUND + (hidden if self._desk.signals.filter_text else ""), "alert"

    def on_key(self, event: Key) -> None:
        """Take the letter, or edit the symbol."""
        event.stop()
        event.prevent_default()
        key, letter = event.key, event.character or ""
        if key in {"escape", "ctrl+c"}:
            self._leave(back=self._typing)
        elif self._typing:
            self._edit(key, letter)
        elif letter in PANELS:
            self._leave(back=False)
            self._desk.action_pane(PANELS[letter])
        elif letter == FIRST_LINE:
            self._leave(back=False)
            self._desk.action_edge(end=False)
        elif letter == SYMBOL:
            self._begin("")
            self.show()
        elif letter.isalnum() and letter == letter.upper():
            self._begin(letter)
            self.show()
        else:
            self._leave(back=False)
            self.view.dispatch.say(texts.JUMP_UNKNOWN, "warn")

    def _begin(self, letter: str) -> None:
        self._typing = True
        self._desk.action_pane("signals")
        self._take(letter)

    def _take(self, typed: str) -> None:
        self._typed = typed
        self._found = not typed or self._desk.find_symbol(typed)

    def _edit(self, key: str, letter: str) -> None:
        if key == "enter":
            if self._found:
                self._leave(back=False)
            return
        if key == "backspace":
            self._take(self._typed[:-1])
        elif key == "ctrl+u":
            self._take("")
        elif letter.isprintable() and letter.strip() and len(self._typed) < TYPED_MAX:
            self._take(self._typed + letter)
        self.show()

    def _leave(self, *, back: bool) -> None:
        if back:
            panel, symbol = self._from
            if symbol:
                self._desk.find_symbol(symbol)
            self._desk.action_pane(panel)
        self.dismiss(None)
