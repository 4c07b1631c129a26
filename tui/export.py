"""A panel written to a file of tab-separated values."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tui import texts
from tui.safe_text import clean
from tui.widgets.live_table import LiveTable

if TYPE_CHECKING:
    from tui.widgets.pane import Pane

_TEXT_WIDTH = 200


def write_table(pane: Pane, folder: str, now_ms: int) -> tuple[str, str]:
    """Write all rows of a table (as sorted and filtered), or the text of a panel; return the notice and its style."""
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S")
    path = Path(folder) / f"perpdesk-{pane.id}-{stamp}.tsv"
    lines = _rows(pane) if isinstance(pane, LiveTable) else _text(pane)
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        return texts.NOT_WRITTEN.format(path=path, reason=error.strerror or error), "alert"
    count = len(lines) - 1 if isinstance(pane, LiveTable) else len(lines)
    return texts.WRITTEN.format(count=count, path=path), "ok"


def _rows(pane: LiveTable[object]) -> list[str]:
    pane.selected()  # arranges the rows of the newest snapshot
    lines = ["\t".join(pane.fields)]
    for row in pane.rows:
        values = pane.field_values(row)
        lines.append("\t".join(clean(str(values[name])) for name in pane.fields))
    return lines


def _text(pane: Pane) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in pane.content(_TEXT_WIDTH)]
