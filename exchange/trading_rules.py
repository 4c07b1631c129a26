"""A venue's trading rules applied before anything is sent: the adjusted order, or a named reason against it.

Quantities are rounded down, limit prices never to the worse side of what was asked: a BUY down, a SELL up. What only
reduces is exempt from the smallest notional and from risk control. Pure; every value is Decimal.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from exchange.conditional_orders import AlgoRequest, ConditionalKind, WorkingType
from exchange.grid import round_to, unit_of
from exchange.orders import AmendRequest, OrderKind, OrderRequest, Side

if TYPE_CHECKING:
    from exchange.instrument import Instrument, LotRule

CONDITIONAL_CAP = 200
"""Open conditional orders of an account, over all symbols."""
MOST_PIECES = 100
LEAST_GOOD_TILL_MS = 600_000
LAST_GOOD_TILL_MS = 253_402_300_799_000
CALLBACK_PERCENT = (Decimal("0.1"), Decimal(20))
_BUYS = frozenset({"BUY", "LONG"})
_SELLS = frozenset({"SELL", "SHORT"})


class Breach(StrEnum):
    """The rule an order would break."""

    UNKNOWN_SYMBOL = "unknown_symbol"
    NOT_TRADING = "not_trading"
    QUANTITY_TOO_SMALL = "quantity_too_small"
    QUANTITY_TOO_LARGE = "quantity_too_large"
    PRICE_TOO_LOW = "price_too_low"
    PRICE_TOO_HIGH = "price_too_high"
    ABOVE_BAND = "above_band"
    """A BUY limit above what the mark price allows."""
    BELOW_BAND = "below_band"
    BOOK_OUTSIDE_BAND = "book_outside_band"
    """The best price a market order would meet lies outside the band."""
    NOTIONAL_TOO_SMALL = "notional_too_small"
    RISK_CONTROL = "risk_control"
    TOO_MANY_ORDERS = "too_many_orders"
    WOULD_TRIGGER = "would_trigger"
    ALREADY_EXECUTED = "already_executed"
    """The new total of an amendment is not above what was executed: the venue would cancel the order."""
    CALLBACK = "callback"
    GOOD_TILL = "good_till"
    UNUSABLE = "unusable"
    """A number that is not finite or not above zero."""


class Refusal(msgspec.Struct, frozen=True):
    """Why an order is not sent: the rule for the machine, a sentence for the operator."""

    breach: Breach
    text: str


class MarketView(NamedTuple):
    """What is known of the market at the time of the decision. Prices that are unknown are None."""

    now_ms: int
    mark: Decimal
    bid: Decimal | None = None
    ask: Decimal | None = None
    last: Decimal | None = None


def _lot(instrument: Instrument, *, market: bool) -> LotRule:
    return instrument.market_lot if market else instrument.lot


def quantise_quantity(instrument: Instrument, quantity: Decimal, *, market: bool) -> Decimal | Refusal:
    """Return the quantity rounded down to the step, or why it cannot be traded in one order."""
    if not quantity.is_finite() or quantity <= 0:
        return Refusal(Breach.UNUSABLE, f"{instrument.symbol}: {quantity} is no quantity")
    lot = _lot(instrument, market=market)
    if quantity > lot.maximum:
        text = f"{instrument.symbol}: {quantity} is above {lot.maximum}, the most one order may have"
        return Refusal(Breach.QUANTITY_TOO_LARGE, text)
    rounded = Decimal(0)
    if quantity >= lot.minimum:
        rounded = round_to(quantity, lot.step, instrument.quantity_precision, up=False)
    if rounded < lot.minimum or rounded <= 0:
        text = f"{instrument.symbol}: {quantity} is below {lot.minimum}, the least one order may have"
        return Refusal(Breach.QUANTITY_TOO_SMALL, text)
    return rounded


def split_quantity(instrument: Instrument, quantity: Decimal, *, market: bool) -> tuple[Decimal, ...] | Refusal:
    """Return the quantity in pieces none of which is above the largest order; the remainder is rounded down."""
    lot = _lot(instrument, market=market)
    if not quantity.is_finite() or quantity <= lot.maximum:
        one = quantise_quantity(instrument, quantity, market=market)
        return one if isinstance(one, Refusal) else (one,)
    largest = quantise_quantity(instrument, lot.maximum, market=market)
    if isinstance(largest, Refusal):
        return largest
    count = int(quantity // largest) if quantity / largest <= MOST_PIECES else MOST_PIECES + 1
    if count > MOST_PIECES:
        text = f"{instrument.symbol}: {quantity} would take more than {MOST_PIECES} orders of {largest}"
        return Refusal(Breach.QUANTITY_TOO_LARGE, text)
    rest = quantise_quantity(instrument, quantity - count * largest, market=market)
    return (largest,) * count + (() if isinstance(rest, Refusal) else (rest,))


def quantise_price(instrument: Instrument, price: Decimal, *, up: bool) -> Decimal | Refusal:
    """Return the price on the tick, moved down or up, or why it is no price of this contract."""
    if not price.is_finite() or price <= 0:
        return Refusal(Breach.UNUSABLE, f"{instrument.symbol}: {price} is no price")
    low, high = instrument.min_price, instrument.max_price
    rounded = price
    if low <= price <= high:
        rounded = round_to(price, instrument.tick, instrument.price_precision, up=up)
    if rounded < low:
        return Refusal(Breach.PRICE_TOO_LOW, f"{instrument.symbol}: {price} is below {low}, the lowest price")
    if rounded > high:
        return Refusal(Breach.PRICE_TOO_HIGH, f"{instrument.symbol}: {price} is above {high}, the highest price")
    return rounded


def smallest_quantity(instrument: Instrument, price: Decimal, *, market: bool) -> Decimal | Refusal:
    """Return the smallest quantity that may open a position at a price (the mark price for a market order)."""
    lot = _lot(instrument, market=market)
    wanted = max(lot.minimum, instrument.min_notional / price) if price > 0 else lot.maximum + lot.step
    if wanted > lot.maximum:
        text = f"{instrument.symbol}: no quantity at {price} reaches {instrument.min_notional} within one order"
        return Refusal(Breach.NOTIONAL_TOO_SMALL, text)
    quantity = round_to(wanted, lot.step, instrument.quantity_precision, up=True)
    if quantity * price < instrument.min_notional:  # the division above was rounded
        quantity += unit_of(lot.step, instrument.quantity_precision)
    return quantise_quantity(instrument, quantity, market=market)


def quantise_order(
    instrument: Instrument, request: OrderRequest, view: MarketView, open_orders: int = 0
) -> OrderRequest | Refusal:
    """Return the order as the venue takes it, or the first rule it breaks. `open_orders` counts those of the symbol."""
    market = request.kind is OrderKind.MARKET
    refusal = (
        _sees(instrument, view)
        or _may_trade(instrument, request.side, reduces=request.reduces)
        or _good_till(request.good_till_ms, view)
    )
    if refusal is not None:
        return refusal
    quantity = quantise_quantity(instrument, request.quantity, market=market)
    if isinstance(quantity, Refusal):
        return quantity
    price = request.price
    if price is not None:
        fitted = quantise_price(instrument, price, up=request.side is Side.SELL)
        if isinstance(fitted, Refusal):
            return fitted
        price = fitted
    refusal = (
        _notional(instrument, quantity, price or view.mark, reduces=request.reduces)
        or (_limit_band(instrument, request.side, price, view.mark) if price is not None else None)
        or (_book_band(instrument, request.side, view) if market else None)
    )
    if refusal is not None:
        return refusal
    if open_orders >= instrument.max_orders and not market:
        text = f"{instrument.symbol}: {open_orders} orders are open, at most {instrument.max_orders} may be"
        return Refusal(Breach.TOO_MANY_ORDERS, text)
    return msgspec.structs.replace(request, quantity=quantity, price=price)


def quantise_amendment(
    instrument: Instrument, request: AmendRequest, view: MarketView, executed: Decimal
) -> AmendRequest | Refusal:
    """Return the amendment as the venue takes it, or the first rule it breaks. `executed` is the order's so far."""
    blind = _sees(instrument, view)
    if blind is not None:
        return blind
    quantity = quantise_quantity(instrument, request.quantity, market=False)
    if isinstance(quantity, Refusal):
        return quantity
    if quantity <= executed:
        text = f"{instrument.symbol}: {executed} is executed; a total of {quantity} would cancel the order"
        return Refusal(Breach.ALREADY_EXECUTED, text)
    price = request.price
    if price is not None:
        fitted = quantise_price(instrument, price, up=request.side is Side.SELL)
        if isinstance(fitted, Refusal):
            return fitted
        price = fitted
    refusal = _notional(instrument, quantity, price or view.mark, reduces=request.reduces) or (
        _limit_band(instrument, request.side, price, view.mark) if price is not None else None
    )
    return refusal or msgspec.structs.replace(request, quantity=quantity, price=price)


