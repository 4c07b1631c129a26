"""The engine on a loop and a thread of its own, owned by `main`, never by a screen."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import uvloop

from engine.runtime import StartError

if TYPE_CHECKING:
    from engine.runtime import Engine

STOP_DEADLINE = 20.0


class EngineThread:
    """Runs one engine. `join` returns its exit code."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
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
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                self._code = runner.run(self._engine.run())
        except StartError as error:
            self.failure, self._code = error, error.code
        except BaseException as error:  # noqa: BLE001 - a thread has nobody to raise to: `main` reads it and tells
            self.crash, self._code = error, 70

    def wait(self, seconds: float) -> bool:
        """Wait at most that long for the end; say whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self, reason: str) -> int:
        """Ask for an orderly end, wait for it, and return the exit code."""
        self._engine.stop(reason)
        self._thread.join(STOP_DEADLINE)
        return self._code if not self._thread.is_alive() else 70
