"""`perpdesk halt` and `perpdesk flatten`: what must work when the engine or the screen does not."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import uvloop

from config.atomic import write_atomically
from config.paths import prepare_directory
from engine.adapters.process import close_process
from engine.adapters.simulator_child import SimulatorError
from engine.execution.access import Access
from engine.execution.flatten import Flattening, Left
from engine.execution.levels import SENTINEL, StopLevel, read_sentinel
from engine.venue import connect
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.weights import WeightLedger
from exchange.errors import ExchangeError
from tui.desk_start import configuration, paths_of
from tui.exit_codes import ExitCode
from tui.talk import put, say
from tui.venue_faults import venue_fault

if TYPE_CHECKING:
    from pathlib import Path

    from tui.arguments import GlobalOptions

WORD = "FLATTEN"


def halt(options: GlobalOptions, level: str) -> int:
    """Write the stop file that a running desk obeys within a second, and the next one at its start."""
    word = level.strip().upper()
    if word not in StopLevel.__members__ or word == StopLevel.RUN.name:
        say(f"{level} is no stop level; there are pause, cancel, flatten and halt")
        return ExitCode.USAGE
    paths = paths_of(configuration(options))
    prepare_directory(paths.data)
    asked = _ask(paths.data / SENTINEL, StopLevel[word])
    say(f"{asked.name} is asked for in {paths.data / SENTINEL}; remove that file before resuming")
    return ExitCode.CLEAN


def flatten(options: GlobalOptions, *, symbol: str, yes: bool) -> int:
    """Close everything with nothing but key and REST; a running desk is asked to pause first."""
    close_process()
    loaded = configuration(options)
    if loaded.settings.exchange.venue == "simulator":
        say("the built-in simulator lives and ends with its desk: name a venue with --exchange demo, live or a URL")
        return ExitCode.USAGE
    paths = paths_of(loaded)
    prepare_directory(paths.data)
    asked = _ask(paths.data / SENTINEL, StopLevel.PAUSE)
    say(f"a desk of {paths.data}, if one runs, is asked for {asked.name}")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_flatten(options, symbol.upper() or None, yes=yes))
    except (ExchangeError, SimulatorError) as error:
        return venue_fault(error)


def _ask(path: Path, level: StopLevel) -> StopLevel:
    """Ask for a level in the stop file; a stronger one that already stands there stays."""
    if path.exists():
        level = max(level, read_sentinel(path.read_bytes()))
    write_atomically(path, f"{level.name}\n".encode())
    return level


async def _flatten(options: GlobalOptions, symbol: str | None, *, yes: bool) -> int:
    connection = await connect(configuration(options), 0)
    try:
        if connection.credentials is None:
            say("flatten needs an API key: set BINANCE_API_KEY and BINANCE_API_SECRET")
            return ExitCode.CREDENTIALS
        client = BinanceClient(
            connection.rest, connection.clock, WeightLedger(), OpenGate(), connection.entropy, connection.credentials
        )
        await client.sync_clock(1)
        work = Flattening(Access(client, connection.clock), connection.clock, connection.entropy.token(8), say, symbol)
        found = await work.look()
        _tell(found)
        if found.is_flat:
            return _done(options, found)
        if not yes and not _is_confirmed():
            say("nothing was done")
            return ExitCode.NOT_FOUND
        return _done(options, await work.run())
    finally:
        await connection.close()


def _tell(found: Left) -> None:
    for text in found.positions:
        say(f"open: {text}: is closed at the market, reduce-only")
    for text in found.orders:
        say(f"order: {text}: is cancelled, a stop only once its position is closed")


def _is_confirmed() -> bool:
    """Ask for the word at a terminal; without one only --yes confirms."""
    if not sys.stdin.isatty():
        say(f"no terminal to type {WORD} at: give --yes")
        return False
    sys.stderr.write(f"type {WORD} to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == WORD


def _done(options: GlobalOptions, left: Left) -> int:
    if options.json:
        put(json.dumps({"flat": left.is_flat, "positions": left.positions, "orders": left.orders}))
    say("flat: no position and no order is left, looked at twice" if left.is_flat else "NOT flat: run it again")
    return ExitCode.CLEAN if left.is_flat else ExitCode.RECONCILE