def quantise_conditional(
    instrument: Instrument, request: AlgoRequest, view: MarketView, open_conditional: int = 0
) -> AlgoRequest | Refusal:
    """Return the conditional order as the venue takes it, or the first rule it breaks.

    A trigger is moved to the tick that is reached earlier, so that protection never comes later than asked for.
    `open_conditional` counts those of the account. Whether the margin suffices is judged by the venue at the trigger.
    """
    refusal = (
        _sees(instrument, view)
        or _may_trade(instrument, request.side, reduces=request.reduces)
        or _good_till(request.good_till_ms, view)
        or _callback(instrument, request)
    )
    if refusal is not None:
        return refusal
    if open_conditional >= CONDITIONAL_CAP:
        text = f"{open_conditional} conditional orders are open, at most {CONDITIONAL_CAP} may be"
        return Refusal(Breach.TOO_MANY_ORDERS, text)
    changes: dict[str, Decimal] = {}
    if request.quantity is not None:
        quantity = quantise_quantity(instrument, request.quantity, market=not request.kind.is_limit)
        if isinstance(quantity, Refusal):
            return quantity
        changes["quantity"] = quantity
    sells = request.side is Side.SELL
    earlier_up = sells != request.kind.is_take_profit
    for name, up in (("trigger_price", earlier_up), ("activate_price", not sells), ("price", sells)):
        value = getattr(request, name)
        if value is None:
            continue
        fitted = quantise_price(instrument, value, up=up)
        if isinstance(fitted, Refusal):
            return fitted
        changes[name] = fitted
    fitted_request: AlgoRequest = msgspec.structs.replace(request, **changes)
    return (
        _would_trigger(instrument, fitted_request, view)
        or _conditional_notional(instrument, fitted_request, view)
        or fitted_request
    )


