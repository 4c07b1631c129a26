"""`perpdesk record`: a venue's market as it comes, into a folder that the simulated exchange serves again."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import uvloop

from engine.adapters.simulator_child import SimulatorError
from engine.venue import connect
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.weights import WeightLedger
from exchange.errors import ExchangeError
from exchange.recorder.collect import (
    CHANNELS,
    INTERVALS,
    Collector,
    Plan,
    RecordingError,
    Wish,
    choose_symbols,
    parse_wish,
)
from exchange.recorder.manifest import Manifest, SessionError
from exchange.recorder.records import SCHEMA
from exchange.recorder.writer import SessionWriter
from tui.desk_start import configuration
from tui.exit_codes import ExitCode
from tui.talk import put, say
from tui.venue_faults import venue_fault

if TYPE_CHECKING:
    from config.load import Loaded
    from engine.venue import Connection
    from tui.arguments import GlobalOptions

WATCH_S: Final = 1.0
TOLD_S: Final = 30
_CHANNEL: Final = re.compile(
    r"aggTrade|trade|bookTicker|markPrice(@1s)?|ticker|miniTicker|forceOrder|kline_(\d+m|\d+h|1d|3d|1w|1M)"
    r"|depth(5|10|20)?(@(100|250|500)ms)?"
)


def record(options: GlobalOptions, *, out: str, symbols: str, streams: str) -> int:
    """Record until the duration is over or somebody interrupts; return the exit code."""
    loaded = configuration(options)
    try:
        wish, channels = parse_wish(symbols), _channels(streams)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_record(loaded, options, Path(out), wish, channels))
    except (SessionError, RecordingError) as error:
        say(str(error))
        return ExitCode.CONFIG
    except (ExchangeError, SimulatorError) as error:
        return venue_fault(error)


def _channels(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip())) or CHANNELS
    for name in names:
        if not _CHANNEL.fullmatch(name):
            raise RecordingError(f"--streams: {name!r} is no stream of a symbol; the default is {','.join(CHANNELS)}")
    return names


async def _record(loaded: Loaded, options: GlobalOptions, out: Path, wish: Wish, channels: tuple[str, ...]) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    connection = await connect(loaded, 0)
    try:
        return await _on(connection, loaded, options, out, wish, channels, stop)
    finally:
        await connection.close()


async def _on(
    connection: Connection,
    loaded: Loaded,
    options: GlobalOptions,
    out: Path,
    wish: Wish,
    channels: tuple[str, ...],
    stop: asyncio.Event,
) -> int:
    ledger = WeightLedger(loaded.settings.exchange.rate_limit)
    scout = BinanceClient(connection.rest, connection.clock, ledger, OpenGate(), connection.entropy)
    await scout.sync_clock(1)
    plan = Plan(await choose_symbols(scout, wish), channels)
    started_us = connection.clock.now_ms() * 1000
    manifest = Manifest(
        schema=SCHEMA,
        session=connection.entropy.token(16),
        venue=connection.venue.name,
        rest_url=connection.venue.rest_url,
        stream_url=connection.venue.stream_url,
        symbols=plan.symbols,
        streams=plan.channels,
        intervals=INTERVALS,
        started_us=started_us,
    )
    writer = SessionWriter(out, manifest)
    collector = Collector(connection.rest, connection.dialer, connection.clock, connection.entropy, ledger, writer.put)
    say(f"recording {len(plan.symbols)} symbols of {connection.venue.name} into {out}; Ctrl-C ends it")
    recording = asyncio.create_task(collector.run(plan), name="recording")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await _watch(recording, stopping, collector, writer, options.duration)
    finally:
        stopping.cancel()
        recording.cancel()
        await asyncio.wait([recording])
        whole = writer.close(collector.now_us())
    return _report(options, out, collector, writer, whole=whole)


async def _watch(
    recording: asyncio.Task[None],
    stopping: asyncio.Task[bool],
    collector: Collector,
    writer: SessionWriter,
    duration: float | None,
) -> None:
    """Wait for the end: a stop, a failure, or `duration` seconds since the session could be served."""
    loop = asyncio.get_running_loop()
    ready_at: float | None = None
    told_at = loop.time()
    fault: str | None = None
    while not stopping.done():
        pause = WATCH_S
        if ready_at is not None and duration is not None:
            pause = min(pause, ready_at + duration - loop.time())
            if pause <= 0:
                return
        await asyncio.wait([recording, stopping], timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        if recording.done():
            _raise_cause(recording)
        if ready_at is None and collector.ready.is_set():
            ready_at = loop.time()
            say("rules, prices and history are recorded; the session can be served from here on")
        if writer.fault != fault:
            fault = writer.fault
            say(fault or "the recording can be written again")
        if loop.time() - told_at >= TOLD_S:
            told_at = loop.time()
            say(_amount(writer))


def _raise_cause(recording: asyncio.Task[None]) -> None:
    """Raise the venue's error out of the task group it ended in."""
    error: BaseException | None = recording.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is not None:
        raise error


def _amount(writer: SessionWriter) -> str:
    counts = writer.counts
    return (
        f"{counts.frames} frames and {counts.answers} answers, "
        f"{counts.raw_bytes / 1e6:.1f} MB in {counts.stored_bytes / 1e6:.1f} MB"
    )


def _report(options: GlobalOptions, out: Path, collector: Collector, writer: SessionWriter, *, whole: bool) -> int:
    ready = collector.ready.is_set()
    for fault in collector.faults:
        say(f"not recorded: {fault}")
    if writer.counts.dropped:
        say(f"{writer.counts.dropped} records were given up because the disk was behind; record fewer streams")
    if writer.fault:
        say(f"{writer.fault}; free some space and record again")
    if not ready:
        say(f"ended before the history was complete: {out} can be read but not served; let it run longer")
    if options.json:
        line = {"session": str(out), "ready": ready, "whole": whole, **msgspec.structs.asdict(writer.counts)}
        put(msgspec.json.encode(line).decode())
    else:
        put(f"{_amount(writer)} in {out}" + (f"; serve it with --sim-market session:{out}" if ready else ""))
    return 0 if ready and whole else ExitCode.DATA
