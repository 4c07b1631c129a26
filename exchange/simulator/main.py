"""`perpdesk exchange`: the simulated venue as a process of its own.

stdout carries exactly one JSON line, once the venue is ready; everything said to people goes to stderr.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from exchange.simulator.questions import SwitchError, answer_questions

if TYPE_CHECKING:
    import socket

    from exchange.simulator.faults.plan import FaultPlan
    from exchange.simulator.server import SocketFront

CLEAN = 0
BAD_CONFIGURATION = 10
"""Exit code of everything the operator must change first: an occupied port, a bad market, a bad start."""
DEFAULT_SYMBOLS = 240
DEFAULT_STEP_MS = 250


class RunOptions(msgspec.Struct, frozen=True):
    """What the command line decides."""

    port: int = 0
    """0 picks a free port; the ready line names it."""
    symbols: int = DEFAULT_SYMBOLS
    seed: int = 1
    speed: float = 1.0
    """Simulated seconds per real second."""
    market: str = "synthetic"
    """`synthetic`, `replay:DIR` or `session:DIR`."""
    strict: bool = False
    start: str | None = None
    """First instant, ISO 8601, UTC where no offset is given. Without it a synthetic market starts at the wall clock's
    present, so that third-party clients, which sign with the wall clock, are accepted at speed 1."""
    origin: str | None = None
    """Instant, written like `start`, at which a synthetic market began; `start` where not given. Markets of one seed
    and origin are one market, whenever one starts to live through them: so a restart continues."""
    start_held_ms: int | None = None
    """UTC milliseconds of the wall clock at which simulated time was `start`: the exchange catches up with what has
    passed since, at its speed, so a desk that kept its clock finds the exchange on time."""
    step_ms: int = DEFAULT_STEP_MS
    api_key: str | None = None
    api_secret: str | None = None
    """Both or neither; the published demo pair by default. In place of a secret: the PEM text of a public key."""
    faults: str | None = None
    """A fault plan (TOML); its seconds count from the moment the venue is ready."""
    switches: tuple[str, ...] = ()
    """Answers to open questions of the venue's contract, as `name=value`."""
    control_token: str | None = None
    """What the control endpoint asks for; a random one, named by the ready line, where not given."""
    die_with_parent: bool = False
    """End when stdin reaches its end, which is how a child notices that its parent is gone."""


class OptionError(Exception):
    """An option that cannot be used; the text says which, what it was, and what to do."""


def run_exchange(options: RunOptions) -> int:
    """Serve until SIGINT, SIGTERM or (if asked) the end of stdin; return the process's exit code."""
    # Heavy imports wait until the venue really runs: the command line imports this module for its options.
    import uvloop  # noqa: PLC0415

    from exchange.simulator.stepped_market import MarketError  # noqa: PLC0415

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(options))
    except (OptionError, MarketError) as fault:
        return _refuse(str(fault))


