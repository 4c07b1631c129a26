"""Characters whose width a CJK terminal may double, and the plain characters that replace them with `--ascii`."""

from __future__ import annotations

_PAIRS = {
    "─": "-",
    "│": "|",
    "╭": "+",
    "╮": "+",
    "╰": "+",
    "╯": "+",
    "━": "=",
    "╌": "-",
    "┊": ":",
    "▲": "^",
    "▼": "v",
    "▴": "^",
    "▾": "v",
    "●": "*",
    "○": "o",
    "◆": "*",
    "◂": "<",
    "▸": ">",
    "·": ".",
    "…": "~",
    "█": "#",
    "▓": "#",
    "▒": "=",
    "░": ".",
    "▀": "#",
    "▄": "#",
    "▁": "_",
    "▂": "_",
    "▃": "=",
    "▅": "=",
    "▆": "#",
    "▇": "#",
    "╷": "|",
    "╵": "|",
    "✓": "+",
    "✗": "x",
    "≥": ">",
    "≤": "<",
    "→": ">",
    "←": "<",
    "—": "-",
    "±": "~",
}
_TABLE = str.maketrans(_PAIRS)

BOX_TOP_LEFT, BOX_TOP_RIGHT, BOX_BOTTOM_LEFT, BOX_BOTTOM_RIGHT = "╭", "╮", "╰", "╯"
BOX_ACROSS, BOX_DOWN = "─", "│"
UP, DOWN, FLAT = "▲", "▼", "·"
EIGHTHS = " ▁▂▃▄▅▆▇█"
FULL, LIGHT = "█", "░"
ELLIPSIS = "…"


def plain(text: str) -> str:
    """Return `text` with every ambiguous-width character of the screen replaced, cell for cell."""
    return text if text.isascii() else text.translate(_TABLE)


def arrow(sign: float) -> str:
    """Return the arrow of a direction: up, down, or a dot for none."""
    if sign > 0:
        return UP
    return DOWN if sign < 0 else FLAT
