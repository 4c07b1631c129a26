"""Colours by meaning. Panels name meanings; a theme says how they look.

Three themes: `normal` (green up), `red-up` (the East Asian habit) and `blue-orange` (told apart by colour-blind eyes).
No meaning rests on colour alone: a sign, a word or an arrow always stands beside it.
"""

from __future__ import annotations

from rich.style import Style
from textual.theme import Theme

THEMES = ("normal", "red-up", "blue-orange")

GROUND = "#0d1117"
_FOREGROUNDS = {
    "text": "#c9d1d9",
    "strong": "#f0f6fc",
    "dim": "#8b949e",
    "faint": "#4d5663",
    "frame": "#30363d",
    "frame-active": "#6e9bd8",
    "title": "#9fb4cc",
    "title-active": "#f0f6fc",
    "key": "#79b8ff",
    "warn": "#e3b341",
    "alert": "#ff7b72",
    "accent": "#a5b8d0",
    "ema20": "#d2a8ff",
    "ema50": "#7d8590",
    "level": "#79b8ff",
    "pool": "#b0a26a",
    "top": "#e6edf3",
    "top-dim": "#b3c0cf",
}
_BOLD = frozenset({"strong", "title-active", "alert", "up-strong", "down-strong", "top", "key"})
_GROUNDS = {
    "": GROUND,
    "cursor": "#1c2b41",
    "cursor-idle": "#161b22",
    "box": "#131a24",
    "box-cursor": "#24405f",
    "paper": "#1b3a4b",
    "demo": "#4a3b12",
    "live": "#6b1d1d",
    "stale": "#3d3d3d",
    "danger": "#8e1519",
    "zone-gap": "#232a3d",
}
_UP_DOWN = {
    "normal": ("#56d364", "#f47067", "#10281a", "#2d1619"),
    "red-up": ("#f47067", "#56d364", "#2d1619", "#10281a"),
    "blue-orange": ("#6cb6ff", "#f0883e", "#10233b", "#33200f"),
}
_STALE = Style(color="#6e7681")


class Palette:
    """The styles of one theme, resolved once per (name, ground, staleness)."""

    def __init__(self, theme: str) -> None:
        """Raise ValueError for a theme that does not exist."""
        if theme not in _UP_DOWN:
            known = ", ".join(THEMES)
            raise ValueError(f"theme {theme!r} does not exist; choose one of {known}")
        self.theme = theme
        up, down, up_zone, down_zone = _UP_DOWN[theme]
        self._fore = {
            **_FOREGROUNDS,
            "up": up,
            "up-strong": up,
            "down": down,
            "down-strong": down,
            "ok": _UP_DOWN["blue-orange" if theme == "blue-orange" else "normal"][0],
        }
        self._back = {**_GROUNDS, "zone-up": up_zone, "zone-down": down_zone, "body-up": up, "body-down": down}
        self._cache: dict[tuple[str, str, bool], Style] = {}

    def style(self, name: str, ground: str = "", *, stale: bool = False) -> Style:
        """Return the style of a meaning; `name@ground` asks for a ground of its own."""
        key = (name, ground, stale)
        found = self._cache.get(key)
        if found is None:
            fore, _, own = name.partition("@")
            back = self._back[own or ground]
            if stale and own not in {"danger", "live"}:
                back = self._back[ground]
                found = _STALE + Style(bgcolor=back)
            else:
                found = Style(color=self._fore.get(fore) or self._back[fore], bgcolor=back, bold=fore in _BOLD)
            self._cache[key] = found
        return found


def textual_theme(theme: str) -> Theme:
    """Return the Textual theme for the few stock widgets (palette, input) beside our own drawing."""
    up, down, _, _ = _UP_DOWN[theme]
    return Theme(
        name=f"perpdesk-{theme}",
        primary=_FOREGROUNDS["frame-active"],
        secondary=_FOREGROUNDS["accent"],
        warning=_FOREGROUNDS["warn"],
        error=down,
        success=up,
        accent=_FOREGROUNDS["key"],
        foreground=_FOREGROUNDS["text"],
        background=GROUND,
        surface=_GROUNDS["box"],
        panel=_GROUNDS["cursor-idle"],
        dark=True,
    )