def _sees(instrument: Instrument, view: MarketView) -> Refusal | None:
    for name, price in (("mark", view.mark), ("bid", view.bid), ("ask", view.ask), ("last", view.last)):
        if price is not None and (not price.is_finite() or price <= 0):
            return Refusal(Breach.UNUSABLE, f"{instrument.symbol}: a {name} price of {price} cannot be believed")
    return None


def _may_trade(instrument: Instrument, side: Side, *, reduces: bool) -> Refusal | None:
    if not instrument.is_trading:
        return Refusal(Breach.NOT_TRADING, f"{instrument.symbol} is not trading: its status is {instrument.status}")
    control = instrument.position_control
    if reduces or control == "NONE" or control in (_SELLS if side is Side.BUY else _BUYS):
        return None
    text = f"{instrument.symbol}: the venue controls its risk ({control}); a {side} may not open a position now"
    return Refusal(Breach.RISK_CONTROL, text)


def _good_till(good_till_ms: int | None, view: MarketView) -> Refusal | None:
    if good_till_ms is None or view.now_ms + LEAST_GOOD_TILL_MS < good_till_ms < LAST_GOOD_TILL_MS:
        return None
    return Refusal(Breach.GOOD_TILL, "an order good till a date must live for more than ten minutes")


def _callback(instrument: Instrument, request: AlgoRequest) -> Refusal | None:
    low, high = CALLBACK_PERCENT
    if request.callback_percent is None or low <= request.callback_percent <= high:
        return None
    text = f"{instrument.symbol}: a trailing stop follows at {low} to {high} %, not {request.callback_percent}"
    return Refusal(Breach.CALLBACK, text)


def _notional(instrument: Instrument, quantity: Decimal, price: Decimal, *, reduces: bool) -> Refusal | None:
    if reduces or quantity * price >= instrument.min_notional:
        return None
    text = f"{instrument.symbol}: {quantity} at {price} is below the smallest notional of {instrument.min_notional}"
    return Refusal(Breach.NOTIONAL_TOO_SMALL, text)


def _limit_band(instrument: Instrument, side: Side, price: Decimal, mark: Decimal) -> Refusal | None:
    high, low = mark * instrument.multiplier_up, mark * instrument.multiplier_down
    if side is Side.BUY and price > high:
        return Refusal(Breach.ABOVE_BAND, f"{instrument.symbol}: a BUY at {price} is above {high}, the band's end")
    if side is Side.SELL and price < low:
        return Refusal(Breach.BELOW_BAND, f"{instrument.symbol}: a SELL at {price} is below {low}, the band's end")
    return None


def _book_band(instrument: Instrument, side: Side, view: MarketView) -> Refusal | None:
    best = view.ask if side is Side.BUY else view.bid
    if best is None:
        return None
    outside = _limit_band(instrument, side, best, view.mark)
    return None if outside is None else Refusal(Breach.BOOK_OUTSIDE_BAND, outside.text)


def _would_trigger(instrument: Instrument, request: AlgoRequest, view: MarketView) -> Refusal | None:
    now = view.mark if request.working is WorkingType.MARK else view.last
    if now is None:
        return None
    sells = request.side is Side.SELL
    if request.kind is ConditionalKind.TRAILING_STOP_MARKET:
        level = request.activate_price
        reached = level is not None and (now >= level if sells else now <= level)
    else:
        level = request.trigger_price
        falls = sells != request.kind.is_take_profit
        reached = level is not None and (now <= level if falls else now >= level)
    if not reached:
        return None
    return Refusal(Breach.WOULD_TRIGGER, f"{instrument.symbol}: {now} has reached {level} already")


def _conditional_notional(instrument: Instrument, request: AlgoRequest, view: MarketView) -> Refusal | None:
    if request.quantity is None:
        return None
    price = request.price or request.trigger_price or request.activate_price or view.mark
    return _notional(instrument, request.quantity, price, reduces=request.reduces)
