"""The simulated exchange as a child process: real HTTP and WebSocket on loopback, gone when the desk is gone."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from config.credentials import without_secrets

if TYPE_CHECKING:
    from exchange.simulator.main import RunOptions

READY_DEADLINE = 60.0
STOP_DEADLINE = 3.0


class SimulatorError(Exception):
    """The simulator did not start; the text holds its own words."""


class SimulatorReady(msgspec.Struct, frozen=True):
    """What the child said when it was ready."""

    rest: str
    stream: str
    speed: float
    now: int
    symbols: int
    market: str
    pid: int


class SimulatorChild:
    """Owns the child process. Its stdin is a pipe: when the desk dies, the child reads its end and ends too."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._talk: deque[str] = deque(maxlen=50)
        self._reader: asyncio.Task[None] | None = None

    async def start(self, options: RunOptions) -> SimulatorReady:
        """Start the child and wait until it serves. Raises SimulatorError with the child's last words."""
        self._talk.clear()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "exchange.simulator",
            msgspec.json.encode(msgspec.structs.replace(options, die_with_parent=True)).decode(),
            env=without_secrets(os.environ),
            start_new_session=True,  # Ctrl-C on the terminal is for the desk, which ends its child itself
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._process = process
        assert process.stdout is not None
        self._reader = asyncio.create_task(self._listen(process), name="simulator talk")
        try:
            async with asyncio.timeout(READY_DEADLINE):
                line = await process.stdout.readline()
            return msgspec.json.decode(line, type=SimulatorReady)
        except TimeoutError:
            await self.stop()
            raise SimulatorError(f"the simulated exchange was not ready after {READY_DEADLINE:.0f} s") from None
        except msgspec.DecodeError:
            await self.stop()
            words = " ".join(self._talk) or "it said nothing"
            raise SimulatorError(f"the simulated exchange did not start: {words}") from None

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            self._talk.append(line.decode("utf-8", "replace").strip())

    async def exited(self) -> str:
        """Wait for the child's end and return its exit code and last words."""
        assert self._process is not None
        code = await self._process.wait()
        return f"exit code {code}" + (f": {self._talk[-1]}" if self._talk else "")

    async def stop(self) -> None:
        """End the child: ask, then insist; never raises."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(STOP_DEADLINE):
                    await process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if self._reader is not None:
            await self._reader
            self._reader = None
