"""The desk: every part of the engine in one place, and the tasks that move them.

It reaches the world through `engine.ports.Ports` only, so the same desk runs on sockets and in simulated time. It holds
no trading rule; the deciders do.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import msgspec

from engine.answers import Answers
from engine.chronicle import Chronicle
from engine.commands import Ack, AckState
from engine.contract_watch import ContractWatch
from engine.events import EventKind, Severity
from engine.execution.memory import HandMemory
from engine.live_cycle import LiveCycle
from engine.live_orders import LiveOrders, LiveTerms
from engine.loops import Periodic
from engine.market.feed import Feed
from engine.memory import restore
from engine.modules import Modules
from engine.operator_desk import OperatorDesk
from engine.picture import Picture
from engine.positions.book import VirtualBook
from engine.positions.lifecycle import is_live
from engine.positions.pending import PendingEntries
from engine.positions.store import ColumnStore
from engine.resync import Resync
from engine.risk import protection
from engine.risk.gate import BreakerGate
from engine.served import Served
from engine.strategy.advanced import Advanced
from engine.strategy.guests import Guests
from engine.venue_watch import VenueWatch
from engine.virtual_cycle import VirtualCycle
from exchange.account import AccountSummary, PositionRisk
from exchange.bad_input import Quarantine
from exchange.binance.client import BinanceClient
from exchange.binance.weights import WeightLedger
from exchange.errors import ExchangeError
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from decimal import Decimal

    from config.flags import FlagBoard
    from config.settings import Settings
    from engine.commands import Command
    from engine.journal.journal import Journal
    from engine.memory import Remembered
    from engine.port import LocalPort
    from engine.ports import Ports
    from engine.positions.lifecycle import PositionEvent
    from engine.risk.protection import ProtectionState
    from engine.snapshot import CycleView, LeverageRow
    from exchange.binance.signing import Credentials

ACCOUNT_S = 30.0
TICKERS_S = 60.0
CLOCK_S = 60.0
UNIVERSE_S = 3600.0
RETRY_S = 5.0
TICK_S = 0.1
OPERATOR_HALT = 20


class Identity(msgspec.Struct, frozen=True):
    """Which venue the desk stands at."""

    environment: str
    """`simulator`, `demo` or `live`."""
    exchange: str
    speed: float = 1.0

    @property
    def has_books(self) -> bool:
        """Say whether order books can be read: a replay of candles has none."""
        return self.environment != "replay"

    @property
    def patience(self) -> float:
        """Return what silences of the venue are multiplied by: at speed 20 ten desk seconds are half a real one.

        A simulated venue may be late by what this machine is late, so its silences are judged by real seconds too.
        """
        return max(1.0, self.speed / 2)


class Vitals(Protocol):
    """What the process knows of itself."""

    def lag(self) -> tuple[float, float]:
        """Return the loop's lateness in ms: p99 and maximum."""

    def memory_mb(self) -> float:
        """Return the resident memory in MiB."""

    def instant(self) -> float:
        """Return the machine's monotonic clock in seconds."""

    def restarts(self) -> int:
        """Return how often the engine was started again in the last ten minutes after an end nobody asked for."""


class Pace(msgspec.Struct, frozen=True):
    """How often the desk looks and shows, in desk seconds."""

    tick_s: float = TICK_S
    publish_s: float = 0.25
    """0 publishes after every live cycle only."""


class AccountState(msgspec.Struct, frozen=True):
    """The account as last read; None where it could not be."""

    summary: AccountSummary | None = None
    positions: tuple[PositionRisk, ...] = ()
    mode: str = "unknown"
    read_ms: int = 0


