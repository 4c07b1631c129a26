"""Candles as lines of text: half-block bodies, thin wicks, zones behind them, levels across, marks above and below.

One column is one bar. A cell is two pixels high: `▀` and `▄` show the half of a cell that a body fills. Zones are
grounds, so that bodies stay readable on them; each zone, level and mark also has its word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui import numbers
from tui.lines import Line, Span, cells, crop, left

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.snapshot import Chart, ChartLevel, ChartMark, ChartZone

_LEVEL_STYLE = {"pool": "pool", "entry": "level", "stop": "down", "target": "up", "liquidation": "alert"}
_ALWAYS_IN_SIGHT = frozenset({"entry", "stop", "target"})
_VOLUME_ROWS = 2
_EIGHTHS = " ▁▂▃▄▅▆▇█"
_TICKS = 5
_SCALE_SLACK = 1.5
"""Entry, stop and target widen the scale up to this many candle ranges; a farther level is named at the edge."""


@dataclass(frozen=True)
class Scale:
    """Prices to half rows: 0 is the top pixel."""

    low: float
    high: float
    rows: int

    def pixel(self, price: float) -> int:
        """Return the half row of a price; outside values lie outside [0, 2 x rows)."""
        return round((self.high - price) / (self.high - self.low) * (self.rows * 2 - 1))

    def row(self, price: float) -> int:
        """Return the row of a price."""
        return self.pixel(price) // 2

    def price_at(self, row: int) -> float:
        """Return the price in the middle of a row."""
        return self.high - (row * 2 + 0.5) / (self.rows * 2 - 1) * (self.high - self.low)


class Canvas:
    """A grid of cells, each a character, a style and a ground."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.text = [[" "] * width for _ in range(height)]
        self.style = [["text"] * width for _ in range(height)]
        self.ground = [[""] * width for _ in range(height)]

    def put(self, x: int, y: int, character: str, style: str) -> None:
        """Set one cell; outside the grid nothing happens."""
        if 0 <= x < self.width and 0 <= y < self.height:
            self.text[y][x], self.style[y][x] = character, style

    def free(self, x: int, y: int) -> bool:
        """Return whether a cell is on the grid and empty."""
        return 0 <= x < self.width and 0 <= y < self.height and self.text[y][x] == " "

    def write(self, x: int, y: int, text: str, style: str) -> bool:
        """Write an ASCII word where all its cells are free; return whether it was written."""
        if not all(self.free(x + at, y) for at in range(len(text))):
            return False
        for at, character in enumerate(text):
            # A no-break space counts as taken, so that no line runs through the word; it is drawn as a space.
            self.put(x + at, y, character if character != " " else "\u00a0", style)
        return True

    def line(self, y: int) -> Line:
        """Return one row as spans."""
        spans: list[Span] = []
        for character, style, ground in zip(self.text[y], self.style[y], self.ground[y], strict=True):
            name = f"{style}@{ground}" if ground else style
            if spans and spans[-1][1] == name:
                spans[-1] = (spans[-1][0] + character, name)
            else:
                spans.append((character, name))
        return tuple(spans)


