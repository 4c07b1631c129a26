"""The virtual book: every strategy's positions on columns, watched in one pass, told as events.

The book is a pure decider with memory: `now_ms` and prices come in, events go out, nothing is read from a clock or
written anywhere. Whoever stores the returned events in order can rebuild the book with `restore`.
"""

from __future__ import annotations

from collections import Counter, deque
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from engine.positions import watch
from engine.positions.columns import UNSEEN, allocate
from engine.positions.costs import exact, funding_payment, settle
from engine.positions.held import Held
from engine.positions.ledger import Ledger
from engine.positions.lifecycle import VIRTUAL, EventName, LifecycleError, PositionEvent, Stage, fold_all
from engine.positions.opening import EXPIRY_MS, Opening, fault, terms_of
from engine.positions.roster import Roster
from engine.positions.track import ClosedTrade, TrackRecord
from engine.positions.views import closed_row, standings, virtual_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from engine.positions.columns import Columns, Floats
    from engine.positions.costs import Settlement
    from engine.positions.lifecycle import PositionState, Terms
    from engine.positions.roster import Glance
    from engine.snapshot import ClosedRow, PositionDetail, Standing, VirtualRow

START = Decimal(10_000)
CLOSED_KEPT = 200
"""Ended positions kept for the screen, with their histories."""
REPLACED = "replaced by a new signal"

INFORMING = (
    (watch.MAX, EventName.MAX_PNL_UPDATED),
    (watch.MIN, EventName.MIN_PNL_UPDATED),
    (watch.NEAR_TP, EventName.TP_APPROACHING),
    (watch.NEAR_SL, EventName.SL_APPROACHING),
)
_ENDING = watch.STOP | watch.TARGET
_OUTCOMES = ((watch.STOP, EventName.SL_TRIGGERED), (watch.TARGET, EventName.TP_TRIGGERED))


class UnknownPositionError(Exception):
    """No open position has this id."""


