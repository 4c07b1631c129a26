"""The Textual application: one painter, one desk screen, one port. It owns no engine and ends without harming one."""

from __future__ import annotations

import asyncio
import os
import traceback
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual.app import App
from textual.binding import Binding
from textual.command import CommandPalette

from tui import texts
from tui.painter import Painter
from tui.palette import THEMES, Palette, textual_theme
from tui.palette_provider import DeskProvider
from tui.screens.confirm import ConfirmScreen
from tui.screens.desk import DeskScreen
from tui.terminal import BUSY_WRITES, SafeDriver, SafeWriter, TerminalGone
from tui.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import RenderableType
    from textual.binding import BindingType
    from textual.screen import Screen

    from engine.port import ScreenPort

_CATCH_UP_S = 0.25
_NAMED_POSITIONS = 6


class LeaveCause(StrEnum):
    """Why the screen ended."""

    OPERATOR = "operator"
    TERMINAL_GONE = "terminal gone"
    CRASHED = "crashed"


class Left(NamedTuple):
    """How the screen ended. `text` is one line for the log; of a crash, the traceback without local variables."""

    cause: LeaveCause
    text: str


class PerpdeskApp(App[Left]):
    """The workstation's screen.

    `clock_ms` is the desk clock in UTC milliseconds. `on_leave` is called once with the outcome, also after a crash,
    when `run()` itself returns None. `paint_hz` is the pulse of the painter, `paint_rate` how often a panel may change
    in a second. `monotonic` defaults to the loop's clock and must be the process-wide monotonic
    clock that `Snapshot.monotonic` was read from. `keymap` maps binding ids (tui.keys) to other keys. `write_folder`
    is where `w` writes tables, the working folder by default. An `attached` screen leaves at once: its engine is in
    another process and goes on. Raises ValueError for an unknown theme.
    """

    CSS_PATH = "perpdesk.tcss"
    TITLE = texts.APP_TITLE
    COMMANDS: ClassVar[set[Any]] = {DeskProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", show=False, priority=True, system=True),
    ]

    def __init__(
        self,
        port: ScreenPort,
        clock_ms: Callable[[], int],
        *,
        read_only: bool = False,
        ascii_only: bool = False,
        theme: str = "normal",
        paint_hz: float = 20,
        paint_rate: float = 4,
        on_leave: Callable[[Left], None] | None = None,
        operator: str = "screen",
        monotonic: Callable[[], float] | None = None,
        keymap: Mapping[str, str] | None = None,
        write_folder: Path | None = None,
        attached: bool = False,
    ) -> None:
        no_colour = "NO_COLOR" in os.environ  # Textual takes the variable out of the environment
        super().__init__(driver_class=SafeDriver)
        self.view = View(
            port,
            clock_ms,
            monotonic or _loop_time,
            theme=theme,
            read_only=read_only,
            ascii_only=ascii_only,
            operator=operator,
        )
        self.desk = DeskScreen(self.view, colours=not no_colour)
        self.desk.write_folder = str(write_folder or Path.cwd())
        self.painter = Painter(self.desk.boards, self.view.monotonic, least_period=1 / paint_rate)
        self.left: Left | None = None
        self._attached = attached
        self.frames_skipped = 0
        self._on_leave = on_leave
        self._paint_hz = paint_hz
        self._remap = dict(keymap or {})
        self._behind = False
        self._mouse_on = True
        for name in THEMES:
            self.register_theme(textual_theme(name))
        self.theme = f"perpdesk-{theme}"
        self.set_class(ascii_only, "-ascii")

    def get_default_screen(self) -> Screen[None]:
        """Return the desk screen; it is mounted once and stays."""
        return self.desk

    def on_mount(self) -> None:
        """Start the painter."""
        if self._remap:
            self.set_keymap(self._remap)
        self.theme_changed_signal.subscribe(self, self._recolour)
        self.view.started = self.view.monotonic()
        self.set_interval(1 / self._paint_hz, self.turn)
        self.set_interval(_CATCH_UP_S, self._catch_up)

    def turn(self) -> None:
        """Pull what is new and let the painter serve the most overdue board."""
        first = self.view.shown is None
        self.view.poll()
        if first and self.view.shown is not None:
            self.desk.first_figures()
        elif not self.view.symbol:
            self.desk.follow_cursor()
        for name in self.view.arrived:
            self.painter.hurry(self.desk.panes[name])
        self.view.arrived.clear()
        if self.view.bell:
            self.view.bell = False
            self.bell()
        self.painter.turn()

    def action_command_palette(self) -> None:
        """Open the palette, without the stock picture beside its input."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder=texts.PALETTE_HINT))

    async def action_quit(self) -> None:
        """Ask before leaving: ctrl+q must never end the desk at once."""
        self.action_leave()

    def action_leave(self) -> None:
        """Ask, with a typed QUIT while something is open, and leave."""
        if isinstance(self.screen, ConfirmScreen):
            return
        if self._attached:
            self.leave(Left(LeaveCause.OPERATOR, "the screen was closed"))
            return
        snapshot = self.view.newest
        body = list(texts.LEAVE_BODY)
        open_count = 0
        if snapshot is not None:
            open_count = len(snapshot.positions) + len(snapshot.virtual)
            if open_count:
                named = [f"{live.symbol} {live.direction}" for live in snapshot.positions]
                named += [f"{row.symbol} {row.direction}" for row in snapshot.virtual]
                more = len(named) - _NAMED_POSITIONS
                names = ": " + ", ".join(named[:_NAMED_POSITIONS]) + (f" and {more} more" if more > 0 else "")
                counts = {"positions": len(snapshot.positions), "virtual": len(snapshot.virtual), "names": names}
                body.insert(0, texts.LEAVE_OPEN.format(**counts))
            if snapshot.positions:
                body.append(texts.LEAVE_LIVE)
        word = "QUIT" if open_count else "y"

        def answered(typed: str | None) -> None:
            if typed:
                self.leave(Left(LeaveCause.OPERATOR, "left by the operator"))

        self.push_screen(ConfirmScreen(self.view, texts.LEAVE_TITLE, body, word), answered)

    def leave(self, left: Left) -> None:
        """End the screen with this outcome; the first outcome counts."""
        self._settle(left)
        self.exit(self.left)

    def on_terminal_gone(self, message: TerminalGone) -> None:
        """End the screen: nobody is there to see it."""
        message.stop()
        self.leave(Left(LeaveCause.TERMINAL_GONE, "the terminal was closed"))

    def action_mouse(self) -> None:
        """Give the mouse to the terminal, or take it back."""
        self._mouse_on = not self._mouse_on
        if isinstance(self._driver, SafeDriver):
            self._driver.mouse(on=self._mouse_on)
        self.view.dispatch.say(texts.MOUSE_ON if self._mouse_on else texts.MOUSE_OFF)

    def _settle(self, left: Left) -> None:
        if self.left is None:
            self.left = left
            if self._on_leave is not None:
                self._on_leave(left)

    def _recolour(self, _: object) -> None:
        theme = self.theme.removeprefix("perpdesk-")
        if theme in THEMES and theme != self.view.palette.theme:
            self.view.palette = Palette(theme)
            self.desk.redraw_all()

    @property
    def terminal_hangs(self) -> bool:
        """Say, after the screen's end, whether the terminal still takes nothing of what was written."""
        writer = self._writer()
        return writer is not None and writer.is_alive()

    def _writer(self) -> SafeWriter | None:
        return self._driver.writer if isinstance(self._driver, SafeDriver) else None

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        writer = self._writer()
        if writer is not None and (writer.broken or writer.waiting > BUSY_WRITES):
            self._behind = True
            self.frames_skipped += 1
            return
        super()._display(screen, renderable)

    def _catch_up(self) -> None:
        writer = self._writer()
        if self._behind and writer is not None and writer.waiting == 0 and not writer.broken:
            self._behind = False
            self.view.dispatch.say(texts.WRITER_DROPPED.format(count=self.frames_skipped), "warn")
            self.screen.refresh()

    def _handle_exception(self, error: Exception) -> None:
        report = "".join(traceback.format_exception(error))
        self._settle(Left(LeaveCause.CRASHED, report))
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # The stock report prints local variables to the terminal; the operator gets one line, the log the traceback.
        self._close_messages_no_wait()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
