"""Wires settings, ports and the desk; owns the order of start and stop. Holds no trading rule."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from config.errors import ConfigError
from config.flags import FlagBoard
from config.paths import lock_folder
from config.writeback import write_back
from engine import restarts
from engine.adapters.clock import SystemClock, process_monotonic
from engine.adapters.control_server import ControlServer
from engine.adapters.disk import DirectoryDisk
from engine.adapters.installed_strategies import installed_strategies
from engine.adapters.journal_writer import JournalWriter
from engine.adapters.lag import LagProbe
from engine.adapters.lock import DeskLock, LockHeldError, account_lock
from engine.adapters.process import resident_mb, tune_interpreter
from engine.adapters.resident import release_compiler
from engine.adapters.simulator_child import SimulatorError
from engine.desk import OPERATOR_HALT, Desk, Pace
from engine.events import EventKind, Severity
from engine.execution.arming import account_hash
from engine.journal.log import JournalLog, replay
from engine.journal.record import SessionRecord
from engine.journal.view import open_view
from engine.live_orders import LiveTerms
from engine.memory import recall
from engine.ports import DiskError, NoModels, Ports
from engine.restarts import Restarts
from engine.venue import UnusableKeyError, connect
from engine.warm import warm
from exchange.errors import VenueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.load import Loaded
    from config.options import RunOptions
    from config.writeback import Written
    from engine.adapters.input_recording import InputRecording
    from engine.desk import Vitals
    from engine.journal.journal import DurableJournal
    from engine.memory import Remembered
    from engine.port import LocalPort
    from engine.snapshot import CycleView
    from engine.venue import Connection

VERSION = "0.1.0"
CLOSE_DEADLINE = 10.0
REAL_TICK_S = 0.05
"""A tick never comes more often than this in real time, however fast the venue's clock runs."""

CLEAN, BAD_CONFIG, NO_CREDENTIALS, LOCK_HELD, JOURNAL_DAMAGED = 0, 10, 11, 12, 14
FINAL = frozenset({CLEAN, BAD_CONFIG, NO_CREDENTIALS, LOCK_HELD, JOURNAL_DAMAGED, OPERATOR_HALT})
"""Codes of an end that was asked for, or after which nothing starts again by itself."""


class StartError(Exception):
    """The engine cannot start; `code` is the exit code of reliability section 7."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class ProcessVitals:
    """The process's own readings."""

    def __init__(self) -> None:
        self.probe = LagProbe()
        self.starts = Restarts()

    def lag(self) -> tuple[float, float]:
        """Return the loop's lateness in ms: p99 and maximum of the last 20 s."""
        return self.probe.read()

    def memory_mb(self) -> float:
        """Return the resident memory in MiB."""
        return resident_mb()

    def instant(self) -> float:
        """Return the machine's monotonic clock in seconds."""
        return process_monotonic()

    def restarts(self) -> int:
        """Return how often the engine was started again in the last ten minutes after an end nobody asked for."""
        return self.starts.count(SystemClock().now_ms())


