"""What live orders need to know of the market, whoever knows it: the desk's feed, or a test."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from exchange.instrument import Bracket, Instrument


class Quote(NamedTuple):
    """The newest prices of a symbol. Ages are desk seconds since receipt and since the exchange's own time."""

    mark: Decimal
    bid: Decimal
    ask: Decimal
    received_s: float
    event_s: float


class Market(Protocol):
    """Prices and rules by symbol; None where nothing usable is known."""

    def instrument(self, symbol: str) -> Instrument | None:
        """Return the trading rules of a contract."""

    def brackets(self, symbol: str) -> tuple[Bracket, ...]:
        """Return the leverage brackets of a contract, empty where they were not read."""

    def quote(self, symbol: str) -> Quote | None:
        """Return the newest prices, however old they are."""
