"""Orders as parameters of a request.

In one-way mode a position side is never sent and what reduces says `reduceOnly`. In hedge mode the position side says
it: an opening BUY is LONG, an opening SELL is SHORT, and what reduces carries the side of the position it closes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from exchange.binance.signing import text_of
from exchange.orders import OrderKind, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from exchange.binance.signing import Params
    from exchange.conditional_orders import AlgoRef, AlgoRequest
    from exchange.orders import AmendRequest, OrderRef, OrderRequest

BATCH_LIMIT = 5
CANCEL_BATCH_LIMIT = 10


def position_side(side: Side, *, reduces: bool, hedge: bool) -> str | None:
    """Return the position side to send, None in one-way mode."""
    if not hedge:
        return None
    return "LONG" if (side is Side.BUY) != reduces else "SHORT"


def place(request: OrderRequest, *, hedge: bool) -> Params:
    """Return the parameters of a new order."""
    limit = request.kind is OrderKind.LIMIT
    return (
        ("symbol", request.symbol),
        ("side", request.side.value),
        ("positionSide", position_side(request.side, reduces=request.reduces, hedge=hedge)),
        ("type", request.kind.value),
        ("timeInForce", request.time_in_force.value if limit else None),
        ("quantity", request.quantity),
        ("price", request.price),
        ("priceMatch", request.price_match),
        ("reduceOnly", True if request.reduces and not hedge else None),
        ("newClientOrderId", request.client_id),
        ("newOrderRespType", "RESULT" if request.wants_result else "ACK"),
        ("selfTradePreventionMode", request.self_trade),
        ("goodTillDate", request.good_till_ms),
    )


def amend(request: AmendRequest) -> Params:
    """Return the parameters of an amendment.

    `reduceOnly` is a check of the venue's and no change: it is left out, since it only exists in one-way mode.
    """
    return (
        ("symbol", request.symbol),
        ("side", request.side.value),
        ("quantity", request.quantity),
        ("price", request.price),
        ("priceMatch", request.price_match),
        ("modifyId", request.modify_id),
        *named(request.order),
    )


def named(order: OrderRef) -> Params:
    """Return the parameters that name a plain order."""
    return (("orderId", order.order_id), ("origClientOrderId", order.client_id))


def named_algo(order: AlgoRef) -> Params:
    """Return the parameters that name a conditional order."""
    return (("algoId", order.algo_id), ("clientAlgoId", order.client_id))


def batch(orders: Iterable[Params]) -> Params:
    """Return several orders as the one parameter of a batch: a JSON list of objects whose values are text."""
    rows = [{name: text_of(value) for name, value in order if value is not None} for order in orders]
    return (("batchOrders", msgspec.json.encode(rows).decode()),)


def algo(request: AlgoRequest, *, hedge: bool) -> Params:
    """Return the parameters of a new conditional order."""
    reduce_only = request.reduces and not hedge and not request.close_position
    return (
        ("algoType", "CONDITIONAL"),
        ("symbol", request.symbol),
        ("side", request.side.value),
        ("positionSide", position_side(request.side, reduces=request.reduces, hedge=hedge)),
        ("type", request.kind.value),
        ("timeInForce", request.time_in_force),
        ("quantity", request.quantity),
        ("price", request.price),
        ("priceMatch", request.price_match),
        ("triggerPrice", request.trigger_price),
        ("workingType", request.working.value),
        ("priceProtect", True if request.price_protect else None),
        ("closePosition", True if request.close_position else None),
        ("reduceOnly", True if reduce_only else None),
        ("activatePrice", request.activate_price),
        ("callbackRate", request.callback_percent),
        ("clientAlgoId", request.client_id),
        ("selfTradePreventionMode", request.self_trade),
        ("goodTillDate", request.good_till_ms),
    )


def named_list(orders: Sequence[OrderRef]) -> Params:
    """Return the parameter that names several plain orders. ValueError unless all are named in the same way."""
    if all(order.order_id is not None for order in orders):
        return (("orderIdList", msgspec.json.encode([order.order_id for order in orders]).decode()),)
    if all(order.client_id is not None for order in orders):
        return (("origClientOrderIdList", msgspec.json.encode([order.client_id for order in orders]).decode()),)
    raise ValueError("orders of one batch are named all by order_id or all by client_id")
