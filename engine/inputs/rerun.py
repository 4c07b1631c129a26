"""Runs a desk over a recording of its inputs: the same code, the recorded world, nothing sent and nothing stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from config.flags import SPECS, FlagBoard, FlagState
from config.settings import Settings
from engine.adapters.disk import DirectoryDisk
from engine.adapters.entropy import RandomEntropy
from engine.adapters.memory_disk import MemoryDisk
from engine.backtest.desk import NoVenue, ReplayClock, StillVitals
from engine.desk import Desk, Identity, Pace
from engine.inputs.player import Decided, Player, Point, Strayed
from engine.inputs.recording import BEFORE
from engine.inputs.records import InputsError
from engine.inputs.taps import tap
from engine.journal.journal import InlineJournal
from engine.journal.log import JournalLog
from engine.live_orders import LiveTerms
from engine.memory import recall
from engine.port import LocalPort
from engine.ports import DiskError, NoModels, Ports
from engine.strategy.guests import Guests
from exchange.binance.signing import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from engine.inputs.recording import Recording
    from engine.inputs.records import Beginning
    from engine.memory import Remembered

NOBODY = "replayed"
"""Stands for key and secret: requests are signed as ever, and go nowhere."""


class Rerun(msgspec.Struct, frozen=True):
    """What became of a repeated run."""

    turns: int
    unused: int
    """Inputs behind the point where the runs part."""
    here: tuple[Decided, ...]
    there: tuple[Decided, ...]
    parted: tuple[Point, str] | None
    strayed: Strayed | None
    finished: int | None
    commands: tuple[tuple[Point, str], ...]


def settings_of(beginning: Beginning) -> Settings:
    """Return the settings of a recorded run. Raises InputsError."""
    try:
        return Settings.model_validate_json(beginning.settings)
    except ValueError as error:
        raise InputsError(
            f"its settings are not those of this version ({error}); use the version that recorded it"
        ) from None


def rerun(recording: Recording, settings: Settings | None = None, guests: Guests | None = None) -> Rerun:
    """Run the desk again, with other settings where they are given. Raises InputsError."""
    beginning = recording.beginning
    wanted = settings or settings_of(beginning)
    player = Player(recording.turns())
    memory = _memory(recording)
    desks: list[Desk] = []

    def make() -> Callable[[], Coroutine[Any, Any, None]]:
        desks.append(_desk(beginning, wanted, player, memory, guests or Guests()))
        return desks[0].run

    player.play(make, lambda reason: desks[0].stop(reason))
    return Rerun(
        player.at.turn - player.unused,
        player.unused,
        tuple(player.here),
        tuple(player.there),
        player.parted,
        player.strayed,
        player.finished,
        tuple(player.commands),
    )


def _memory(recording: Recording) -> Remembered:
    """Return what the journal before the run says."""
    try:
        return recall(DirectoryDisk(recording.folder / BEFORE))
    except DiskError as error:
        raise InputsError(f"run:{recording.folder}: the journal before the run cannot be read: {error}") from None


def _flags(beginning: Beginning, settings: Settings) -> FlagBoard:
    """Return the flags as they stood, each with the value that the settings give."""
    values = settings.flags.model_dump()
    told = {row.name: row for row in beginning.flags}
    states = {}
    for spec in SPECS:
        row = told.get(spec.name)
        since, by = (row.since_ms, row.by) if row is not None else (beginning.started_ms, "default")
        states[spec.name] = FlagState(spec, values[spec.name.lower()], since, by)
    return FlagBoard(states)


def _desk(beginning: Beginning, settings: Settings, player: Player, memory: Remembered, guests: Guests) -> Desk:
    """Put together the desk that was recorded, on ports that lead nowhere."""
    venue, log = NoVenue(), JournalLog(MemoryDisk())
    log.open()
    ports = Ports(
        ReplayClock(beginning.started_ms), venue, venue, MemoryDisk(), RandomEntropy(beginning.started_ms), NoModels()
    )
    tapped = tap(ports, InlineJournal(log), StillVitals(), player)
    port = LocalPort()
    port.between = player.between
    live = beginning.live
    terms = None if live is None else LiveTerms(tapped.journal, live.epoch, live.account, gives_up=live.gives_up)
    return Desk(
        settings,
        _flags(beginning, settings),
        tapped.ports,
        tapped.journal,
        port,
        Identity(beginning.environment, beginning.exchange, beginning.speed),
        tapped.vitals,
        credentials=Credentials(NOBODY, NOBODY) if beginning.has_key else None,
        remembered=memory,
        pace=Pace(beginning.tick_s, beginning.publish_s),
        guests=guests,
        live=terms,
    )
