"""Who sits in which row of the columns: seating, reseating after a restart, and leaving."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from engine.positions import watch
from engine.positions.columns import FREE, UNSEEN, allocate, copy_into
from engine.positions.costs import line
from engine.positions.lifecycle import LifecycleError, PositionState, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.positions.columns import Columns, Floats
    from engine.positions.held import Held


NEVER = 1 << 62


class Glance(NamedTuple):
    """What one look at a row saw, with the extremes from before it."""

    price: float
    percent: float
    r: float
    eta_s: float | None
    best: float
    worst: float
    best_before: float
    worst_before: float


class Roster:
    """Open positions by id, by (strategy, symbol) and by row; the columns grow by doubling."""

    def __init__(self, capacity: int, make: Callable[[int], Columns] = allocate) -> None:
        """`make` returns columns of free rows for a capacity; it decides in which memory they lie."""
        capacity = max(1, capacity)
        self._make = make
        self.columns = make(capacity)
        self.used = 0
        """Rows below this one may be occupied."""
        self.rows: list[Held | None] = [None] * capacity
        self.by_id: dict[str, Held] = {}
        self.by_place: dict[tuple[str, str], Held] = {}
        self._free: list[int] = []
        self._strategies: dict[str, int] = {}
        self._soonest = NEVER
        """No position ends by its longest holding time before this instant."""
        self._make_news(capacity)

    def _make_news(self, capacity: int) -> None:
        self.out_row, self.out_bits = np.zeros(capacity, np.int32), np.zeros(capacity, np.int32)
        self.out_best, self.out_worst = np.zeros(capacity), np.zeros(capacity)

    def move(self) -> None:
        """Bring every row to columns made anew, with all that is in them."""
        self.columns = copy_into(self.columns, self._make(len(self.rows)))

    def occupant(self, row: int) -> Held:
        """Return the position in an occupied row."""
        held = self.rows[row]
        assert held is not None
        return held

    def seat(self, held: Held, slot: int, now_ms: int, smart: bool) -> None:
        """Give a new position a row; both extremes begin at 0."""
        row = self._vacancy()
        c, terms = self.columns, held.terms
        held.row = row
        self.rows[row] = held
        self.by_id[held.position_id] = held
        self.by_place[held.strategy, held.symbol] = held
        c.slot[row] = slot if slot >= 0 else UNSEEN
        c.sign[row] = terms.direction.sign
        c.strategy[row] = self._strategies.setdefault(held.strategy, len(self._strategies))
        c.expires[row] = terms.expires_ms
        self._soonest = min(self._soonest, terms.expires_ms)
        c.price[row] = c.looked[row] = terms.price
        c.best[row] = c.worst[row] = 0.0
        c.tp_armed[row] = c.sl_armed[row] = 1
        c.looks[row] = 0
        self.fit(held)
        self._settle_down(row, now_ms, smart)

    def fit(self, held: Held) -> None:
        """Set what follows from the terms of a position."""
        row, c, terms = held.row, self.columns, held.terms
        c.entry[row], c.stop[row], c.target[row] = terms.entry, terms.stop, terms.target
        c.floor[row], c.ceiling[row] = sorted((terms.stop, terms.target))
        c.half_r[row] = abs(terms.entry - terms.stop) / 2
        c.margin[row] = float(terms.margin)
        self.draw_line(held)

    def reseat(self, held: Held, state: PositionState, now_ms: int, smart: bool) -> None:
        """Give a rebuilt position a row where its events left it; its slot comes with `reslot`."""
        if (held.strategy, held.symbol) in self.by_place:
            raise LifecycleError(
                f"stored events hold two open positions for {held.strategy} {held.symbol}: "
                f"{self.by_place[held.strategy, held.symbol].position_id} and {held.position_id}"
            )
        self.seat(held, UNSEEN, now_ms, smart)
        c, row = self.columns, held.row
        c.price[row] = c.looked[row] = state.price
        c.best[row], c.worst[row] = state.max_percent, state.min_percent
        c.tp_armed[row], c.sl_armed[row] = state.tp_armed, state.sl_armed
        self._settle_down(row, now_ms, smart)

    def _settle_down(self, row: int, now_ms: int, smart: bool) -> None:
        c = self.columns
        c.percent[row] = c.slope[row] * c.price[row] + c.offset[row]
        c.seen_high[row], c.seen_low[row] = -np.inf, np.inf
        c.looked_ms[row] = now_ms
        c.speed[row] = 0.0
        c.eta[row] = np.nan
        c.pending[row] = watch.NONE_PENDING
        watch.schedule(c, row, now_ms, smart)

    def draw_line(self, held: Held) -> None:
        """Set the pnl line of the row from terms and funding so far."""
        c, row = self.columns, held.row
        c.slope[row], c.offset[row], c.r_per_percent[row] = line(held.terms, held.funding)

    def leave(self, held: Held) -> None:
        """Free the row."""
        held.looks += int(self.columns.looks[held.row])
        self.columns.slot[held.row] = FREE
        self.rows[held.row] = None
        self._free.append(held.row)
        del self.by_id[held.position_id]
        del self.by_place[held.strategy, held.symbol]

    def at_slot(self, slot: int) -> Iterator[Held]:
        """Yield the positions of a universe slot."""
        for row in np.nonzero(self.columns.slot[: self.used] == slot)[0].tolist():
            yield self.occupant(row)

    def expired(self, now_ms: int) -> list[Held]:
        """Return the positions whose longest holding time has passed."""
        if now_ms <= self._soonest:
            return []
        c, used = self.columns, self.used
        ends = np.where(c.slot[:used] != FREE, c.expires[:used], NEVER)
        self._soonest = int(ends.min(initial=NEVER))
        return [self.occupant(row) for row in np.nonzero(ends < now_ms)[0].tolist()]

    def scan(self, now_ms: int, high: Floats, low: Floats, last: Floats, smart: bool) -> int:
        """Run the pass; the news stands in the first rows of the `out_…` arrays."""
        found: int = watch.scan(
            self.columns,
            self.used,
            now_ms,
            high,
            low,
            last,
            smart,
            self.out_row,
            self.out_bits,
            self.out_best,
            self.out_worst,
        )
        return found

    def scan_slot(self, slot: int, seen: Floats, smart: bool) -> tuple[int, int]:
        """Run the pass over one slot, line by line up to a trigger; return lines passed and rows with a trigger."""
        passed, found = watch.scan_slot(
            self.columns, self.used, slot, seen, smart, self.out_row, self.out_bits, self.out_best, self.out_worst
        )
        return int(passed), int(found)

    def news(self, found: int) -> Iterator[tuple[Held, int, Glance]]:
        """Return position, bits and glance for the rows the pass found, gathered column by column."""
        c, at = self.columns, self.out_row[:found]
        percent, eta = c.percent[at], c.eta[at]
        glances = map(
            Glance,
            c.looked[at].tolist(),
            percent.tolist(),
            (percent * c.r_per_percent[at]).tolist(),
            [
                None if unknown else seconds
                for seconds, unknown in zip(eta.tolist(), np.isnan(eta).tolist(), strict=True)
            ],
            c.best[at].tolist(),
            c.worst[at].tolist(),
            self.out_best[:found].tolist(),
            self.out_worst[:found].tolist(),
        )
        return zip(map(self.occupant, at.tolist()), self.out_bits[:found].tolist(), glances, strict=True)

    def extremes(self, row: int) -> tuple[float, float]:
        """Return best and worst pnl in percent."""
        return float(self.columns.best[row]), float(self.columns.worst[row])

    def glance(self, row: int, before: tuple[float, float]) -> Glance:
        """Return what the last look at a row saw, given the extremes from before it."""
        c = self.columns
        percent, eta = float(c.percent[row]), float(c.eta[row])
        return Glance(
            float(c.looked[row]),
            percent,
            percent * float(c.r_per_percent[row]),
            None if math.isnan(eta) else eta,
            *self.extremes(row),
            *before,
        )

    def state(self, held: Held) -> PositionState:
        """Return the position as its last look left it, in the form a fold of its events has."""
        c, row = self.columns, held.row
        percent = float(c.percent[row])
        return PositionState(
            held.position_id,
            held.symbol,
            held.strategy,
            held.terms,
            Stage.OPEN,
            float(c.looked[row]),
            percent,
            percent * float(c.r_per_percent[row]),
            float(c.best[row]),
            float(c.worst[row]),
            bool(c.tp_armed[row]),
            bool(c.sl_armed[row]),
            held.funding,
            held.funded_ms,
            held.last_event,
            held.last_event_ms,
        )

    def running(self) -> dict[str, float]:
        """Return the running pnl after costs in USDT per strategy, at the newest prices seen."""
        c = self.columns
        rows = np.nonzero(c.slot[: self.used] != FREE)[0]
        money = (c.slope[rows] * c.price[rows] + c.offset[rows]) * c.margin[rows] / 100.0
        sums = np.bincount(c.strategy[rows], weights=money, minlength=len(self._strategies))
        return dict(zip(self._strategies, sums.tolist(), strict=True))

    def _vacancy(self) -> int:
        if self._free:
            return self._free.pop()
        if self.used == len(self.rows):
            capacity = 2 * len(self.rows)
            self.columns = copy_into(self.columns, self._make(capacity))
            self.rows += [None] * (capacity - len(self.rows))
            self._make_news(capacity)
        self.used += 1
        return self.used - 1
