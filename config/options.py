"""What one start was asked to do, apart from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from config.paths import DeskPaths


@dataclass(frozen=True, slots=True)
class RunOptions:
    """One run of the desk."""

    paths: DeskPaths
    """Prepared folders; this process holds their lock."""
    json: bool = False
    """Headless lines as JSON on stdout."""
    duration: float | None = None
    """Real seconds after which the run ends by itself, None for never."""
    read_only: bool = False
    """The screen sends no commands."""
    verbose: int = 0
    """How often -v was given."""
    record_inputs: Path | None = None
    """New folder for what reaches the desk, None for no recording."""
