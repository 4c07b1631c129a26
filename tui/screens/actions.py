"""What the keys do to the screen alone: sort, filter, pin, jump, copies and files, theme, help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import texts
from tui.export import write_table
from tui.palette import THEMES
from tui.screens.commands import DeskCommands
from tui.screens.filter import FilterScreen
from tui.screens.help import HelpScreen
from tui.screens.jump import JumpScreen
from tui.widgets.events import EventsPane
from tui.widgets.live_table import LiveTable

if TYPE_CHECKING:
    from tui.widgets.pane import Pane
    from tui.widgets.signals import SignalsTable


class DeskActions(DeskCommands):
    """Actions of the desk screen that show something or change how it looks."""

    panes: dict[str, Pane]
    signals: SignalsTable
    events: EventsPane
    write_folder: str
    """Where `w` writes."""

    @property
    def pane(self) -> Pane:
        """Return the panel that has the keys."""
        raise NotImplementedError

    def redraw_all(self) -> None:
        """Bring every visible board up to date at once."""
        raise NotImplementedError

    def keys_in_force(self) -> dict[str, str]:
        """Return binding id to keys."""
        raise NotImplementedError

    def action_pane(self, name: str) -> None:
        """Show a panel and give it the keys."""
        raise NotImplementedError

    def action_edge(self, end: bool) -> None:
        """Move to the first or last line."""
        raise NotImplementedError

    def find_symbol(self, text: str) -> bool:
        """Put the cursor of panel 1 on the first symbol that begins with or contains `text`."""
        raise NotImplementedError

    def action_sort(self) -> None:
        """Sort by the next column."""
        if isinstance(self.pane, LiveTable):
            self.view.dispatch.say(texts.SORTED.format(order=self.pane.sort_next()))
        else:
            self.view.dispatch.say(texts.SORT_NOT_HERE, "warn")

    def action_sort_reverse(self) -> None:
        """Turn the order round."""
        if isinstance(self.pane, LiveTable):
            self.view.dispatch.say(texts.SORTED.format(order=self.pane.sort_reverse()))
        else:
            self.view.dispatch.say(texts.SORT_NOT_HERE, "warn")

    def action_jump(self) -> None:
        """Wait for the letter of a panel, or for a symbol."""
        self.app.push_screen(JumpScreen(self.view, self, typing=False))

    def action_jump_symbol(self) -> None:
        """Type a symbol and go there."""
        self.app.push_screen(JumpScreen(self.view, self, typing=True))

    def action_filter(self) -> None:
        """Edit the filter of the panel."""
        pane = self.pane
        if not isinstance(pane, LiveTable | EventsPane):
            self.view.dispatch.say(texts.FILTER_NOT_HERE, "warn")
            return
        title = texts.FILTER_TITLE.format(title=pane.title)
        self.app.push_screen(FilterScreen(self.view, title, pane.filter_text, pane.fields, pane.set_filter))

    def action_pin(self) -> None:
        """Pin the row on top or let it go."""
        pane = self.pane
        state = pane.toggle_pin() if isinstance(pane, LiveTable) else None
        if state is not None and isinstance(pane, LiveTable):
            text = texts.PINNED if state else texts.UNPINNED
            self.view.dispatch.say(text.format(key=pane.cursor_key))

    def action_family(self) -> None:
        """Choose the next family of events."""
        self.events.next_family()

    def action_frame(self, step: int) -> None:
        """Change the time frame of the chart."""
        self.view.step_frame(step)
        self.panes["chart"].redraw()

    def action_freeze(self) -> None:
        """Hold the shown figures, or let them run again."""
        self.view.frozen = not self.view.frozen
        self.view.dispatch.say(texts.FREEZE_ON if self.view.frozen else texts.FREEZE_OFF)
        self.redraw_all()

    def action_theme(self) -> None:
        """Take the next theme."""
        place = THEMES.index(self.view.palette.theme)
        self.set_theme(THEMES[(place + 1) % len(THEMES)])

    def set_theme(self, theme: str) -> None:
        """Take a theme by name."""
        self.app.theme = f"perpdesk-{theme}"
        self.view.dispatch.say(texts.THEME_NOW.format(theme=theme))

    def action_copy(self) -> None:
        """Copy the row under the cursor, or the visible text of a panel without rows."""
        pane = self.pane
        if isinstance(pane, LiveTable):
            row = pane.selected()
            values = pane.field_values(row) if row is not None else {}
            text = "  ".join(f"{name}={value}" for name, value in values.items() if value != "")
        else:
            text = "\n".join("".join(part for part, _ in line).rstrip() for line in pane.content(120))
        if not text:
            self.view.dispatch.say(texts.NOTHING_TO_COPY, "warn")
            return
        self.app.copy_to_clipboard(text)
        self.view.dispatch.say(texts.COPIED.format(text=text.splitlines()[0]))

    def action_write(self) -> None:
        """Write the panel to a file."""
        text, style = write_table(self.pane, self.write_folder, self.view.now_ms)
        self.view.dispatch.say(text, style)

    def action_help(self) -> None:
        """Show all keys."""
        self.app.push_screen(HelpScreen(self.view, self.keys_in_force()))

    def action_palette(self) -> None:
        """Open the command palette."""
        self.app.action_command_palette()
