"""Conditional orders as REST and WS-API answer them. Source: contract 4.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.encode import plain
from exchange.simulator.frames import stray
from exchange.simulator.trading.algo_model import CONDITIONAL

if TYPE_CHECKING:
    from exchange.instrument import Instrument
    from exchange.simulator.trading.algo_model import AlgoOrder
    from exchange.simulator.trading.model import Row


def placed_row(order: AlgoOrder, instrument: Instrument) -> Row:
    """Return what a placement answers."""
    return _row(order, instrument, {})


def queried_row(order: AlgoOrder, instrument: Instrument) -> Row:
    """Return what queries and lists answer: the same with the child's facts."""
    child = order.child
    executed, average = (child.executed, child.average_price) if child is not None else (0, 0)
    facts: Row = {
        "actualOrderId": "" if child is None else str(child.order_id),
        "actualPrice": format(average, f".{instrument.price_precision}f"),
        "actualQty": format(executed, f".{instrument.quantity_precision}f"),
        "actualType": "" if child is None else child.kind,
        "tpOrderType": "",
    }
    return _row(order, instrument, facts) | {"isActivated": order.activated}


def cancelled_row(order: AlgoOrder) -> Row:
    """Return what a cancellation answers; its code is text, unlike everywhere else."""
    return {"algoId": order.algo_id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}


def _row(order: AlgoOrder, instrument: Instrument, facts: Row) -> Row:
    terms = order.terms
    price = f".{instrument.price_precision}f"
    odd, value = stray(instrument.symbol)  # a reader that must know every field fails here, not in production
    return {
        "algoId": order.algo_id,
        "clientAlgoId": order.client_id,
        "algoType": CONDITIONAL,
        "orderType": terms.kind,
        "symbol": instrument.symbol,
        "side": terms.side,
        "positionSide": terms.position_side,
        "timeInForce": terms.time_in_force,
        "quantity": format(terms.quantity, f".{instrument.quantity_precision}f"),
        "algoStatus": order.status,
        **facts,
        "triggerPrice": format(terms.trigger_price, price),
        "price": format(terms.price, price),
        "icebergQuantity": None,
        "selfTradePreventionMode": terms.self_trade_prevention,
        "workingType": terms.working_type,
        "priceMatch": terms.price_match,
        "closePosition": terms.close_position,
        "priceProtect": terms.price_protect,
        "reduceOnly": terms.reduce_only,
        "activatePrice": format(terms.activate_price, price) if terms.is_trailing else "",
        "callbackRate": plain(terms.callback_rate) if terms.is_trailing else "",
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.trigger_ms,
        "goodTillDate": terms.good_till_ms,
        odd: value,
    }
