"""Panel 6: what the self-learning side stands on, the last cycle's selection, and the feature flags with their rung."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tui import numbers, texts
from tui.lines import Line, Span, bar, flow, left, line_cells, wrapped
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.snapshot import CycleView, FlagRow, LearningView
    from tui.view import View


class ModelsPane(Pane):
    """Learning, selection, flags."""

    number = "6"
    title = "Models / learning"
    period = 1.0

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="models")

    def heading(self) -> Line:
        """Return the number of samples."""
        snapshot = self.view.shown
        return ((f"{snapshot.learning.samples} samples", "dim"),) if snapshot else ()

    def content(self, width: int) -> list[Line]:
        """Return learning, selection and flags."""
        snapshot = self.view.shown
        if snapshot is None:
            return [((" " + texts.WAITS_FOR_ENGINE, "dim"),)]
        return [
            *_learning_lines(snapshot.learning, width),
            *_cycle_lines(snapshot.cycle, width),
            *(line for flag in snapshot.flags for line in flag_lines(flag, width)),
        ]


def _learning_lines(view: LearningView, width: int) -> list[Line]:
    lines = [((" ", "text"), *part) for part in wrapped("rung: " + view.rung, width - 2, "text", "  ")]
    if view.samples_needed > 0:
        share = view.samples / view.samples_needed
        lines.append(
            (
                (" samples ", "dim"),
                *bar(share, max(8, min(24, width - 40)), "key"),
                (f" {view.samples}/{view.samples_needed}", "text"),
            )
        )
    if view.note:
        lines += [((" ", "text"), *part) for part in wrapped(view.note, width - 2, "dim", "  ")]
    return lines


def _cycle_lines(cycle: CycleView, width: int) -> list[Line]:
    longs = f"{numbers.percent(cycle.long_share)} long" if math.isfinite(cycle.long_share) else "no side"
    pieces: list[Span] = [(f"{name} {count}", "text") for name, count in cycle.candidates]
    lines = flow(" candidates   ", [*pieces, (f"accepted {cycle.accepted} ({longs})", "strong")], width)
    if cycle.dimensions:
        gates: list[Span] = [
            (f"{row.name} {row.kept}/{row.dropped}", "warn" if row.dropped > row.kept else "dim")
            for row in cycle.dimensions
        ]
        lines += flow(" kept/dropped ", gates, width)
    return lines


def flag_lines(flag: FlagRow, width: int) -> list[Line]:
    """Return a flag: letter, name, value, deviation from its default, and its rung wrapped beside them."""
    changed = "" if flag.value == flag.default else f" (default {'on' if flag.default else 'off'})"
    lead: Line = (
        (f" {flag.letter} ", "key"),
        (left(flag.name.removeprefix("ENABLE_").lower(), 26), "text"),
        (left("on" if flag.value else "off", 4), "ok" if flag.value else "dim"),
        (changed, "warn"),
        ("  ", "dim"),
    )
    indent = line_cells(lead)
    first, *rest = wrapped(flag.rung + _work(flag), width - indent - 1, "dim")
    return [(*lead, *first), *(((" " * indent, "dim"), *part) for part in rest)]


def _work(flag: FlagRow) -> str:
    """Return calls, time and errors of the flag's module, empty while it was not asked."""
    if not flag.calls:
        return ""
    errors = f", {flag.errors} errors" if flag.errors else ""
    return f"; {flag.calls:,} calls, {flag.time_ms / flag.calls:.2f} ms each{errors}"
