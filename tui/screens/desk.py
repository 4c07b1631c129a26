"""The desk screen: all panels mounted once, placed by size, moved through by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.css.query import NoMatches
from textual.screen import Screen

from engine.commands import AskPosition, AskSignal
from tui import keys, texts
from tui.keys import KEYS, Key
from tui.layout import PANES, STRIP, Rect, arrange
from tui.screens.actions import DeskActions
from tui.widgets.breaker import BreakerPane
from tui.widgets.chart import ChartPane
from tui.widgets.detail import DetailPane
from tui.widgets.edges import Digest, KeyLine, NoticeLine, TabLine
from tui.widgets.events import EventsPane
from tui.widgets.leverage import LeveragePane
from tui.widgets.live_table import LiveTable
from tui.widgets.models import ModelsPane
from tui.widgets.positions import PositionsTable
from tui.widgets.signals import SignalsTable
from tui.widgets.top_line import TopLine
from tui.widgets.virtual import VirtualTable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.events import Click

    from tui.view import View
    from tui.widgets.board import Board
    from tui.widgets.pane import Pane


class DeskScreen(DeskActions, Screen[None]):
    """Panels, lines and keys. What a key does to the desk stands in `DeskActions`."""

    BINDINGS: ClassVar[list[BindingType]] = list(keys.BINDINGS)
    AUTO_FOCUS = None

    def __init__(self, view: View, *, colours: bool) -> None:
        super().__init__(id="desk")
        self.view = view
        self.active = "signals"
        self.strip = STRIP[0]
        self.zoomed = False
        self.recent: list[str] = []
        """Palette commands run last, the newest first."""
        self.arrangement = arrange(80, 24, "signals", self.strip, zoomed=False, detail=False)
        self.signals = SignalsTable(view)
        self.positions = PositionsTable(view)
        self.virtual = VirtualTable(view)
        self.events = EventsPane(view)
        self.panes: dict[str, Pane] = {
            "signals": self.signals,
            "positions": self.positions,
            "virtual": self.virtual,
            "leverage": LeveragePane(view),
            "breaker": BreakerPane(view),
            "models": ModelsPane(view),
            "events": self.events,
            "chart": ChartPane(view, colours=colours),
            "detail": DetailPane(view),
        }
        self.edges: dict[str, Board] = {
            "top": TopLine(view),
            "tabs": TabLine(view, self._tab_state),
            "digest": Digest(view),
            "notice": NoticeLine(view),
            "keys": KeyLine(view, self._key_words),
        }

    @property
    def boards(self) -> list[Board]:
        """Return everything the painter serves."""
        return [*self.edges.values(), *self.panes.values()]

    @property
    def pane(self) -> Pane:
        """Return the panel that has the keys."""
        return self.panes["detail" if self.view.detail_open else self.active]

    def compose(self) -> ComposeResult:
        """Mount every board once; hidden ones cost nothing."""
        yield from self.boards

    def on_mount(self) -> None:
        """Place the boards."""
        self.rearrange()

    def on_resize(self) -> None:
        """Place the boards for the new size."""
        self.rearrange()

    def rearrange(self) -> None:
        """Place, show and hide the boards for size, active panel, zoom and detail; then draw them."""
        columns, rows = self.app.size
        self.arrangement = arrange(
            columns, rows, self.active, self.strip, zoomed=self.zoomed, detail=self.view.detail_open
        )
        for name, pane in self.panes.items():
            pane.framed = self.arrangement.framed
            pane.active = pane is self.pane
            _place(pane, self.arrangement.panes.get(name))
        for name, edge in self.edges.items():
            _place(edge, self.arrangement.lines.get(name))
        self.redraw_all()

    def redraw_all(self) -> None:
        """Bring every visible board up to date at once."""
        for board in self.boards:
            if board.display and board.is_mounted:
                board.redraw()

    def first_figures(self) -> None:
        """Choose a symbol once there are some."""
        if not self.view.symbol:
            self.follow_cursor()
        self.redraw_all()

    def follow_cursor(self) -> None:
        """Let chart and leverage follow the row under the cursor."""
        pane = self.panes[self.active]
        row = pane.selected() if isinstance(pane, LiveTable) else None
        if row is None and not self.view.symbol:
            row = self.signals.selected()
        symbol = getattr(row, "symbol", "")
        if isinstance(symbol, str):
            self.view.choose(symbol)

    def on_click(self, event: Click) -> None:
        """Make the clicked panel the active one."""
        try:
            widget, _ = self.get_widget_at(event.screen_x, event.screen_y)
        except NoMatches:
            return
        if widget.id in PANES and not self.view.detail_open:
            self.active = widget.id
            self.follow_cursor()
            self.rearrange()

    def action_pane(self, name: str) -> None:
        """Show a panel and give it the keys."""
        self.view.close_detail()
        self.active = name
        if name in STRIP:
            self.strip = name
        self.follow_cursor()
        self.rearrange()

    def action_next_pane(self, step: int) -> None:
        """Go to the next visible panel; with one panel at a time, to the next of all."""
        narrow = self.arrangement.form == "narrow" or self.zoomed
        names = [name for name in PANES if narrow or name in self.arrangement.panes]
        place = names.index(self.active) if self.active in names else 0
        self.action_pane(names[(place + step) % len(names)])

    def action_move(self, step: int) -> None:
        """Move the cursor or scroll."""
        self.pane.move(step)
        self._moved()

    def action_page(self, step: int) -> None:
        """Move by pages."""
        self.pane.page(step)
        self._moved()

    def action_edge(self, end: bool) -> None:
        """Move to the first or last line."""
        self.pane.to_edge(end=end)
        self._moved()

    def find_symbol(self, text: str) -> bool:
        """Put the cursor of panel 1 on the symbol nearest to `text`; chart and leverage follow it."""
        found = self.signals.find(text)
        if found:
            self._moved()
        return found

    def action_open(self) -> None:
        """Open the story of the row under the cursor."""
        pane = self.panes[self.active]
        row = pane.selected() if isinstance(pane, LiveTable) else None
        if pane is self.virtual:
            if row is None:
                self.view.dispatch.say(texts.NO_DETAIL, "warn")
                return
            self.view.open_detail(AskPosition(self.virtual.key_of(row)))
        elif self.view.symbol:
            self.view.open_detail(AskSignal(self.view.symbol))
        else:
            self.view.dispatch.say(texts.NO_DETAIL, "warn")
            return
        self.panes["detail"].to_edge(end=False)
        self.rearrange()

    def action_back(self) -> None:
        """Close the detail, or leave zoom."""
        if self.view.detail_open:
            self.view.close_detail()
        else:
            self.zoomed = False
        self.rearrange()

    def action_zoom(self) -> None:
        """Let the active panel fill the screen, or bring the others back."""
        self.zoomed = not self.zoomed
        self.rearrange()

    def _moved(self) -> None:
        if not self.view.detail_open:
            self.follow_cursor()
            self.panes["leverage"].redraw()

    def _tab_state(self) -> tuple[str, list[str]]:
        if self.view.detail_open:
            return "", [self.pane.footing()]
        return self.active, self.pane.notes()

    def _key_words(self) -> list[tuple[str, str]]:
        in_force = self.keys_in_force()
        shown = [key for key in KEYS if key.word and key.id in in_force]
        shown.sort(key=lambda key: key.rank)
        return [(min(in_force[key.id].split(), key=len), self._word(key)) for key in shown]

    def _word(self, key: Key) -> str:
        """Return what a key does now: the key that halts resumes once entries are halted."""
        snapshot = self.view.newest
        return texts.RESUME_WORD if key.id == "halt" and snapshot and snapshot.entries != "open" else key.word

    def keys_in_force(self) -> dict[str, str]:
        """Return binding id to keys, without the keys a read-only screen refuses."""
        found: dict[str, list[str]] = {}
        for name, binding in self._bindings:
            if binding.id in keys.BY_ID and not (self.view.read_only and keys.BY_ID[binding.id].changes):
                found.setdefault(binding.id, []).append(keys.shown(name))
        return {name: " ".join(pressed) for name, pressed in found.items()}


def _place(board: Board, rect: Rect | None) -> None:
    if rect is None:
        board.display = False
        return
    board.styles.width, board.styles.height = rect.width, rect.height
    board.styles.offset = (rect.x, rect.y)
    board.display = True
