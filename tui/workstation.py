"""The workstation: the engine in a thread of its own and the screen in the main thread.

`main` owns both. When the screen ends because the operator left, the engine is stopped in an orderly way; when the
terminal is gone or the screen crashed, the engine goes on without one until a signal ends it.
"""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from engine.adapters.clock import SystemClock, process_monotonic
from engine.adapters.engine_thread import EngineThread
from engine.adapters.output import abandon_terminal, fall_silent
from engine.adapters.process import tune_interpreter
from engine.events import EventKind, Severity
from engine.port import LocalPort
from tui.app import LeaveCause, Left, PerpdeskApp
from tui.exit_codes import ExitCode
from tui.log_file import append
from tui.talk import say

if TYPE_CHECKING:
    from types import FrameType

    from config.load import Loaded
    from config.options import RunOptions

WATCH_S = 0.2


class Workstation:
    """One run of screen and engine."""

    def __init__(self, loaded: Loaded, options: RunOptions) -> None:
        self._loaded = loaded
        self._options = options
        self._port = LocalPort()
        self._thread = EngineThread(loaded, options, self._port, self._progress)
        self._ended = threading.Event()
        self._signal = ""
        self._screenless = False
        screen = loaded.settings.screen
        self._app = PerpdeskApp(
            self._port,
            self._desk_ms,
            read_only=options.read_only,
            ascii_only=screen.ascii,
            theme=screen.theme,
            paint_rate=screen.paint_rate,
            monotonic=process_monotonic,
            write_folder=options.paths.data,
        )

    def _progress(self, text: str) -> None:
        """Show in the event log what happens before there is a desk."""
        self._port.emit(SystemClock().now_ms(), EventKind.SYSTEM, Severity.INFO, text)

    def _desk_ms(self) -> int:
        """Return the desk clock: the last snapshot's instant and what has passed since, at the venue's speed."""
        snapshot = self._port.snapshot()
        if snapshot is None:
            return 0
        return snapshot.time + int((process_monotonic() - snapshot.monotonic) * snapshot.speed * 1000)

    def run(self) -> int:
        """Run to the end and return the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # it would stop the engine with its screen
        self._thread.start()
        watcher = threading.Thread(target=self._watch, name="engine watch", daemon=True)
        watcher.start()
        left = self._app.run()
        self._screenless = True
        if self._app.terminal_hangs:
            fall_silent()
        self._ended.set()
        return self._after(left or self._app.left)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if number == signal.SIGHUP and self._screenless:
            abandon_terminal()
            return
        if number == signal.SIGHUP:
            self._app.call_later(self._app.leave, Left(LeaveCause.TERMINAL_GONE, "the terminal was closed"))
            return
        self._signal = name
        self._app.call_later(self._app.leave, Left(LeaveCause.OPERATOR, name))
        self._ended.set()

    def _watch(self) -> None:
        """End the screen when the engine could not start or ended by itself; its words are told on the terminal."""
        settled = False
        while not self._ended.is_set():
            if self._thread.wait(WATCH_S):
                self._app.call_later(self._app.leave, Left(LeaveCause.OPERATOR, "the engine ended"))
                return
            snapshot = self._port.snapshot()
            if not settled and snapshot is not None and snapshot.phase == "running":
                settled = True
                tune_interpreter()  # once more: by now the screen's heap stands and need not be walked either

    def _after(self, left: Left | None) -> int:
        if self._thread.failure is not None:
            say(str(self._thread.failure))
            return self._thread.failure.code
        if self._thread.crash is not None:
            raise self._thread.crash
        cause = left.cause if left is not None else LeaveCause.CRASHED
        if cause is LeaveCause.TERMINAL_GONE:
            abandon_terminal()
        if cause is not LeaveCause.OPERATOR:
            self._note(left.text if left is not None else "no reason known")
            say("the screen is gone; the engine goes on without it (SIGTERM or Ctrl-C stops it)")
            while not self._signal and not self._thread.wait(WATCH_S):
                pass
            if self._thread.crash is not None:
                raise self._thread.crash
        code = self._thread.stop(f"screen: {self._signal or 'the operator left'}")
        say(
            "perpdesk has stopped; everything is saved"
            if code == ExitCode.CLEAN
            else f"perpdesk ended with code {code}"
        )
        return code

    def _note(self, text: str) -> None:
        """Leave in the log when and why the engine went on without its screen."""
        now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC).isoformat(timespec="seconds")
        with suppress(OSError):  # a log that cannot be written is no reason to end either
            append(self._options.paths.log_file, f"{now} the screen ended, the engine goes on: {text}")


def run(loaded: Loaded, options: RunOptions) -> int:
    """Run the workstation until it ends; return the exit code."""
    return Workstation(loaded, options).run()
