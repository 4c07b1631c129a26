"""Follows the life of contracts: listed, paused, ended, renamed in price; and what that does to virtual positions.

A contract that ends (settling, delisted) leaves the universe at once and its virtual positions are closed at the mark
price, as the venue settles them. One that is only paused keeps its positions, frozen, until it trades again or ends. A
price that changes its unit (redenomination) closes them at the newest price in the old unit: the levels of a position
mean nothing in the new one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from engine.events import EventKind, Severity
from engine.market.tape import is_leap, leap_text
from exchange.errors import ExchangeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.desk import Desk
    from engine.market.feed import Change
    from engine.market.quotes import Leap

GATHER_S: Final = 1.0
"""Pause before the rules are read again: news of several contracts come together."""
AGAIN_S: Final = 5.0


class ContractWatch:
    """The contracts of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._paused: dict[str, str] = {}
        self.reading = asyncio.Lock()
        """Held while the universe is read and followed, so that an older answer never follows a newer one."""

    @property
    def held(self) -> frozenset[str]:
        """Return the symbols with an open position, virtual or live."""
        return self._desk.book.symbols | {position.symbol for position in self._desk.account.positions}

    async def run(self) -> None:
        """Read the universe again whenever the venue says that a contract's status changed; for ever."""
        desk = self._desk
        told: set[str] = set()
        while True:
            await desk.feed.contract_news.wait()
            await desk.clock.sleep(GATHER_S)
            desk.feed.contract_news.clear()
            try:
                await desk.refresh_universe()
            except ExchangeError as error:
                desk.complain("the universe", error, told)
                await desk.clock.sleep(AGAIN_S)
                desk.feed.contract_news.set()
            else:
                told.clear()

    def follow(self, change: Change) -> None:
        """Take what a refresh of the universe changed: end positions of what is over, tell what is paused."""
        for symbol in change.halted:
            self._end(symbol, change.marks.get(symbol))
        for symbol in sorted(set(change.removed) - set(change.halted)):
            self._close(symbol, None, "the symbol left the universe")
        self._tell_paused()

    def leapt(self, leaps: Iterable[Leap]) -> None:
        """Take prices that changed their unit: end positions and waiting entries of their symbols."""
        symbols = {slot: symbol for symbol, slot in self._desk.feed.slots().items()}
        for leap in leaps:
            symbol = symbols.get(leap.slot)
            if symbol is not None:
                self.end_unit(symbol, leap.before, leap.after)

    def end_unit(self, symbol: str, before: float, after: float) -> None:
        """End what rests on a symbol's prices in a unit that is over."""
        withdrawn = self._desk.pending.withdraw(symbol)
        told = f"the price {leap_text(before, after)} at once, from {before:.10g} to {after:.10g}: redenominated"
        closed = self._close(symbol, None, told)
        text = (
            f"{symbol}: {told}; {_positions(closed)} closed at the last price before, {withdrawn} waiting entries "
            "withdrawn, no new ones before its history is in the new unit"
        )
        self._desk.chronicle.say(EventKind.FEED, text, Severity.ALERT, symbol)

    def _end(self, symbol: str, mark: float | None) -> None:
        """Close the virtual positions of a contract that is over; alarm where the account has one in it."""
        desk = self._desk
        self._paused.pop(symbol, None)
        instrument = desk.feed.instruments.get(symbol)
        status = instrument.status if instrument is not None else "no longer listed"
        if mark is not None and is_leap(desk.book.newest_price(symbol), mark):
            mark = None
        closed = self._close(symbol, mark, f"the symbol stopped trading ({status})")
        live = any(position.symbol == symbol for position in desk.account.positions)
        if closed:
            at = "the last price seen" if mark is None else f"the mark price {mark:.10g}"
            text = f"{symbol} stopped trading ({status}): {_positions(closed)} closed at {at}"
            desk.chronicle.say(EventKind.FEED, text, Severity.WARNING, symbol)
        if live:
            text = f"{symbol} stopped trading ({status}) and the account holds a position in it: look at the exchange"
            desk.chronicle.say(EventKind.RISK, text, Severity.ALERT, symbol)

    def _close(self, symbol: str, price: float | None, reason: str) -> int:
        """Close the virtual positions of a symbol; return how many there were."""
        desk = self._desk
        desk.virtual.behind.pop(symbol, None)
        before = len(desk.book)
        desk.chronicle.positions(desk.book.close_symbol(symbol, price, desk.clock.now_ms(), reason))
        return before - len(desk.book)

    def _tell_paused(self) -> None:
        """Tell once when a contract with a position is paused, and when it trades again."""
        desk = self._desk
        statuses = {symbol: desk.feed.instruments[symbol].status for symbol in desk.feed.symbols}
        for symbol, status in statuses.items():
            paused = status != "TRADING"
            if paused and self._paused.get(symbol) != status:
                self._paused[symbol] = status
                text = f"{symbol} is paused ({status}): its positions stand until it trades again, no new entries"
                desk.chronicle.say(EventKind.FEED, text, Severity.WARNING, symbol)
            elif not paused and symbol in self._paused:
                del self._paused[symbol]
                desk.chronicle.say(EventKind.FEED, f"{symbol} trades again", Severity.NOTICE, symbol)


def _positions(count: int) -> str:
    return "1 virtual position" if count == 1 else f"{count} virtual positions"
