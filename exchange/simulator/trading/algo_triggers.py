"""When a conditional order fires: pure functions of its terms and a path of working prices. Source: contract 4.3."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.trading.algo_model import STOP, STOP_MARKET
from exchange.simulator.trading.model import Side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.simulator.trading.algo_model import AlgoTerms

PathPoint = tuple[int, Decimal]
"""An instant and the working price then."""
PERCENT = Decimal(100)


class PricePath(NamedTuple):
    """The working prices of one market step in time order, and their extremes."""

    points: list[PathPoint]
    lowest: Decimal
    highest: Decimal


def price_path(points: list[PathPoint]) -> PricePath:
    """Return a path with its extremes; it has at least one point."""
    prices = [price for _, price in points]
    return PricePath(points, min(prices), max(prices))


class TrailState(NamedTuple):
    """What a trailing stop remembers."""

    extreme: Decimal
    activated: bool


def has_reached(terms: AlgoTerms, price: Decimal) -> bool:
    """Say whether a price triggers a stop or take profit: stops fire towards their side, take profits against it."""
    upwards = (terms.side is Side.BUY) == (terms.kind in {STOP, STOP_MARKET})
    return price >= terms.trigger_price if upwards else price <= terms.trigger_price


def first_reached(terms: AlgoTerms, path: PricePath, since_ms: int) -> int | None:
    """Return the instant after `since_ms` at which a path triggers a stop or take profit, None where it does not."""
    # Most orders are far from the price: the extremes say so without walking the path.
    if not (path.lowest <= terms.trigger_price <= path.highest or has_reached(terms, path.lowest)):
        return None
    return next((instant for instant, price in path.points if instant > since_ms and has_reached(terms, price)), None)


def is_immediate(terms: AlgoTerms, price: Decimal) -> bool:
    """Say whether an order would trigger as it is placed; for a trailing one: its activation price is no way ahead."""
    if not terms.is_trailing:
        return has_reached(terms, price)
    if not terms.activate_price:
        return False
    return terms.activate_price >= price if terms.side is Side.BUY else terms.activate_price <= price


def trail(terms: AlgoTerms, state: TrailState, path: Iterable[PathPoint]) -> tuple[TrailState, int | None]:
    """Follow a path of prices; return the new state and the instant it fired, None while it has not."""
    extreme, activated = state
    buys = terms.side is Side.BUY
    turn = 1 + terms.callback_rate / PERCENT if buys else 1 - terms.callback_rate / PERCENT
    for instant, price in path:
        extreme = min(extreme, price) if buys else max(extreme, price)
        activated = activated or (extreme <= terms.activate_price if buys else extreme >= terms.activate_price)
        if activated and (price >= extreme * turn if buys else price <= extreme * turn):
            return TrailState(extreme, activated), instant
    return TrailState(extreme, activated), None


def is_protected(mark: Decimal, last: Decimal, bound: Decimal) -> bool:
    """Say whether priceProtect holds a trigger back: mark and last price are further apart than the symbol allows."""
    return abs(mark - last) > bound * mark
