"""The small lines around the panels: tabs and digest of narrow terminals, the notice line, the key line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.events import Event
from tui import glyphs, numbers, texts
from tui.lines import Line, Span, bar, line_cells
from tui.widgets.board import Board
from tui.widgets.events import event_line
from tui.widgets.positions import side_style
from tui.widgets.virtual import STRATEGY_SHORT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.view import View
    from tui.widgets.board import Row

TABS = (
    ("signals", "1", "Sig"),
    ("positions", "2", "Pos"),
    ("virtual", "3", "Virt"),
    ("leverage", "4", "Lev"),
    ("breaker", "5", "CB"),
    ("models", "6", "Models"),
    ("events", "7", "Events"),
    ("chart", "8", "Chart"),
)


_NAMED = 12
"""Positions the digest looks at; as many are shown as fit whole."""


def _whole(pieces: Sequence[Line], width: int) -> Line:
    """Return the pieces that fit one after another, none cut: half a number reads as another number."""
    spans: list[Span] = []
    room = width
    for piece in pieces:
        room -= line_cells(piece)
        if room < 0 and spans:
            break
        spans += piece
    return tuple(spans)


class TabLine(Board):
    """The panels of a narrow terminal, the shown one in brackets."""

    period = 1.0

    def __init__(self, view: View, state: Callable[[], tuple[str, Sequence[str]]]) -> None:
        """`state` returns the shown panel, empty for the detail, and its notes, the most important first."""
        super().__init__(view, board_id="tabs")
        self._state = state

    def draw(self, width: int, height: int) -> list[Row]:
        """Return the line."""
        del height
        shown, notes = self._state()
        if not shown:
            return [(((" [why]", "title-active"), *(("  " + note, "dim") for note in notes)), "")]
        spans: list[Span] = []
        for name, digit, word in TABS:
            here = name == shown
            spans.append((f" [{digit} {word}]" if here else f" {digit} {word}", "title-active" if here else "dim"))
        room = width - line_cells(tuple(spans)) - 1
        kept = ""
        for note in notes:
            longer = f"{kept}  {note}" if kept else note
            kept = longer if line_cells(((longer, ""),)) <= room else kept
        if kept:
            spans.append((" " * (room - line_cells(((kept, ""),))) + kept, "dim"))
        return [(tuple(spans), "")]


class Digest(Board):
    """Open positions and the last events under the one panel of a narrow terminal."""

    period = 0.5

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="digest")

    def draw(self, width: int, height: int) -> list[Row]:
        """Return a rule, the positions in one line, and the newest events."""
        rows: list[Row] = [(((glyphs.BOX_ACROSS * width, "frame"),), "")]
        rows.append((_whole(self._positions(), width), ""))
        newest = [entry for entry in reversed(self.view.log) if isinstance(entry, Event)][: height - 2]
        rows += [(event_line(event), "") for event in newest]
        return rows

    def _positions(self) -> list[Line]:
        snapshot = self.view.shown
        if snapshot is None:
            return [((" " + texts.WAITS_FOR_ENGINE, "dim"),)]
        if snapshot.positions:
            return [
                ((f" {len(snapshot.positions)} live", "text"),),
                *(
                    (
                        (f"   {row.symbol} {row.direction} ", "dim"),
                        (numbers.signed(row.pnl), side_style(row.pnl)),
                    )
                    for row in snapshot.positions[:_NAMED]
                ),
            ]
        return [
            ((f" {len(snapshot.virtual)} virtual", "text"),),
            *(
                (
                    (f"   {row.symbol} {row.direction} {STRATEGY_SHORT.get(row.strategy, row.strategy)} ", "dim"),
                    (f"{numbers.signed(row.pnl_percent)}%", side_style(row.pnl_percent)),
                )
                for row in snapshot.virtual[:_NAMED]
            ),
        ]


class NoticeLine(Board):
    """What became of the last command; else progress of the start, else the state of the last cycle."""

    period = 0.25

    def __init__(self, view: View) -> None:
        super().__init__(view, board_id="notice")

    def dims_when_stale(self) -> bool:
        """Return False: a notice is about now."""
        return False

    def draw(self, width: int, height: int) -> list[Row]:
        """Return the line."""
        del height
        notice = self.view.dispatch.notice
        if notice is not None:
            return [(((" " + notice.text, notice.style),), "")]
        return [(self._state(width), "")]

    def _state(self, width: int) -> Line:
        snapshot = self.view.shown
        if snapshot is None:
            return ((f" {texts.WAITS_FOR_ENGINE}", "dim"),)
        feed, cycle = snapshot.feed, snapshot.cycle
        if snapshot.phase != "running":
            spans: list[Span] = [(f" {snapshot.phase}: {snapshot.phase_text}  ", "text")]
            if feed.backfill_total:
                spans += bar(feed.backfill_done / feed.backfill_total, min(30, width // 4), "key")
                spans.append((f" {feed.backfill_done}/{feed.backfill_total}", "text"))
            return tuple(spans)
        counts = " ".join(f"{STRATEGY_SHORT.get(name, name)} {count}" for name, count in cycle.candidates)
        pieces: list[Line] = [
            ((f" cycle {cycle.number}", "dim"), (f"  {numbers.milliseconds(cycle.duration_ms)}ms", "text")),
            ((f"  ready {cycle.ready}/{cycle.universe}", "dim"),),
            ((f"  candidates {counts}", "dim"),),
            ((f"  {cycle.accepted} accepted", "text"),),
            ((f"  overruns {cycle.overruns + snapshot.engine.virtual_overruns}", "dim"),),
            ((f"  journal {snapshot.engine.journal_records}", "dim"),),
        ]
        return _whole(pieces, width)


class KeyLine(Board):
    """The keys that matter here; read from the bindings, so it cannot promise a key that does not exist."""

    period = 1.0

    def __init__(self, view: View, keys: Callable[[], list[tuple[str, str]]]) -> None:
        """`keys` returns (key, word) in order of importance."""
        super().__init__(view, board_id="keys")
        self._keys = keys

    def dims_when_stale(self) -> bool:
        """Return False: keys work whatever the engine does."""
        return False

    def draw(self, width: int, height: int) -> list[Row]:
        """Return as many keys as fit."""
        del height
        spans: list[Span] = []
        used = 0
        for key, word in self._keys():
            length = len(key) + len(word) + 4
            if used + length > width:
                break
            spans += [(f" {key}", "key"), (f" {word}  ", "dim")]
            used += length
        return [(tuple(spans), "")]
