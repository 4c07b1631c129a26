"""Panel 7: the event log, newest first, with its filters and visible gaps."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from engine.events import Event, EventKind, Severity
from tui import numbers, texts
from tui.filtering import parse
from tui.lines import Line, left, line_cells, wrapped
from tui.view import Gap
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tui.filtering import Predicate
    from tui.view import View

_KINDS = {
    "signals": {EventKind.SIGNAL, EventKind.MODEL},
    "positions": {EventKind.POSITION},
    "orders": {EventKind.ORDER},
    "risk": {EventKind.RISK, EventKind.COMMAND},
}
_SEVERITY_STYLE = {Severity.INFO: "text", Severity.NOTICE: "strong", Severity.WARNING: "warn", Severity.ALERT: "alert"}
_SEVERITY_MARK = {Severity.INFO: " ", Severity.NOTICE: " ", Severity.WARNING: "!", Severity.ALERT: "!"}
_SHOWN_MAX = 500
_LEAD = 3
"""Spans before the text proper: time, mark, kind."""


class EventsPane(Pane):
    """The log."""

    number = "7"
    title = "Events"
    period = 0.5
    fields: ClassVar[Mapping[str, type]] = dict.fromkeys(("kind", "severity", "symbol", "ref", "text"), str)

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="events")
        self.family = "all"
        self.filter_text = ""
        self._predicate: Predicate | None = None

    def heading(self) -> Line:
        """Return the filters, the chosen one marked by brackets."""
        return tuple(
            (f"[{name}] " if name == self.family else f" {name}  ", "key" if name == self.family else "dim")
            for name in texts.EVENT_FILTERS
        )

    def footing(self) -> str:
        """Return the text filter."""
        return f"filter {self.filter_text}" if self.filter_text else ""

    def next_family(self) -> str:
        """Choose the next filter and return its name."""
        names = texts.EVENT_FILTERS
        self.family = names[(names.index(self.family) + 1) % len(names)]
        self.to_edge(end=False)
        return self.family

    def set_filter(self, text: str) -> None:
        """Filter by an expression; raises FilterError and keeps the old filter when it cannot be understood."""
        predicate = parse(text, self.fields) if text.strip() else None
        self._predicate, self.filter_text = predicate, text.strip()
        self.to_edge(end=False)

    def content(self, width: int) -> list[Line]:
        """Return the newest matching events, newest first, gaps where the ring lost some."""
        lines: list[Line] = []
        for entry in reversed(self.view.log):
            if len(lines) >= _SHOWN_MAX:
                break
            if isinstance(entry, Gap):
                text = texts.GAP.format(missed=entry.missed)
                lines += [((" ", "warn"), *part) for part in wrapped(text, width - 1, "warn")]
            elif self._passes(entry):
                lines += event_lines(entry, width)
        return lines or [((" " + texts.NO_EVENTS, "dim"),)]

    def _passes(self, event: Event) -> bool:
        if self.family == "errors":
            if event.severity not in {Severity.WARNING, Severity.ALERT}:
                return False
        elif self.family != "all" and event.kind not in _KINDS[self.family]:
            return False
        if self._predicate is None:
            return True
        return self._predicate(
            {
                "kind": event.kind.value,
                "severity": event.severity.value,
                "symbol": event.symbol,
                "ref": event.ref,
                "text": event.text,
            }
        )


@lru_cache(maxsize=4 * _SHOWN_MAX)
def event_lines(event: Event, width: int) -> tuple[Line, ...]:
    """Return one event, its text wrapped under itself."""
    line = event_line(event)
    if line_cells(line) <= width:
        return (line,)
    lead, (text, style) = line[:-1], line[-1]
    indent = line_cells(line[:_LEAD])
    first, *rest = wrapped(text, width - line_cells(lead), style)
    more = wrapped(" ".join(part for ((part, _),) in rest), width - indent, style) if rest else []
    return ((*lead, *first), *(((" " * indent, "text"), *part) for part in more))


def event_line(event: Event) -> Line:
    """Return one event as a line."""
    style = _SEVERITY_STYLE[event.severity]
    symbol = "" if event.symbol and event.symbol in event.text else event.symbol
    return (
        (f" {numbers.clock(event.time)} ", "faint"),
        (_SEVERITY_MARK[event.severity], style),
        (left(event.kind.value.upper(), 9), "dim"),
        (f"{symbol} " if symbol else "", "accent"),
        (event.text, style),
    )
