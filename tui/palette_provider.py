"""Commands of the palette: only what is true and possible now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui import texts
from tui.palette import THEMES
from tui.screens.desk import DeskScreen
from tui.widgets.edges import TABS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Entry = tuple[str, "Callable[[], object]", str]


class DeskProvider(Provider):
    """Lists actions for the panel, row and state under the cursor."""

    async def discover(self) -> Hits:
        """Return everything that is possible now."""
        for name, run, sentence in self._entries():
            yield DiscoveryHit(name, run, help=sentence)

    async def search(self, query: str) -> Hits:
        """Return what matches."""
        matcher = self.matcher(query)
        for name, run, sentence in self._entries():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=sentence)

    def _entries(self) -> Iterator[Entry]:
        desk = self.screen
        if not isinstance(desk, DeskScreen):
            return
        yield from _looking(desk)
        if not desk.view.read_only and desk.view.newest is not None:
            yield from _changing(desk)
        yield ("leave perpdesk", partial(self.app.run_action, "leave"), "asks first")


def _looking(desk: DeskScreen) -> Iterator[Entry]:
    view = desk.view
    if view.symbol:
        yield (f"why {view.symbol}", desk.action_open, "all three strategies' reasons for the selected row")
    for name, digit, _ in TABS:
        if name != desk.active:
            yield (f"panel {digit} {name}", partial(desk.action_pane, name), f"key {digit}")
    for theme in THEMES:
        if theme != view.palette.theme:
            yield (f"theme {theme}", partial(desk.set_theme, theme), "colours of up and down")
    if view.frozen:
        yield ("run the screen again", desk.action_freeze, "figures move again")
    else:
        yield ("freeze the screen", desk.action_freeze, "the engine goes on")
    yield ("zoom off" if desk.zoomed else f"zoom {desk.active}", desk.action_zoom, "let the panel fill the screen")
    yield ("write the panel to a file", desk.action_write, "tab-separated values")
    yield ("flags", desk.action_flags, "feature flags with default, since, by whom")
    yield ("keys", desk.action_help, "all keys")


def _changing(desk: DeskScreen) -> Iterator[Entry]:
    snapshot = desk.view.newest
    if snapshot is None:
        return
    for mode, title, sentence in texts.MODES:
        if mode != snapshot.mode:
            yield (f"mode {title.lower()}", partial(desk.set_mode, mode), sentence)
    if snapshot.entries == "open":
        yield ("halt new entries", desk.action_halt, "at once; open positions stay under care")
    else:
        yield ("resume entries", desk.action_halt, "asks for a typed RESUME")
    row = desk.virtual.selected() if desk.active == "virtual" else None
    if row is not None:
        yield (f"close {row.position_id} {row.symbol}", desk.action_close_one, "asks y")
    if snapshot.virtual:
        yield (f"close all {len(snapshot.virtual)} virtual positions", desk.action_close_all, "typed CLOSE")
    if snapshot.breaker.state != "NORMAL":
        yield ("reset the API breaker", desk.reset_breaker, f"now {snapshot.breaker.state}; typed RESET")
        yield ("bypass the API breaker for 60 s", desk.bypass_breaker, "typed reason")
    if snapshot.protection.state == "HALTED":
        yield ("re-arm protection", desk.rearm, "typed REARM")
