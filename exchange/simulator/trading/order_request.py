"""What a client asks for: the parameters of POST order, read and checked for form (contract 5.1)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from exchange.simulator.answers import illegal, invalid, missing, refuse
from exchange.simulator.trading.model import ZERO, PositionSide, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from exchange.instrument import Instrument
    from exchange.simulator.params import Params

NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
CLIENT_ID = re.compile(r"[\.A-Z\:/a-z0-9_-]{1,36}")
"""The documented form; a longer or other one is refused with -4015."""
TIMES_IN_FORCE = frozenset({"GTC", "IOC", "FOK", "GTX", "GTD", "RPI"})
CONDITIONAL = frozenset({"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"})
PRICE_MATCHES = frozenset({"OPPONENT", "OPPONENT_5", "QUEUE", "QUEUE_5", "QUEUE_10", "QUEUE_20"})
SELF_TRADE_MODES = frozenset({"NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"})
WORKING_TYPES = frozenset({"CONTRACT_PRICE", "MARK_PRICE"})
GTD_AHEAD_MS = 600_000
GTD_LAST_MS = 253_402_300_799_000


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order as asked for; what was not sent has its default."""

    listing: int
    side: Side
    kind: str
    quantity: Decimal
    position_side: PositionSide = PositionSide.BOTH
    time_in_force: str = "GTC"
    price: Decimal = ZERO
    reduce_only: bool | None = None
    """None where the parameter was not sent: sending it at all is refused in hedge mode."""
    close_position: bool = False
    """Of the child of a closePosition order only."""
    client_id: str | None = None
    price_match: str = "NONE"
    self_trade_prevention: str = "EXPIRE_MAKER"
    good_till_ms: int = 0
    working_type: str = "CONTRACT_PRICE"
    price_protect: bool = False
    stop_price: Decimal = ZERO
    activate_price: Decimal = ZERO
    callback_rate: Decimal = ZERO
    """Of the child of a trailing stop only."""
    wants_result: bool = False
    """newOrderRespType=RESULT: answer after matching; ACK answers before it."""


