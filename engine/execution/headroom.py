"""Binds the reservations to a hand: what its book, its orders and its decisions say, against the limits, at once.

Events are heard as they come; whatever came by a reading or a query is looked up before each question. Nothing waits.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.execution.exposure import Entry, Held, Reservations
from engine.execution.intents import PositionKey, Purpose
from engine.execution.limits import Refusal
from exchange.account_events import AccountUpdate, OrderUpdate
from exchange.orders import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.execution.book import BookPosition
    from engine.execution.entering import Wanted
    from engine.execution.hand import Hand
    from engine.execution.intents import Intent
    from engine.execution.limits import Limits, Standing
    from engine.execution.sender import Tracked

ZERO = Decimal(0)
TAKER = Decimal("0.0005")
"""Fee share a stop is assumed to cost."""

CLOCK_MS = 1_000
"""By how much the beginning of a reading may be wrong against the exchange's clock."""


class Headroom:
    """Room for entries of one hand."""

    def __init__(self, hand: Hand, limits: Limits, standing: Callable[[], Standing | None]) -> None:
        """`standing` tells how the account stands, None while that is not known."""
        self._hand = hand
        self._standing = standing
        self._readings = 0
        self.reservations = Reservations(limits)

    def hear(self, event: object) -> None:
        """Take an event of the account, after the book took it."""
        if isinstance(event, AccountUpdate):
            for change in event.positions:
                key = PositionKey(change.symbol, change.side)
                known = self._hand.state.book.positions.get(key)
                flat = Held(key=key, quantity=ZERO, price=ZERO)
                self.reservations.tell(flat if known is None else self._held(known), event.event_time)
        elif isinstance(event, OrderUpdate) and event.trade is not None:
            tracked = self._hand.sender.of_order(event.order_id, event.client_id)
            if tracked is not None:
                take = self.reservations.release if event.is_final else self.reservations.fill
                take(tracked.intent.client_id, event.filled, event.event_time)

    def reserve(self, intent: Intent, wanted: Wanted) -> str:
        """Check and reserve; return the limit that stands against it in a sentence, empty where it is reserved."""
        self._look()
        standing = self._standing()
        if standing is None:
            return f"{wanted.symbol}: no entry: how the account stands is not known"
        entry = Entry(
            client_id=intent.client_id,
            key=intent.key,
            sign=wanted.sign,
            quantity=intent.quantity or ZERO,
            price=wanted.price if intent.price is None else intent.price,
            leverage=wanted.leverage,
            risk=wanted.risk,
            group=wanted.group,
        )
        try:
            found = self.reservations.reserve(entry, standing, self._now_ms())
        except ValueError as error:
            return f"{wanted.symbol}: no entry: {error}"
        return found.sentence if isinstance(found, Refusal) else ""

    def release(self, client_id: str) -> None:
        """Give back what an entry that came to nothing had reserved; one that filled something is followed instead."""
        tracked = self._hand.sender.orders.get(client_id)
        if tracked is None or not tracked.state.filled:
            self.reservations.release(client_id)

    def used(self) -> tuple[tuple[str, float, float], ...]:
        """Return (limit, used, allowed) for the screen; empty while it is not known how the account stands."""
        self._look()
        standing = self._standing()
        if standing is None:
            return ()
        uses = self.reservations.used(standing, self._now_ms())
        return tuple((name, float(used), float(allowed)) for name, used, allowed in uses)

    def _look(self) -> None:
        """Take over what readings and queries found since the last question."""
        hand = self._hand
        positions = [self._held(one) for one in hand.state.book.positions.values()]
        if hand.reconciler.readings != self._readings:
            self._readings = hand.reconciler.readings
            self.reservations.read(positions, hand.reconciler.began_ms - CLOCK_MS)
        for one in positions:
            self.reservations.value(one)
        reserved = self.reservations.reserved
        for client_id, tracked in hand.sender.orders.items():
            if tracked.intent.purpose is not Purpose.ENTRY:
                continue
            if client_id in reserved:
                self._follow(tracked)
            elif not tracked.state.is_final:
                self.reservations.adopt(self._entry(tracked.intent), tracked.state.filled)

    def _follow(self, tracked: Tracked) -> None:
        state, client_id = tracked.state, tracked.intent.client_id
        if state.is_final and tracked.intent.trade_id not in self._hand.entering.under_way:
            self.reservations.release(client_id, state.filled, state.changed_ms)
        else:
            self.reservations.fill(client_id, state.filled, state.changed_ms)

    def _entry(self, intent: Intent) -> Entry:
        """Return an entry of an earlier session as its plan tells it; without a plan all it is worth is at risk."""
        plan = self._hand.state.plans.get(intent.key)
        quantity = intent.quantity or ZERO
        quote = self._hand.state.market.quote(intent.symbol)
        price = intent.price or (plan.entry if plan is not None else ZERO) or (quote.mark if quote else ZERO)
        stop = plan.stop if plan is not None else None
        return Entry(
            client_id=intent.client_id,
            key=intent.key,
            sign=1 if intent.side is Side.BUY else -1,
            quantity=quantity,
            price=price,
            leverage=plan.leverage if plan is not None else 1,
            risk=quantity * (price if stop is None else abs(price - stop) + (price + stop) * TAKER),
        )

    def _held(self, position: BookPosition) -> Held:
        plan = self._hand.state.plans.get(position.key)
        price = position.mark or position.entry
        size = abs(position.quantity)
        leverage = plan.leverage if plan is not None else 1
        margin = position.margin or size * price / leverage
        stops = self._hand.keeper.coverage(position).stops
        stop = stops[-1].trigger if stops else plan.stop if plan is not None else None
        risk = margin
        if stop is not None:
            risk = max(ZERO, position.sign * (position.entry - stop) * size + (position.entry + stop) * size * TAKER)
        return Held(key=position.key, quantity=position.quantity, price=price, margin=margin, risk=risk)

    def _now_ms(self) -> int:
        return self._hand.state.access.client.venue_ms()
