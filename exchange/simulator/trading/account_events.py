"""The account's own user data events, fields in the documented order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.trading.account_text import money_or_zero, plain_price

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.model import Position, Row

MARGIN_TYPE_CHANGE = "MARGIN_TYPE_CHANGE"


def account_update(
    book: AccountBook, reason: str, positions: Sequence[Position], now_ms: int, change: Decimal, symbol: str | None
) -> Row:
    """Return ACCOUNT_UPDATE. `change` is what moved the balance besides profit and commission.

    `symbol` is named by funding only. A change of margin type touches no balance, so it carries none.
    """
    balances: list[Row] = []
    if reason != MARGIN_TYPE_CHANGE:
        wallet, cross = format(book.wallet, ".8f"), format(book.cross_wallet, ".8f")
        balances.append({"a": "USDT", "wb": wallet, "cw": cross, "bc": money_or_zero(change)})
    if book.dual_side and book.questions.hedge_updates_tell_both_sides:
        touched = dict.fromkeys(position.listing for position in positions)
        positions = [book.position(listing, side) for listing in touched for side in book.sides]
    body: Row = {"m": reason, "B": balances, "P": [_position(book, position) for position in positions]}
    if symbol is not None:
        body["S"] = symbol
    return {"e": "ACCOUNT_UPDATE", "E": now_ms, "T": now_ms, "a": body}


def _position(book: AccountBook, position: Position) -> Row:
    instrument = book.listings[position.listing].instrument
    return {
        "s": instrument.symbol,
        "pa": format(position.quantity, f".{instrument.quantity_precision}f") if position.quantity else "0",
        "ep": plain_price(position.entry, instrument),
        "bep": plain_price(book.margin.break_even(position), instrument),
        "cr": money_or_zero(position.realized),
        "up": money_or_zero(book.margin.unrealized(position)),
        "mt": "isolated" if book.isolated(position.listing) else "cross",
        "iw": money_or_zero(position.isolated_wallet),
        "ps": str(position.side),
    }


def leverage_update(symbol: str, leverage: int, now_ms: int) -> Row:
    """Return ACCOUNT_CONFIG_UPDATE for a symbol's leverage."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ac": {"s": symbol, "l": leverage}}


def multi_assets_update(multi: bool, now_ms: int) -> Row:
    """Return ACCOUNT_CONFIG_UPDATE for the margin mode."""
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ai": {"j": multi}}


def margin_call(book: AccountBook, positions: Sequence[Position], now_ms: int, *, crossed: bool) -> Row:
    """Return MARGIN_CALL; the cross wallet is named where it is the pocket in question."""
    event: Row = {"e": "MARGIN_CALL", "E": now_ms}
    if crossed:
        event["cw"] = format(book.cross_wallet, ".8f")
    event["p"] = [
        {
            "s": book.listings[position.listing].instrument.symbol,
            "ps": str(position.side),
            "pa": format(position.quantity, "f"),
            "mt": "CROSSED" if crossed else "ISOLATED",
            "iw": money_or_zero(position.isolated_wallet),
            "mp": format(book.prices.mark(position.listing), ".8f"),
            "up": money_or_zero(book.margin.unrealized(position)),
            "mm": format(book.margin.maintenance(position), ".8f"),
        }
        for position in positions
    ]
    return event
