"""Commands of the palette: only what is true and possible now, each with its key; those run last come first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.keys import BY_ID
from tui.modes import modes
from tui.palette import THEMES
from tui.screens.desk import DeskScreen
from tui.widgets.edges import TABS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.snapshot import HandView, Snapshot

RECENT: Final = 5
PLAIN: Final = (
    "filter",
    "sort",
    "sort.reverse",
    "pin",
    "events.family",
    "frame.shorter",
    "frame.longer",
    "copy",
    "write",
    "mouse",
    "theme",
    "jump",
    "pane.next",
    "pane.previous",
    "help",
)
"""Keys whose palette entry is their help sentence."""


class Entry(NamedTuple):
    """One command: what it is called, what runs it, a sentence, and the binding that does the same."""

    name: str
    run: Callable[[], object]
    sentence: str
    binding: str = ""


class DeskProvider(Provider):
    """Lists actions for the panel, row and state under the cursor."""

    async def discover(self) -> Hits:
        """Return everything that is possible now, the commands run last first."""
        entries = self.entries()
        recent = self._desk.recent if self._desk is not None else []
        entries.sort(key=lambda entry: recent.index(entry.name) if entry.name in recent else len(recent))
        for entry in entries:
            yield DiscoveryHit(entry.name, partial(self._run, entry), help=self._help(entry))

    async def search(self, query: str) -> Hits:
        """Return what matches."""
        matcher = self.matcher(query)
        for entry in self.entries():
            score = matcher.match(entry.name)
            if score > 0:
                yield Hit(score, matcher.highlight(entry.name), partial(self._run, entry), help=self._help(entry))

    @property
    def _desk(self) -> DeskScreen | None:
        return self.screen if isinstance(self.screen, DeskScreen) else None

    def entries(self) -> list[Entry]:
        """Return every command of this moment."""
        desk = self._desk
        if desk is None:
            return []
        found = list(_looking(desk))
        if not desk.view.read_only and desk.view.newest is not None:
            found += _changing(desk)
        return [*found, Entry("leave perpdesk", partial(self.app.run_action, "leave"), "asks first", "leave")]

    def _help(self, entry: Entry) -> str:
        keys = self._desk.keys_in_force().get(entry.binding, "") if self._desk is not None else ""
        return "   ".join(part for part in (entry.sentence, f"key {keys}" if keys else "") if part)

    def _run(self, entry: Entry) -> object:
        if self._desk is not None:
            recent = self._desk.recent
            recent[:] = [entry.name, *(name for name in recent if name != entry.name)][:RECENT]
        return entry.run()


def _looking(desk: DeskScreen) -> Iterator[Entry]:
    view = desk.view
    if view.symbol:
        yield Entry(f"why {view.symbol}", desk.action_open, "reasons of all strategies for the selected row", "open")
        yield Entry("jump to a symbol", desk.action_jump_symbol, "the cursor follows what is typed")
    for name, digit, _ in TABS:
        if name != desk.active:
            yield Entry(f"panel {digit} {name}", partial(desk.action_pane, name), "", f"pane.{digit}")
    for theme in THEMES:
        if theme != view.palette.theme:
            yield Entry(f"theme {theme}", partial(desk.set_theme, theme), "colours of up and down")
    if view.frozen:
        yield Entry("run the screen again", desk.action_freeze, "figures move again", "freeze")
    else:
        yield Entry("freeze the screen", desk.action_freeze, "the engine goes on", "freeze")
    zoom = "zoom off" if desk.zoomed else f"zoom {desk.active}"
    yield Entry(zoom, desk.action_zoom, "let the panel fill the screen", "zoom")
    yield Entry("flags", desk.action_flags, "feature flags with default, since, by whom", "flags")
    for name in PLAIN:
        yield Entry(BY_ID[name].help, partial(desk.app.run_action, BY_ID[name].action, desk), "", name)


def _changing(desk: DeskScreen) -> Iterator[Entry]:
    snapshot = desk.view.newest
    if snapshot is None:
        return
    for mode, title, sentence in modes(snapshot):
        if mode != snapshot.mode:
            yield Entry(f"mode {title.lower()}", partial(desk.set_mode, mode), sentence, "mode")
    if snapshot.entries == "open":
        yield Entry("halt new entries", desk.action_halt, "at once; open positions stay under care", "halt")
    else:
        yield Entry("resume entries", desk.action_halt, "asks for a typed RESUME", "halt")
    yield from _orders(desk, snapshot)
    row = desk.virtual.selected() if desk.active == "virtual" else None
    if row is not None:
        yield Entry(f"close {row.position_id} {row.symbol}", desk.action_close_one, "asks y", "close")
    if snapshot.virtual:
        name = f"close all {len(snapshot.virtual)} virtual positions"
        yield Entry(name, desk.action_close_all, "typed CLOSE", "close.all")
    yield Entry("breaker and protection", desk.action_breaker, "causes, audit, and what may be done", "breaker")
    if snapshot.breaker.state != "NORMAL":
        yield Entry("reset the API breaker", desk.reset_breaker, f"now {snapshot.breaker.state}; typed RESET")
        yield Entry("bypass the API breaker for 60 s", desk.bypass_breaker, "typed reason")
    if snapshot.protection.state == "HALTED":
        yield Entry("re-arm protection", desk.rearm, "typed REARM")


def _orders(desk: DeskScreen, snapshot: Snapshot) -> Iterator[Entry]:
    yield Entry("stop level", desk.action_stop_level, "pause, cancel, flatten or halt", "stop.level")
    yield Entry("move a stop", desk.action_move_stop, "of the selected live position; a price, then y", "stop.move")
    yield Entry("cancel an order", desk.action_cancel_order, "of the account; choose it, then y", "order.cancel")
    if snapshot.hand is not None:
        yield from _live(desk, snapshot.hand)
    elif snapshot.trading == "LIVE":
        yield Entry("trading off", desk.action_trading, "at once; the desk goes on on paper", "trading")
    else:
        yield Entry("trade live", desk.action_trading, "asks for a typed LIVE", "trading")


def _live(desk: DeskScreen, hand: HandView) -> Iterator[Entry]:
    if hand.arming.armed:
        yield Entry("disarm live orders", desk.action_trading, "at once; positions are cared for", "trading")
    else:
        yield Entry("arm live orders", desk.action_trading, "asks for a typed LIVE", "trading")
    row = desk.selected_live()
    if row is not None:
        yield Entry(f"close {row.symbol} {row.quantity}", desk.action_close_one, "asks y", "close")
    if hand.coverage:
        name = f"close all {len(hand.coverage)} live positions"
        yield Entry(name, desk.close_all_positions, "typed CLOSE", "close.all")
