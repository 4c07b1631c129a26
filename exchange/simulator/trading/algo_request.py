"""What a client asks of the algo service: the parameters of POST algoOrder, checked for form (contract 4.1 and 4.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from exchange.simulator.answers import invalid, missing, refuse
from exchange.simulator.trading.algo_model import (
    CLOSING_KINDS,
    CONDITIONAL,
    GTE_GTC,
    KINDS,
    LIMIT_KINDS,
    TRAILING,
    AlgoTerms,
)
from exchange.simulator.trading.model import ZERO
from exchange.simulator.trading.order_checks import check_limits, check_price, check_quantity
from exchange.simulator.trading.order_request import (
    TIMES_IN_FORCE,
    WORKING_TYPES,
    check_precision,
    choice,
    client_id,
    decimal,
    flag,
    good_till,
    listing_of,
    position_side,
    price_match,
    required_decimal,
    self_trade,
    side,
    wants_result,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchange.instrument import Instrument
    from exchange.simulator.params import Params

LEAST_CALLBACK = Decimal("0.1")
MOST_CALLBACK = Decimal(20)
"""In percent; ten until October 2026."""


def parse_terms(params: Params, index: Mapping[str, int], now_ms: int) -> AlgoTerms:
    """Read the terms of a conditional order; `index` maps a symbol to its listing.

    Raises RefusalError: -1102 and the enum codes, then -4136, -4137, -1106, -4138 where closePosition does not fit.
    """
    if params.required("algoType") != CONDITIONAL:
        raise invalid("algoType")
    listing = listing_of(params, index)
    way = side(params)
    kind = params.required("type")
    if kind not in KINDS:
        raise refuse(-1116, "Invalid orderType.")
    holding = position_side(params)
    time_in_force = params.text("timeInForce") or "GTC"
    if time_in_force not in TIMES_IN_FORCE and time_in_force != GTE_GTC:
        raise refuse(-1115, "Invalid timeInForce.")
    limited = kind in LIMIT_KINDS
    wants_result(params)
    closes = flag(params, "closePosition") or False
    reduce_only = flag(params, "reduceOnly")
    if closes:
        _check_closing(params, kind, reduce_only=reduce_only)
    matched = price_match(params, limited=limited)
    return AlgoTerms(
        listing=listing,
        side=way,
        position_side=holding,
        kind=kind,
        time_in_force=time_in_force,
        quantity=ZERO if closes else required_decimal(params, "quantity"),
        trigger_price=ZERO if kind == TRAILING else required_decimal(params, "triggerPrice"),
        price=required_decimal(params, "price") if limited and matched == "NONE" else ZERO,
        client_id=client_id(params, "clientAlgoId") or "",
        working_type=choice(params, "workingType", WORKING_TYPES, "CONTRACT_PRICE"),
        price_match=matched,
        self_trade_prevention=self_trade(params, "EXPIRE_MAKER"),
        close_position=closes,
        price_protect=flag(params, "priceProtect") or False,
        reduce_only=reduce_only or False,
        activate_price=_activation(params) if kind == TRAILING else ZERO,
        callback_rate=_callback(params) if kind == TRAILING else ZERO,
        good_till_ms=good_till(params, time_in_force, now_ms),
    )


def check_terms(terms: AlgoTerms, instrument: Instrument) -> None:
    """Raise RefusalError where a number does not fit the contract: precision, PRICE_FILTER, lot, stop multipliers."""
    market = terms.kind not in LIMIT_KINDS
    for price in (terms.trigger_price, terms.price, terms.activate_price):
        check_precision(instrument, price, terms.quantity)
    if not terms.close_position:
        check_quantity(instrument, terms.quantity, market=market)
    if not terms.is_trailing:
        _check_trigger(instrument, terms.trigger_price)
    elif terms.activate_price:
        check_price(instrument, terms.activate_price)
    if not market and terms.price_match == "NONE":
        check_price(instrument, terms.price)
        # The limit price is held to the trigger price as a plain order's to the mark.
        check_limits(instrument, terms.side, terms.price, terms.trigger_price, (-4183, -4184))


def _check_closing(params: Params, kind: str, *, reduce_only: bool | None) -> None:
    if kind not in CLOSING_KINDS:
        raise refuse(-4136, f"Target strategy invalid for orderType {kind},closePosition true")
    if params.text("quantity") is not None:
        raise refuse(-4137, "Quantity must be zero with closePosition equals true")
    if reduce_only:
        raise refuse(-1106, "Parameter 'reduceonly' sent when not required.")
    if reduce_only is not None:
        raise refuse(-4138, "Reduce only must be true with closePosition equals true")


def _activation(params: Params) -> Decimal:
    price = decimal(params, "activatePrice")
    if price is None:
        return ZERO
    if price <= 0:
        raise refuse(-4135, "Invalid activation price")
    return price


def _callback(params: Params) -> Decimal:
    rate = decimal(params, "callbackRate")
    if rate is None:
        raise missing("callbackRate")
    if not LEAST_CALLBACK <= rate <= MOST_CALLBACK:
        raise refuse(-2007, "Invalid callBack rate.")
    return rate


def _check_trigger(instrument: Instrument, price: Decimal) -> None:
    if price <= 0:
        raise refuse(-4006, "Stop price less than zero.")
    if price > instrument.max_price:
        raise refuse(-4007, "Stop price greater than max price.")
    check_price(instrument, price)
