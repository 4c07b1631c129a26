"""Position rows as the account and positionRisk answers write them, versions 2 and 3 (contract 3.3).

Two spellings on purpose: `unRealizedProfit` in positionRisk, `unrealizedProfit` in the account.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from exchange.instrument import Instrument
from exchange.simulator.encode import money, plain
from exchange.simulator.trading.account_text import money_or_zero, plain_price
from exchange.simulator.trading.margin import NO_DEMAND, SideDemand
from exchange.simulator.trading.model import ZERO, Position, PositionSide

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.simulator.trading.account_book import AccountBook
    from exchange.simulator.trading.model import Row

ADL_STEPS = (Decimal(0), Decimal("0.5"), Decimal(1), Decimal(2))
"""Return on margin above which a position stands one quantile further up the queue. The venue ranks a position among
all accounts' by profit and leverage, which a venue with one account cannot; this keeps the order of its own."""


class Figures(NamedTuple):
    """What a row shows of one position side; zeros where it is flat and without orders."""

    position: Position
    instrument: Instrument
    mark: Decimal
    demand: SideDemand
    leverage: int
    isolated: bool
    unrealized: Decimal = ZERO
    initial: Decimal = ZERO
    maintenance: Decimal = ZERO
    order_margin: Decimal = ZERO
    liquidation: Decimal = ZERO
    break_even: Decimal = ZERO

    @property
    def notional(self) -> Decimal:
        """Return the signed notional at the mark price."""
        return self.position.quantity * self.mark

    @property
    def isolated_margin(self) -> Decimal:
        """Return the isolated wallet and its unrealised profit, 0 in cross margin."""
        return self.position.isolated_wallet + self.unrealized if self.isolated else ZERO

    @property
    def amount(self) -> str:
        """Return the signed quantity as text."""
        quantity = self.position.quantity
        return format(quantity, f".{self.instrument.quantity_precision}f") if quantity else "0"

    @property
    def quantile(self) -> int:
        """Return the place in the deleveraging queue, 0 to 4."""
        if not self.initial:
            return 0
        return sum(self.unrealized / self.initial > step for step in ADL_STEPS)


def active(book: AccountBook) -> list[int]:
    """Return the symbols with a position or an open order, ascending."""
    held = {position.listing for position in book.open_positions()}
    return sorted(held.union(book.orders.open_listings()))


def figures(book: AccountBook, listings: Iterable[int]) -> list[Figures]:
    """Return what rows show of the symbols, one per side of the present position mode; idle symbols cost little."""
    busy = set(active(book))
    found: list[Figures] = []
    for listing in listings:
        instrument = book.listings[listing].instrument
        leverage, isolated = book.leverage(listing), book.isolated(listing)
        for side in book.sides:
            position = book.position(listing, side)
            mark = book.prices.mark(listing)
            if listing not in busy:
                found.append(Figures(position, instrument, mark, NO_DEMAND, leverage, isolated))
                continue
            demand = book.margin.demand(listing, side)
            flat = not position.quantity
            found.append(
                Figures(
                    position,
                    instrument,
                    mark,
                    demand,
                    leverage,
                    isolated,
                    book.margin.unrealized(position),
                    book.margin.initial(position),
                    ZERO if flat else book.margin.maintenance(position),
                    demand.order_margin(leverage),
                    book.margin.liquidation_price(position),
                    book.margin.break_even(position),
                )
            )
    return found


def in_use(rows: Iterable[Figures]) -> list[Figures]:
    """Return the sides with a position or with orders, which is all that version 3 shows."""
    return [row for row in rows if row.position.quantity or row.demand.bids or row.demand.asks]


def _liquidation_text(row: Figures) -> str:
    return plain_price(row.liquidation, row.instrument) if row.liquidation else "0"


def risk_v2(book: AccountBook, row: Figures) -> Row:
    """Return an element of GET v2/positionRisk."""
    position = row.position
    return {
        "symbol": row.instrument.symbol,
        "positionAmt": row.amount,
        "entryPrice": plain_price(position.entry, row.instrument),
        "breakEvenPrice": plain_price(row.break_even, row.instrument),
        "markPrice": money(row.mark),
        "unRealizedProfit": money(row.unrealized),
        "liquidationPrice": _liquidation_text(row),
        "leverage": str(row.leverage),
        "maxNotionalValue": plain(book.max_notional(position.listing)),
        "marginType": "isolated" if row.isolated else "cross",
        "isolatedMargin": money(row.isolated_margin),
        "isAutoAddMargin": "false",
        "positionSide": str(position.side),
        "notional": money_or_zero(row.notional),
        "isolatedWallet": money_or_zero(position.isolated_wallet),
        "updateTime": position.updated_ms,
    }


