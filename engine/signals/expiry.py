"""The end of signals: they expire with the set-up they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.signals.signal import Signal


def expired(signal: Signal, now_ms: int) -> bool:
    """Say whether the signal's set-up has ended; one without an end never does."""
    return 0 < signal.candidate.expires <= now_ms
