"""stdout is data, stderr is talk."""

from __future__ import annotations

import sys

from engine.adapters.output import abandon_terminal
from tui.safe_text import clean


def say(text: str) -> None:
    """Tell the operator something on stderr, one clean line per line."""
    try:
        for line in text.splitlines():
            sys.stderr.write(f"perpdesk: {clean(line)}\n")
        sys.stderr.flush()
    except OSError:
        # Nobody listens any more; what is said is lost, never the exit code of whoever said it.
        abandon_terminal()


def put(line: str) -> None:
    """Write one line of data."""
    sys.stdout.write(line + "\n")