def risk_v3(row: Figures) -> Row:
    """Return an element of GET v3/positionRisk: no leverage, no margin type."""
    position = row.position
    return {
        "symbol": row.instrument.symbol,
        "positionSide": str(position.side),
        "positionAmt": row.amount,
        "entryPrice": plain_price(position.entry, row.instrument),
        "breakEvenPrice": plain_price(row.break_even, row.instrument),
        "markPrice": money(row.mark),
        "unRealizedProfit": money(row.unrealized),
        "liquidationPrice": _liquidation_text(row),
        "isolatedMargin": money_or_zero(row.isolated_margin),
        "notional": money_or_zero(row.notional),
        "marginAsset": row.instrument.quote,
        "isolatedWallet": money_or_zero(position.isolated_wallet),
        "initialMargin": money_or_zero(row.initial + row.order_margin),
        "maintMargin": money_or_zero(row.maintenance),
        "positionInitialMargin": money_or_zero(row.initial),
        "openOrderInitialMargin": money_or_zero(row.order_margin),
        "adl": row.quantile,
        "bidNotional": money_or_zero(row.demand.bids),
        "askNotional": money_or_zero(row.demand.asks),
        "updateTime": position.updated_ms,
    }


def account_position_v2(book: AccountBook, row: Figures) -> Row:
    """Return an element of `positions` in GET v2/account."""
    position = row.position
    return {
        "symbol": row.instrument.symbol,
        "initialMargin": money_or_zero(row.initial + row.order_margin),
        "maintMargin": money_or_zero(row.maintenance),
        "unrealizedProfit": money(row.unrealized),
        "positionInitialMargin": money_or_zero(row.initial),
        "openOrderInitialMargin": money_or_zero(row.order_margin),
        "leverage": str(row.leverage),
        "isolated": row.isolated,
        "entryPrice": plain_price(position.entry, row.instrument),
        "breakEvenPrice": plain_price(row.break_even, row.instrument),
        "maxNotional": plain(book.max_notional(position.listing)),
        "bidNotional": money_or_zero(row.demand.bids),
        "askNotional": money_or_zero(row.demand.asks),
        "positionSide": str(position.side),
        "positionAmt": row.amount,
        "updateTime": position.updated_ms,
    }


def account_position_v3(row: Figures) -> Row:
    """Return an element of `positions` in GET v3/account."""
    position = row.position
    return {
        "symbol": row.instrument.symbol,
        "positionSide": str(position.side),
        "positionAmt": row.amount,
        "unrealizedProfit": money(row.unrealized),
        "isolatedMargin": money_or_zero(row.isolated_margin),
        "notional": money_or_zero(row.notional),
        "isolatedWallet": money_or_zero(position.isolated_wallet),
        "initialMargin": money_or_zero(row.initial + row.order_margin),
        "maintMargin": money_or_zero(row.maintenance),
        "updateTime": position.updated_ms,
    }


def adl_quantile(book: AccountBook, listing: int) -> Row:
    """Return an element of GET adlQuantile.

    In hedge mode a crossed symbol shows one value for both sides and the marker HEDGE instead of BOTH.
    """
    rows = {row.position.side: row.quantile for row in figures(book, [listing])}
    if book.dual_side:
        long, short = rows[PositionSide.LONG], rows[PositionSide.SHORT]
        if not book.isolated(listing):
            long = short = max(long, short)
        places = {"LONG": long, "SHORT": short, "HEDGE": 0}
    else:
        place = rows[PositionSide.BOTH]
        held = book.position(listing, PositionSide.BOTH).quantity
        places = {"LONG": place if held > 0 else 0, "SHORT": place if held < 0 else 0, "BOTH": place}
    return {"symbol": book.listings[listing].instrument.symbol, "adlQuantile": places}
