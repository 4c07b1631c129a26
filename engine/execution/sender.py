"""Carries intents to the exchange: durable first, one POST each, every outcome noted, unknown ones resolved.

An intent is sent again only after it was certainly refused or never left. What an order became is kept in one table for
all intents of the session and those of earlier ones that have not ended.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.execution.intents import Intent, conditional_of, order_of
from engine.execution.order_states import News, OrderState, Stage, advance, news_of
from engine.journal.record import IntentRecord, OrderRecord, PlanRecord
from exchange.account_events import AlgoUpdate, OrderUpdate
from exchange.errors import DecodeError, RefusedError, UnknownOutcomeError, UnsentError
from exchange.reactions import Reaction

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from decimal import Decimal

    from engine.execution.access import Access
    from engine.execution.book import Book
    from engine.execution.plans import Plan
    from engine.journal.journal import DurableJournal
    from exchange.account_events import AccountEvent
    from exchange.conditional_orders import AlgoReport
    from exchange.order_reports import OrderAck, OrderReport
    from exchange.ports import Clock

ENTRY_COMMIT_S = 2.0
"""Real seconds an entry waits for its record; without it the entry does not leave."""
EXIT_COMMIT_S = 0.2
"""The same for what reduces risk, which then leaves without it: reducing needs no disk."""
KEPT = 5_000
"""Orders that ended and are remembered, for news that comes late."""


class Outcome(Enum):
    """What a sending brought."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"
    NOT_DURABLE = "not durable"
    """The journal could not keep the intent, so nothing was sent."""


class Sent(NamedTuple):
    """How one sending ended."""

    outcome: Outcome
    reaction: Reaction | None = None
    text: str = ""


class Tracked(msgspec.Struct):
    """An intent with what is known of its order."""

    intent: Intent
    state: OrderState


