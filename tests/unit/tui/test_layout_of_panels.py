"""Panels tile the screen at every size."""

from __future__ import annotations

import itertools

import pytest

from tui.layout import PANES, STRIP, arrange, form_of


@pytest.mark.parametrize(
    ("size", "form"),
    [((200, 50), "wide"), ((160, 36), "wide"), ((159, 50), "medium"), ((120, 40), "medium"), ((100, 30), "medium"),
     ((100, 24), "narrow"), ((80, 24), "narrow"), ((60, 16), "narrow"), ((60, 15), "small"), ((59, 50), "small")],
)  # fmt: skip
def test_form_follows_size(size, form):
    assert form_of(*size) == form


@pytest.mark.parametrize("columns", range(60, 260, 7))
@pytest.mark.parametrize("rows", [16, 20, 24, 30, 36, 40, 50, 80])
def test_rectangles_cover_every_cell_once(columns, rows):
    for strip, zoomed, detail in itertools.product(STRIP, (False, True), (False, True)):
        made = arrange(columns, rows, PANES[0], strip, zoomed=zoomed, detail=detail)
        rects = [*made.panes.values(), *made.lines.values()]
        assert sum(rect.width * rect.height for rect in rects) == columns * rows
        for one, other in itertools.combinations(rects, 2):
            apart = one.x >= other.x + other.width or other.x >= one.x + one.width
            assert apart or one.y >= other.y + other.height or other.y >= one.y + one.height
        assert all(rect.x + rect.width <= columns and rect.y + rect.height <= rows for rect in rects)
