"""The first line on the screen, before anything slow is imported."""

from __future__ import annotations

import sys
from typing import Final

SILENT: Final = frozenset(
    {"-h", "--help", "--headless", "exchange", "config", "journal", "doctor", "version", "record", "data"}
)


def splash(arguments: list[str]) -> None:
    """Say at once that the workstation is coming up; silent for commands, headless runs and pipes."""
    if sys.stdout.isatty() and not SILENT.intersection(arguments):
        sys.stdout.write("perpdesk is starting ...\r")
        sys.stdout.flush()
