"""The lives of live positions: the eleven events of specification section 5, told from true fills, fees and funding.

The looks between fills are those of the virtual book: same columns, same schedule, same events. What ends a live
position is not a price that was seen but the fill that closed it. Approach, risk and R refer to the levels as planned,
also after the operator moved the stop. Pure: prices and fills come in, events go out; storing the events rebuilds it.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.execution.fills import Cause, Fill
from engine.execution.intents import PositionKey
from engine.execution.life_terms import ADOPTED, fresh_terms, grown, is_over, reduced, result
from engine.positions import watch
from engine.positions.book import INFORMING
from engine.positions.costs import Costs, cut, exact, fee
from engine.positions.held import Held
from engine.positions.lifecycle import LIVE, ZERO, EventName, LifecycleError, PositionEvent, Stage, fold_all, is_live
from engine.positions.roster import Roster
from engine.positions.track import ClosedTrade
from exchange.account_events import TradeId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.execution.plans import Plan
    from engine.positions.columns import Floats
    from engine.positions.lifecycle import PositionState, Terms
    from engine.positions.roster import Glance
    from engine.snapshot import PositionDetail

SEEN_KEPT = 65_536
PAST_KEPT = 200
UNTOLD = "its fills were not told; the result is an estimate"


class Ended(NamedTuple):
    """One live trade that closed."""

    trade: ClosedTrade
    net: Decimal
    """After fees and funding, in the quote asset."""
    adopted: bool
    """Whether nobody here planned it: it says nothing about a strategy."""
    signal_id: str


class LiveBook:
    """Live positions by (symbol, position side). No method waits."""

    def __init__(self, emergency: Decimal, costs: Costs | None = None, *, smart: bool = True) -> None:
        """`emergency` is the share of the price at which a position without a plan has its stop.

        `costs` are what closing is assumed to cost while a position runs; closed ones count what they did cost.
        """
        self._emergency = emergency
        self._costs = costs or Costs()
        self._smart = smart
        self._rosters: dict[str, Roster] = {}
        self._by_key: dict[PositionKey, Held] = {}
        self._past: dict[str, Held] = {}
        self._seen: dict[TradeId, None] = {}
        self._ended: deque[Ended] = deque()
        self._slots: Mapping[str, int] = {}
        self._number = 0
        self._corrections = 0

    def __len__(self) -> int:
        """Return the number of open positions."""
        return len(self._by_key)

    # Fills and money.

    def know(self, trades: Iterable[TradeId]) -> None:
        """Remember fills that were taken by an earlier session."""
        for trade in trades:
            self._seen[trade] = None
        while len(self._seen) > SEEN_KEPT:
            del self._seen[next(iter(self._seen))]

    def fill(self, one: Fill, plan: Plan | None, decimals: int, now_ms: int) -> list[PositionEvent]:
        """Take one execution; one that was taken before changes nothing.

        `plan` is that of the position it may open; `decimals` are places of a displayed price. What goes beyond
        closing a position opens one the other way, which nobody planned.
        """
        if one.trade in self._seen:
            return []
        self.know([one.trade])
        held = self._by_key.get(one.key)
        if held is None:
            planned = plan if plan is not None and plan.sign == one.sign else None
            return self._open(one, one.quantity, one.fee, planned, decimals, now_ms)
        if held.terms.direction.sign == one.sign:
            words = f"{one.quantity:f} more filled at {one.price:f}"
            return self._change(held, grown(held.terms, one, self._emergency), float(one.price), now_ms, words)
        closing = min(one.quantity, held.terms.quantity - held.terms.reduced)
        paid = one.fee if closing == one.quantity else cut(one.fee * closing / one.quantity)
        after = reduced(held.terms, closing, one.realised, paid)
        out = self._reduce(held, after, float(one.price), now_ms, one.cause)
        if closing < one.quantity:
            out += self._open(one, one.quantity - closing, one.fee - paid, None, decimals, now_ms)
        return out

    @property
    def keys(self) -> tuple[PositionKey, ...]:
        """Return the open positions."""
        return tuple(self._by_key)

    def began_ms(self, key: PositionKey) -> int:
        """Return when an open position was opened, 0 where there is none."""
        held = self._by_key.get(key)
        return 0 if held is None else held.terms.opened_ms

    def open_quantity(self, key: PositionKey) -> Decimal:
        """Return the signed quantity the fills add up to; another one at the exchange means that fills are missing."""
        held = self._by_key.get(key)
        return ZERO if held is None else held.terms.direction.sign * (held.terms.quantity - held.terms.reduced)

    def correct(
        self, key: PositionKey, quantity: Decimal, price: Decimal, plan: Plan | None, decimals: int, now_ms: int
    ) -> list[PositionEvent]:
        """Bring a position to the signed quantity the exchange has where no fill tells how it came there.

        What is opened or closed counts as filled at `price`, a close with an assumed fee, and the event says that it is
        an estimate. Raises ValueError for a price that is none.
        """
        gap = quantity - self.open_quantity(key)
        if not gap:
            return []
        if not (price.is_finite() and price > 0):
            raise ValueError(f"{key.symbol}: {price} is no price to reckon a position with")
        sign = 1 if gap > 0 else -1
        held, gross, paid = self._by_key.get(key), ZERO, ZERO
        if held is not None and held.terms.direction.sign != sign:
            closing = min(abs(gap), held.terms.quantity - held.terms.reduced)
            gross = cut(-sign * closing * (price - exact(held.terms.entry)))
            paid = fee(closing, price, held.terms.costs)
        self._corrections += 1
        one = Fill(
            trade=TradeId(key.symbol, -self._corrections, -now_ms), key=key, sign=sign, quantity=abs(gap), price=price,
            realised=gross, fee=paid, at_ms=now_ms, cause=Cause(EventName.MANUAL_CLOSE, UNTOLD),
        )  # fmt: skip
        return self.fill(one, plan, decimals, now_ms)

    def fund(self, symbol: str, amount: Decimal, instant_ms: int, now_ms: int) -> list[PositionEvent]:
        """Take a funding payment of a symbol (received positive), once per instant.

        In hedge mode it is the sum over both sides, which is shared as it came about: by their signed sizes.
        """
        lives = [held for key, held in self._by_key.items() if key.symbol == symbol and held.funded_ms < instant_ms]
        sizes = [held.terms.direction.sign * (held.terms.quantity - held.terms.reduced) for held in lives]
        total, left, out = sum(sizes, ZERO), amount, list[PositionEvent]()
        for place, held in enumerate(lives):
            part = left
            if place < len(lives) - 1:
                part = cut(amount * sizes[place] / total) if total else ZERO
            left -= part
            held.funding += part
            held.funded_ms = instant_ms
            self._roster(held).draw_line(held)
            self._look(out, held, now_ms, f"funding {part:+f}")
        return out

    def take_ended(self) -> list[Ended]:
        """Return and forget the trades that closed since the last call: for track record and account protection."""
        ended = list(self._ended)
        self._ended.clear()
        return ended

    # Watching.

    def set_smart(self, smart: bool, now_ms: int) -> None:
        """Switch the schedule of the looks."""
        self._smart = smart
        for held in self._by_key.values():
            watch.schedule(self._roster(held).columns, held.row, now_ms, smart)

    def reslot(self, places: Mapping[str, int]) -> None:
        """Take the universe's columns by symbol."""
        self._slots = places
        for held in self._by_key.values():
            self._roster(held).columns.slot[held.row] = places.get(held.symbol, -1)

    def tick(self, now_ms: int, high: Floats, low: Floats, last: Floats) -> list[PositionEvent]:
        """Look at what was seen since the previous tick; columns are float64 by universe slot, NaN = nothing seen."""
        out: list[PositionEvent] = []
        for roster in self._rosters.values():
            found = roster.scan(now_ms, high, low, last, self._smart) if roster.by_id else 0
            for held, bits, glance in roster.news(found):
                self._tell(out, held, bits, glance, now_ms)
        return out

    # Memory.

    def restore(self, events: Iterable[PositionEvent], now_ms: int) -> list[PositionEvent]:
        """Continue the book that emitted these events; returns the `closed` events a crash kept from being told.

        Events of virtual positions are left out. Raises LifecycleError, also when the book is not empty.
        """
        if self._number:
            raise LifecycleError("a book that has already opened positions cannot be restored into")
        stored = [event for event in events if is_live(event.position_id)]
        self._number = max((int(event.position_id[1:]) for event in stored), default=0)
        states = fold_all(stored)
        lives = {name: Held(name, state.symbol, state.strategy, state.terms) for name, state in states.items()}
        for event in stored:
            lives[event.position_id].note(event)
        out: list[PositionEvent] = []
        for name, state in states.items():
            held = lives[name]
            held.terms, held.funding, held.funded_ms = state.terms, state.funding, state.funded_ms
            if state.stage is Stage.OPEN:
                key = PositionKey(state.symbol, state.terms.side)
                if key in self._by_key:
                    raise LifecycleError(f"{self._by_key[key].position_id} and {name} are both open: {key}")
                self._by_key[key] = held
                self._roster(held).reseat(held, state, now_ms, self._smart)
                self._rest_on_fills(held)
                continue
            self._remember(held)
            if state.stage is Stage.ENDING:
                extremes = state.max_percent, state.min_percent
                self._close(out, held, state.price, extremes, state.reason, now_ms)
        return out

    def ended_before(self, events: Iterable[PositionEvent]) -> list[Ended]:
        """Return the trades that closed within stored events, in the order of their close: for the track record."""
        stored = [event for event in events if is_live(event.position_id)]
        states = [state for state in fold_all(stored).values() if state.stage is Stage.CLOSED]
        return [
            _ended(state.strategy, state.terms, state.funding, state.last_event_ms)
            for state in sorted(states, key=lambda state: state.last_event_ms)
        ]

    # Reading.

    def state(self, key: PositionKey) -> PositionState | None:
        """Return an open position as its events tell it."""
        held = self._by_key.get(key)
        return None if held is None else self._roster(held).state(held)

    def life(self, position_id: str) -> PositionDetail | None:
        """Return the life of an open or recently ended position, None for an unknown id."""
        held = next((one for one in self._by_key.values() if one.position_id == position_id), None)
        if held is not None:
            return held.detail(held.looks + int(self._roster(held).columns.looks[held.row]))
        past = self._past.get(position_id)
        return None if past is None else past.detail(past.looks)

    # Telling.

    def _roster(self, held: Held) -> Roster:
        """Return the roster of a position side: within it a symbol has one position."""
        side = held.terms.side
        if side not in self._rosters:
            self._rosters[side] = Roster(16)
        return self._rosters[side]

    def _rest_on_fills(self, held: Held) -> None:
        """Let no price that is seen end the position."""
        c = self._roster(held).columns
        c.floor[held.row], c.ceiling[held.row] = -np.inf, np.inf

    def _open(
        self, one: Fill, quantity: Decimal, paid: Decimal, plan: Plan | None, decimals: int, now_ms: int
    ) -> list[PositionEvent]:
        self._number += 1
        terms = fresh_terms(one, quantity, paid, plan, self._emergency, self._costs, decimals)
        strategy = plan.strategy if plan is not None and plan.strategy else ADOPTED
        held = Held(f"{LIVE}{self._number:06d}", one.key.symbol, strategy, terms)
        self._by_key[one.key] = held
        roster = self._roster(held)
        roster.seat(held, self._slots.get(held.symbol, -1), now_ms, self._smart)
        self._rest_on_fills(held)
        out: list[PositionEvent] = []
        nothing = (0.0, 0.0)
        reason = "" if plan is not None else "nobody here planned it"
        self._append(out, held, EventName.CREATED, roster.glance(held.row, nothing), nothing, now_ms, reason, terms)
        return out

    def _change(self, held: Held, terms: Terms, price: float, now_ms: int, words: str) -> list[PositionEvent]:
        held.terms = terms
        roster, out = self._roster(held), list[PositionEvent]()
        roster.fit(held)
        self._rest_on_fills(held)
        roster.columns.price[held.row] = price
        self._look(out, held, now_ms, words, terms)
        return out

    def _reduce(self, held: Held, terms: Terms, price: float, now_ms: int, cause: Cause) -> list[PositionEvent]:
        if not is_over(terms):
            words = f"{terms.reduced - held.terms.reduced:f} closed at {price:g}"
            return self._change(held, terms, price, now_ms, f"{words}: {cause.reason or cause.event.value}")
        roster, out = self._roster(held), list[PositionEvent]()
        before = roster.extremes(held.row)
        roster.columns.price[held.row] = price
        bits = watch.look(roster.columns, held.row, now_ms, self._smart, ending=True)
        glance = roster.glance(held.row, before)
        self._tell(out, held, bits, glance, now_ms)
        held.terms = terms
        extremes = glance.best, glance.worst
        self._append(out, held, cause.event, glance, extremes, now_ms, cause.reason, terms)
        self._close(out, held, glance.price, extremes, cause.reason, now_ms)
        roster.leave(held)
        del self._by_key[PositionKey(held.symbol, terms.side)]
        self._remember(held)
        return out

    def _close(
        self,
        out: list[PositionEvent],
        held: Held,
        price: float,
        extremes: tuple[float, float],
        reason: str,
        now_ms: int,
    ) -> None:
        """Tell the end with what it brought: the fills' own results, fees and funding."""
        money = result(held.terms, held.funding)
        event = PositionEvent(
            EventName.CLOSED, held.position_id, held.symbol, held.strategy, now_ms, price, money.percent, money.r,
            *extremes, None, reason, held.funding, held.funded_ms, None, money.net, held.terms.exit_fee,
        )  # fmt: skip
        held.note(event)
        out.append(event)
        self._ended.append(_ended(held.strategy, held.terms, held.funding, now_ms))

    def _remember(self, held: Held) -> None:
        self._past[held.position_id] = held
        while len(self._past) > PAST_KEPT:
            del self._past[next(iter(self._past))]

    def _look(self, out: list[PositionEvent], held: Held, now_ms: int, reason: str, terms: Terms | None = None) -> None:
        """Look at one position out of schedule, and tell it with the reason."""
        roster = self._roster(held)
        before = roster.extremes(held.row)
        bits = watch.look(roster.columns, held.row, now_ms, self._smart, ending=False) | watch.PRICE
        self._tell(out, held, bits, roster.glance(held.row, before), now_ms, reason, terms)

    def _tell(
        self,
        out: list[PositionEvent],
        held: Held,
        bits: int,
        glance: Glance,
        now_ms: int,
        reason: str = "",
        terms: Terms | None = None,
    ) -> None:
        """Turn the bits of a look into events; each carries the extremes as they stood after it."""
        best, worst = glance.best_before, glance.worst_before
        if bits & watch.PRICE:
            self._append(out, held, EventName.PRICE_UPDATED, glance, (best, worst), now_ms, reason, terms)
        for bit, name in INFORMING:
            if bits & bit:
                best = glance.best if bit == watch.MAX else best
                worst = glance.worst if bit == watch.MIN else worst
                self._append(out, held, name, glance, (best, worst), now_ms)

    def _append(
        self,
        out: list[PositionEvent],
        held: Held,
        name: EventName,
        glance: Glance,
        extremes: tuple[float, float],
        now_ms: int,
        reason: str = "",
        terms: Terms | None = None,
    ) -> None:
        event = PositionEvent(
            name, held.position_id, held.symbol, held.strategy, now_ms, glance.price, glance.percent, glance.r,
            *extremes, glance.eta_s, reason, held.funding, held.funded_ms, terms,
        )  # fmt: skip
        held.note(event)
        out.append(event)


def _ended(strategy: str, terms: Terms, funding: Decimal, closed_ms: int) -> Ended:
    money = result(terms, funding)
    trade = ClosedTrade(strategy, terms.confidence, money.r, closed_ms, live=True)
    return Ended(trade, money.net, strategy == ADOPTED, terms.signal_id)
