"""Puts a recorder into a real desk: the folder, the journal as it was before, the writer, and the taps."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from engine.adapters.disk import DirectoryDisk
from engine.adapters.inputs_writer import InputsWriter
from engine.adapters.program import built_with, code_hash
from engine.inputs.recorder import Recorder
from engine.inputs.recording import BEFORE
from engine.inputs.records import SCHEMA, Beginning, FlagRow, InputsError, LiveRow
from engine.inputs.taps import Tapped, tap
from engine.journal.log import FOLDER
from engine.ports import DiskError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.flags import FlagBoard
    from config.settings import Settings
    from engine.desk import Identity, Pace, Vitals
    from engine.journal.journal import DurableJournal
    from engine.live_orders import LiveTerms
    from engine.port import LocalPort
    from engine.ports import Disk, Ports


def beginning_of(
    settings: Settings,
    flags: FlagBoard,
    identity: Identity,
    pace: Pace,
    *,
    version: str,
    session: str,
    started_ms: int,
    has_key: bool,
    guests: tuple[str, ...],
    live: LiveTerms | None,
) -> Beginning:
    """Return what a repeated run needs to put the same desk together."""
    text = settings.model_dump_json()
    return Beginning(
        schema=SCHEMA,
        version=version,
        session=session,
        started_ms=started_ms,
        environment=identity.environment,
        exchange=identity.exchange,
        speed=identity.speed,
        settings=text,
        settings_hash=hashlib.sha256(text.encode()).hexdigest(),
        flags=[FlagRow(one.spec.name, one.value, one.since_ms, one.by) for one in flags.states()],
        has_key=has_key,
        tick_s=pace.tick_s,
        publish_s=pace.publish_s,
        guests=list(guests),
        live=None if live is None else LiveRow(live.epoch, live.account, live.gives_up),
        code=code_hash(),
        built_with=built_with(),
    )


class InputRecording:
    """A recording under way."""

    def __init__(self, folder: Path, beginning: Beginning, disk: Disk, tell: Callable[[str], None]) -> None:
        """Begin it in a new folder; `tell` hears when it must be given up. Raises InputsError with what to do."""
        self._folder = folder
        _prepare(folder, disk)
        self._writer = InputsWriter(folder, beginning)
        self.recorder = Recorder(self._writer.put, lambda: tell(self._fault()))

    def tap(self, ports: Ports, journal: DurableJournal, port: LocalPort, vitals: Vitals) -> Tapped:
        """Stand between a desk and the world."""
        port.between = self.recorder.between
        return tap(ports, journal, vitals, self.recorder)

    def close(self, exit_code: int) -> str:
        """Set the last mark, end the writer, and return in words what became of the recording."""
        self.recorder.finish(exit_code)
        if self._writer.close():
            return (
                f"{self.recorder.turns} inputs recorded; "
                f"run them again with: perpdesk backtest --data run:{self._folder}"
            )
        return self._fault()

    def _fault(self) -> str:
        fault = self._writer.fault or "the disk did not take everything in time"
        return f"the inputs are recorded up to a point only: {fault}; free some space and record again"


def _prepare(folder: Path, disk: Disk) -> None:
    """Make the folder and keep the journal as it was before the run in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            text = f"--record-inputs {folder} is not empty: a recording needs a folder of its own; name a new one"
            raise InputsError(text)
        folder.chmod(0o700)
        (folder / BEFORE).mkdir(mode=0o700)
        copy = DirectoryDisk(folder / BEFORE)
        for name in disk.names(FOLDER):
            copy.replace(name, disk.read(name))
    except (OSError, DiskError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputsError(f"--record-inputs {folder}: {reason}; name a folder you may write to") from error