class VirtualBook:
    """One position per (strategy, symbol), on columns that grow. All methods return at once; none waits.

    Call `tick` right before `open` in one go: the next tick's interval must hold only prices seen after the opening.
    """

    def __init__(
        self,
        capacity: int = 1024,
        *,
        start: Decimal = START,
        expiry_ms: int = EXPIRY_MS,
        smart: bool = True,
        make: Callable[[int], Columns] = allocate,
    ) -> None:
        self.track = TrackRecord()
        self.ledger = Ledger(start)
        self.counts: Counter[EventName] = Counter()
        self._expiry_ms = expiry_ms
        self._smart = smart
        self._roster = Roster(capacity, make)
        self._number = 0
        self._closed: deque[ClosedRow] = deque(maxlen=CLOSED_KEPT)
        self._past: dict[str, Held] = {}

    def __len__(self) -> int:
        """Return the number of open positions."""
        return len(self._roster.by_id)

    @property
    def symbols(self) -> frozenset[str]:
        """Return the symbols with an open position; they stay in the universe."""
        return frozenset(held.symbol for held in self._roster.by_id.values())

    def newest_price(self, symbol: str) -> float:
        """Return the newest price the open positions of a symbol have seen, 0 where there is none."""
        held = next((held for held in self._roster.by_id.values() if held.symbol == symbol), None)
        return float(self._roster.columns.price[held.row]) if held is not None else 0.0

    def held(self, strategy: str, symbol: str) -> str:
        """Return the id of the open position of this strategy and symbol, empty for none."""
        held = self._roster.by_place.get((strategy, symbol))
        return held.position_id if held else ""

    # Opening and closing.

    def why_not(self, opening: Opening) -> str:
        """Return why `open` would ignore the opening, empty when it would take it."""
        held = self._roster.by_place.get((opening.strategy, opening.symbol))
        if held is not None and held.terms.direction is opening.direction:
            return f"{held.position_id} already holds {opening.direction.value} for this strategy and symbol"
        return fault(opening)

    def open(self, opening: Opening, now_ms: int) -> list[PositionEvent]:
        """Put a position under watch; an opposite one of the same place is closed first at the opening's price.

        Returns no events when the opening is ignored; `why_not` says why.
        """
        if self.why_not(opening):
            return []
        out: list[PositionEvent] = []
        held = self._roster.by_place.get((opening.strategy, opening.symbol))
        if held is not None:
            out += self.close(held.position_id, opening.price, now_ms, REPLACED)
        self._number += 1
        terms = terms_of(opening, now_ms, self._expiry_ms)
        fresh = Held(f"{VIRTUAL}{self._number:06d}", opening.symbol, str(opening.strategy), terms)
        self._roster.seat(fresh, opening.slot, now_ms, self._smart)
        self.ledger.opened(fresh.strategy, terms)
        nothing = (0.0, 0.0)
        glance = self._roster.glance(fresh.row, nothing)
        self._append(out, fresh, EventName.CREATED, glance, nothing, now_ms, terms=terms)
        return out

    def close(self, position_id: str, price: float | None, now_ms: int, reason: str) -> list[PositionEvent]:
        """Close at the market `price`, None for the newest price seen. Raises UnknownPositionError, ValueError.

        A trigger that was seen but not yet looked at comes first: the position then ends by its stop or target.
        """
        held = self._roster.by_id.get(position_id)
        if held is None:
            raise UnknownPositionError(f"no open virtual position {position_id}")
        if price is not None and not 0 < price < np.inf:
            raise ValueError(f"closing price of {position_id} is {price}; give a positive price or none")
        return self._end(held, EventName.MANUAL_CLOSE, price, now_ms, reason)

    def close_symbol(self, symbol: str, price: float | None, now_ms: int, reason: str) -> list[PositionEvent]:
        """Close every strategy's position of a symbol (delisted, settling), at `price` or the newest price seen."""
        return [
            event
            for held in [held for held in self._roster.by_id.values() if held.symbol == symbol]
            for event in self.close(held.position_id, price, now_ms, reason)
        ]

    def close_all(self, now_ms: int, reason: str) -> list[PositionEvent]:
        """Close everything at the newest prices seen."""
        return [event for name in list(self._roster.by_id) for event in self.close(name, None, now_ms, reason)]

    def expire(self, now_ms: int) -> list[PositionEvent]:
        """End positions older than the longest holding time, at the newest price seen."""
        reason = f"older than {self._expiry_ms / 3_600_000:g} h"
        return [
            event
            for held in self._roster.expired(now_ms)
            for event in self._end(held, EventName.EXPIRED, None, now_ms, reason)
        ]

    # Watching.

    def set_smart(self, smart: bool, now_ms: int) -> None:
        """Switch the schedule of the looks; triggers are judged on every price seen either way."""
        self._smart = smart
        for held in self._roster.by_id.values():
            watch.schedule(self._roster.columns, held.row, now_ms, smart)

    def move(self) -> None:
        """Bring the columns to memory asked for anew; every position stays as it is."""
        self._roster.move()

    def tick(self, now_ms: int, high: Floats, low: Floats, last: Floats) -> list[PositionEvent]:
        """Judge everything seen since the previous tick; columns are float64 by universe slot, NaN = nothing seen."""
        if not len(high) == len(low) == len(last):
            raise ValueError(f"tick columns differ in length: high {len(high)}, low {len(low)}, last {len(last)}")
        if not self._roster.by_id:
            return []
        found = self._roster.scan(now_ms, high, low, last, self._smart)
        out: list[PositionEvent] = []
        if found:
            for held, bits, glance in self._roster.news(found):
                self._tell(out, held, bits, glance, now_ms)
        return out

    def pass_bars(self, slot: int, seen: Floats) -> list[PositionEvent]:
        """Judge one slot on what it traded in several intervals, lines of (now, high, low, last); only ends are told.

        Positions end as they would by a `tick` per line; the looks between are made, but nobody hears of them.
        """
        out: list[PositionEvent] = []
        while len(seen) and self._roster.by_id:
            passed, found = self._roster.scan_slot(slot, seen, self._smart)
            for held, bits, glance in self._roster.news(found) if found else ():
                self._tell(out, held, bits & _ENDING, glance, int(seen[passed - 1, 0]))
            seen = seen[passed:]
        return out

    def fund(self, slot: int, rate: float, mark: float, due_ms: int, now_ms: int) -> list[PositionEvent]:
        """Charge the funding of instant `due_ms` to every position of the slot that was open then, once.

        The payment travels on a `price_updated` at the newest price, with the amount as reason.
        """
        if not (np.isfinite(rate) and 0 < mark < np.inf):
            raise ValueError(f"funding of slot {slot} needs a finite rate and a positive mark, got {rate} and {mark}")
        out: list[PositionEvent] = []
        for held in list(self._roster.at_slot(slot)):
            if held.terms.opened_ms > due_ms or held.funded_ms >= due_ms:
                continue
            if self._roster.columns.pending[held.row]:
                out += self._end(held, EventName.MANUAL_CLOSE, None, now_ms, "")
                continue
            self._look(out, held, now_ms)
            amount = funding_payment(held.terms.quantity, exact(mark), exact(rate), held.terms.direction.sign)
            held.funding += amount
            held.funded_ms = due_ms
            self.ledger.funded(held.strategy, amount)
            self._roster.draw_line(held)
            self._look(out, held, now_ms, f"funding {amount:+f} USDT at {rate * 100:.4f} %")
        return out

    def reslot(self, places: Mapping[str, int]) -> None:
        """Move every position to its symbol's new slot; a symbol without one is not seen until it has one again."""
        for held in self._roster.by_id.values():
            self._roster.columns.slot[held.row] = places.get(held.symbol, UNSEEN)

    # Memory.

    def restore(self, events: Iterable[PositionEvent], now_ms: int) -> list[PositionEvent]:
        """Continue the book that emitted these events; returns the `closed` events a crash kept from being told.

        Restored positions have no slot until `reslot`. Raises LifecycleError, also when the book is not empty.
        """
        if self._number:
            raise LifecycleError("a book that has already opened positions cannot be restored into")
        stored = list(events)
        states = fold_all(stored)
        lives = {name: Held(name, state.symbol, state.strategy, state.terms) for name, state in states.items()}
        for event in stored:
            held = lives[event.position_id]
            held.note(event)
            held.looks += event.event is EventName.PRICE_UPDATED
            self.counts[event.event] += 1
            if event.funded_ms > held.funded_ms:
                self.ledger.funded(held.strategy, event.funding - held.funding)
                held.funding, held.funded_ms = event.funding, event.funded_ms
        self._number = max((int(name[1:]) for name in states), default=0)
        out: list[PositionEvent] = []
        for name, state in states.items():
            self.ledger.opened(state.strategy, state.terms)
            if state.stage is Stage.OPEN:
                self._roster.reseat(lives[name], state, now_ms, self._smart)
        ended = [state for state in states.values() if state.stage is not Stage.OPEN]
        for state in sorted(ended, key=lambda state: state.last_event_ms):
            held = lives[state.position_id]
            self._book(held, state.price, state.cause or EventName.MANUAL_CLOSE, state.reason, state.last_event_ms)
            if state.stage is Stage.ENDING:
                out.append(self._last_word(held, state, now_ms))
        return out

    # Reading.

    def state(self, position_id: str) -> PositionState | None:
        """Return an open position as its events tell it, None for an unknown id."""
        held = self._roster.by_id.get(position_id)
        return None if held is None else self._roster.state(held)

    def life(self, position_id: str) -> PositionDetail | None:
        """Return the life of an open or recently ended position, None for an unknown id."""
        held = self._roster.by_id.get(position_id)
        if held is not None:
            return held.detail(held.looks + int(self._roster.columns.looks[held.row]))
        past = self._past.get(position_id)
        return None if past is None else past.detail(past.looks)

    def rows(self, limit: int = 600) -> tuple[VirtualRow, ...]:
        """Return open positions for the screen, the most urgent first."""
        return virtual_rows(self._roster.columns, self._roster.used, self._roster.rows, limit)

    def closed(self) -> tuple[ClosedRow, ...]:
        """Return ended positions, newest first, at most 200."""
        return tuple(reversed(self._closed))

    def standings(self) -> tuple[Standing, ...]:
        """Return the leaderboard; each strategy's equity is the book's start plus its own results."""
        return standings(self.ledger, self.track, self._roster.running())

    def equity(self) -> float:
        """Return start plus everything settled plus the running pnl after costs of what is open."""
        return float(self.ledger.settled) + sum(self._roster.running().values())

    def event_counts(self) -> tuple[tuple[str, int], ...]:
        """Return life-cycle events since the book began, by wire name."""
        return tuple((name.value, self.counts[name]) for name in EventName)

    # Telling.

    def _look(self, out: list[PositionEvent], held: Held, now_ms: int, reason: str = "") -> None:
        """Look at one position out of schedule; with a reason the look is told even when the price stands still."""
        before = self._roster.extremes(held.row)
        bits = watch.look(self._roster.columns, held.row, now_ms, self._smart, ending=False)
        bits |= watch.PRICE if reason else 0
        self._tell(out, held, bits, self._roster.glance(held.row, before), now_ms, reason)

    def _end(self, held: Held, cause: EventName, price: float | None, now_ms: int, reason: str) -> list[PositionEvent]:
        """End a position, by its pending trigger if it has one."""
        c, row = self._roster.columns, held.row
        before = self._roster.extremes(row)
        out: list[PositionEvent] = []
        if c.pending[row]:
            bits = watch.trigger(c, row, now_ms, self._smart)
            self._tell(out, held, bits, self._roster.glance(row, before), now_ms)
            return out
        if price is not None:
            c.price[row] = price
        bits = watch.look(c, row, now_ms, self._smart, ending=True)
        glance = self._roster.glance(row, before)
        self._tell(out, held, bits, glance, now_ms)
        self._finish(out, held, cause, glance, now_ms, reason)
        return out

    def _tell(
        self, out: list[PositionEvent], held: Held, bits: int, glance: Glance, now_ms: int, reason: str = ""
    ) -> None:
        """Turn the bits of a look into events; each carries the extremes as they stood after it."""
        best, worst = glance.best_before, glance.worst_before
        if bits & watch.PRICE:
            self._append(out, held, EventName.PRICE_UPDATED, glance, (best, worst), now_ms, reason)
        if bits == watch.PRICE:
            return
        for bit, name in INFORMING:
            if bits & bit:
                best = glance.best if bit == watch.MAX else best
                worst = glance.worst if bit == watch.MIN else worst
                self._append(out, held, name, glance, (best, worst), now_ms)
        for bit, name in _OUTCOMES:
            if bits & bit:
                self._finish(out, held, name, glance, now_ms, "")

    def _finish(
        self, out: list[PositionEvent], held: Held, cause: EventName, glance: Glance, now_ms: int, reason: str
    ) -> None:
        extremes = glance.best, glance.worst
        self._append(out, held, cause, glance, extremes, now_ms, reason)
        settlement = self._book(held, glance.price, cause, reason, now_ms)
        self._append(out, held, EventName.CLOSED, glance, extremes, now_ms, reason, settlement=settlement)
        self._roster.leave(held)

    def _book(self, held: Held, price: float, cause: EventName, reason: str, closed_ms: int) -> Settlement:
        """Book the result of a close: ledger, track record, list of ended positions."""
        settlement = settle(held.terms, price, held.funding)
        self.ledger.closed(held.strategy, settlement)
        self.track.record(ClosedTrade(held.strategy, held.terms.confidence, settlement.r, closed_ms))
        self._closed.append(closed_row(held, settlement, cause, reason, closed_ms))
        self._past[held.position_id] = held
        while len(self._past) > CLOSED_KEPT:
            self._past.pop(next(iter(self._past)))
        return settlement

    def _append(
        self,
        out: list[PositionEvent],
        held: Held,
        name: EventName,
        glance: Glance,
        extremes: tuple[float, float],
        now_ms: int,
        reason: str = "",
        *,
        terms: Terms | None = None,
        settlement: Settlement | None = None,
    ) -> None:
        event = PositionEvent(
            name,
            held.position_id,
            held.symbol,
            held.strategy,
            now_ms,
            glance.price,
            settlement.percent if settlement else glance.percent,
            settlement.r if settlement else glance.r,
            extremes[0],
            extremes[1],
            glance.eta_s,
            reason,
            held.funding,
            held.funded_ms,
            terms,
            settlement.net if settlement else None,
            settlement.exit_fee if settlement else None,
        )
        held.note(event)
        self.counts[name] += 1
        out.append(event)

    def _last_word(self, held: Held, state: PositionState, now_ms: int) -> PositionEvent:
        """Return the `closed` of a position whose ending was stored without it."""
        settlement = settle(state.terms, state.price, state.funding)
        event = PositionEvent(
            EventName.CLOSED,
            held.position_id,
            held.symbol,
            held.strategy,
            now_ms,
            state.price,
            settlement.percent,
            settlement.r,
            state.max_percent,
            state.min_percent,
            None,
            state.reason,
            state.funding,
            state.funded_ms,
            net=settlement.net,
            exit_fee=settlement.exit_fee,
        )
        held.note(event)
        self.counts[EventName.CLOSED] += 1
        return event
