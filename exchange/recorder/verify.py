"""Whether a session is what was recorded: every block read once, and compared with what the manifest tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from exchange.recorder.reading import SessionReader
from exchange.recorder.records import DROPPED, READY, SOCKET_LOST, Answer, Frame
from exchange.recorder.segment import FaultKind

if TYPE_CHECKING:
    from pathlib import Path

MOST_FAULTS = 20


class SessionReport(msgspec.Struct, frozen=True):
    """What a session holds. Instants are UTC microseconds of receipt, 0 where there is no record."""

    session: str
    venue: str
    symbols: int
    frames: int
    answers: int
    first_us: int
    last_us: int
    ended: bool
    """Whether the recorder ended in an orderly way; one that was killed leaves a session without its last second."""
    ready: bool
    """Whether it can be served as a market."""
    disconnections: int
    notes: tuple[str, ...]
    """What does no harm but should be known."""
    faults: tuple[str, ...]
    """What is not as it was written; the first MOST_FAULTS."""


def verify_session(folder: Path) -> SessionReport:
    """Read a whole session. Raises SessionError for a folder that is none."""
    reader = SessionReader(folder)
    frames = answers = lost = 0
    first_us = last_us = 0
    ready = False
    notes: list[str] = []
    for record in reader.records():
        first_us = first_us or record.at_us
        last_us = record.at_us
        if isinstance(record, Frame):
            frames += 1
        elif isinstance(record, Answer):
            answers += 1
        else:
            ready |= record.what == READY
            lost += record.what == SOCKET_LOST
            if record.what == DROPPED:
                notes.append(record.text)
    manifest = reader.manifest
    faults: list[str] = []
    for file, fault in reader.faults:
        text = f"{file}: {fault.text}"
        # A recorder that was killed leaves at most one block unfinished.
        (notes if fault.kind is FaultKind.TORN and not manifest.ended_us else faults).append(text)
    counted = manifest.counts.frames, manifest.counts.answers
    if manifest.ended_us and counted != (frames, answers):
        faults.append(f"the manifest tells {counted[0]} frames and {counted[1]} answers")
    return SessionReport(
        session=manifest.session,
        venue=manifest.venue,
        symbols=len(manifest.symbols),
        frames=frames,
        answers=answers,
        first_us=first_us,
        last_us=last_us,
        ended=manifest.ended_us > 0,
        ready=ready,
        disconnections=lost,
        notes=tuple(notes),
        faults=tuple(faults[:MOST_FAULTS]),
    )