def draw_chart(chart: Chart, width: int, height: int, *, shapes: bool) -> list[Line]:
    """Return the chart in `height` lines of `width` cells: plot, volume, time axis; prices at the right edge.

    With `shapes` falling bodies are drawn in another character than rising ones, for terminals without colours.
    """
    if not chart.close or width < 30 or height < 6:
        return [((" no candles", "dim"),)]
    gutter = max(len(numbers.price(value, chart.decimals)) for value in (max(chart.high), min(chart.low))) + 2
    tags = max((len(tag) for tag in (_tag(level) for level in chart.levels)), default=0)
    gutter = min(max(gutter, min(tags, 6) + gutter), width // 3)
    columns = width - gutter
    volume_rows = _VOLUME_ROWS if height >= 14 else 0
    rows = height - volume_rows - 1
    first = max(0, len(chart.close) - columns)
    scale = _scale(chart, first, rows)
    canvas = Canvas(columns, rows)
    at_column = {chart.time[at]: at - first for at in range(first, len(chart.time))}
    _zones(canvas, chart.zones, scale, chart.time[first], at_column)
    _bodies(canvas, chart, first, scale, shapes=shapes)
    _marks(canvas, chart, scale, at_column, first)
    _zone_words(canvas, chart.zones, scale, at_column)
    for values, style in ((chart.ema20, "ema20"), (chart.ema50, "ema50")):
        _average(canvas, values, first, scale, style)
    _levels(canvas, chart.levels, scale)
    labels = _labels(chart, scale, gutter)
    lines = [(*canvas.line(y), labels[y]) for y in range(rows)]
    lines += _volume(chart, first, columns, volume_rows, gutter)
    lines.append(_axis(chart, first, columns))
    return lines


def _scale(chart: Chart, first: int, rows: int) -> Scale:
    low, high = min(chart.low[first:]), max(chart.high[first:])
    reach = (high - low) * _SCALE_SLACK
    near = [
        level.price
        for level in chart.levels
        if level.kind in _ALWAYS_IN_SIGHT and low - reach < level.price < high + reach
    ]
    low, high = min([low, *near]), max([high, *near])
    margin = (high - low) * 0.04 or abs(high) * 0.001 or 1.0
    return Scale(low - margin, high + margin, rows)


def _zones(canvas: Canvas, zones: Iterable[ChartZone], scale: Scale, start: int, at_column: dict[int, int]) -> None:
    for zone in zones:
        x = at_column.get(zone.at, 0 if zone.at <= start else canvas.width)
        top, bottom = max(0, scale.row(zone.high)), min(canvas.height - 1, scale.row(zone.low))
        ground = "zone-gap" if zone.kind == "gap" else "zone-up" if zone.direction > 0 else "zone-down"
        for y in range(top, bottom + 1):
            canvas.ground[y][x:] = [ground] * (canvas.width - max(0, x))


def _zone_words(canvas: Canvas, zones: Iterable[ChartZone], scale: Scale, at_column: dict[int, int]) -> None:
    for zone in zones:
        word = f"{'FVG' if zone.kind == 'gap' else 'OB'}{'+' if zone.direction > 0 else '-'} {zone.state}"
        top, bottom = max(0, scale.row(zone.high)), min(canvas.height - 1, scale.row(zone.low))
        start = max(0, at_column.get(zone.at, 0))
        places = [
            (x, y)
            for x in (canvas.width - len(word) - 1, start + 1, (start + canvas.width - len(word)) // 2)
            for y in range(top, bottom + 1)
        ]
        next((place for place in places if canvas.write(*place, word, "dim")), None)


def _bodies(canvas: Canvas, chart: Chart, first: int, scale: Scale, *, shapes: bool) -> None:
    for x, at in enumerate(range(first, len(chart.close))):
        rises = chart.close[at] >= chart.open[at]
        style = "up" if rises else "down"
        top, bottom = sorted((scale.pixel(chart.open[at]), scale.pixel(chart.close[at])))
        for y in range(max(0, scale.row(chart.high[at])), min(canvas.height - 1, scale.row(chart.low[at])) + 1):
            upper, lower = top <= 2 * y <= bottom, top <= 2 * y + 1 <= bottom
            if upper and lower:
                character = "░" if shapes and rises else "█"
            elif upper or lower:
                character = ("░" if rises else "█") if shapes else "▀" if upper else "▄"
            else:
                character = "│"
            canvas.put(x, y, character, style)


def _average(canvas: Canvas, values: tuple[float, ...], first: int, scale: Scale, style: str) -> None:
    for x, value in enumerate(values[first:]):
        if math.isfinite(value):
            y = scale.row(value)
            if canvas.free(x, y):
                canvas.put(x, y, "·", style)


def _levels(canvas: Canvas, levels: Iterable[ChartLevel], scale: Scale) -> None:
    for level in levels:
        y = scale.row(level.price)
        if not 0 <= y < canvas.height:
            continue
        dashed = level.kind == "pool"
        style = "pool" if dashed else _LEVEL_STYLE.get(level.kind, "level")
        for x in range(canvas.width):
            if canvas.free(x, y) and not (dashed and x % 3 == 2):
                canvas.put(x, y, "╌" if dashed else "─", style)


def _marks(canvas: Canvas, chart: Chart, scale: Scale, at_column: dict[int, int], first: int) -> None:
    for mark in chart.marks:
        x = at_column.get(mark.at, -1)
        if x < 0:
            continue
        above = _stands_above(mark)
        bar = first + x
        edge = chart.high[bar] if above else chart.low[bar]
        y = scale.row(edge) + (-1 if above else 1)
        style = "key" if mark.kind in {"BOS", "CHoCH", "MSS", "sweep"} else "dim"
        canvas.write(x - len(mark.kind) // 2, y, mark.kind, style)


def _stands_above(mark: ChartMark) -> bool:
    if mark.kind in {"HH", "LH"}:
        return True
    return mark.direction > 0 if mark.kind not in {"HL", "LL"} else False


def _tag(level: ChartLevel) -> str:
    return {"target": "TP", "stop": "SL", "liquidation": "LIQ"}.get(level.kind, level.kind)


def _labels(chart: Chart, scale: Scale, gutter: int) -> list[Span]:
    labels: list[Span] = [(left("", gutter), "faint")] * scale.rows
    step = max(2, scale.rows // _TICKS)
    for y in range(step // 2, scale.rows, step):
        labels[y] = (left(" " + numbers.price(scale.price_at(y), chart.decimals), gutter), "faint")
    for level in chart.levels:
        y = scale.row(level.price)
        style = _LEVEL_STYLE.get(level.kind, "level")
        text = f" {numbers.price(level.price, chart.decimals)} {_tag(level)}"
        if level.kind in _ALWAYS_IN_SIGHT:
            y = min(scale.rows - 1, max(0, y))
        elif not 0 <= y < scale.rows:
            continue
        labels[y] = (left(crop(text, gutter), gutter), style)
    last = chart.close[-1]
    y = scale.row(last)
    rises = chart.close[-1] >= chart.open[-1]
    labels[y] = (left("◂" + numbers.price(last, chart.decimals), gutter), "up-strong" if rises else "down-strong")
    return labels


def _volume(chart: Chart, first: int, columns: int, rows: int, gutter: int) -> list[Line]:
    if not rows:
        return []
    shown = chart.volume[first:]
    most = max(shown, default=0.0) or 1.0
    lines: list[Line] = []
    for row in range(rows):
        text = ""
        for value in shown:
            eighths = round(value / most * rows * 8) - (rows - 1 - row) * 8
            text += _EIGHTHS[max(0, min(8, eighths))]
        label = " vol " + numbers.compact(shown[-1]) if row == rows - 1 else ""
        lines.append(((left(text, columns), "faint"), (left(label, gutter), "faint")))
    return lines


def _axis(chart: Chart, first: int, columns: int) -> Line:
    text = ""
    step = 16
    for x in range(0, columns - 5, step):
        at = first + x
        if at >= len(chart.time):
            break
        stamp = numbers.stamp(chart.time[at]) if chart.frame == "1h" else numbers.clock_short(chart.time[at])
        text = left(text, x) + stamp
    return ((text if cells(text) <= columns else crop(text, columns), "faint"),)