class Desk:
    """Owns the parts. Create on the loop that will run it."""

    def __init__(
        self,
        settings: Settings,
        flags: FlagBoard,
        ports: Ports,
        journal: Journal,
        port: LocalPort,
        identity: Identity,
        vitals: Vitals,
        *,
        credentials: Credentials | None = None,
        remembered: Remembered | None = None,
        pace: Pace | None = None,
        history: int = 500,
        guests: Guests | None = None,
        live: LiveTerms | None = None,
    ) -> None:
        self.settings = settings
        self.flags = flags
        self.ports = ports
        self.clock = ports.clock
        self.port = port
        self.identity = identity
        self.vitals = vitals
        self.pace = pace or Pace()
        self.mode: str = settings.strategy.mode
        self.halted_by = ""
        self.phase, self.phase_text = "starting", "reading the exchange's rules"
        self.started = self.clock.monotonic()
        self.chronicle = Chronicle(self.clock, port, journal)
        self.gate = BreakerGate(self.clock)
        self.ledger = WeightLedger(settings.exchange.rate_limit)
        self.quarantine = Quarantine()
        self.client = BinanceClient(
            ports.rest,
            self.clock,
            self.ledger,
            self.gate,
            ports.entropy,
            credentials=credentials,
            quarantine=self.quarantine,
        )
        self.has_key = credentials is not None
        self._clock_steps_told = 0
        self.feed = Feed(
            self.client,
            ports.dialer,
            self.clock,
            ports.entropy,
            self.chronicle,
            settings.universe.size,
            history,
            identity.patience,
            self.quarantine,
        )
        self._arrange_flagged()
        self.guests = guests or Guests()
        """The strategies from outside."""
        for name in self.guests.names:
            self.book.ledger.account(name)  # so that the leaderboard shows it before its first position
        self.pending = PendingEntries()
        self.account = AccountState()
        now = self.clock.now_ms()
        self.protection = protection.fresh(settings.virtual.start_balance, now)
        self._stored = self.protection
        self._settled: ProtectionState | None = None
        self.protected = False
        """Whether the protection has begun with a known equity, in this session or an earlier one."""
        self.decisions: list[LeverageRow] = []
        self.cycle: CycleView | None = None
        self.on_cycle: Callable[[CycleView], None] | None = None
        self._arrange_parts()
        self.tell_guests()
        self.stopping = asyncio.Event()
        self.exit_code = 0
        if remembered is not None:
            restore(self, remembered)
        self.orders: LiveOrders | None = None
        """Live orders; None on paper, where no way to send one exists."""
        if live is not None:
            self.orders = LiveOrders(self, live, remembered.hand if remembered is not None else HandMemory())
            if self.orders.is_stopped:
                self.halted_by = "an earlier session"

    def _arrange_flagged(self) -> None:
        """Make the parts that feature flags switch, as the flags stand."""
        flags, settings, instant = self.flags, self.settings, self.vitals.instant
        self.modules = Modules(instant)
        self.served = Served(self.ports.infer, flags, self.modules, settings.prediction.batch_size, instant)
        self.advanced = Advanced(self.modules)
        self.feed.incremental = flags.on("ENABLE_INCREMENTAL_CACHE")
        self.store = ColumnStore(
            self.ports.disk, flags.on("ENABLE_MEMORY_MAPPED_STORAGE"), settings.prediction.memory_mapped_positions
        )
        self.book = VirtualBook(
            start=settings.virtual.start_balance,
            expiry_ms=int(settings.virtual.expiry * 1000),
            smart=flags.on("ENABLE_SMART_MONITORING"),
            make=self.store,
        )
        if self.store.fault:
            self.chronicle.say(EventKind.SYSTEM, f"the virtual book lies in {self.store.rung}", Severity.WARNING)

    def _arrange_parts(self) -> None:
        """Make the parts that see the whole desk."""
        loops = self.settings.loops
        self.contracts = ContractWatch(self)
        self.resync = Resync(self)
        self.venue = VenueWatch(self)
        self.live = LiveCycle(self)
        self.virtual = VirtualCycle(self)
        self.live_loop = Periodic(self.clock, loops.cycle_interval, self.live.run)
        self.virtual_loop = Periodic(self.clock, loops.virtual_interval, self.virtual.run)
        self.operator = OperatorDesk(self)
        self.chronicle.on_position = self._follow_trade
        self.answers = Answers(self)
        self.picture = Picture(self)

    def tell_guests(self) -> None:
        """Tell what the strategies from outside gave cause to say."""
        for text in self.guests.news():
            self.chronicle.say(EventKind.SYSTEM, text, Severity.WARNING)

    # Running.

    async def run(self) -> None:
        """Run until `stop`; ends in an orderly way. Raises what no part of the desk can answer for."""
        self.port.attach(asyncio.get_running_loop(), self.take_command, self.answers.take)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work, name=name) for name, work in self._work().items()]
                group.create_task(self._end(tasks), name="stop")
        finally:
            self.phase, self.phase_text = "stopping", "saving"
            self.port.detach()
            if self.protected and self.protection != self._stored:
                self.remember_protection("the desk")
            self.chronicle.flush()
            self.publish()

    def halt(self, reason: str) -> None:
        """End the process by the operator's word: nothing may start it again by itself."""
        self.end(OPERATOR_HALT, reason)

    def end(self, code: int, reason: str) -> None:
        """End the process with an exit code."""
        self.exit_code = code
        self.stop(reason)

    def stop(self, reason: str) -> None:
        """Ask the desk to end; may be called more than once."""
        if not self.stopping.is_set():
            self.phase, self.phase_text = "stopping", reason
            self.chronicle.say(EventKind.SYSTEM, f"stopping: {reason}", Severity.NOTICE)
            self.stopping.set()

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        await self.stopping.wait()
        for task in tasks:
            task.cancel()

    def _work(self) -> dict[str, Coroutine[None, None, None]]:
        work = {
            "start": self._start(),
            "ticks": self._ticks(),
            "watch": self._watch(),
            "publish": self._publish(),
        }
        if self.orders is not None:  # positions are protected before, and whether or not, candles can be read
            work["live orders"] = self.orders.run()
        return work

    async def _start(self) -> None:
        """Read the venue until it answers, then let everything that needs it run."""
        await self.read_again()
        self.phase, self.phase_text = "back-filling", "fetching candles"
        async with asyncio.TaskGroup() as group:
            group.create_task(self.feed.streams.run(), name="streams")
            group.create_task(self.feed.backfill.run(), name="back-fill")
            group.create_task(self.resync.run(), name="resync")
            group.create_task(self.contracts.run(), name="contracts")
            group.create_task(self.venue.run(), name="capability probe")
            group.create_task(self.live_loop.run(), name="live cycle")
            group.create_task(self.virtual_loop.run(), name="virtual cycle")
            group.create_task(self._repeat(TICKERS_S, "24 h statistics", self.feed.refresh_tickers), name="tickers")
            group.create_task(self._repeat(CLOCK_S, "the exchange's clock", self._sync_clock), name="clock")
            group.create_task(self._repeat(UNIVERSE_S, "the universe", self.refresh_universe), name="universe")
            if self.has_key:
                group.create_task(self._repeat(ACCOUNT_S, "the account", self._read_account), name="account")

    async def read_again(self) -> None:
        """Read everything an entry rests on, until the exchange answers: clock, prices and rules, account."""
        await self._until_done("the exchange's clock", self._sync_clock)
        await self._until_done("the universe", self.refresh_universe)
        if self.has_key:
            await self._once("the account", self._read_account)

    async def _until_done(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Try until it succeeds; each cause is told once."""
        told: set[str] = set()
        while True:
            try:
                await work()
            except ExchangeError as error:
                self.phase_text = f"waiting for the exchange: {error}"
                self.complain(what, error, told)
                await self.clock.sleep(RETRY_S)
            else:
                return

    async def _once(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Try once: the desk can do without it, and a task of its own will try again."""
        try:
            await work()
        except ExchangeError as error:
            self.complain(what, error, set())

    async def _repeat(self, period: float, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Repeat for ever; until it succeeds again, each cause of a failure is told once."""
        told: set[str] = set()
        while True:
            await self.clock.sleep(period)
            try:
                await work()
            except ExchangeError as error:
                self.complain(what, error, told)
            else:
                told.clear()

    def complain(self, what: str, error: ExchangeError, told: set[str]) -> None:
        """Tell that something could not be read, once per cause: `told` holds those told before."""
        text = f"{what} could not be read: {error}"
        self.feed.last_error = text
        if text not in told:
            told.add(text)
            self.chronicle.say(EventKind.FEED, f"{text}; trying again", Severity.WARNING)

    async def _sync_clock(self) -> None:
        await self.client.sync_clock(1)
        if self.client.clock_steps > self._clock_steps_told:
            self._clock_steps_told = self.client.clock_steps
            seconds = self.client.last_clock_step_ms / 1000
            text = (
                f"a clock stepped: the exchange's now reads {abs(seconds):.1f} s {'more' if seconds > 0 else 'less'} "
                "against this machine's than before; the offset was taken over, check the time service"
            )
            self.chronicle.say(EventKind.FEED, text, Severity.WARNING)

    async def refresh_universe(self) -> None:
        """Read the universe and follow what changed. Raises ExchangeError."""
        async with self.contracts.reading:
            change = await self.feed.refresh(self.contracts.held)
            self.contracts.follow(change)
            self.virtual.reslot()
        if change.added or change.removed:
            text = f"universe: {len(self.feed.symbols)} symbols, {len(change.added)} new, {len(change.removed)} gone"
            self.chronicle.say(EventKind.FEED, text)

    async def _read_account(self) -> None:
        if not self.feed.brackets:
            await self.feed.read_brackets()
        hedge = await self.client.position_mode()
        summary = await self.client.account()
        positions = await self.client.positions(priority=Priority.CRITICAL)
        now = self.clock.now_ms()
        self.account = AccountState(
            summary,
            tuple(position for position in positions if position.quantity),
            "hedge" if hedge else "one-way",
            now,
        )
        self.watch_equity()

    def watch_equity(self) -> None:
        """Let the account protection see the equity as far as it is known, and the day."""
        equity = self.live.entries.account.equity()
        if equity is None:
            self.pass_time()
        else:
            self.observe_equity(equity)

    def _follow_trade(self, event: PositionEvent) -> None:
        """Let the account protection hear of a paper trade that closed."""
        if is_live(event.position_id):
            return
        result = self.live.entries.account.paper.take(event)
        if result is not None and self.orders is None:
            self.note_result(result)

    def note_result(self, result: Decimal) -> None:
        """Let the account protection hear of the result of a trade that closed, in USDT."""
        self._protect(self.protection, protection.closed_trade(self.protection, result, self.clock.now_ms()))
        self.watch_equity()

    def observe_equity(self, equity: Decimal) -> None:
        """Let the account protection see the account's equity."""
        now = self.clock.now_ms()
        before = self.protection
        if self.protected and equity == before.equity and self._holds(now):
            return
        if not self.protected and equity > 0:
            self.protected = True
            if self.has_key:  # the first reading is where losses are counted from; paper begins at the start balance
                before = self.protection = protection.fresh(equity, now)
            self.remember_protection("the desk")
        self._protect(before, protection.observe(before, equity, now))

    def pass_time(self) -> None:
        """Let a new UTC day begin for the account protection."""
        now = self.clock.now_ms()
        if not self._holds(now):
            self._protect(self.protection, protection.pass_time(self.protection, now))

    def _holds(self, now_ms: int) -> bool:
        """Say whether the state is what the protection made of it last on this UTC day: time alone moves nothing."""
        return self._settled is self.protection and now_ms // protection.DAY_MS <= self.protection.day

    def _protect(self, before: ProtectionState, after: ProtectionState) -> None:
        """Take a new state; store it when more changed than equity and a hair of its peak."""
        self.protection = self._settled = after
        if after.level is not before.level:
            text = f"account protection: {before.level.name} to {after.level.name}, {after.reason}"
            self.chronicle.say(EventKind.RISK, text, Severity.ALERT)
            self.chronicle.change("protection", "level", before.level.name, after.level.name, "the desk")
        if self.protected and protection.worth_storing(self._stored, after):
            self.remember_protection("the desk")

    def take_protection(self, state: ProtectionState) -> None:
        """Continue from a stored state."""
        self.protection = self._stored = state
        self.protected = True

    def remember_protection(self, by: str) -> None:
        """Store the whole protection state, which a restart continues from."""
        self._stored = self.protection
        kind = protection.OF_ACCOUNT if self.has_key else protection.OF_PAPER
        self.chronicle.change("protection", kind, "", protection.save(self.protection).decode(), by)

    async def _ticks(self) -> None:
        """Follow prices and closed bars, as they come but at most once per tick."""
        while True:
            await self.clock.sleep(self.pace.tick_s)
            self.resync.beat()
            while self.feed.flush():
                await self.clock.sleep(0)
            self.virtual.tick()

    async def _watch(self) -> None:
        """Let the breaker's pauses end, and tell what breaker and journal have to say."""
        told = ""
        while True:
            await self.clock.sleep(1.0)
            self.gate.tick()
            self.venue.tell_bad_input()
            self.operator.obey_sentinel()
            for _, text in self.gate.news():
                self.chronicle.say(EventKind.RISK, f"API breaker: {text}", Severity.WARNING)
            fault = self.chronicle.journal.failed or self.chronicle.journal.view_fault or ""
            if fault and fault != told:
                self.chronicle.say(EventKind.SYSTEM, f"journal: {fault}", Severity.ALERT)
            told = fault

    async def _publish(self) -> None:
        while self.pace.publish_s > 0:
            self.publish()
            await self.clock.sleep(self.pace.publish_s)

    def publish(self) -> None:
        """Show the present state to the screens."""
        self.port.publish(self.picture.take())

    # The port's side.

    def take_command(self, ticket: int, command: Command, by: str) -> None:
        """Carry out a command of an operator and acknowledge it."""
        done, text = self.operator.take(command, by)
        self.port.settle(Ack(ticket, AckState.DONE if done else AckState.REFUSED, text))
