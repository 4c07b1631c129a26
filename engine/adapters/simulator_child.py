"""The simulated exchange as a child process: real HTTP and WebSocket on loopback, gone when the desk is gone."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from contextlib import suppress
from typing import Any

import msgspec

READY_DEADLINE = 60.0
STOP_DEADLINE = 3.0


class SimulatorError(Exception):
    """The simulator did not start; the text holds its own words."""


class SimulatorOrder(msgspec.Struct, frozen=True):
    """How the child is to be started."""

    market: str = "synthetic"
    symbols: int = 240
    seed: int = 1
    speed: float = 10.0
    start_ms: int = 0
    """Simulated start, 0 for the market's own choice."""
    port: int = 0
    anchor: str = ""
    """A file with prices to continue from, empty for none."""


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
    """Owns the child process. Its stdin is a pipe: when the desk dies, the child reads EOF and ends."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._process: asyncio.subprocess.Process | None = None
        self._talk: deque[str] = deque(maxlen=50)
        self._reader: asyncio.Task[None] | None = None

    async def start(self, order: SimulatorOrder) -> SimulatorReady:
        """Start the child and wait until it serves. Raises SimulatorError with the child's last words."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "exchange.simulator",
            *_arguments(order),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self._reader = asyncio.create_task(self._listen(self._process), name="simulator talk")
        try:
            async with asyncio.timeout(READY_DEADLINE):
                line = await self._process.stdout.readline()
        except TimeoutError:
            await self.stop()
            raise SimulatorError(f"the simulated exchange was not ready after {READY_DEADLINE:.0f} s") from None
        try:
            said: dict[str, Any] = json.loads(line)
            return msgspec.convert(said, SimulatorReady, strict=False)
        except (ValueError, msgspec.ValidationError):
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
        """End the child: close its stdin, then terminate, then kill; never raises."""
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
            with suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None


def _arguments(order: SimulatorOrder) -> list[str]:
    arguments = [
        "--market",
        order.market,
        "--symbols",
        str(order.symbols),
        "--seed",
        str(order.seed),
        "--speed",
        str(order.speed),
        "--port",
        str(order.port),
        "--die-with-parent",
    ]
    if order.start_ms:
        arguments += ["--start-ms", str(order.start_ms)]
    if order.anchor:
        arguments += ["--anchor", order.anchor]
    return arguments
