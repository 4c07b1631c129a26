"""Every key of the desk screen: one table from which bindings, key line and help are made."""

from __future__ import annotations

from typing import NamedTuple

from textual.binding import Binding


class Key(NamedTuple):
    """A key and what it does. `rank` orders the key line; keys without a `word` are in the help only."""

    id: str
    keys: str
    action: str
    word: str
    help: str
    group: str
    rank: int = 99
    changes: bool = False
    """It changes what the desk does, so a read-only screen neither shows nor obeys it."""


_MOVE, _TABLE, _SHOW, _DESK = "Move", "Table", "Screen", "Desk"

KEYS: tuple[Key, ...] = (
    Key("pane.1", "1", "pane('signals')", "", "panel 1: signals", _MOVE),
    Key("pane.2", "2", "pane('positions')", "", "panel 2: live positions", _MOVE),
    Key("pane.3", "3", "pane('virtual')", "", "panel 3: virtual positions", _MOVE),
    Key("pane.4", "4", "pane('leverage')", "", "panel 4: leverage decisions", _MOVE),
    Key("pane.5", "5", "pane('breaker')", "", "panel 5: breaker, protection, feeds", _MOVE),
    Key("pane.6", "6", "pane('models')", "", "panel 6: models and learning", _MOVE),
    Key("pane.7", "7", "pane('events')", "", "panel 7: event log", _MOVE),
    Key("pane.8", "8", "pane('chart')", "", "panel 8: chart", _MOVE),
    Key("pane.next", "tab", "next_pane(1)", "panel", "next panel", _MOVE, 10),
    Key("pane.previous", "shift+tab", "next_pane(-1)", "", "panel before", _MOVE),
    Key("move.down", "j,down", "move(1)", "", "down", _MOVE),
    Key("move.up", "k,up", "move(-1)", "", "up", _MOVE),
    Key("move.page_down", "pagedown", "page(1)", "", "page down", _MOVE),
    Key("move.page_up", "pageup", "page(-1)", "", "page up", _MOVE),
    Key("move.home", "home", "edge(False)", "", "first line (also g g)", _MOVE),
    Key("move.end", "end,G", "edge(True)", "", "last line", _MOVE),
    Key("jump", "g", "jump", "jump", "jump: then a panel's letter, or a symbol", _MOVE, 10),
    Key("open", "enter", "open", "detail", "why this signal; life of this virtual position", _MOVE, 3),
    Key("back", "escape", "back", "", "back: close the detail, leave zoom", _MOVE),
    Key("filter", "/", "filter", "filter", "filter: text, !text, sig:long conf>.7", _TABLE, 1),
    Key("sort", "o", "sort", "sort", "sort by the next column", _TABLE, 5),
    Key("sort.reverse", "O", "sort_reverse", "", "turn the order round", _TABLE),
    Key("pin", "space", "pin", "", "pin the row on top", _TABLE),
    Key("events.family", "f", "family", "", "event log: all, signals, positions, risk, errors", _TABLE),
    Key("frame.shorter", "[", "frame(-1)", "", "chart: shorter time frame", _TABLE),
    Key("frame.longer", "]", "frame(1)", "", "chart: longer time frame", _TABLE),
    Key("copy", "y", "copy", "copy", "copy the row to the clipboard (OSC 52)", _TABLE, 12),
    Key("write", "w", "write", "", "write the table to a file", _TABLE),
    Key("zoom", "z", "zoom", "zoom", "let the panel fill the screen", _SHOW, 4),
    Key("freeze", "p", "freeze", "freeze", "freeze the screen; the engine goes on", _SHOW, 11),
    Key("theme", "ctrl+t", "theme", "theme", "next theme: normal, red-up, blue-orange", _SHOW, 13),
    Key("mouse", "f2", "app.mouse", "", "mouse to the terminal and back", _SHOW),
    Key("palette", ":", "palette", "command", "command palette (also ctrl+p)", _SHOW, 2),
    Key("help", "?", "help", "keys", "this list", _SHOW, 0),
    Key("mode", "M", "mode", "mode", "strategy mode", _DESK, 6, changes=True),
    Key("flags", "L", "flags", "flags", "feature flags", _DESK, 7),
    Key("halt", "H", "halt", "halt", "halt new entries at once; again: resume, typed RESUME", _DESK, 3, changes=True),
    Key("stop.level", "K", "stop_level", "", "stop level: pause, cancel, flatten, halt", _DESK, changes=True),
    Key("close", "x", "close_one", "close", "close the selected position, asks y", _DESK, 8, changes=True),
    Key("close.all", "X", "close_all", "close all", "close all of panel 2 or 3, typed CLOSE", _DESK, 9, changes=True),
    Key("stop.move", "S", "move_stop", "", "move the stop of the selected live position", _DESK, changes=True),
    Key("order.cancel", "C", "cancel_order", "", "cancel an open order of the account", _DESK, changes=True),
    Key("breaker", "B", "breaker", "breaker", "breaker causes; reset, bypass, re-arm", _DESK, 10, changes=True),
    Key("trading", "T", "trading", "trading", "disarm at once; arm: typed LIVE", _DESK, 11, changes=True),
    Key("leave", "q,ctrl+c", "app.leave", "leave", "leave perpdesk", _DESK, 1),
)
BY_ID = {key.id: key for key in KEYS}
BINDINGS = [Binding(key.keys, key.action, key.help, show=False, id=key.id) for key in KEYS]

_NAMES = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "escape": "esc",
    "f2": "F2",
}


def shown(key: str) -> str:
    """Return a key as an operator would write it."""
    return _NAMES.get(key, key)
