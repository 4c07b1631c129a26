"""The market in Decimal, for matching, margin and triggers: float columns stand on ticks, their form restores them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from exchange.simulator.tape import Tape
    from exchange.simulator.trading.model import Side

Level = tuple[Decimal, Decimal]


class MarketTrade(NamedTuple):
    """One aggregate trade of the market."""

    time_ms: int
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool


class Prices:
    """Reads the tape's present state. Every price stands on the instrument's tick, marks have eight places."""

    def __init__(self, tape: Tape) -> None:
        """Read from a tape."""
        self._tape = tape

    def mark(self, listing: int) -> Decimal:
        """Return the mark price."""
        return Decimal(format(self._tape.columns.mark[listing], ".8f"))

    def last(self, listing: int) -> Decimal:
        """Return the price of the last trade."""
        return self._price(listing, self._tape.columns.last[listing])

    def bid(self, listing: int) -> Decimal:
        """Return the best bid."""
        return self._price(listing, self._tape.columns.bid[listing])

    def ask(self, listing: int) -> Decimal:
        """Return the best ask."""
        return self._price(listing, self._tape.columns.ask[listing])

    def funding_rate(self, listing: int) -> Decimal:
        """Return the current estimate of the next funding rate."""
        return Decimal(format(self._tape.columns.funding_rate[listing], ".8f"))

    def levels(self, listing: int, taker: Side, limit: int = 1000) -> list[Level]:
        """Return the price levels a taker of that side meets, best first, as (price, quantity)."""
        bids, asks = self._tape.near_book(listing, limit)
        quantity = self._tape.formats[listing].quantity
        return [
            (self._price(listing, price), Decimal(quantity % size))
            for price, size in (asks if taker == "BUY" else bids)
        ]

    def trades(self, listing: int) -> list[MarketTrade]:
        """Return a symbol's trades of the market's last step, in time order."""
        rows = self._tape.trades
        quantity = self._tape.formats[listing].quantity
        return [
            MarketTrade(time, self._price(listing, price), Decimal(quantity % size), buyer_is_maker)
            for _, time, price, size, buyer_is_maker, _, _ in rows[rows["symbol"] == listing].tolist()
        ]

    def _price(self, listing: int, price: float) -> Decimal:
        return Decimal(self._tape.formats[listing].price % price)
