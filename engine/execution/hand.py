"""The hand: live orders of one account, from the first look after a start to the last word before an end.

Start order: clock, rights, account, protect, unknown, reconcile, streams, READY. Protection needs nothing but the
account: it works before history, candles and models, and whatever the state of entries is. Everything here runs on one
event loop; what the parts share is changed between two waits only, so check and reserve are one step.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from engine.events import Severity
from engine.execution.access import Access
from engine.execution.bookkeeper import Bookkeeper
from engine.execution.entering import Entering, Refused
from engine.execution.fills import EXPIRED
from engine.execution.intents import PositionKey, Purpose, read_client_id
from engine.execution.keeper import Keeper
from engine.execution.levels import StopLevel
from engine.execution.order_states import Stage
from engine.execution.reconciler import Reconciler
from engine.execution.sender import Sender
from engine.execution.start_verdict import StartStanding
from engine.execution.state import HandLimits, HandState
from engine.journal.record import FillRecord
from exchange.account_events import MarginCall, OrderUpdate, Origin, Resync
from exchange.bad_input import Quarantine
from exchange.binance.user_stream import UserStream
from exchange.errors import CredentialsError, ExchangeError
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from decimal import Decimal

    from engine.chronicle import Chronicle
    from engine.execution.entering import Wanted
    from engine.execution.intents import Intent
    from engine.execution.market import Market
    from engine.execution.memory import HandMemory
    from engine.execution.order_states import News
    from engine.execution.plans import Plan
    from engine.execution.sender import Tracked
    from engine.journal.journal import DurableJournal
    from exchange.account_events import AccountEvent
    from exchange.binance.client import BinanceClient
    from exchange.ports import Clock, Entropy, StreamDialer

TICK_S = 0.25
GATHER_S = 0.005
"""Pause after something happened: what comes at once is looked at once."""
RETRY_S = 1.0
SURE_S = 2.0
"""How long a start waits for the conditional orders of positions it knows: a stop too many is pruned later."""
PROTECT_S = 30.0
"""How long a start waits for every position to be protected or closing before it goes on to resolve and reconcile."""
OVERDUE_S = 60.0
SHOWN_MS = 2_000
"""A reading made so long after a fill shows the position it brought."""
LATE_MS = 1_000
"""How much later than its receive window allows an order of a desk that was killed may appear: clocks are not exact."""
DEAD_MAN_SHARE = 3


class StartStep(StrEnum):
    """Steps of the start order."""

    CLOCK = "clock"
    ACCOUNT = "account"
    PROTECT = "protect"
    UNKNOWN = "resolve unknown"
    RECONCILE = "reconcile"
    STREAMS = "streams"
    READY = "READY"


class Hand:
    """Live orders of one account. Create on the loop that will run it."""

    def __init__(
        self,
        client: BinanceClient,
        dialer: StreamDialer,
        clock: Clock,
        entropy: Entropy,
        journal: DurableJournal,
        chronicle: Chronicle,
        market: Market,
        epoch: str,
        *,
        limits: HandLimits | None = None,
        quarantine: Quarantine | None = None,
        memory: HandMemory | None = None,
    ) -> None:
        """Take the ways to the world and what an earlier session left; nothing is sent before `run`."""
        self._group: asyncio.TaskGroup | None = None
        self._ending = False
        limits = limits or HandLimits()
        access = Access(client, clock)
        self.state = HandState(access, journal, chronicle, market, clock, epoch, limits, self._spawn)
        self.stream = UserStream(client, dialer, clock, entropy, lambda _event: None, quarantine or Quarantine())
        self.sender = Sender(access, journal, self.state.book, clock, self._spawn, self._told)
        self.reconciler = Reconciler(
            access, self.state.book, self.sender, clock, self._apply, self._differs, self._shown
        )
        self.keeper = Keeper(self.state, self.sender, self.reconciler)
        self.entering = Entering(self.state, self.sender, self.keeper, self.why_no_entry, self._reserve, self._release)
        self.bookkeeper = Bookkeeper(self.state)
        self.step = StartStep.CLOCK
        self.trouble: ExchangeError | None = None
        """What the present step of the start failed with last."""
        self.level = StopLevel.RUN
        self.entries_off: Callable[[str], str] = lambda _symbol: ""
        """What else keeps entries off: arming, the venue's probe, protection, the journal; asked before each entry."""
        self.reserve: Callable[[Intent, Wanted], str] = lambda _intent, _wanted: ""
        self.release: Callable[[str], None] = lambda _client_id: None
        self.on_event: Callable[[AccountEvent], None] = lambda _event: None
        """Hears every event of the account once, after the book took it."""
        self.on_end: Callable[[Plan, str], None] = lambda _plan, _cause: None
        """Hears of each plan whose position is closed, with the cause in words."""
        self.violations: list[str] = []
        self.foreign: str = ""
        """Why another writer is suspected, empty while none is."""
        self._known_epochs = {epoch}
        self._alone_since_ms: int | None = None
        """Instant of the exchange from which on an order of an unknown session is no leftover of an earlier desk."""
        self._causes: dict[PositionKey, str] = {}
        self._seen: set[PositionKey] = set()
        """Plans whose position was seen open."""
        self._alerted: set[str] = set()
        self._dead_man: dict[str, float] = {}
        self._wake = asyncio.Event()
        if memory is not None:
            self._remember(memory)

    def _remember(self, memory: HandMemory) -> None:
        self._known_epochs |= memory.epochs
        for plan in memory.plans:
            self.state.plans[plan.key] = plan
        for intent, order in memory.orders:
            self.sender.remember(intent, order)
        # A halt ended that process; this one was started by somebody and waits for the word to go on.
        self.level = StopLevel.PAUSE if memory.level is StopLevel.HALT else memory.level
        if memory.plans or memory.orders:
            pending = sum(order.is_pending for _, order in memory.orders)
            self.state.say(
                f"continuing: {len(memory.plans)} live plans, {len(memory.orders)} orders that had not ended, "
                f"{pending} of them of unknown fate",
                Severity.NOTICE,
            )

    # Running.

    async def run(self) -> None:
        """Run until cancelled. Stops and targets stay at the exchange when it ends."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                group.create_task(self.stream.run(), name="private stream")
                group.create_task(self._listen(), name="account events")
                try:
                    await self._start(group)
                    group.create_task(self.reconciler.run(self.state.limits.reconcile_s), name="reconcile")
                    if self.state.limits.keeps_books:
                        group.create_task(self.bookkeeper.run(), name="bookkeeping")
                    await asyncio.Future()  # the others run on until this is cancelled
                finally:
                    self._ending = True
        finally:
            self._group = None

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        if self._group is None or self._ending:
            work.close()  # what is cancelled now is found again by the next start
            return
        watched = self.watched(work, name)
        try:
            task = self._group.create_task(watched, name=name)
            task.add_done_callback(lambda _task: work.close())  # cancelled before its first step it was never begun
        except RuntimeError:  # everything ends because one part did
            watched.close()
            work.close()

    async def watched(self, work: Coroutine[None, None, None], name: str) -> None:
        """Run one piece of work; a defect in it takes entries off and is told, and the care of positions goes on."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, the other positions must not lose their care for it
            self.violations.append(f"{name} failed: {error!r}")
            self.state.say(f"{name} failed: {error!r}; entries are off, care goes on", Severity.ALERT)

    async def _start(self, group: asyncio.TaskGroup) -> None:
        state = self.state
        # Without a reading of the clock a request is signed by our own and, where that is refused, by the exchange's.
        with suppress(ExchangeError):
            await state.access.client.sync_clock(1, priority=Priority.CRITICAL)
        self.step = StartStep.ACCOUNT
        await self._until("positions and stops", self.reconciler.glance, SURE_S * state.limits.patience)
        self.step = StartStep.PROTECT
        group.create_task(self._care(), name="care")
        group.create_task(self.watched(self.reconciler.patrol(), "patrol"), name="patrol")
        began = state.clock.monotonic()
        while not self._is_cared_for() and state.clock.monotonic() - began < PROTECT_S * state.limits.patience:
            await state.clock.sleep(TICK_S)
        self.step = StartStep.CLOCK
        await self._until("the exchange's clock", self._sync)
        client = state.access.client
        self._alone_since_ms = client.venue_ms() + client.calls.recv_window_ms + LATE_MS
        self.step = StartStep.UNKNOWN
        for tracked in list(self.sender.orders.values()):
            self.sender.resolve(tracked)
        self.step = StartStep.RECONCILE
        while not await self.reconciler.read():
            await state.clock.sleep(RETRY_S)
        self.entering.rest_again()
        self._end_plans()
        self.step = StartStep.STREAMS
        while not self.is_fed:
            if self.reconciler.merge.wanted is not None:
                await self.reconciler.read()
            await state.clock.sleep(TICK_S)
        self.step = StartStep.READY
        state.say("live orders: READY", Severity.NOTICE)

    async def _sync(self) -> None:
        await self.state.access.client.sync_clock(3)

    async def _until(
        self, what: str, work: Callable[[], Coroutine[None, None, None]], enough_s: float = math.inf
    ) -> None:
        """Try until it is done, or until `enough_s` desk seconds of trying told of a position that is open."""
        told, began = "", self.state.clock.monotonic()
        while True:
            try:
                await work()
            except ExchangeError as error:
                self.trouble = error
                if self.state.book.positions and self.state.clock.monotonic() - began >= enough_s:
                    self.trouble = None
                    return
                if str(error) != told:
                    told = str(error)
                    self.state.say(f"{what} could not be read: {error}; trying again", Severity.WARNING)
                pause = 30.0 if isinstance(error, CredentialsError) else RETRY_S
                await self.state.clock.sleep(pause)
            else:
                self.trouble = None
                return

    def start_standing(self, waited_s: float) -> StartStanding:
        """Return how far the start has come after `waited_s` desk seconds."""
        state, reconciler = self.state, self.reconciler
        is_joined = self.step in (StartStep.STREAMS, StartStep.READY)
        return StartStanding(
            step="" if is_joined else self.step.value,
            trouble=None if is_joined else self.trouble or reconciler.trouble,
            fault=reconciler.fault,
            clock_error_ms=state.access.client.clock_sync.error_ms,
            holds=bool(state.plans or state.book.positions)
            or any(not one.state.is_final for one in self.sender.orders.values()),
            waited_s=waited_s,
        )

    def _is_cared_for(self) -> bool:
        """Say whether every position is protected or being closed."""
        now = self.state.clock.monotonic()
        for position in self.state.book.positions.values():
            self.keeper.judge(position, now)
            watch = self.keeper.watches[position.key]
            if watch.naked_since is not None and not watch.close_reason:
                return False
        return True

    async def _care(self) -> None:
        """Look after everything, for ever."""
        while True:
            self.tick()
            await self._pause()

    async def _pause(self) -> None:
        """Wait for the next look: soon after something happened, else one tick."""
        alarm = asyncio.ensure_future(self.state.clock.sleep(TICK_S))
        woken = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((alarm, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            woken.cancel()
        if self._wake.is_set():
            self._wake.clear()
            await self.state.clock.sleep(GATHER_S)

    def tick(self) -> None:
        """Look at everything once; never waits."""
        if self.level is StopLevel.FLATTEN:  # what an entry still brings is closed like the rest
            self.entering.withdraw_all()
            self.close_all("flattened")
        self._end_the_oldest()
        self.keeper.tick()
        self.entering.tick()
        self._end_plans()
        self._alert()
        self._count_down()

    def _end_the_oldest(self) -> None:
        """Let positions be closed that were held for their longest time, whatever they are worth."""
        now_ms = self.state.clock.now_ms()
        for key, plan in list(self.state.plans.items()):
            position = self.state.book.positions.get(key)
            if position is not None and position.sign == plan.sign and 0 < plan.expires_ms <= now_ms:
                self._close_for(key, EXPIRED)

    # The account's events.

    async def _listen(self) -> None:
        while True:
            item = await self.stream.receive()
            for event in self.reconciler.hear(item):
                self._apply(event)
            if isinstance(item, Resync) and self.step is StartStep.READY:
                self.state.say(f"account events may have been missed: {item.reason}; reading again", Severity.NOTICE)

    def _apply(self, event: AccountEvent) -> None:
        self.state.book.apply(event)
        self.sender.hear(event)
        if isinstance(event, OrderUpdate):
            self._note_foreign(event)
            if event.trade is not None:
                self._book_fill(event)
        elif isinstance(event, MarginCall):
            self.state.say("MARGIN CALL: positions are close to liquidation", Severity.ALERT)
        self.on_event(event)
        self._wake.set()

    def _book_fill(self, event: OrderUpdate) -> None:
        tracked = self.sender.of_order(event.order_id, event.client_id)
        key = PositionKey(event.symbol, event.position_side)
        plan = self.state.plans.get(key)
        if event.origin is not Origin.CLIENT:
            self._causes[key] = event.origin.value
            text = f"{event.symbol}: {event.origin.value.upper()} of {event.last_quantity:f} at {event.last_price:f}"
            self.state.say(text, Severity.ALERT, event.symbol)
        elif tracked is None:
            self._causes[key] = "an order this desk did not send"
        elif tracked.intent.purpose is not Purpose.ENTRY:
            words = {Purpose.STOP: "stop", Purpose.TARGET: "target"}
            self._causes[key] = words.get(tracked.intent.purpose, tracked.intent.reason or "close")
        self.state.journal.write(
            FillRecord(
                self.state.clock.now_ms(),
                plan.trade_id if plan is not None else "",
                tracked.intent.intent_id if tracked is not None else "",
                symbol=event.symbol,
                position_side=event.position_side,
                side=event.side,
                order_id=event.order_id,
                trade_id=event.trade_id,
                quantity=event.last_quantity,
                price=event.last_price,
                realised=event.realised,
                commission=event.commission,
                commission_asset=event.commission_asset,
                client_id=event.client_id,
                maker=event.maker,
            )
        )

    def _note_foreign(self, event: OrderUpdate) -> None:
        """Suspect another writer when an order bears the desk's prefix and a session nobody here knows."""
        if event.execution == "NEW":
            self._suspect(event.symbol, event.client_id)

    def _shown(self, symbol: str, client_id: str, created_ms: int) -> None:
        """Do the same with an order that a reading shows, unless an earlier desk without a journal may have left it."""
        if self._alone_since_ms is not None and created_ms > self._alone_since_ms:
            self._suspect(symbol, client_id)

    def _suspect(self, symbol: str, client_id: str) -> None:
        name = read_client_id(client_id)
        if name is None or name.epoch in self._known_epochs:
            return
        self.foreign = f"an order {client_id} of another desk's session appeared on this account"
        if self.foreign not in self._alerted:
            self._alerted.add(self.foreign)
            self.state.say(f"{self.foreign}: entries are off; stop one of the two", Severity.ALERT, symbol)

    def _told(self, tracked: Tracked, _news: News, odd: str) -> None:
        intent, order = tracked.intent, tracked.state
        if odd:
            self.state.say(f"{intent.symbol} {intent.client_id}: {odd}", Severity.NOTICE, intent.symbol)
        if intent.purpose is Purpose.ENTRY and order.is_final and intent.trade_id not in self.entering.under_way:
            self.release(intent.client_id)
        self._wake.set()

    def _differs(self, symbol: str, text: str) -> None:
        self.state.say(f"{symbol}: {text}: taken over from the exchange", Severity.WARNING, symbol)
        self._wake.set()

    def _end_plans(self) -> None:
        """End the plans whose position is closed and whose entry can bring nothing more."""
        book = self.state.book
        self._seen &= self.state.plans.keys()
        for key, plan in list(self.state.plans.items()):
            if key in book.positions:
                self._seen.add(key)
            elif self.reconciler.merge.wanted is None and not self._may_still_open(plan):
                self._end_plan(key, plan)

    def _may_still_open(self, plan: Plan) -> bool:
        """Say whether an entry of a plan is under way, or was filled and its position has not been shown yet."""
        if plan.trade_id in self.entering.under_way:
            return True
        for one in self.sender.orders.values():
            if one.intent.purpose is not Purpose.ENTRY or one.intent.trade_id != plan.trade_id:
                continue
            if not one.state.is_final:
                return True
            was_filled = one.state.filled > 0 or one.state.stage is Stage.FILLED
            if was_filled and plan.key not in self._seen and self.reconciler.read_ms < one.state.changed_ms + SHOWN_MS:
                self.reconciler.want()
                return True
        return False

    def _end_plan(self, key: PositionKey, plan: Plan) -> None:
        cause = self._causes.pop(key, "")
        event = "ended" if key in self._seen else "dropped"
        self._seen.discard(key)
        self.state.set_plan(plan, event, "the exchange", cause or "no position came of it")
        if event == "ended":
            self.state.say(f"{plan.symbol}: the position is closed by {cause or 'somebody else'}", Severity.NOTICE)
        self.on_end(plan, cause)

    # Readiness.

    @property
    def is_fed(self) -> bool:
        """Say whether book and stream are whole: read, joined, and the stream proven alive."""
        return self.reconciler.merge.wanted is None and self.stream.is_alive

    @property
    def is_ready(self) -> bool:
        """Say whether the start is through and nothing is being read anew."""
        return self.step is StartStep.READY and self.is_fed

    def why_no_entry(self, symbol: str) -> str:  # noqa: PLR0911 - one answer per reason, the gravest first
        """Return why no entry of a symbol may go out now; empty where one may. Exits never ask."""
        if self.level is not StopLevel.RUN:
            return f"the desk is at stop level {self.level.name}"
        if self.foreign:
            return self.foreign
        if self.violations:
            return f"an invariant was violated: {self.violations[-1]}"
        if not self.is_ready:
            return f"live orders are not ready: {self.step.value}"
        if any(one.intent.symbol == symbol for one in self.sender.unknown):
            return f"{symbol}: the fate of an order is unknown"
        limits = self.state.limits
        sync = self.state.access.client.clock_sync
        if sync.error_ms > limits.clock_ms:
            return f"the exchange's clock is known to {sync.error_ms} ms only, {limits.clock_ms} ms are asked for"
        quote = self.state.market.quote(symbol)
        if quote is None:
            return f"{symbol}: no price"
        age = max(quote.received_s, quote.event_s)
        if age > limits.fresh_s * limits.patience:
            return f"{symbol}: its market data is {age:.1f} s old"
        return self.entries_off(symbol)

    def _reserve(self, intent: Intent, wanted: Wanted) -> str:
        return self.reserve(intent, wanted)

    def _release(self, client_id: str) -> None:
        self.release(client_id)

    # Alerts and the dead-man switch.

    def _alert(self) -> None:
        now_ms = self.state.access.client.venue_ms()
        for one in self.sender.unknown:
            name = one.intent.client_id
            if now_ms - one.state.sent_ms > OVERDUE_S * 1000 and name not in self._alerted:
                self._alerted.add(name)
                text = (
                    f"{one.intent.symbol}: the fate of {name} ({one.intent.purpose.word}) is unknown for a minute; "
                    "it counts as exposure and is being resolved by evidence"
                )
                self.state.say(text, Severity.ALERT, one.intent.symbol)

    def _count_down(self) -> None:
        """Renew the exchange's dead-man switch where entries rest; it takes away plain orders only."""
        lasts = self.state.limits.dead_man_s
        if lasts <= 0:
            return
        now = self.state.clock.monotonic()
        for symbol in {one.symbol for one in self.entering.resting}:
            if now >= self._dead_man.get(symbol, 0.0):
                self._dead_man[symbol] = now + lasts / DEAD_MAN_SHARE
                self._spawn(self._renew(symbol, int(lasts * 1000)), f"dead-man switch {symbol}")

    async def _renew(self, symbol: str, after_ms: int) -> None:
        try:
            await self.state.access.orders.countdown(symbol, after_ms)
        except ExchangeError as error:
            self.state.say(f"{symbol}: the dead-man switch was not renewed: {error}", Severity.WARNING, symbol)

    # What operators and strategies ask.

    async def enter(self, wanted: Wanted) -> Plan | Refused:
        """Carry a decision to enter out."""
        found = await self.entering.enter(wanted)
        if isinstance(found, Refused):
            self.state.say(f"no entry: {found.text}", Severity.NOTICE, wanted.symbol, wanted.signal_id)
        return found

    def close(self, key: PositionKey, reason: str) -> str:
        """Let the keeper close a position until it is closed; return what stands in the way, empty for nothing."""
        position = self.state.book.positions.get(key)
        if position is None:
            return f"{key.symbol} {key.side}: no position is open"
        self.keeper.judge(position, self.state.clock.monotonic())
        self.keeper.watches[key].close_reason = reason
        self._wake.set()
        return ""

    def close_all(self, reason: str) -> int:
        """Let every position be closed; return how many there are."""
        keys = list(self.state.book.positions)
        for key in keys:
            self._close_for(key, reason)
        return len(keys)

    def _close_for(self, key: PositionKey, reason: str) -> None:
        """Let an open position be closed; a reason it is being closed for already stands."""
        self.keeper.judge(self.state.book.positions[key], self.state.clock.monotonic())
        watch = self.keeper.watches[key]
        watch.close_reason = watch.close_reason or reason

    def move_stop(self, key: PositionKey, price: Decimal, by: str) -> str:
        """Move a position's stop; return why not, empty when it is being moved."""
        position = self.state.book.positions.get(key)
        if position is None:
            return f"{key.symbol} {key.side}: no position is open"
        mark = self.state.mark(position)
        fitted = self.state.priced(key.symbol, price, up=position.sign > 0)
        if mark is not None and position.sign * (mark - fitted) <= 0:
            where = "below" if position.sign > 0 else "above"
            return f"{key.symbol}: a stop at {fitted:f} would trigger at once; it must lie {where} the mark {mark:f}"
        plan = self.state.plan_of(position)
        old = plan.stop
        self.state.set_plan(
            msgspec.structs.replace(plan, stop=fitted, is_moved=True), "moved", by, f"from {old} to {fitted:f}"
        )
        self._wake.set()
        return ""

    def set_level(self, level: StopLevel, by: str) -> str:
        """Set the stop level; return what follows from it in words."""
        before, self.level = self.level, level
        if level is not before:
            self.state.chronicle.change("level", "stop level", before.name, level.name, by)
        if level is not StopLevel.RUN:
            self.entering.call_off()
        words = "no entries; care of positions goes on"
        if level >= StopLevel.CANCEL:
            words = f"{self.entering.withdraw_all()} resting entries are being cancelled; stops and targets stay"
        if level is StopLevel.FLATTEN:
            words = f"{words}; {self.close_all(f'flattened by {by}')} positions are being closed"
        self._wake.set()
        return words if level is not StopLevel.RUN else "entries are allowed again"

    @property
    def is_flat(self) -> bool:
        """Say whether nothing is open and nothing of the desk's own rests."""
        book = self.state.book
        names = [*(one.client_id for one in book.orders.values()), *(one.client_id for one in book.algos.values())]
        ours = [one for one in map(read_client_id, names) if one is not None and one.epoch in self._known_epochs]
        return not book.positions and not ours
