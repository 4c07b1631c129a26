"""stdout is data, stderr is talk."""

from __future__ import annotations

import sys

from tui.safe_text import clean


def say(text: str) -> None:
    """Tell the operator something on stderr, one clean line per line."""
    for line in text.splitlines():
        sys.stderr.write(f"perpdesk: {clean(line)}\n")


def put(line: str) -> None:
    """Write one line of data."""
    sys.stdout.write(line + "\n")
