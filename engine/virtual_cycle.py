"""The virtual loop: every tick judges positions on all prices seen; every cycle expires and flushes."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from engine.market.tape import is_leap
from exchange.market_data import FRAME_MS

if TYPE_CHECKING:
    from engine.desk import Desk

DONE = 20_000
"""Signals remembered as entered, so that one set-up opens one position."""


class VirtualCycle:
    """Moves the virtual book of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.done: OrderedDict[str, None] = OrderedDict()
        self.behind: dict[str, int] = {}
        """Symbols whose restored positions still miss bars: time of the last record before the restart."""

    def note_done(self, signal_id: str) -> None:
        """Remember that a set-up has been entered."""
        self.done[signal_id] = None
        while len(self.done) > DONE:
            self.done.popitem(last=False)

    def wait_for(self, since_ms: int) -> None:
        """After a restart: let positions wait until the bars since `since_ms` are there to judge them by."""
        self.behind = dict.fromkeys(self._desk.book.symbols, since_ms)

    def reslot(self) -> None:
        """Give every position and waiting entry its symbol's column, except those that still have to catch up."""
        slots = self._desk.feed.slots()
        self._desk.pending.reslot(slots)
        if self._desk.orders is not None:
            self._desk.orders.lives.book.reslot(slots)
        self._desk.book.reslot({symbol: slot for symbol, slot in slots.items() if symbol not in self.behind})

    def catch_up(self) -> None:
        """Judge restored positions on the bars they missed, in order, before they see a present price.

        Only bars that opened after the last record count: a bar that was half seen holds prices from before.
        """
        desk = self._desk
        for symbol, since in list(self.behind.items()):
            slot = desk.feed.slot_of(symbol)
            if slot is None or not desk.feed.tape.begun(symbol, "5m"):
                continue
            bars = desk.feed.tape.candles(symbol, "5m")
            before, mark = desk.book.newest_price(symbol), float(desk.feed.quotes.mark[slot])
            prices = [*bars.open[bars.open_time >= since][:1].tolist(), mark]
            leap = next((price for price in prices if is_leap(before, price)), None)
            if leap is not None:
                desk.contracts.end_unit(symbol, before, leap)
                continue
            if desk.feed.tape.readiness(symbol, "5m"):
                continue
            del self.behind[symbol]
            self.reslot()
            columns = np.full((3, desk.feed.quotes.slots), np.nan)
            for k in np.flatnonzero(bars.open_time >= since):
                columns[:, slot] = bars.high[k], bars.low[k], bars.close[k]
                close_ms = int(bars.open_time[k]) + FRAME_MS["5m"]
                desk.chronicle.positions(desk.book.tick(close_ms, columns[0], columns[1], columns[2]))

    def tick(self) -> None:
        """Bring prices seen since the last tick to positions and waiting entries, and charge funding that fell due."""
        desk, quotes = self._desk, self._desk.feed.quotes
        now = desk.clock.now_ms()
        for funding in quotes.take_fundings():
            if np.isfinite(funding.rate) and funding.mark > 0:
                desk.chronicle.positions(desk.book.fund(funding.slot, funding.rate, funding.mark, funding.time, now))
        if not quotes.dirty:
            return
        seen = quotes.drain()
        desk.contracts.leapt(quotes.take_leaps())
        desk.chronicle.positions(desk.book.tick(now, seen.high, seen.low, seen.last))
        if desk.orders is not None:
            desk.chronicle.positions(desk.orders.lives.book.tick(now, seen.high, seen.low, seen.last))
        for entry in desk.pending.filled(seen.high, seen.low, now):
            desk.live.entries.open(entry.signal, entry.slot, entry.signal.candidate.entry, now)

    async def run(self) -> None:
        """Run one virtual cycle."""
        desk = self._desk
        desk.chronicle.positions(desk.book.expire(desk.clock.now_ms()))
        desk.chronicle.flush()
        if desk.orders is not None:
            desk.orders.lives.compare()
        desk.watch_equity()
