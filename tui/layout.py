"""Where each panel stands at a given terminal size: a pure function from size to rectangles.

Three forms: `wide` (160 columns and more) shows all panels, `medium` (100 to 159) shows one of the lower panels at a
time, `narrow` (60 to 99) shows one panel with positions and last events always in sight. Below 60 columns or 16 rows
nothing is drawn but a line that says what is needed.
"""

from __future__ import annotations

from typing import NamedTuple

MIN_COLUMNS, MIN_ROWS = 60, 16
MEDIUM_COLUMNS, WIDE_COLUMNS = 100, 160
PANES = ("signals", "positions", "virtual", "leverage", "breaker", "models", "events", "chart")
STRIP = ("leverage", "breaker", "models", "chart")


class Rect(NamedTuple):
    """A rectangle in cells."""

    x: int
    y: int
    width: int
    height: int


class Arrangement(NamedTuple):
    """What is where. Panes that are absent from `panes` are hidden."""

    form: str
    """`wide`, `medium`, `narrow` or `small`."""
    panes: dict[str, Rect]
    lines: dict[str, Rect]
    """The one-line widgets: top, tabs, digest, notice, keys."""
    framed: bool


def form_of(columns: int, rows: int) -> str:
    """Return the form a terminal of this size gets."""
    if columns < MIN_COLUMNS or rows < MIN_ROWS:
        return "small"
    if columns >= WIDE_COLUMNS and rows >= 36:
        return "wide"
    return "medium" if columns >= MEDIUM_COLUMNS and rows >= 30 else "narrow"


def arrange(columns: int, rows: int, active: str, strip: str, *, zoomed: bool, detail: bool) -> Arrangement:
    """Return the arrangement. `active` is the pane with the keys, `strip` the lower pane chosen on medium terminals."""
    form = form_of(columns, rows)
    if form == "small":
        return Arrangement(form, {}, {"top": Rect(0, 0, columns, rows)}, framed=False)
    if form == "narrow":
        return _narrow(columns, rows, "detail" if detail else active)
    lines = {
        "top": Rect(0, 0, columns, 1),
        "notice": Rect(0, rows - 2, columns, 1),
        "keys": Rect(0, rows - 1, columns, 1),
    }
    area = Rect(0, 1, columns, rows - 3)
    if detail:
        panes = {"detail": area} if zoomed else _detail(area, form)
    elif zoomed:
        panes = {active: area}
    else:
        panes = _wide(area) if form == "wide" else _medium(area, strip)
    return Arrangement(form, panes, lines, framed=True)


def _narrow(columns: int, rows: int, active: str) -> Arrangement:
    digest = 3 if rows >= 20 else 2
    body = rows - 4 - digest - 1
    lines = {
        "top": Rect(0, 0, columns, 1),
        "tabs": Rect(0, 1, columns, 1),
        "digest": Rect(0, 2 + body, columns, digest + 1),
        "notice": Rect(0, rows - 2, columns, 1),
        "keys": Rect(0, rows - 1, columns, 1),
    }
    return Arrangement("narrow", {active: Rect(0, 2, columns, body)}, lines, framed=False)


def _medium(area: Rect, strip: str) -> dict[str, Rect]:
    lower = 15 if strip == "chart" else 9
    upper = area.height - lower
    left_width = round(area.width * 0.62)
    right_width = area.width - left_width
    events = max(6, upper // 4)
    positions = max(6, upper // 4)
    return {
        "signals": Rect(0, area.y, left_width, upper - events),
        "events": Rect(0, area.y + upper - events, left_width, events),
        "positions": Rect(left_width, area.y, right_width, positions),
        "virtual": Rect(left_width, area.y + positions, right_width, upper - positions),
        strip: Rect(0, area.y + upper, area.width, lower),
    }


def _wide(area: Rect) -> dict[str, Rect]:
    events, lower = (8, 10) if area.height >= 44 else (6, 8)
    upper = area.height - events - lower
    left_width = round(area.width * 0.6)
    right_width = area.width - left_width
    chart = max(11, round(upper * 0.45))
    positions = max(7, round(upper * 0.3))
    half = left_width // 2
    low = area.y + upper
    return {
        "signals": Rect(0, area.y, left_width, upper - chart),
        "chart": Rect(0, area.y + upper - chart, left_width, chart),
        "positions": Rect(left_width, area.y, right_width, positions),
        "virtual": Rect(left_width, area.y + positions, right_width, upper - positions),
        "breaker": Rect(0, low, half, lower),
        "models": Rect(half, low, left_width - half, lower),
        "leverage": Rect(left_width, low, right_width, lower),
        "events": Rect(0, low + lower, area.width, events),
    }


def _detail(area: Rect, form: str) -> dict[str, Rect]:
    if form != "wide":
        return {"detail": area}
    width = round(area.width * 0.55)
    return {
        "detail": Rect(0, area.y, width, area.height),
        "chart": Rect(width, area.y, area.width - width, area.height),
    }
