"""Lines of styled text measured in terminal cells: what every panel is made of before it becomes a strip.

A span is `(text, style name)`; a line is a tuple of spans. Style names are resolved by `tui.palette`, late, so that a
line compares equal as long as it reads the same. Widths are cells, not characters: a CJK symbol takes two.
"""

from __future__ import annotations

import math
import re
import textwrap
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.strip import Strip

from tui.glyphs import ELLIPSIS, plain
from tui.safe_text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.palette import Palette

Span = tuple[str, str]
Line = tuple[Span, ...]

BLANK: Line = ()
_THOUSANDS = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")
_HARD_BLANK = "\u00a0"


def cells(text: str) -> int:
    """Return the width of `text` in terminal cells."""
    return len(text) if text.isascii() else cell_len(text)


def crop(text: str, width: int) -> str:
    """Return cleaned `text` cut to at most `width` cells, the last one an ellipsis where something was cut."""
    text = clean(text)
    if cells(text) <= width:
        return text
    if width <= 1:
        return ELLIPSIS[:width]
    return chop_cells(text, width - 1)[0] + ELLIPSIS


def left(text: str, width: int) -> str:
    """Return `text` cropped and padded on the right to exactly `width` cells."""
    text = crop(text, width)
    return text + " " * (width - cells(text))


def right(text: str, width: int) -> str:
    """Return `text` cropped and padded on the left to exactly `width` cells."""
    text = crop(text, width)
    return " " * (width - cells(text)) + text


def line_cells(line: Line) -> int:
    """Return the width of a line in cells."""
    return sum(cells(clean(text)) for text, _ in line)


def fit(line: Line, width: int) -> Line:
    """Return the line cleaned, cut or padded with blanks to exactly `width` cells."""
    room = width
    out: list[Span] = []
    for text, style in line:
        text_clean = clean(text)
        length = cells(text_clean)
        if length > room:
            if room > 0:
                out.append((left(text_clean, room), style))
            return tuple(out)
        if length:
            out.append((text_clean, style))
            room -= length
    if room > 0:
        out.append((" " * room, "text"))
    return tuple(out)


def between(start: Line, end: Line, width: int, gap: Span = (" ", "text")) -> Line:
    """Return `start` at the left edge and `end` at the right edge; `end` gives way when both do not fit."""
    start_width, end_width = line_cells(start), line_cells(end)
    if start_width + end_width + 1 > width:
        return fit(start, width)
    return (*start, (gap[0] * (width - start_width - end_width), gap[1]), *end)


def wrapped(text: str, width: int, style: str = "text", indent: str = "") -> list[Line]:
    """Return `text` broken into lines of at most `width` cells; wide characters count two, numbers stay whole."""
    out: list[Line] = []
    kept = _THOUSANDS.sub(_HARD_BLANK, clean(text))
    for part in textwrap.wrap(kept, max(8, width), subsequent_indent=indent, break_long_words=True) or [""]:
        pieces = chop_cells(part.replace(_HARD_BLANK, " "), max(2, width)) or [""]
        out.extend(((piece, style),) for piece in pieces)
    return out


def flow(lead: str, pieces: Iterable[Span], width: int) -> list[Line]:
    """Return pieces set one after another, two cells apart, on as many lines as they need; later ones are indented."""
    indent = cells(lead)
    lines: list[Line] = []
    spans: list[Span] = [(lead, "dim")]
    used = indent
    for text, style in pieces:
        length = cells(clean(text))
        gap = "  " if used > indent else ""
        if gap and used + len(gap) + length > width:
            lines.append(tuple(spans))
            spans, used, gap = [(" " * indent, "dim")], indent, ""
        spans.append((gap + text, style))
        used += len(gap) + length
    return [*lines, tuple(spans)]


def bar(value: float, width: int, style: str) -> Line:
    """Return a horizontal bar of a share in [0, 1]; its unfilled part is drawn too."""
    full = round(min(1.0, max(0.0, value)) * width) if math.isfinite(value) else 0
    return (("█" * full, style), ("░" * (width - full), "faint"))


def to_strip(line: Line, palette: Palette, ground: str, *, stale: bool, ascii_only: bool) -> Strip:
    """Return the strip of a fitted line, neighbours of equal style joined into one segment."""
    segments: list[Segment] = []
    pending, last = "", None
    width = 0
    for text, name in line:
        style = palette.style(name, ground, stale=stale)
        shown = plain(text) if ascii_only else text
        width += cells(text)
        if style is last:
            pending += shown
            continue
        if pending:
            segments.append(Segment(pending, last))
        pending, last = shown, style
    if pending:
        segments.append(Segment(pending, last))
    return Strip(segments, width)


def changed_cells(old: Line, new: Line) -> tuple[int, int]:
    """Return the cell range [start, end) in which two fitted lines of equal width differ; (0, 0) when equal."""
    if old == new:
        return (0, 0)
    if len(old) != len(new) or any(cells(a[0]) != cells(b[0]) for a, b in zip(old, new, strict=True)):
        return (0, max(_width(old), _width(new)))
    start, end, x = -1, 0, 0
    for before, after in zip(old, new, strict=True):
        length = cells(after[0])
        if before != after:
            start = x if start < 0 else start
            end = x + length
        x += length
    return (start, end)


def _width(spans: Iterable[Span]) -> int:
    return sum(cells(text) for text, _ in spans)
