"""Live orders in the desk: what binds the hand to signals, risk, screens and commands.

Made only where settings and key allow live orders; on paper there is none, and nothing here exists.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from engine.commands import (
    Arm,
    CancelEntries,
    CancelOrder,
    CloseAll,
    ClosePosition,
    Disarm,
    Flatten,
    HaltProcess,
    MoveStop,
)
from engine.events import EventKind, Severity
from engine.execution import arming
from engine.execution.arming import ArmingError
from engine.execution.entering import Wanted
from engine.execution.guard import GuardLimits
from engine.execution.hand import Hand
from engine.execution.headroom import Headroom
from engine.execution.intents import PositionKey, Purpose, read_client_id
from engine.execution.levels import StopLevel
from engine.execution.life import LiveBook
from engine.execution.limits import Standing, limits_of
from engine.execution.lives import Lives
from engine.execution.start_verdict import is_through, judge_start
from engine.execution.state import HandLimits
from engine.execution.view import TAKER, coverage_row, hand_view
from engine.feed_market import FeedMarket
from engine.journal.journal import DurableJournal
from engine.ports import DiskError
from engine.positions.costs import exact
from engine.positions.lifecycle import LifecycleError
from engine.refusals import RefusedCommand
from engine.rights_watch import RightsWatch
from engine.risk.paper import Exposure
from engine.snapshot import NoAnswer, WhatIf

if TYPE_CHECKING:
    from engine.commands import AskWhatIf, Command
    from engine.desk import Desk
    from engine.execution.arming import ArmingRecord
    from engine.execution.book import BookOrder, BookPosition
    from engine.execution.life import Ended
    from engine.execution.memory import HandMemory
    from engine.execution.plans import Plan
    from engine.risk.leverage import LeverageDecision
    from engine.risk.size import Size
    from engine.signals.signal import Signal
    from engine.snapshot import ArmingView, HandView
    from exchange.account_events import AccountEvent

ZERO = Decimal(0)
NAN = float("nan")
WATCH_S = 1.0


class LiveTerms(NamedTuple):
    """What allows a desk to hold a way to send orders."""

    journal: DurableJournal
    epoch: str
    """Of this session: part of every client id."""
    account: str
    """Hash that names the account."""
    gives_up: bool = False
    """Whether a start that does not come through ends the process, for whoever watches it to start it again."""


class LiveOrders:
    """The hand of one desk with what the desk adds to it."""

    def __init__(self, desk: Desk, terms: LiveTerms, memory: HandMemory) -> None:
        self._desk = desk
        patience = desk.identity.patience
        orders = desk.settings.orders
        guard = GuardLimits(emergency_percent=exact(orders.emergency_stop_percent))
        limits = HandLimits(
            guard=guard.stretched(patience),
            patience=patience,
            slippage=exact(orders.slippage),
            rest_s=orders.rest,
            dead_man_s=orders.dead_man,
        )
        self.hand = Hand(
            desk.client,
            desk.ports.dialer,
            desk.clock,
            desk.ports.entropy,
            terms.journal,
            desk.chronicle,
            FeedMarket(desk),
            terms.epoch,
            limits=limits,
            quarantine=desk.quarantine,
            memory=memory,
        )
        self.hand.entries_off = self._entries_off
        self._headroom = Headroom(self.hand, limits_of(desk.settings), self._standing)
        self.hand.reserve = self._headroom.reserve
        self.hand.release = self._headroom.release
        self.hand.on_event = self._hear
        book = LiveBook(exact(orders.emergency_stop_percent) / 100, smart=desk.flags.on("ENABLE_SMART_MONITORING"))
        self.lives = Lives(self.hand, book, desk.chronicle.positions, self._ended)
        self._remember(memory)
        self.rights = RightsWatch(
            self.hand.state.access.account.key_rights,
            desk.clock,
            desk.chronicle,
            has_wallet=desk.identity.environment != "demo",
            transfers_allowed=desk.settings.trading.key_may_transfer,
        )
        self._account = terms.account
        self._gives_up = terms.gives_up
        self._record: ArmingRecord | None = None
        try:
            self._record = arming.decode(desk.ports.disk.read(arming.NAME))
        except (ArmingError, DiskError) as error:
            desk.chronicle.say(EventKind.RISK, f"not armed: {error}", Severity.ALERT)

    async def run(self) -> None:
        """Care for the account until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.hand.watched(self.rights.run(), "the reading of the key's rights"))
            if self._gives_up:
                group.create_task(self.hand.watched(self._watch_start(), "the watch over the start"))
            await self.hand.run()

    async def _watch_start(self) -> None:
        """End a desk that holds nothing and whose start does not come through within its deadline."""
        desk, clock_ms = self._desk, self.hand.state.limits.clock_ms
        deadline = desk.settings.orders.start_deadline * desk.identity.speed
        began = desk.clock.monotonic()
        while True:
            standing = self.hand.start_standing(desk.clock.monotonic() - began)
            if is_through(standing, clock_ms):
                return
            ending = judge_start(standing, deadline, clock_ms)
            if ending is not None:
                desk.chronicle.say(EventKind.ORDER, ending.text, Severity.ALERT)
                desk.end(ending.code, ending.text)
                return
            await desk.clock.sleep(WATCH_S * desk.identity.speed)

    # Results.

    def _hear(self, event: AccountEvent) -> None:
        """Follow what is reserved and how positions live."""
        self._headroom.hear(event)
        self.lives.hear(event)

    def _ended(self, one: Ended) -> None:
        """Let protection and track record hear of a trade that closed; an adopted one says nothing of a strategy."""
        self._desk.note_result(one.net)
        if not one.adopted:
            self._desk.book.track.record(one.trade)

    def _remember(self, memory: HandMemory) -> None:
        """Continue the lives of an earlier session. Stored ones that make no sense never keep protection waiting."""
        desk, book = self._desk, self.lives.book
        book.know(memory.fills)
        try:
            late = book.restore(memory.lives, desk.clock.now_ms())
            closed = book.ended_before(memory.lives)
        except LifecycleError as error:
            text = f"the lives of live positions begin anew, as estimates: {error}"
            desk.chronicle.say(EventKind.SYSTEM, text, Severity.ALERT)
            return
        for one in closed:
            if not one.adopted:
                desk.book.track.record(one.trade)
        for event in memory.lives:
            if event.terms is not None:
                desk.chronicle.know(event.position_id, event.terms.signal_id)
        desk.chronicle.positions(late)
        for one in book.take_ended():
            self._ended(one)

    # Readiness.

    def _entries_off(self, symbol: str) -> str:
        """Return what the desk has against an entry of a symbol now."""
        against = self._desk_has_against() or self._unarmed()
        return against or self._desk.feed.reason(symbol, self._desk.clock.now_ms())

    def _desk_has_against(self) -> str:
        desk = self._desk
        if desk.halted_by:
            return f"new entries are halted by {desk.halted_by}"
        if desk.chronicle.journal.failed:
            return f"the journal cannot be written ({desk.chronicle.journal.failed})"
        if desk.venue.entries_off:
            return desk.venue.entries_off
        if desk.resync.reason:
            return desk.resync.reason
        if not desk.protection.effects.entries_allowed:
            return f"account protection {desk.protection.level.name}: {desk.protection.reason}"
        return ""

    def _unarmed(self) -> str:
        view = self.arming
        return "" if view.armed else f"not armed: {view.missing[0]}"

    @property
    def arming(self) -> ArmingView:
        """Return whether decisions may become orders."""
        desk = self._desk
        facts = arming.facts_of(desk.settings, self._account, {})
        return arming.judge(facts, self._record, desk.clock.now_ms(), self.rights.view)

    def why_no_entry(self, symbol: str) -> str:
        """Return why no entry of a symbol may go out now, empty where one may."""
        return self.hand.why_no_entry(symbol)

    # What the account carries.

    def exposures(self, besides: str = "") -> list[Exposure]:
        """Return risk and margin of positions, of entries under way and of decisions, except of signal `besides`.

        The margin of open positions is in the account's initial margin already; a position without a working stop
        counts with its whole margin as risk.
        """
        open_ones, plans = self.hand.state.book.positions, self.hand.state.plans
        entering = [one for key, one in plans.items() if key not in open_ones and one.signal_id != besides]
        decided = [one for one in self.hand.entering.decided if one.signal_id != besides]
        return [
            *(Exposure(one.key.symbol, one.sign, self._risk(one), ZERO) for one in open_ones.values()),
            *(Exposure(one.symbol, one.sign, _risk_of(one), _margin_of(one)) for one in entering),
            *(Exposure(one.symbol, one.sign, one.risk, _margin_of_wanted(one)) for one in decided),
        ]

    def _risk(self, position: BookPosition) -> Decimal:
        coverage = self.hand.keeper.coverage(position)
        if not coverage.is_protected or not coverage.stops:
            return position.margin
        trigger, size = coverage.stops[-1].trigger, abs(position.quantity)
        loss = position.sign * (position.entry - trigger) * size + (position.entry + trigger) * size * TAKER
        return max(ZERO, loss)

    def begin_cycle(self) -> None:
        """Let the number of entries per cycle begin anew."""
        self._headroom.reservations.begin_cycle()

    def _standing(self) -> Standing | None:
        summary = self.hand.state.book.summary
        if summary is None:
            return None
        equity = summary.wallet + summary.unrealized
        return Standing(equity=equity, wallet=summary.wallet, day_start=self._desk.protection.day_start_equity)

    def trades(self, signal_id: str) -> bool:
        """Say whether a trade of this signal is open, under way or decided."""
        planned = any(one.signal_id == signal_id for one in self.hand.state.plans.values())
        return planned or any(one.signal_id == signal_id for one in self.hand.entering.decided)

    def enter(self, signal: Signal, decision: LeverageDecision, size: Size) -> None:
        """Let a sized decision become an order; what becomes of it is told and journaled."""
        candidate = signal.candidate
        wanted = Wanted(
            symbol=candidate.symbol,
            sign=candidate.direction.sign,
            price=exact(candidate.entry),
            quantity=size.quantity,
            stop=exact(candidate.stop),
            target=exact(candidate.targets[0]),
            leverage=decision.exchange_leverage,
            isolated=self._desk.settings.orders.isolated,
            strategy=str(candidate.strategy),
            signal_id=signal.signal_id,
            confidence=candidate.confidence,
            risk=size.risk,
            expires_ms=self._desk.clock.now_ms() + int(self._desk.settings.virtual.expiry * 1000),
            features=signal.features,
        )
        self.hand.entering.announce(wanted)
        self.hand.state.spawn(self._enter(wanted), f"enter {candidate.symbol}")

    async def _enter(self, wanted: Wanted) -> None:
        await self.hand.enter(wanted)

    # Commands.

    @property
    def is_stopped(self) -> bool:
        """Say whether a stop level is in force."""
        return self.hand.level is not StopLevel.RUN

    def pause(self, by: str) -> None:
        """Stop entries; a level that stops more stays."""
        if self.hand.level is StopLevel.RUN:
            self.hand.set_level(StopLevel.PAUSE, by)

    def resume(self, by: str) -> None:
        """Allow entries again."""
        self.hand.set_level(StopLevel.RUN, by)

    def take(self, command: Command, by: str) -> tuple[str, str, str]:
        """Carry out one command about live orders; return (text, before, after). Raises RefusedCommand."""
        level = self.hand.level.name
        match command:
            case Arm(hours, consent):
                return self._arm(hours, consent, by)
            case Disarm():
                return self._disarm(by)
            case CancelEntries():
                return self._stop(StopLevel.CANCEL, by), level, "CANCEL"
            case Flatten():
                return self._stop(StopLevel.FLATTEN, by), level, "FLATTEN"
            case HaltProcess():
                words = self._stop(StopLevel.HALT, by)
                self._desk.halt(f"halted by {by}")
                return words, level, "HALT"
            case _:
                return self._take_single(command, by)

    def _take_single(self, command: Command, by: str) -> tuple[str, str, str]:
        match command:
            case ClosePosition(symbol, side):
                refused = self.hand.close(PositionKey(symbol, side), f"closed by {by}")
                return self._or_refused(refused, f"{symbol} {side} is being closed at the market", "open", "closing")
            case CloseAll():
                count = self.hand.close_all(f"all closed by {by}")
                if not count:
                    raise RefusedCommand("no position is open")
                return f"{count} positions are being closed; entries stay as they are", str(count), "0"
            case MoveStop(symbol, side, price):
                key = PositionKey(symbol, side)
                before = self.hand.state.plans.get(key)
                refused = self.hand.move_stop(key, price, by)
                old = "" if before is None or before.stop is None else f"{before.stop:f}"
                return self._or_refused(refused, f"{symbol}: the stop is being moved to {price:f}", old, f"{price:f}")
            case CancelOrder(symbol, order_id, conditional):
                return self._cancel(symbol, order_id, conditional=conditional)
            case _:
                raise RefusedCommand(f"{type(command).__name__} is no command about live orders")

    @staticmethod
    def _or_refused(refused: str, text: str, before: str, after: str) -> tuple[str, str, str]:
        if refused:
            raise RefusedCommand(refused)
        return text, before, after

    def _stop(self, level: StopLevel, by: str) -> str:
        self._desk.halted_by = self._desk.halted_by or by
        return f"{level.name}: {self.hand.set_level(level, by)}"

    def _cancel(self, symbol: str, order_id: int, *, conditional: bool) -> tuple[str, str, str]:
        book, keeper = self.hand.state.book, self.hand.keeper
        if conditional:
            algo = book.algos.get(order_id)
            if algo is None or algo.symbol != symbol:
                raise RefusedCommand(f"{symbol}: no conditional order {order_id} is open")
            self.hand.state.spawn(keeper.cancel_algos((algo,)), f"cancel {order_id}")
            name = read_client_id(algo.client_id)
            back = "; a stop is put back within seconds" if name and name.purpose is Purpose.STOP else ""
            return f"{symbol}: conditional order {order_id} is being cancelled{back}", "open", "cancelling"
        order = book.orders.get(order_id)
        if order is None or order.symbol != symbol:
            raise RefusedCommand(f"{symbol}: no order {order_id} is open")
        self.hand.state.spawn(self._cancel_plain(order), f"cancel {order_id}")
        return f"{symbol}: order {order_id} is being cancelled", "open", "cancelling"

    async def _cancel_plain(self, order: BookOrder) -> None:
        await self.hand.keeper.cancel_order(order)

    def _arm(self, hours: float, consent: str, by: str) -> tuple[str, str, str]:
        desk = self._desk
        facts = arming.facts_of(desk.settings, self._account, {})
        risk = desk.settings.risk
        limits = {"risk_per_trade": risk.risk_per_trade, "margin_cap": risk.margin_cap}
        before = "armed" if self.arming.armed else "not armed"
        try:
            record = arming.make_record(facts, limits, by, hours, desk.clock.now_ms(), self.rights.view, consent)
            desk.ports.disk.replace(arming.NAME, arming.encode(record))
        except (ArmingError, DiskError) as error:
            raise RefusedCommand(str(error)) from error
        self._record = record
        desk.chronicle.change("arming", "live orders", before, "armed", by)
        return f"armed for {hours:g} hours: decisions become orders from the next cycle on", before, "armed"

    def _disarm(self, by: str) -> tuple[str, str, str]:
        desk = self._desk
        before = "armed" if self.arming.armed else "not armed"
        self._record = None
        try:
            desk.ports.disk.remove(arming.NAME)
        except DiskError as error:
            text = f"disarmed, but the record could not be removed and would arm a restart: {error}"
            desk.chronicle.say(EventKind.RISK, text, Severity.ALERT)
        desk.chronicle.change("arming", "live orders", before, "not armed", by)
        return "disarmed: no further entries; care of open positions goes on", before, "not armed"

    # Pictures.

    def view(self) -> HandView:
        """Return what the screens show."""
        off = self.hand.why_no_entry("") if self.hand.level is not StopLevel.RUN or not self.hand.is_ready else ""
        return hand_view(
            self.hand, self.arming, self.hand.bookkeeper.view(), (), off or self._unarmed() or self._desk_has_against()
        )

    def levels(self, symbol: str, side: str) -> tuple[float, float, str]:
        """Return stop and target of a position at the exchange, NaN where there is none, and how it is protected."""
        key = PositionKey(symbol, side)
        position = self.hand.state.book.positions.get(key)
        if position is None:
            return NAN, NAN, ""
        row = coverage_row(self.hand, position, self.hand.state.clock.monotonic())
        naked = f" {row.naked_s:.0f}s" if row.state == "NAKED" else ""
        return row.stop, row.target, row.state + naked

    def what_if(self, question: AskWhatIf) -> WhatIf | NoAnswer:
        """Return what closing a position, or moving its stop, would send and cost."""
        key = PositionKey(question.symbol, question.side)
        position = self.hand.state.book.positions.get(key)
        if position is None:
            return NoAnswer(f"{key.symbol} {key.side}: no position is open")
        mark = self.hand.state.mark(position)
        size = abs(position.quantity)
        instrument = self.hand.state.instrument(key.symbol)
        coverage = self.hand.keeper.coverage(position)
        stop = question.stop if question.stop is not None else coverage.stops[0].trigger if coverage.stops else None
        verb = "SELL" if position.sign > 0 else "BUY"
        if question.stop is None:
            order = f"{verb} {size:f} {key.symbol} at the market, reduce-only"
        else:
            order = f"{verb} stop for {size:f} {key.symbol} at {question.stop:f}, then the old stop is cancelled"
        warning = ""
        if mark is None:
            warning = "the mark price is not known"
        elif question.stop is not None and position.sign * (mark - question.stop) <= 0:
            warning = "the stop would trigger at once"
        elif question.stop is not None and self._beyond_liquidation(position, question.stop):
            warning = "the stop lies beyond the liquidation price and would never be reached"
        at = mark if mark is not None else position.entry
        loss = NAN
        if stop is not None:
            loss = float(position.sign * (position.entry - stop) * size + (position.entry + stop) * size * TAKER)
        return WhatIf(
            symbol=key.symbol,
            side=key.side,
            decimals=8 if instrument is None else instrument.decimals,
            order=order,
            mark=float(at) if mark is not None else NAN,
            notional=float(at * size),
            fee=float(at * size * TAKER),
            realised=float(position.sign * (at - position.entry) * size),
            margin_freed=float(position.margin) if question.stop is None else 0.0,
            liquidation=float(position.liquidation) if position.liquidation else NAN,
            loss_at_stop=loss,
            warning=warning,
        )

    @staticmethod
    def _beyond_liquidation(position: BookPosition, stop: Decimal) -> bool:
        return position.liquidation > 0 and position.sign * (stop - position.liquidation) <= 0


def _risk_of(plan: Plan) -> Decimal:
    return abs(plan.entry - (plan.stop or ZERO)) * plan.quantity


def _margin_of_wanted(wanted: Wanted) -> Decimal:
    return wanted.price * wanted.quantity / wanted.leverage


def _margin_of(plan: Plan) -> Decimal:
    return plan.entry * plan.quantity / plan.leverage
