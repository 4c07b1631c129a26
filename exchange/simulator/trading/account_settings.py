"""Changes of an account's settings with the venue's refusals and events; the book's setters call these.

Codes: contract sections 3.3 and 6.2; texts: the venue's error code list.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.answers import refuse
from exchange.simulator.trading.account_events import MARGIN_TYPE_CHANGE, leverage_update, multi_assets_update
from exchange.simulator.trading.brackets import max_leverage, notional_cap
from exchange.simulator.trading.model import ZERO, PositionSide
from exchange.simulator.trading.order_request import decimals

if TYPE_CHECKING:
    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.model import Position

MARGIN_TRANSFER = "MARGIN_TRANSFER"
ADD, REDUCE = 1, 2
MONEY_PLACES = 8


class MarginChange(NamedTuple):
    """One change of an isolated position's margin by its owner; `kind` is 1 to add, 2 to reduce."""

    listing: int
    side: PositionSide
    kind: int
    amount: Decimal
    time_ms: int


def set_leverage(book: AccountBook, stored: dict[int, int], listing: int, leverage: int, now_ms: int) -> None:
    """Change a symbol's leverage and publish ACCOUNT_CONFIG_UPDATE; the present value is accepted without an event.

    Refused: outside the brackets (-4028), lowered while an isolated position is open (-4161), a cap below what
    position and orders may reach (-2027), more margin than there is (-2028).
    """
    brackets = book.listings[listing].brackets
    if not 1 <= leverage <= max_leverage(brackets):
        raise refuse(-4028, f"Leverage {leverage} is not valid")
    before = book.leverage(listing)
    if leverage == before:
        stored[listing] = leverage
        return
    held = any(position.listing == listing for position in book.open_positions())
    if held and leverage < before and book.isolated(listing):
        raise refuse(-4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions.")
    exposure = max(demand.exposure for demand in book.margin.demands(listing).values())
    if exposure > notional_cap(brackets, leverage):
        raise refuse(-2027, "Exceeded the maximum allowable position at current leverage.")
    earlier = stored.get(listing)
    stored[listing] = leverage
    if leverage < before and book.margin.free() < 0:
        if earlier is None:
            del stored[listing]
        else:
            stored[listing] = earlier
        raise refuse(-2028, "Leverage is smaller than permitted: insufficient margin balance.")
    symbol = book.listings[listing].instrument.symbol
    book.publish.publish(leverage_update(symbol, leverage, now_ms))


def set_margin_type(book: AccountBook, stored: set[int], listing: int, isolated: bool, now_ms: int) -> None:
    """Change a symbol's margin type and publish ACCOUNT_UPDATE with m = MARGIN_TYPE_CHANGE."""
    if isolated and book.multi_assets:
        raise refuse(-4168, "Unable to adjust to isolated-margin mode under the Multi-Assets mode.")
    if isolated == book.isolated(listing):
        raise refuse(-4046, "No need to change margin type.")
    if has_orders(book, listing):
        raise refuse(-4047, "Margin type cannot be changed if there exists open orders.")
    if any(position.listing == listing for position in book.open_positions()):
        raise refuse(-4048, "Margin type cannot be changed if there exists position.")
    if isolated:
        stored.add(listing)
    else:
        stored.discard(listing)
    rows = [book.position(listing, side) for side in book.sides]
    book.publish.publish(book.account_update(MARGIN_TYPE_CHANGE, rows, now_ms))


def set_dual_side(book: AccountBook, dual: bool, now_ms: int) -> None:
    """Change the position mode, which COIN-M shares; no event is documented for it."""
    if dual == book.dual_side:
        raise refuse(-4059, "No need to change position side.")
    if book.mode_out_of_step:
        raise refuse(-4531, "Position side of USDⓈ-M Futures and COIN-M Futures cannot be changed at the moment.")
    if has_orders(book, None):
        raise refuse(-4067, "Position side cannot be changed if there exists open orders.")
    if book.open_positions():
        raise refuse(-4068, "Position side cannot be changed if there exists position.")
    book.dual_side = dual
    book.updated_ms = now_ms


def set_multi_assets(book: AccountBook, isolated: set[int], multi: bool, now_ms: int) -> None:
    """Change between single- and multi-assets margin and publish ACCOUNT_CONFIG_UPDATE."""
    if multi == book.multi_assets:
        raise refuse(-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")
    if multi and isolated:
        text = "with symbols of USDⓈ-M Futures under isolated-margin mode."
        raise refuse(-4167, f"Unable to adjust to Multi-Assets mode {text}")
    if has_orders(book, None):
        raise refuse(-4170, "Unable to adjust Multi-Assets Mode with open orders in USDⓈ-M Futures.")
    if book.cross_wallet < 0:
        text = "with a negative wallet balance of margin available asset in USDⓈ-M Futures account."
        raise refuse(-4172, f"Unable to adjust Multi-Assets Mode {text}")
    if book.open_positions() and book.margin.free() < 0:
        raise refuse(-4169, "Unable to adjust Multi-Assets Mode with insufficient margin balance in USDⓈ-M Futures.")
    book.multi_assets = multi
    book.publish.publish(multi_assets_update(multi, now_ms))


def adjust_isolated(
    book: AccountBook, listing: int, side: PositionSide, amount: Decimal, add: bool, now_ms: int
) -> None:
    """Move margin between the cross wallet and an isolated position, and publish it.

    Removable is what exceeds the position's initial margin at the mark price, losses counted.
    """
    if side not in book.sides:
        raise refuse(-4061, "Order's position side does not match user's setting.")
    if decimals(amount) > MONEY_PLACES:
        raise refuse(-1111, "Precision is over the maximum defined for this asset.")
    if amount <= 0:
        raise refuse(-4055, "Amount must be positive.")
    if not book.isolated(listing):
        raise refuse(-4049, "Add margin only support for isolated position.")
    position = book.position(listing, side)
    if not position.quantity:
        raise refuse(-4054, "Cannot add position margin: position is 0.")
    if add and amount > book.margin.withdrawable():
        raise refuse(-4050, "Cross balance insufficient.")
    if not add and amount > removable(book, position):
        raise refuse(-4051, "Isolated balance insufficient.")
    book.move_margin(position, amount if add else -amount, now_ms)
    book.margin_changes.append(MarginChange(listing, side, ADD if add else REDUCE, amount, now_ms))
    book.publish.publish(book.account_update(MARGIN_TRANSFER, [position], now_ms, -amount if add else amount))


def removable(book: AccountBook, position: Position) -> Decimal:
    """Return how much margin may be taken out of an isolated position."""
    profit = min(ZERO, book.margin.unrealized(position))
    return max(ZERO, position.isolated_wallet + profit - book.margin.initial(position))


def has_orders(book: AccountBook, listing: int | None) -> bool:
    """Say whether open orders of a symbol (None: any) stand in the way of a setting; conditional ones do, too."""
    if listing is None:
        plain = any(True for _ in book.orders.open_listings())
    else:
        plain = any(True for _ in book.orders.open_of(listing))
    return plain or (book.questions.conditional_orders_block_settings and book.conditional_orders(listing))