def _refuse(text: str) -> int:
    print(f"perpdesk exchange: {text}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is where it talks
    return BAD_CONFIGURATION


async def _serve(options: RunOptions) -> int:
    from exchange.simulator.server import listen  # noqa: PLC0415

    _check(options)
    try:
        listener = listen(options.port)
    except OSError as fault:
        if fault.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        why = "is already in use" if fault.errno == errno.EADDRINUSE else "may not be opened by this user"
        return _refuse(f"port {options.port} {why}; choose another with --port N, or --port 0 for any free one")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with listener:
        return await _serve_on(listener, options, stop)


async def _serve_on(listener: socket.socket, options: RunOptions, stop: asyncio.Event) -> int:
    front, facts = _build(options)
    await front.start(listener)
    loop = asyncio.get_running_loop()
    if options.die_with_parent:
        await loop.connect_read_pipe(lambda: _UntilEnd(stop), sys.stdin)
    ready = {
        "event": "ready",
        "rest": f"http://127.0.0.1:{front.port}",
        "stream": f"ws://127.0.0.1:{front.port}",
        "speed": options.speed,
        "now": front.now_ms(),
        "pid": os.getpid(),
        **facts,
    }
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()
    waits = [asyncio.create_task(stop.wait()), asyncio.create_task(front.failed())]
    done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await front.stop()
    for task in done:
        task.result()
    return CLEAN


class _UntilEnd(asyncio.Protocol):
    """Sets an event when the pipe it reads from ends."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the loss of the pipe for its end."""
        del exc
        self._stop.set()


def _build(options: RunOptions) -> tuple[SocketFront, dict[str, Any]]:
    from exchange.simulator.core import Exchange  # noqa: PLC0415
    from exchange.simulator.market_factory import make_market  # noqa: PLC0415
    from exchange.simulator.server import SocketFront  # noqa: PLC0415
    from exchange.simulator.venue import ExchangeOptions  # noqa: PLC0415

    first = _first_instant(options)
    market = make_market(
        options.market,
        symbols=options.symbols,
        seed=options.seed,
        start_ms=first // options.step_ms * options.step_ms,
        origin_ms=None if options.origin is None else _instant("--origin", options.origin),
        step_ms=options.step_ms,
    )
    for note in getattr(market, "notes", ()):
        print(f"perpdesk exchange: {note}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is where it talks
    exchange = Exchange(
        market,
        _secrets(options),
        ExchangeOptions(
            strict=options.strict,
            seed=options.seed,
            speed=options.speed,
            market_name=options.market,
            control_token=options.control_token or secrets.token_hex(16),
            questions=answer_questions(options.switches),
        ),
    )
    if options.start_held_ms is not None:
        exchange.advance(first + int((_wall_ms() - options.start_held_ms) * options.speed))
    elif options.start is None and options.market == "synthetic":
        exchange.advance(_wall_ms())  # building a market takes seconds, by which its clock would be slow for ever
    exchange.set_faults(_plan(options))
    facts = {
        "symbols": len(market.listings),
        "market": options.market,
        "control_token": exchange.options.control_token,
    }
    return SocketFront(exchange), facts


def _plan(options: RunOptions) -> FaultPlan:
    from exchange.simulator.faults.plan import FaultPlan, PlanError, read_plan  # noqa: PLC0415

    if options.faults is None:
        return FaultPlan()
    try:
        return read_plan(Path(options.faults).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise OptionError(f"--faults {options.faults}: the file cannot be read ({fault})") from fault
    except PlanError as fault:
        raise OptionError(f"--faults {options.faults}: {fault}") from fault


def _check(options: RunOptions) -> None:
    from exchange.simulator.kline_feed import check_step  # noqa: PLC0415

    if not 0 <= options.port <= 65_535:
        raise OptionError(f"--port is {options.port}: use 0 to 65535")
    if options.symbols < 1:
        raise OptionError(f"--symbols is {options.symbols}: use 1 or more")
    if not 0.001 <= options.speed <= 10_000:
        raise OptionError(f"--speed is {options.speed}: use a number from 0.001 to 10000")
    try:
        check_step(options.step_ms)
    except ValueError as fault:
        raise OptionError(f"--step-ms: {fault}") from fault
    _first_instant(options)
    _secrets(options)
    _plan(options)
    try:
        answer_questions(options.switches)
    except SwitchError as fault:
        raise OptionError(str(fault)) from fault


def _wall_ms() -> int:
    return int(time.time() * 1000)


def _first_instant(options: RunOptions) -> int:
    if options.start is None:
        return _wall_ms()
    return _instant("--start", options.start)


def _instant(option: str, text: str) -> int:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as fault:
        raise OptionError(f"{option} is {text!r}: use ISO 8601 such as 2026-01-05T00:00:00Z") from fault
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return int(instant.timestamp() * 1000)


def _secrets(options: RunOptions) -> dict[str, str] | None:
    if options.api_key is None and options.api_secret is None:
        return None
    if not options.api_key or not options.api_secret:
        raise OptionError("--api-key and --api-secret belong together: give both, or neither for the demo pair")
    from exchange.simulator.keys import read_credential  # noqa: PLC0415

    try:
        read_credential(options.api_secret)
    except ValueError as fault:
        raise OptionError(f"--api-secret: {fault}") from fault
    return {options.api_key: options.api_secret}
