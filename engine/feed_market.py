"""The market as the feed shows it to live orders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.execution.market import Quote

if TYPE_CHECKING:
    from engine.desk import Desk
    from exchange.instrument import Bracket, Instrument


class FeedMarket:
    """`engine.execution.market.Market` over the feed of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def instrument(self, symbol: str) -> Instrument | None:
        """Return the trading rules of a contract."""
        return self._desk.feed.instruments.get(symbol)

    def brackets(self, symbol: str) -> tuple[Bracket, ...]:
        """Return the leverage brackets of a contract, empty where they were not read."""
        return self._desk.feed.brackets.get(symbol, ())

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest prices of a member of the universe, None of any other symbol.

        Columns hold the exchange's instants; a frame is taken in the tick it comes in, so both ages are the same here
        up to one tick.
        """
        desk = self._desk
        slot = desk.feed.slot_of(symbol)
        if slot is None:
            return None
        quotes = desk.feed.quotes
        mark, bid, ask = float(quotes.mark[slot]), float(quotes.bid[slot]), float(quotes.ask[slot])
        if not (mark > 0 and 0 < bid <= ask):
            return None
        newest = max(float(quotes.book_time[slot]), float(quotes.mark_time[slot]))
        age = max(0.0, (desk.client.venue_ms() - newest) / 1000)
        exact = [Decimal(repr(value)) for value in (mark, bid, ask)]
        return Quote(exact[0], exact[1], exact[2], age, age)
