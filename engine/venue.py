"""Connects the desk to its venue: the built-in simulator as a child, a simulator elsewhere, demo, or live."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from engine.adapters.clock import SystemClock
from engine.adapters.entropy import RandomEntropy
from engine.adapters.simulator_child import SimulatorChild, SimulatorError
from engine.desk import Identity
from engine.events import EventKind, Severity
from exchange.binance.http import HttpRest
from exchange.binance.routes import VENUES, Venue, venue_of
from exchange.binance.signing import Credentials
from exchange.binance.socket import WebSocketDialer
from exchange.errors import VenueError
from exchange.ports import LostError, NotSentError
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET
from exchange.simulator.main import RunOptions

if TYPE_CHECKING:
    from config.load import Loaded
    from config.settings import SimulatorSettings
    from engine.chronicle import Chronicle

MOVES_PER_S = 10
"""Moves of the built-in market per real second, whatever its speed; a step lasts 250 ms to 5 s of simulated time."""
RESTARTS = 5
RESTART_S = 1.0
ASK_DEADLINE = 5.0
RESUME_GAP_MS = 1000


class UnusableKeyError(VenueError):
    """The API key that was found cannot sign; the text says what to do."""


class SimulatorClock(msgspec.Struct, frozen=True):
    """What a simulator says of its time at /sim/clock."""

    now: int
    speed: float
    market: str


class Connection:
    """An open way to the venue. Needs a running loop; `close` ends everything it started."""

    def __init__(self, venue: Venue, identity: Identity, clock: SystemClock, credentials: Credentials | None) -> None:
        self.venue = venue
        self.identity = identity
        self.clock = clock
        self.credentials = credentials
        self.entropy = RandomEntropy()
        self.rest = HttpRest(venue.rest_url, wallet_url=venue.wallet_url)
        self.dialer = WebSocketDialer(venue.stream_url)
        self.child: SimulatorChild | None = None
        self.options: RunOptions | None = None

    async def close(self) -> None:
        """End the HTTP session and the child."""
        await self.rest.close()
        if self.child is not None:
            await self.child.stop()

    async def keep_alive(self, chronicle: Chronicle) -> None:
        """Start the simulator again on the same port, at the desk's present time, when it dies; a few times."""
        if self.child is None or self.options is None:
            return
        port = int(self.venue.rest_url.rpartition(":")[2])
        for attempt in range(1, RESTARTS + 1):
            words = await self.child.exited()
            chronicle.say(EventKind.FEED, f"the simulated exchange ended ({words}); starting it again", Severity.ALERT)
            await self.clock.sleep(RESTART_S * self.clock.speed)
            again = msgspec.structs.replace(
                self.options, port=port, start=instant(self.clock.now_ms()), start_held_ms=SystemClock().now_ms()
            )
            try:
                await self.child.start(again)
            except SimulatorError as error:
                chronicle.say(EventKind.FEED, f"start {attempt} of {RESTARTS} failed: {error}", Severity.ALERT)
                return
            chronicle.say(EventKind.FEED, "the simulated exchange is back", Severity.NOTICE)
        chronicle.say(EventKind.FEED, f"the simulated exchange died {RESTARTS} times; restart the desk", Severity.ALERT)


async def connect(loaded: Loaded, last_ms: int) -> Connection:
    """Open the way to the configured venue. `last_ms` is the journal's newest instant: time never goes back.

    Raises SimulatorError or exchange.errors.VenueError with what to do.
    """
    name = loaded.settings.exchange.venue
    if name == "simulator":
        return await _built_in(loaded.settings.simulator, last_ms)
    venue = venue_of(name)
    credentials = own_credentials(loaded)
    if venue.name in VENUES:
        return Connection(venue, Identity(venue.name, venue.name), SystemClock(), credentials)
    return await _elsewhere(venue, credentials)


def own_credentials(loaded: Loaded) -> Credentials | None:
    """Return the configured key, ready to sign; None without one. Raises UnusableKeyError for one that cannot sign."""
    given = loaded.credentials
    if given is None:
        return None
    try:
        return Credentials(given.key.reveal(), given.secret.reveal())
    except ValueError as error:
        raise UnusableKeyError(f"the API key from {given.origin} cannot be used: {error}") from None


async def _built_in(settings: SimulatorSettings, last_ms: int) -> Connection:
    child = SimulatorChild()
    options = child_options(settings, last_ms)
    ready = await child.start(options)
    # A moment passed since the child read its clock; the desk's first synchronisation takes it out.
    clock = SystemClock(ready.now, ready.speed)
    connection = Connection(
        Venue(ready.rest, ready.stream, "simulator", ready.rest),
        Identity("simulator", f"simulator {ready.market.partition(':')[0]}", ready.speed),
        clock,
        Credentials(DEMO_KEY, DEMO_SECRET),
    )
    connection.child, connection.options = child, options
    return connection


def child_options(settings: SimulatorSettings, last_ms: int) -> RunOptions:
    """Return how to start the built-in simulator so that its market continues after the journal's newest instant.

    0 is an empty journal: a synthetic market then begins at the configured start, recorded ones where they choose.
    """
    resumed = last_ms + RESUME_GAP_MS if last_ms else 0
    is_recorded = settings.market.startswith(("replay:", "session:"))
    start = resumed if is_recorded else max(settings.start_ms, resumed)
    return RunOptions(
        symbols=settings.symbols,
        seed=settings.seed,
        speed=settings.speed,
        market=settings.market,
        start=instant(start) if start else None,
        origin=None if is_recorded else instant(settings.start_ms),
        step_ms=step_of(settings.speed),
    )


async def _elsewhere(venue: Venue, credentials: Credentials | None) -> Connection:
    """Ask a loopback venue for its clock: a simulator tells its speed, anything else runs in real time."""
    rest = HttpRest(venue.rest_url)
    try:
        answer = await rest.send("GET", "/sim/clock", b"", {}, ASK_DEADLINE)
        told = msgspec.json.decode(answer.body, type=SimulatorClock) if answer.status == 200 else None
    except (NotSentError, LostError, msgspec.DecodeError):
        told = None
    finally:
        await rest.close()
    if told is None:
        return Connection(venue, Identity("simulator", venue.name), SystemClock(), credentials)
    key = credentials or Credentials(DEMO_KEY, DEMO_SECRET)
    identity = Identity("simulator", f"{venue.name} {told.market.partition(':')[0]}", told.speed)
    return Connection(venue, identity, SystemClock(told.now, told.speed), key)


def step_of(speed: float) -> int:
    """Return the market's step in simulated milliseconds: one that divides a minute, near ten moves a real second."""
    wanted = speed * 1000 / MOVES_PER_S
    return min((250, 500, 1000, 2000, 5000), key=lambda step: abs(step - wanted))


def instant(time_ms: int) -> str:
    """Return UTC milliseconds in the form the simulator's start option takes."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat()
