"""The end of signals: they expire with the set-up they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.signals.signal import Signal


def expired(signal: Signal, now_ms: int) -> bool:
    """Say whether the signal's set-up has ended; one without an end never does."""
    return 0 < signal.candidate.expires <= now_ms


def remaining_ms(signal: Signal, now_ms: int) -> int | None:
    """Return how long the set-up still lives, 0 once it ended, None where nothing ends it."""
    end = signal.candidate.expires
    return max(0, end - now_ms) if end > 0 else None


def split(signals: Iterable[Signal], now_ms: int) -> tuple[list[Signal], list[Signal]]:
    """Return (living, expired) in their order."""
    living: list[Signal] = []
    ended: list[Signal] = []
    for signal in signals:
        (ended if expired(signal, now_ms) else living).append(signal)
    return living, ended
