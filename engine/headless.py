"""The engine without a screen: one line per cycle on stdout, talk on stderr, exit codes of reliability section 7."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import msgspec
import uvloop

from engine.adapters.clock import process_monotonic
from engine.adapters.output import OutputLines, abandon_terminal
from engine.adapters.service_manager import ServiceManager
from engine.port import LocalPort
from engine.runtime import Engine, StartError
from engine.service_notice import STOPPING, notice

if TYPE_CHECKING:
    from config.load import Loaded
    from config.options import RunOptions
    from engine.snapshot import CycleView

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
TELL_S = 0.5


def run(loaded: Loaded, options: RunOptions) -> int:
    """Run the engine until a signal or the given duration ends it; return the exit code."""
    port = LocalPort()
    lines = OutputLines()
    engine = Engine(loaded, options, port)
    engine.progress = lines.talk
    engine.gives_up = True
    show = _json_line if options.json else _plain_line
    engine.on_cycle = lambda cycle: lines.data(show(cycle))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_run(engine, port, options, lines))
    except StartError as error:
        lines.talk(str(error))
        return error.code
    finally:
        if lines.dropped:
            lines.talk(f"{lines.dropped} lines were not shown: nobody read them in time")
        lines.close()


async def _run(engine: Engine, port: LocalPort, options: RunOptions, lines: OutputLines) -> int:
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, engine.stop, signal.Signals(number).name)
    # A lost terminal is no reason to stop: a server's engine goes on. Nor is Ctrl-Z: a stopped desk watches nothing.
    loop.add_signal_handler(signal.SIGHUP, _terminal_gone, lines)
    loop.add_signal_handler(signal.SIGTSTP, lines.talk, "a stop signal (Ctrl-Z) is ignored; Ctrl-C ends the desk")
    if options.duration is not None:
        loop.call_later(options.duration, engine.stop, f"the asked {options.duration:g} s are over")
    manager = ServiceManager(os.environ)
    tasks = [
        asyncio.create_task(_tell(port, lines), name="event lines"),
        asyncio.create_task(_notify(port, manager), name="service notices"),
    ]
    try:
        return await engine.run()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        manager.tell((STOPPING,))
        manager.close()


def _terminal_gone(lines: OutputLines) -> None:
    abandon_terminal()
    lines.talk("the terminal is gone; the engine goes on (SIGTERM ends it)")


async def _notify(port: LocalPort, manager: ServiceManager) -> None:
    """Tell a service manager how the desk is, from the loop the desk runs on."""
    while manager.listens:
        snapshot = port.snapshot()
        manager.tell(notice(snapshot, process_monotonic() - snapshot.monotonic if snapshot is not None else 0.0))
        await asyncio.sleep(manager.period_s)  # noqa: TID251 - real time: the manager's watchdog counts it


async def _tell(port: LocalPort, lines: OutputLines) -> None:
    """Repeat the event log on stderr, to its last line: that one says why the desk ended."""
    seen = 0
    try:
        while True:
            seen = _tell_after(seen, port, lines)
            await asyncio.sleep(TELL_S)  # noqa: TID251 - real time: a person reads this
    finally:
        _tell_after(seen, port, lines)


def _tell_after(seen: int, port: LocalPort, lines: OutputLines) -> int:
    for event in port.events(seen).events:
        seen = event.seq
        lines.talk(f"{event.severity.value:7} {event.kind.value:8} {event.text}")
    return seen


def _json_line(cycle: CycleView) -> str:
    line = {
        "event": "cycle",
        "number": cycle.number,
        "time": cycle.time,
        "universe": cycle.universe,
        "ready": cycle.ready,
        "candidates": dict(cycle.candidates),
        "accepted": cycle.accepted,
        "dimensions": {one.name: {"kept": one.kept, "dropped": one.dropped} for one in cycle.dimensions},
        "balance": {"long_share": None if cycle.long_share != cycle.long_share else cycle.long_share},
        "cycle_ms": round(cycle.duration_ms, 3),
        "overruns": cycle.overruns,
    }
    return msgspec.json.encode(line).decode()


def _plain_line(cycle: CycleView) -> str:
    found = ", ".join(f"{name} {count}" for name, count in cycle.candidates)
    return (
        f"cycle {cycle.number}: {cycle.ready} of {cycle.universe} symbols ready; candidates {found}; "
        f"{cycle.accepted} accepted; {cycle.duration_ms:.1f} ms"
    )
