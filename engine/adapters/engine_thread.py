"""The engine on a loop and a thread of its own, owned by `main`, never by a screen."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.load import Loaded
    from config.options import RunOptions
    from engine.port import LocalPort
    from engine.runtime import Engine, StartError

STOP_DEADLINE = 20.0


class EngineThread:
    """Runs one engine. `stop` returns its exit code.

    The thread imports the engine too: kernels and clients take half a second, and the screen is up before that.
    """

    def __init__(self, loaded: Loaded, options: RunOptions, port: LocalPort, progress: Callable[[str], None]) -> None:
        self._loaded = loaded
        self._options = options
        self._port = port
        self._progress = progress
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._asked = ""
        self._code = 0
        self.failure: StartError | None = None
        """Why the start was impossible."""
        self.crash: BaseException | None = None
        """What ended the engine against its will."""

    def start(self) -> None:
        """Start the thread and return at once."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Say whether the engine still runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._code = self._whole_run()
        except BaseException as error:  # noqa: BLE001 - a thread has nobody to raise to: `main` reads it and tells
            self.crash, self._code = error, 70

    def _whole_run(self) -> int:
        import uvloop  # noqa: PLC0415 - see the class

        from engine.runtime import Engine, StartError  # noqa: PLC0415

        engine = Engine(self._loaded, self._options, self._port)
        engine.progress = self._progress
        with self._lock:
            self._engine = engine
            if self._asked:
                engine.stop(self._asked)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(engine.run())
        except StartError as error:
            self.failure = error
            return error.code

    def wait(self, seconds: float) -> bool:
        """Wait at most that long for the end; say whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self, reason: str) -> int:
        """Ask for an orderly end, wait for it, and return the exit code."""
        with self._lock:
            self._asked = reason
            if self._engine is not None:
                self._engine.stop(reason)
        self._thread.join(STOP_DEADLINE)
        return self._code if not self._thread.is_alive() else 70
