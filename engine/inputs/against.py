"""The decisions of one session as a live journal holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.backtest.desk import canonical
from engine.inputs.player import Decided, Point
from engine.inputs.records import InputsError
from engine.journal.codec import JournalFormatError
from engine.journal.log import replay
from engine.journal.record import SessionRecord
from engine.ports import DiskError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.inputs.records import Beginning
    from engine.ports import Disk

NOWHERE = Point(0, 0, "known from the journal only")


def decided_in(disk: Disk, beginning: Beginning, known: Iterable[Decided]) -> list[Decided]:
    """Return what a journal says the recorded session decided, each at its input where the recording `known` has it.

    Raises InputsError for a journal that cannot be read, or holds another session or configuration.
    """
    places = {one.decision: one.at for one in known}
    found: list[Decided] | None = None
    try:
        for entry in replay(disk):
            record = entry.record
            if isinstance(record, SessionRecord) and record.event == "start":
                if found is not None:
                    break
                if record.ref == beginning.session:
                    _check(record, beginning)
                    found = []
            elif found is not None:
                one = canonical(record)
                if one is not None:
                    decision = (one.time, one.what, one.digest)
                    found.append(Decided(decision, places.get(decision, NOWHERE)))
    except (DiskError, JournalFormatError) as error:
        raise InputsError(f"the journal cannot be read: {error}") from None
    if found is None:
        raise InputsError(
            f"its journal does not hold session {beginning.session}, which was recorded; "
            "name the data directory of that run"
        )
    return found


def _check(record: SessionRecord, beginning: Beginning) -> None:
    """Refuse a session that only bears the same name."""
    if record.settings_hash != beginning.settings_hash or record.version != beginning.version:
        raise InputsError(
            f"session {beginning.session} ran version {record.version} with configuration {record.settings_hash[:12]}, "
            f"the recording is of version {beginning.version} with {beginning.settings_hash[:12]}; "
            "name the data directory of the recorded run"
        )