class Engine:
    """One run of the desk on real ports. `run` on the engine's loop; `stop` from any thread."""

    def __init__(self, loaded: Loaded, options: RunOptions, port: LocalPort) -> None:
        self._loaded = loaded
        self._options = options
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked = ""
        self._writer: DeskLock | None = None
        self._session = ""
        self._recording: InputRecording | None = None
        self.desk: Desk | None = None
        self.vitals = ProcessVitals()
        self.progress: Callable[[str], None] = lambda _text: None
        self.on_cycle: Callable[[CycleView], None] | None = None
        self.gives_up = False
        """Whether a start of live orders that does not come through ends the engine: somebody starts it again."""

    def stop(self, reason: str) -> None:
        """Ask for an orderly end; safe from any thread and in any phase."""
        self._asked = reason
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop_here, reason)

    def _stop_here(self, reason: str) -> None:
        if self.desk is not None and self._recording is not None:
            self._recording.recorder.stop(reason, self.desk.stop)
        elif self.desk is not None:
            self.desk.stop(reason)

    async def run(self) -> int:
        """Run to the end and return the exit code. Raises StartError when the start is impossible."""
        self._loop = asyncio.get_running_loop()
        disk = DirectoryDisk(self._options.paths.data)
        self.vitals.starts = restarts.begun(_starts_of(disk), SystemClock().now_ms())
        _keep_starts(disk, self.vitals.starts)
        try:
            code = await self._run(disk)
        except StartError as error:
            if error.code in FINAL:
                _keep_starts(disk, restarts.ended(self.vitals.starts))
            raise
        if code in FINAL:
            _keep_starts(disk, restarts.ended(self.vitals.starts))
        return code

    async def _run(self, disk: DirectoryDisk) -> int:
        warm(self.progress)
        release_compiler()
        log = JournalLog(disk)
        try:
            recovered = log.open()
            memory = recall(disk)
        except DiskError as error:
            raise StartError(str(error), BAD_CONFIG) from error
        self.progress("opening the exchange")
        try:
            connection = await connect(self._loaded, memory.last_ms)
        except UnusableKeyError as error:
            raise StartError(str(error), NO_CREDENTIALS) from error
        except (SimulatorError, VenueError) as error:
            raise StartError(str(error), BAD_CONFIG) from error
        journal = JournalWriter(
            log,
            lambda: open_view(self._options.paths.view_file, lambda after: replay(disk, after=after)),
        )
        try:
            desk = self._make_desk(connection, disk, journal, memory)
            for sentence in recovered.damage:
                desk.chronicle.say(EventKind.SYSTEM, f"journal: {sentence}", Severity.ALERT)
            await self._run_desk(desk, connection)
        finally:
            await connection.close()
            saved = journal.close(CLOSE_DEADLINE)
            if self._writer is not None:
                self._writer.release()
        if not saved:
            raise StartError(f"the journal could not be saved: {journal.failed}", JOURNAL_DAMAGED)
        return desk.exit_code

    def _make_desk(
        self, connection: Connection, disk: DirectoryDisk, journal: JournalWriter, memory: Remembered
    ) -> Desk:
        """Put the desk together on the real ports; what it hears through them is recorded where that was asked for."""
        speed = connection.identity.speed
        flags = FlagBoard.from_loaded(self._loaded, connection.clock.now_ms())
        pace = Pace(max(0.1, REAL_TICK_S * speed), 0.25 * speed)
        guests = installed_strategies()
        live = self._live_terms(journal, connection)
        self._session = connection.entropy.token(8)
        ports = Ports(connection.clock, connection.rest, connection.dialer, disk, connection.entropy, NoModels())

        def make(ports: Ports, journal: DurableJournal, vitals: Vitals) -> Desk:
            return Desk(
                self._loaded.settings,
                flags,
                ports,
                journal,
                self._port,
                connection.identity,
                vitals,
                credentials=connection.credentials,
                remembered=memory,
                guests=guests,
                pace=pace,
                live=None if live is None else live._replace(journal=journal),
            )

        if self._options.record_inputs is None:
            return make(ports, journal, self.vitals)
        # A desk that records nothing loads nothing of it.
        from engine.adapters.input_recording import InputRecording, beginning_of  # noqa: PLC0415
        from engine.inputs.records import InputsError  # noqa: PLC0415

        beginning = beginning_of(
            self._loaded.settings,
            flags,
            connection.identity,
            pace,
            version=VERSION,
            session=self._session,
            started_ms=connection.clock.now_ms(),
            has_key=connection.credentials is not None,
            guests=guests.names,
            live=live,
        )
        try:
            recording = InputRecording(self._options.record_inputs, beginning, disk, self.progress)
        except InputsError as error:
            raise StartError(str(error), BAD_CONFIG) from error
        self._recording = recording
        tapped = recording.tap(ports, journal, self._port, self.vitals)
        return recording.recorder.make(lambda: make(tapped.ports, tapped.journal, tapped.vitals))

    def _live_terms(self, journal: JournalWriter, connection: Connection) -> LiveTerms | None:
        """Return what lets the desk send orders, None for paper: then no way to send one is made at all."""
        trading = self._loaded.settings.trading
        if not (trading.enabled and trading.environment == "live"):
            return None
        if connection.credentials is None:
            raise StartError("live orders need an API key: set BINANCE_API_KEY and BINANCE_API_SECRET", NO_CREDENTIALS)
        account = account_hash(connection.credentials.key)
        # A venue of one's own is a world of its own: its account is another one than the same key's elsewhere.
        place = account_hash(f"{connection.credentials.key} {connection.venue.rest_url}")
        try:
            self._writer = account_lock(lock_folder(), place)
        except LockHeldError as error:
            raise StartError(str(error), LOCK_HELD) from error
        except OSError as error:
            raise StartError(f"the account could not be locked: {error}", BAD_CONFIG) from error
        return LiveTerms(journal, connection.entropy.token(8), account, gives_up=self.gives_up)

    async def _run_desk(self, desk: Desk, connection: Connection) -> None:
        desk.operator.keep = partial(self._keep, desk)
        desk.on_cycle = self.on_cycle
        settings = self._loaded.settings.model_dump_json().encode()
        desk.chronicle.record(
            SessionRecord(
                desk.clock.now_ms(),
                self._session,
                event="start",
                version=VERSION,
                exchange=desk.identity.exchange,
                settings_hash=hashlib.sha256(settings).hexdigest(),
                seed=self._loaded.settings.simulator.seed if connection.child is not None else None,
            )
        )
        self.desk = desk
        server = ControlServer(self._port, self._options.paths.data, self._session)
        try:
            await server.start()
        except OSError as error:
            desk.chronicle.say(EventKind.SYSTEM, f"no control socket: {error}", Severity.WARNING)
        again = self.vitals.restarts()
        if words := restarts.told(again):
            severity = Severity.ALERT if again >= restarts.STORM else Severity.WARNING
            desk.chronicle.say(EventKind.SYSTEM, words, severity)
        self.vitals.probe.start(asyncio.get_running_loop())
        tune_interpreter()
        watcher = asyncio.create_task(connection.keep_alive(desk.chronicle), name="simulator")
        try:
            if self._asked:
                self._stop_here(self._asked)
            if self._recording is None:
                await desk.run()
            else:
                await self._recording.recorder.run(desk.run)
        finally:
            if self._recording is not None:
                self.progress(self._recording.close(desk.exit_code))
            watcher.cancel()
            await server.close()
            self.vitals.probe.stop()
            desk.chronicle.record(
                SessionRecord(
                    desk.clock.now_ms(),
                    self._session,
                    event="stop",
                    exit_code=desk.exit_code,
                    reason=desk.phase_text or "ended",
                )
            )

    def _keep(self, desk: Desk, path: str, value: object) -> None:
        """Write a changed setting back off the loop; a line in the log says where it went, or why it did not."""
        assert self._loop is not None
        write = partial(write_back, self._loaded.config_file, {path: value}, self._loaded.origins)
        waiting = self._loop.run_in_executor(None, write)
        # In a context of its own: what it tells is no turn of the desk.
        waiting.add_done_callback(partial(_tell_kept, desk, path), context=Context())


def _starts_of(disk: DirectoryDisk) -> Restarts:
    try:
        return restarts.read(disk.read(restarts.NAME))
    except DiskError:
        return Restarts()


def _keep_starts(disk: DirectoryDisk, starts: Restarts) -> None:
    """Keep the count; a full disk must not keep a start from protecting what is open."""
    with suppress(DiskError):
        disk.replace(restarts.NAME, msgspec.json.encode(starts))


def _tell_kept(desk: Desk, path: str, done: asyncio.Future[Written]) -> None:
    error = done.exception()
    if error is not None:
        if not isinstance(error, ConfigError | OSError):
            raise error
        desk.chronicle.say(EventKind.SYSTEM, f"{path} was changed but not saved: {error}", Severity.WARNING)
        return
    written = done.result()
    desk.chronicle.say(EventKind.SYSTEM, f"{path} saved in {written.path.name}")
    for note in written.notes:
        desk.chronicle.say(EventKind.SYSTEM, note, Severity.NOTICE)
