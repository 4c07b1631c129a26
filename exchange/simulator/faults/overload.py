"""Whom an overloaded venue turns away with -1008: new orders that may open, and nobody else (contract 6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.answers import RefusalError
from exchange.simulator.params import Params
from exchange.simulator.rest_orders import batch_elements
from exchange.simulator.trading.order_request import flag

if TYPE_CHECKING:
    from exchange.simulator.faults.requests import Request

OVERLOADED = (
    -1008,
    "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again.",
)
BATCH = "/fapi/v1/batchOrders"
CONDITIONAL = "/fapi/v1/algoOrder"
PLACEMENTS = frozenset({"/fapi/v1/order", "/fapi/v1/order/test", BATCH, CONDITIONAL})
CLOSING = frozenset({("LONG", "SELL"), ("SHORT", "BUY")})


def is_turned_away(request: Request, *, spares_conditional: bool) -> bool:
    """Say whether a request places something that is not exempt; a batch is exempt where all of it is."""
    if request.method != "POST" or request.path not in PLACEMENTS:
        return False
    if request.path == CONDITIONAL and not spares_conditional:
        return True
    params = Params(request.query, request.body)
    try:
        orders = batch_elements(params) if request.path == BATCH else [params]
        return not all(_only_reduces(order) for order in orders)
    except RefusalError:
        return True


def _only_reduces(order: Params) -> bool:
    if flag(order, "reduceOnly") or flag(order, "closePosition"):
        return True
    return (order.text("positionSide"), order.text("side")) in CLOSING
