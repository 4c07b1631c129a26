"""Funding: when it is due, and what a position pays: quantity x mark x rate; longs pay while the rate is positive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.trading.income import FUNDING_FEE
from exchange.simulator.trading.model import ZERO
from exchange.simulator.trading.position_maths import cut

if TYPE_CHECKING:
    from decimal import Decimal

    from exchange.simulator.trading.account_book import AccountBook

HOUR_MS = 3_600_000


def is_due(hours: int, previous_ms: int, now_ms: int) -> bool:
    """Say whether an interval of 1, 4 or 8 hours (aligned to midnight UTC) ended after `previous_ms`, by `now_ms`."""
    period = hours * HOUR_MS
    return now_ms // period != previous_ms // period


def payment(quantity: Decimal, mark: Decimal, rate: Decimal) -> Decimal:
    """Return what a signed position receives (positive) or pays (negative), eight places."""
    return cut(-quantity * mark * rate)


def settle_funding(book: AccountBook, previous_ms: int, now_ms: int) -> None:
    """Settle every symbol with a position whose interval ended in a market step, at the rate and mark of its end."""
    held = dict.fromkeys(position.listing for position in book.open_positions())
    for listing in held:
        if is_due(book.listings[listing].funding_hours, previous_ms, now_ms):
            fund(book, listing, book.prices.funding_rate(listing), FUNDING_FEE, now_ms)


def fund(book: AccountBook, listing: int, rate: Decimal, kind: str, now_ms: int) -> None:
    """Settle one funding of a symbol and publish it: the balance, and in isolated margin the positions, too."""
    mark = book.prices.mark(listing)
    isolated = book.isolated(listing)
    held = [position for position in book.open_positions() if position.listing == listing]
    change = ZERO
    for position in held:
        amount = payment(position.quantity, mark, rate)
        book.book_other(kind, amount, now_ms, listing=listing, pocket=position if isolated else None)
        change += amount
    if change:
        symbol = book.listings[listing].instrument.symbol
        book.publish.publish(book.account_update(FUNDING_FEE, held if isolated else [], now_ms, change, symbol))
