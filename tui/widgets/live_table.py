"""A table on live rows: columns that fit the width, a cursor that stays with its row, sort, filter and pins."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from tui import glyphs, texts
from tui.filtering import FieldValue, Predicate, parse
from tui.lines import Line, Span, crop, left, right
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tui.view import View
    from tui.widgets.board import Row

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Column(Generic[RowT]):
    """One column. Those with the largest `rank` leave first when the table is narrow."""

    key: str
    title: str
    width: int
    cell: Callable[[RowT], Span]
    rank: int = 0
    align: str = "right"
    sort: Callable[[RowT], FieldValue] | None = None
    descending: bool = True
    """Direction of the first sort by this column."""
    grows: bool = False
    """Takes the room that is left over."""


class LiveTable(Pane, Generic[RowT]):
    """Rows of the snapshot drawn on demand; only visible rows are ever formatted."""

    columns: Sequence[Column[RowT]]
    natural_order: ClassVar[str] = "-"
    fields: ClassVar[Mapping[str, type]] = {}

    def __init__(self, view: View, *, board_id: str) -> None:
        super().__init__(view, board_id=board_id)
        self.cursor_key = ""
        self._cursor = 0
        self.rows: list[RowT] = []
        self.sort_key = ""
        self.reverse = False
        self.filter_text = ""
        self._predicate: Predicate | None = None
        self.pinned: set[str] = set()
        self._source: object = None

    @abstractmethod
    def source(self) -> Sequence[RowT]:
        """Return all rows in their natural order."""

    @abstractmethod
    def key_of(self, row: RowT) -> str:
        """Return what identifies a row over time."""

    @abstractmethod
    def field_values(self, row: RowT) -> Mapping[str, FieldValue]:
        """Return the values the filter sees."""

    def empty_text(self) -> str:
        """Return what stands in an empty table."""
        return texts.EMPTY

    def set_filter(self, text: str) -> None:
        """Filter by an expression; raises FilterError and keeps the old filter when it cannot be understood."""
        predicate = parse(text, self.fields) if text.strip() else None
        self._predicate, self.filter_text = predicate, text.strip()
        self._source = None
        self.redraw()

    def sort_next(self) -> str:
        """Sort by the next visible column that can be sorted, after the last one by none; return its title."""
        keys = ["", *(column.key for column in self.columns if column.sort is not None)]
        self.sort_key = keys[(keys.index(self.sort_key) + 1) % len(keys)]
        self.reverse = False
        self._source = None
        self.redraw()
        return self.order_text()

    def sort_reverse(self) -> str:
        """Turn the order round."""
        self.reverse = not self.reverse
        self._source = None
        self.redraw()
        return self.order_text()

    def order_text(self) -> str:
        """Return the order as words, with an arrow for its direction."""
        column = self._sort_column()
        if column is None:
            return self.natural_order + (" reversed" if self.reverse else "")
        down = column.descending != self.reverse
        return f"{column.title.strip() or column.key} {glyphs.DOWN if down else glyphs.UP}"

    def toggle_pin(self) -> bool | None:
        """Pin the selected row on top or let it go; return the new state, None without a row."""
        if self.selected() is None:
            return None
        self.pinned ^= {self.cursor_key}
        self._source = None
        self.redraw()
        return self.cursor_key in self.pinned

    def selected(self) -> RowT | None:
        """Return the row under the cursor."""
        self._arrange_rows()
        return self.rows[self._cursor] if self.rows else None

    def footing(self) -> str:
        """Return sort and filter."""
        parts = [texts.SORT.format(order=self.order_text())]
        if self.filter_text:
            parts.append(texts.FILTER.format(text=self.filter_text, kept=len(self.rows), total=len(self.source())))
        return "  ".join(parts)

    def notes(self) -> list[str]:
        """Return the filter, by its count alone, and an order that is not the natural one."""
        notes = []
        if self.filter_text:
            notes.append(texts.FILTERED.format(kept=len(self.rows), total=len(self.source())))
        if self.sort_key or self.reverse:
            notes.append(self.order_text())
        return notes

    def head(self, width: int) -> list[Line]:
        """Return the column titles."""
        spans: list[Span] = [("  ", "dim")]
        for column, cell_width in self._fitting(width):
            title = column.title
            if column.key == self.sort_key:
                down = column.descending != self.reverse
                title = crop(title, cell_width - 1) + (glyphs.DOWN if down else glyphs.UP)
            style = "title" if column.key == self.sort_key else "dim"
            spans += [((left if column.align == "left" else right)(title, cell_width), style), (" ", "dim")]
        return [tuple(spans)]

    def content(self, width: int) -> list[Line]:
        """Return every row as a line; for copies and files, not for painting."""
        self._arrange_rows()
        fitting = self._fitting(width)
        return [self._line(row, fitting) for row in self.rows]

    def body(self, width: int, height: int) -> list[Row]:
        """Return the visible rows with the cursor's ground."""
        self._arrange_rows()
        if not self.rows:
            return [(((" " + self.empty_text(), "dim"),), "")]
        self._follow_cursor(height)
        fitting = self._fitting(width)
        out: list[Row] = []
        for place in range(self.offset_lines, min(len(self.rows), self.offset_lines + height)):
            ground = ("cursor" if self.active else "cursor-idle") if place == self._cursor else ""
            out.append((self._line(self.rows[place], fitting), ground))
        return out

    def move(self, step: int) -> None:
        """Move the cursor by `step` rows."""
        self._arrange_rows()
        if self.rows:
            self._put_cursor(self._cursor + step)
        self.redraw()

    def to_edge(self, *, end: bool) -> None:
        """Move the cursor to the first or last row."""
        self.move(len(self.rows) if end else -len(self.rows))

    def clicked(self, line: int) -> None:
        """Put the cursor on the clicked row."""
        if 0 <= line + self.offset_lines < len(self.rows):
            self._put_cursor(line + self.offset_lines)
            self.redraw()

    def put_cursor_on(self, key: str) -> None:
        """Move the cursor to the row with this key, where there is one."""
        self._arrange_rows()
        for place, row in enumerate(self.rows):
            if self.key_of(row) == key:
                self._put_cursor(place)

    def find(self, text: str) -> bool:
        """Move the cursor to the first row whose key begins with `text`, else contains it; False where none does."""
        self._arrange_rows()
        wanted = text.upper()
        names = [self.key_of(row).upper() for row in self.rows]
        begins = [place for place, name in enumerate(names) if name.startswith(wanted)]
        places = begins or [place for place, name in enumerate(names) if wanted in name]
        if not places:
            return False
        self._put_cursor(min(places, key=lambda place: (len(names[place]), place)))
        self.redraw()
        return True

    def _put_cursor(self, place: int) -> None:
        self._cursor = max(0, min(len(self.rows) - 1, place))
        self.cursor_key = self.key_of(self.rows[self._cursor])

    def _follow_cursor(self, height: int) -> None:
        low = self._cursor - height + 1
        self.offset_lines = max(0, low, min(self.offset_lines, self._cursor, max(0, len(self.rows) - height)))

    def _arrange_rows(self) -> None:
        source = self.source()
        if source is self._source:
            return
        self._source = source
        rows = list(source)
        if self._predicate is not None:
            predicate = self._predicate
            rows = [row for row in rows if predicate(self.field_values(row))]
        column = self._sort_column()
        if column is not None and column.sort is not None:
            value_of = column.sort
            down = column.descending != self.reverse
            known = [row for row in rows if not _unknown(value_of(row))]
            unknown = [row for row in rows if _unknown(value_of(row))]
            known.sort(key=value_of, reverse=down)
            rows = known + unknown
        elif self.reverse:
            rows.reverse()
        if self.pinned:
            rows.sort(key=lambda row: self.key_of(row) not in self.pinned)
        self.rows = rows
        for place, row in enumerate(rows):
            if self.key_of(row) == self.cursor_key:
                self._cursor = place
                return
        if rows:
            self._put_cursor(self._cursor if self.cursor_key else 0)

    def _sort_column(self) -> Column[RowT] | None:
        return next((column for column in self.columns if column.key == self.sort_key), None) if self.sort_key else None

    def _fitting(self, width: int) -> list[tuple[Column[RowT], int]]:
        room = width - 2
        kept = set(range(len(self.columns)))
        for place in sorted(kept, key=lambda at: (-self.columns[at].rank, -at)):
            if sum(self.columns[at].width + 1 for at in kept) <= room or len(kept) == 1:
                break
            kept.discard(place)
        spare = room - sum(self.columns[at].width + 1 for at in kept)
        out = []
        for at in sorted(kept):
            column = self.columns[at]
            extra = max(0, spare) if column.grows else 0
            spare -= extra
            out.append((column, column.width + extra))
        return out

    def _line(self, row: RowT, fitting: Sequence[tuple[Column[RowT], int]]) -> Line:
        key = self.key_of(row)
        mark = ">" if key == self.cursor_key else " "
        spans: list[Span] = [(mark + ("*" if key in self.pinned else " "), "key")]
        for column, width in fitting:
            text, style = column.cell(row)
            spans += [((left if column.align == "left" else right)(text, width), style), (" ", "text")]
        return tuple(spans)


def _unknown(value: FieldValue) -> bool:
    return isinstance(value, float) and math.isnan(value)