class Sender:
    """The orders of one account. Belongs to one event loop."""

    def __init__(
        self,
        access: Access,
        journal: DurableJournal,
        book: Book,
        clock: Clock,
        spawn: Callable[[Coroutine[None, None, None], str], None],
        told: Callable[[Tracked, News, str], None],
    ) -> None:
        """Take the ways out. `spawn` runs resolving tasks; `told` hears of every change, with its oddity if any."""
        self._access = access
        self._journal = journal
        self._book = book
        self._clock = clock
        self._spawn = spawn
        self._told = told
        self.orders: dict[str, Tracked] = {}
        """By client id."""
        self._by_order: dict[int, str] = {}
        self._by_algo: dict[int, str] = {}
        self._resolving: set[str] = set()
        self.contradictions = 0

    # Sending.

    async def send(self, intent: Intent, plan: Plan | None = None, why_not: Callable[[], str] | None = None) -> Sent:
        """Carry an intent out once. A refused or unsent one may be handed in again; nothing else may.

        `why_not` is asked of a plain order when the next step is the wire. Raises ValueError for an intent whose order
        may exist.
        """
        tracked = self.orders.get(intent.client_id)
        if tracked is None:
            tracked = self.orders[intent.client_id] = Tracked(intent, OrderState())
            if not await self._commit(intent, plan):
                self._note(tracked, News.REFUSE, "the journal could not keep the intent")
                return Sent(Outcome.NOT_DURABLE, None, self._journal.failed or "the journal is late")
        if tracked.state.stage not in (Stage.PLANNED, Stage.REFUSED):
            raise ValueError(f"intent {intent.intent_id} is {tracked.state.stage}: it is never sent again")
        tracked.state = msgspec.structs.replace(
            tracked.state, sends=tracked.state.sends + 1, sent_ms=self._access.client.venue_ms()
        )
        self._note(tracked, News.SEND, "")
        return await self._post(tracked, why_not)

    async def _commit(self, intent: Intent, plan: Plan | None) -> bool:
        now = self._clock.now_ms()
        if plan is not None:  # it comes first in the log, so it is durable when the intent is
            self._journal.write(PlanRecord(now, plan.trade_id, plan.signal_id, plan=plan, event="made"))
        record = IntentRecord(now, intent.intent_id, intent.trade_id, intent=intent)
        if intent.reduces:
            await self._journal.commit(record, EXIT_COMMIT_S)
            return True
        return await self._journal.commit(record, ENTRY_COMMIT_S)

    async def _post(self, tracked: Tracked, why_not: Callable[[], str] | None) -> Sent:
        intent = tracked.intent
        if intent.reduces:
            self._access.mode.suppose(intent.position_side != "BOTH")
        try:
            if intent.is_conditional:
                report = await self._access.algos.place(conditional_of(intent))
                self._book.take_algo(report)
                self._take_report(tracked, report)
            else:
                self._take_ack(tracked, await self._access.orders.place(order_of(intent), why_not))
        except RefusedError as refused:
            self._note(tracked, News.REFUSE, str(refused))
            return Sent(Outcome.REFUSED, refused.reaction, str(refused))
        except UnsentError as unsent:
            self._note(tracked, News.REFUSE, str(unsent))
            return Sent(Outcome.NOT_SENT, None, str(unsent))
        except (UnknownOutcomeError, DecodeError) as lost:
            self._note(tracked, News.LOSE, str(lost))
            self.resolve(tracked)
            return Sent(Outcome.UNKNOWN, None, str(lost))
        except asyncio.CancelledError:
            # Given up in the middle: bytes may have left.
            self._note(tracked, News.LOSE, "given up while its answer was awaited")
            self.resolve(tracked)
            raise
        return Sent(Outcome.ACCEPTED)

    # Unknown outcomes.

    def resolve(self, tracked: Tracked) -> None:
        """Find out in the background what became of an order whose fate is unknown."""
        client_id = tracked.intent.client_id
        if tracked.state.stage is Stage.UNKNOWN and client_id not in self._resolving:
            self._resolving.add(client_id)
            self._spawn(self._resolve(tracked), f"resolve {client_id}")

    async def _resolve(self, tracked: Tracked) -> None:
        intent = tracked.intent
        resolver, sent_ms = self._access.resolver, tracked.state.sent_ms
        try:
            if intent.is_conditional:
                algo = await resolver.conditional(conditional_of(intent), sent_ms)
                if algo is not None:
                    self._book.take_algo(algo)
                    self._take_report(tracked, algo)
            else:
                order = await resolver.order(order_of(intent), sent_ms)
                if order is not None:
                    self.take_order(order)
            if tracked.state.stage is Stage.UNKNOWN:
                self._note(tracked, News.ABSENT, "the exchange knows no such order, and a second witness agrees")
        finally:
            self._resolving.discard(intent.client_id)

    @property
    def unknown(self) -> list[Tracked]:
        """Return the orders whose fate is unknown, oldest first."""
        return [one for one in self.orders.values() if one.state.stage is Stage.UNKNOWN]

    # What is heard.

    def hear(self, event: AccountEvent) -> None:
        """Take what the private stream tells of an order."""
        if isinstance(event, OrderUpdate):
            tracked = self._of_order(event.order_id, event.client_id)
            if tracked is None:
                return
            if tracked.intent.is_conditional:  # the child of a conditional order: its own update tells the rest
                tracked.state = _grown(tracked.state, event.filled)
                return
            self._by_order[event.order_id] = tracked.intent.client_id
            tracked.state = _grown(msgspec.structs.replace(tracked.state, order_id=event.order_id), event.filled)
            self._hear_status(tracked, event.status)
        elif isinstance(event, AlgoUpdate):
            tracked = self._of_algo(event.algo_id, event.client_id)
            if tracked is None:
                return
            self._by_algo[event.algo_id] = tracked.intent.client_id
            child = event.order_id or tracked.state.child_id
            if child:
                self._by_order[child] = tracked.intent.client_id
            tracked.state = msgspec.structs.replace(tracked.state, order_id=event.algo_id, child_id=child)
            self._hear_status(tracked, event.status, event.reason)

    def take_order(self, report: OrderReport) -> None:
        """Take what a query or a list tells of a plain order."""
        self._book.take_order(report)
        tracked = self._of_order(report.order_id, report.client_id)
        if tracked is not None and not tracked.intent.is_conditional:
            self._by_order[report.order_id] = tracked.intent.client_id
            tracked.state = _grown(msgspec.structs.replace(tracked.state, order_id=report.order_id), report.executed)
            self._hear_status(tracked, report.status)

    def take_algo(self, report: AlgoReport) -> None:
        """Take what a query or a list tells of a conditional order."""
        self._book.take_algo(report)
        tracked = self._of_algo(report.algo_id, report.client_id)
        if tracked is not None:
            self._take_report(tracked, report)

    def _take_report(self, tracked: Tracked, report: AlgoReport) -> None:
        self._by_algo[report.algo_id] = tracked.intent.client_id
        child = report.child_order_id or tracked.state.child_id
        if child:
            self._by_order[child] = tracked.intent.client_id
        tracked.state = msgspec.structs.replace(tracked.state, order_id=report.algo_id, child_id=child)
        self._hear_status(tracked, report.status)

    def _take_ack(self, tracked: Tracked, ack: OrderAck) -> None:
        self._by_order[ack.order_id] = tracked.intent.client_id
        tracked.state = msgspec.structs.replace(tracked.state, order_id=ack.order_id)
        self._hear_status(tracked, ack.status)

    def of_order(self, order_id: int, client_id: str = "") -> Tracked | None:
        """Return the intent whose order, or whose conditional order's child, this is."""
        return self._of_order(order_id, client_id)

    def _of_order(self, order_id: int, client_id: str) -> Tracked | None:
        name = self._by_order.get(order_id)
        tracked = self.orders.get(name if name is not None else client_id)
        if tracked is not None and name is None and tracked.state.order_id not in (0, order_id):
            return None  # the exchange takes an id again once its order has ended: this is another order
        return tracked

    def _of_algo(self, algo_id: int, client_id: str) -> Tracked | None:
        name = self._by_algo.get(algo_id)
        return self.orders.get(name if name is not None else client_id)

    def _hear_status(self, tracked: Tracked, status: str, text: str = "") -> None:
        news = news_of(status)
        if news is not None:
            self._note(tracked, news, text)

    def _note(self, tracked: Tracked, news: News, text: str) -> None:
        before = tracked.state
        step = advance(before.stage, news, conditional=tracked.intent.is_conditional)
        if not step.fits:
            self.contradictions += 1
        if step.stage is before.stage and step.fits and not step.odd:
            return
        now = self._clock.now_ms()
        changed = now if step.stage is not before.stage else before.changed_ms
        tracked.state = msgspec.structs.replace(before, stage=step.stage, changed_ms=changed, text=text or before.text)
        intent = tracked.intent
        self._journal.write(
            OrderRecord(
                now,
                intent.intent_id,
                intent.trade_id,
                client_id=intent.client_id,
                news=news.value,
                stage=tracked.state.stage.value,
                order_id=tracked.state.order_id,
                filled=tracked.state.filled,
                text=text or step.odd,
            )
        )
        self._told(tracked, news, step.odd if not step.fits or step.stage is not before.stage else "")
        if tracked.state.is_final:
            self._forget_old()

    def remember(self, intent: Intent, state: OrderState) -> Tracked:
        """Take over an intent of an earlier session."""
        tracked = self.orders[intent.client_id] = Tracked(intent, state)
        if state.order_id:
            (self._by_algo if intent.is_conditional else self._by_order)[state.order_id] = intent.client_id
        return tracked

    def _forget_old(self) -> None:
        while len(self.orders) > KEPT:
            oldest = next((name for name, one in self.orders.items() if one.state.is_final), None)
            if oldest is None:
                return
            gone = self.orders.pop(oldest).state
            self._by_order.pop(gone.order_id, None)
            self._by_order.pop(gone.child_id, None)
            self._by_algo.pop(gone.order_id, None)


def _grown(state: OrderState, filled: Decimal) -> OrderState:
    return msgspec.structs.replace(state, filled=max(state.filled, filled))
