"""What the parts of live orders share: the account's ways, its book, its plans, and the words they say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from engine.events import EventKind, Severity
from engine.execution.book import Book
from engine.execution.guard import GuardLimits
from engine.execution.intents import Intent, Numbers, PositionKey, Purpose
from engine.execution.plans import Owner, Plan
from engine.journal.record import PlanRecord
from exchange.priority import Priority
from exchange.trading_rules import Refusal, quantise_price

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from engine.chronicle import Chronicle
    from engine.execution.access import Access
    from engine.execution.book import BookPosition
    from engine.execution.market import Market
    from engine.journal.journal import DurableJournal
    from exchange.instrument import Instrument
    from exchange.orders import Side
    from exchange.ports import Clock

FRESH_MARK_S = 10.0
"""A mark price older than this judges no trigger."""


class HandLimits(msgspec.Struct, frozen=True):
    """Bounds of live orders, in desk seconds unless said otherwise."""

    guard: GuardLimits = GuardLimits()
    patience: float = 1.0
    """What silences and answers of the exchange are given more time by: its clock may run faster than this machine."""
    fresh_s: float = 3.0
    """Oldest market data an entry may rest on."""
    stream_s: float = 60.0
    """Oldest proof of the private stream's life an entry may rest on."""
    clock_ms: int = 500
    """Largest uncertainty of the exchange's clock an entry may rest on."""
    slippage: Decimal = Decimal("0.001")
    """Share of the decided price within which an entry goes out at the market; beyond it a limit order rests."""
    rest_s: float = 120.0
    """How long a resting entry waits before its remainder is cancelled."""
    reconcile_s: float = 15.0
    sweep_s: float = 3.0
    """How long an order of the desk may outlive its position."""
    keeps_books: bool = True
    """Whether the exchange's bookings are read once a minute."""
    dead_man_s: float = 0.0
    """Countdown of the exchange's dead-man switch on symbols with resting entries; 0 leaves it off."""


class HandState:
    """Shared by the parts of one hand; holds no rule."""

    def __init__(
        self,
        access: Access,
        journal: DurableJournal,
        chronicle: Chronicle,
        market: Market,
        clock: Clock,
        epoch: str,
        limits: HandLimits,
        spawn: Callable[[Coroutine[None, None, None], str], None],
    ) -> None:
        """Start with an empty book and no plan."""
        self.access = access
        self.journal = journal
        self.chronicle = chronicle
        self.market = market
        self.clock = clock
        self.limits = limits
        self.spawn = spawn
        self.book = Book()
        self.numbers = Numbers(epoch)
        self.plans: dict[PositionKey, Plan] = {}
        self._newer: dict[str, tuple[Instrument | None, Instrument]] = {}
        """Rules read because an order was refused for them: what the market showed then, and what was read."""

    def intent(
        self,
        purpose: Purpose,
        key: PositionKey,
        side: Side,
        kind: str,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        reason: str = "",
    ) -> Intent:
        """Return a new intent about a position; it has no effect before it is handed to the sender."""
        intent_id, client_id = self.numbers.take(purpose)
        plan = self.plans.get(key)
        return Intent(
            intent_id=intent_id,
            client_id=client_id,
            purpose=purpose,
            symbol=key.symbol,
            position_side=key.side,
            side=side,
            kind=kind,
            created_ms=self.clock.now_ms(),
            quantity=quantity,
            price=price,
            trade_id=plan.trade_id if plan is not None else "",
            reason=reason,
        )

    def set_plan(self, plan: Plan, event: str, by: str = "", text: str = "") -> None:
        """Keep a plan and journal what happened to it."""
        if event in ("ended", "dropped"):
            self.plans.pop(plan.key, None)
        else:
            self.plans[plan.key] = plan
        now = self.clock.now_ms()
        self.journal.write(PlanRecord(now, plan.trade_id, plan.signal_id, plan=plan, event=event, by=by, text=text))

    def plan_of(self, position: BookPosition) -> Plan:
        """Return the plan of a position; one nobody planned is adopted."""
        plan = self.plans.get(position.key)
        if plan is not None and plan.sign == position.sign:
            return plan
        if plan is not None:
            self.set_plan(plan, "ended", "the exchange", "the position is on the other side now")
        symbol, side = position.key
        adopted = Plan(
            trade_id=f"A{self.numbers.take(Purpose.STOP)[0]}",
            symbol=symbol,
            side=side,
            sign=position.sign,
            owner=Owner.ADOPTED,
            stop=None,
            target=None,
            opened_ms=self.clock.now_ms(),
            entry=position.entry,
            quantity=abs(position.quantity),
        )
        self.set_plan(adopted, "adopted", "the desk", "a position nobody here opened")
        way = "long" if position.sign > 0 else "short"
        self.say(
            f"{symbol}: a {way} position of {abs(position.quantity):f} was found that this desk did not plan; it is "
            "adopted and gets an emergency stop; no strategy owns it",
            Severity.ALERT,
            symbol,
        )
        return adopted

    def instrument(self, symbol: str) -> Instrument | None:
        """Return the newest trading rules of a contract that are known here or to the market."""
        shown = self.market.instrument(symbol)
        seen, newer = self._newer.get(symbol, (None, None))
        return newer if newer is not None and seen == shown else shown

    async def refresh_rules(self) -> None:
        """Read the trading rules anew: an order was refused for them. Raises ExchangeError."""
        for one in await self.access.client.exchange_info(priority=Priority.CRITICAL):
            self._newer[one.symbol] = (self.market.instrument(one.symbol), one)

    def mark(self, position: BookPosition) -> Decimal | None:
        """Return a mark price fit to judge a trigger: from the feed while it is fresh, else the account's own."""
        quote = self.market.quote(position.key.symbol)
        if quote is not None and quote.mark > 0 and quote.received_s <= FRESH_MARK_S * self.limits.patience:
            return quote.mark
        return position.mark if position.mark > 0 else None

    def priced(self, symbol: str, price: Decimal, *, up: bool) -> Decimal:
        """Return a price on the contract's tick; as it is where the rules are not known."""
        instrument = self.instrument(symbol)
        if instrument is None:
            return price
        fitted = quantise_price(instrument, price, up=up)
        return price if isinstance(fitted, Refusal) else fitted

    def say(self, text: str, severity: Severity = Severity.INFO, symbol: str = "", ref: str = "") -> None:
        """Tell the operator."""
        self.chronicle.say(EventKind.ORDER, text, severity, symbol, ref)
