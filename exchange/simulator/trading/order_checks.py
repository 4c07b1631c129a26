"""The contract's filters before an order is placed (contract 5.3, steps 3 to 5), and the price it is valued at."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from exchange.simulator.answers import RefusalError, refuse
from exchange.simulator.encode import plain
from exchange.simulator.trading.model import Side
from exchange.simulator.trading.position_maths import on_tick

if TYPE_CHECKING:
    from exchange.instrument import Instrument
    from exchange.simulator.trading.prices import Prices

CLOSED = frozenset({"CLOSE", "DELIVERED"})
MARKET_COST = Decimal("1.0005")
"""What a market buy is valued at above the best ask (contract 5.4)."""


def check_status(instrument: Instrument) -> None:
    """Raise RefusalError -4141 on a closed contract, -4140 on one that takes no new orders."""
    if instrument.is_trading:
        return
    if instrument.status in CLOSED:
        raise refuse(-4141, "Symbol is closed.")
    raise refuse(-4140, "Invalid symbol status for opening position.")


def check_price(instrument: Instrument, price: Decimal) -> None:
    """Raise RefusalError -4001, -4013, -4002 or -4014: the PRICE_FILTER."""
    if price < 0:
        raise refuse(-4001, "Price less than 0.")
    if price < instrument.min_price:
        raise refuse(-4013, "Price less than min price.")
    if price > instrument.max_price:
        raise refuse(-4002, "Price greater than max price.")
    if price % instrument.tick:
        raise refuse(-4014, "Price not increased by tick size.")


def check_quantity(instrument: Instrument, quantity: Decimal, *, market: bool) -> None:
    """Raise RefusalError -4003, -4004, -4005 or -4023: LOT_SIZE, or MARKET_LOT_SIZE of a market order."""
    rule = instrument.market_lot if market else instrument.lot
    if quantity <= 0:
        raise refuse(-4003, "Quantity less than or equal to zero.")
    if quantity < rule.minimum:
        raise refuse(-4004, "Quantity less than min quantity.")
    if quantity > rule.maximum:
        raise refuse(-4005, "Quantity greater than max quantity.")
    if quantity % rule.step:
        raise refuse(-4023, "Qty not increased by step size.")


def is_too_small(instrument: Instrument, price: Decimal, quantity: Decimal) -> bool:
    """Say whether an order's notional is below the contract's least."""
    return price * quantity < instrument.min_notional


def too_small(instrument: Instrument) -> RefusalError:
    """Return the refusal of an order below the least notional."""
    least = plain(instrument.min_notional.normalize())
    return refuse(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")


def check_percent(instrument: Instrument, side: Side, price: Decimal, mark: Decimal) -> None:
    """Raise RefusalError -4016 or -4024 where a limit price pays too much against the mark; passive prices are free."""
    check_limits(instrument, side, price, mark, (-4016, -4024))


def check_limits(instrument: Instrument, side: Side, price: Decimal, base: Decimal, codes: tuple[int, int]) -> None:
    """Hold a price to what PERCENT_PRICE makes of `base`; the limit named is the last price on the tick that passes.

    Raises RefusalError with the first code on a BUY above it, with the second on a SELL below.
    """
    if side is Side.BUY:
        cap = on_tick(base * instrument.multiplier_up, instrument.tick, ROUND_FLOOR)
        if price > cap:
            raise refuse(codes[0], f"Limit price can't be higher than {plain(cap)}.")
    else:
        floor = on_tick(base * instrument.multiplier_down, instrument.tick, ROUND_CEILING)
        if price < floor:
            raise refuse(codes[1], f"Limit price can't be lower than {plain(floor)}.")


def check_counter(instrument: Instrument, side: Side, best: Decimal, mark: Decimal) -> None:
    """Raise RefusalError -4131 where a market order's best counter price is outside PERCENT_PRICE."""
    outside = best > mark * instrument.multiplier_up if side is Side.BUY else best < mark * instrument.multiplier_down
    if outside:
        raise refuse(-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")


def market_bound(instrument: Instrument, side: Side, mark: Decimal) -> Decimal:
    """Return the worst price a market order trades at: the mark moved by marketTakeBound."""
    return mark * (1 + side.sign * instrument.market_take_bound)


def market_value_price(prices: Prices, listing: int, side: Side) -> Decimal:
    """Return the price a market order is valued at for margin (contract 5.4)."""
    if side is Side.BUY:
        return prices.ask(listing) * MARKET_COST
    return max(prices.bid(listing), prices.mark(listing))