def decimal(params: Params, name: str) -> Decimal | None:
    """Return a decimal parameter, or None where it is absent. Raises RefusalError -1100 on other characters."""
    text = params.text(name)
    if text is None:
        return None
    if NUMBER.fullmatch(text) is None:
        raise illegal(name, r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
    return Decimal(text)


def required_decimal(params: Params, name: str) -> Decimal:
    """Return a mandatory decimal parameter. Raises RefusalError -1102 or -1100."""
    value = decimal(params, name)
    if value is None:
        raise missing(name)
    return value


def flag(params: Params, name: str) -> bool | None:
    """Return a boolean sent as true or false in any case, None where absent. Raises RefusalError -1130."""
    text = params.text(name)
    if text is None:
        return None
    lowered = text.lower()
    if lowered not in {"true", "false"}:
        raise invalid(name)
    return lowered == "true"


def required_flag(params: Params, name: str) -> bool:
    """Return a mandatory boolean. Raises RefusalError -1102 or -1130."""
    value = flag(params, name)
    if value is None:
        raise missing(name)
    return value


def side(params: Params) -> Side:
    """Return the mandatory side. Raises RefusalError -1102 or -1117."""
    text = params.required("side")
    if text not in {"BUY", "SELL"}:
        raise refuse(-1117, "Invalid side.")
    return Side(text)


def position_side(params: Params) -> PositionSide:
    """Return the position side, BOTH where absent. Raises RefusalError -4060."""
    text = params.text("positionSide")
    if text is None:
        return PositionSide.BOTH
    if text not in {"BOTH", "LONG", "SHORT"}:
        raise refuse(-4060, "Invalid position side.")
    return PositionSide(text)


def client_id(params: Params, name: str) -> str | None:
    """Return a client's own id, None where absent. Raises RefusalError -4015."""
    text = params.text(name)
    if text is not None and CLIENT_ID.fullmatch(text) is None:
        raise refuse(-4015, "Client order id is not valid.")
    return text


def listing_of(params: Params, index: Mapping[str, int]) -> int:
    """Return the listing of the mandatory symbol. Raises RefusalError -1102 or -1121."""
    listing = index.get(params.required("symbol"))
    if listing is None:
        raise refuse(-1121, "Invalid symbol.")
    return listing


def parse_order(
    params: Params,
    index: Mapping[str, int],
    now_ms: int,
    *,
    conditional: bool = False,
    default_self_trade: str = "EXPIRE_MAKER",
) -> OrderRequest:
    """Read one order; `index` maps a symbol to its listing.

    `conditional` lets the conditional types pass, as order/test does. Raises RefusalError of contract 5.1.
    """
    listing = listing_of(params, index)
    way = side(params)
    kind = _kind(params, conditional=conditional)
    holding = position_side(params)
    limited = kind in {"LIMIT", "STOP", "TAKE_PROFIT"}
    time_in_force = _time_in_force(params, limited=limited)
    closes = flag(params, "closePosition") or False
    if closes and kind in {"LIMIT", "MARKET"}:
        raise refuse(-4136, f"Target strategy invalid for orderType {kind},closePosition true")
    quantity = ZERO if closes else required_decimal(params, "quantity")
    match = price_match(params, limited=limited)
    price = _price(params, limited=limited, matched=match != "NONE")
    return OrderRequest(
        listing=listing,
        side=way,
        kind=kind,
        quantity=quantity,
        position_side=holding,
        time_in_force=time_in_force,
        price=price,
        reduce_only=flag(params, "reduceOnly"),
        close_position=closes,
        client_id=client_id(params, "newClientOrderId"),
        price_match=match,
        self_trade_prevention=self_trade(params, default_self_trade),
        good_till_ms=good_till(params, time_in_force, now_ms),
        working_type=choice(params, "workingType", WORKING_TYPES, "CONTRACT_PRICE"),
        price_protect=flag(params, "priceProtect") or False,
        stop_price=_stop_price(params) if kind in CONDITIONAL else ZERO,
        wants_result=wants_result(params),
    )


def _kind(params: Params, *, conditional: bool) -> str:
    kind = params.required("type")
    if kind in CONDITIONAL:
        if not conditional:
            raise refuse(
                -4120,
                "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
            )
    elif kind not in {"LIMIT", "MARKET"}:
        raise refuse(-1116, "Invalid orderType.")
    return kind


def _time_in_force(params: Params, *, limited: bool) -> str:
    text = params.text("timeInForce")
    if text is not None and text not in TIMES_IN_FORCE:
        raise refuse(-1115, "Invalid timeInForce.")
    if not limited:
        if text is not None:
            raise refuse(-1114, "TimeInForce parameter sent when not required.")
        return "GTC"
    if text is None:
        raise missing("timeInForce")
    return text


def price_match(params: Params, *, limited: bool) -> str:
    """Return how the price follows the book, NONE where it does not. Raises RefusalError -5037 or -5038."""
    text = params.text("priceMatch")
    if text is None or text == "NONE":
        return "NONE"
    if not limited:
        raise refuse(-5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT")
    if text not in PRICE_MATCHES or params.text("price") is not None:
        raise refuse(-5037, "Invalid price match")
    return text


def _price(params: Params, *, limited: bool, matched: bool) -> Decimal:
    if matched:
        return ZERO
    if limited:
        return required_decimal(params, "price")
    price = decimal(params, "price")
    if price:
        raise refuse(-1106, "Parameter 'price' sent when not required.")
    return ZERO


def self_trade(params: Params, default: str) -> str:
    """Return the self-trade prevention mode. Raises RefusalError -5039."""
    text = params.text("selfTradePreventionMode")
    if text is None:
        return default
    if text not in SELF_TRADE_MODES:
        raise refuse(-5039, "Invalid self trade prevention mode")
    return text


def good_till(params: Params, time_in_force: str, now_ms: int) -> int:
    """Return when a GTD order ends, in whole seconds, 0 for the others. Raises RefusalError -1102 or -5040."""
    if time_in_force != "GTD":
        return 0
    instant = params.integer("goodTillDate")
    if instant is None:
        raise missing("goodTillDate")
    if not now_ms + GTD_AHEAD_MS < instant < GTD_LAST_MS:
        raise refuse(
            -5040,
            "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than "
            "253402300799000 (UTC 9999-12-31 23:59:59)",
        )
    return instant // 1000 * 1000


def _stop_price(params: Params) -> Decimal:
    price = decimal(params, "stopPrice")
    return ZERO if price is None else price


def wants_result(params: Params) -> bool:
    """Say whether the answer shall wait for the matching. Raises RefusalError -1136."""
    text = params.text("newOrderRespType")
    if text not in {None, "ACK", "RESULT"}:
        raise refuse(-1136, "Invalid newOrderRespType.")
    return text == "RESULT"


def choice(params: Params, name: str, choices: frozenset[str], default: str) -> str:
    """Return one of the choices, the default where absent. Raises RefusalError -1130."""
    text = params.text(name)
    if text is None:
        return default
    if text not in choices:
        raise invalid(name)
    return text


def decimals(value: Decimal) -> int:
    """Return how many decimals a number needs, trailing zeros left out."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def check_precision(instrument: Instrument, price: Decimal, quantity: Decimal) -> None:
    """Raise RefusalError -1111 where a number has more decimals than the contract's precision."""
    if decimals(quantity) > instrument.quantity_precision or decimals(price) > instrument.price_precision:
        raise refuse(-1111, "Precision is over the maximum defined for this asset.")
