"""ALGO_UPDATE as the venue sends it. Source: contract 4.4 and 9, order of fields from the recorded events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.trading.algo_model import CONDITIONAL

if TYPE_CHECKING:
    from exchange.instrument import Instrument
    from exchange.simulator.trading.algo_model import AlgoOrder
    from exchange.simulator.trading.model import Row


def algo_update(order: AlgoOrder, instrument: Instrument, now_ms: int) -> Row:
    """Return the event of an order's present state: executed fields come with the child, `rm` with a reason."""
    terms = order.terms
    price = f".{instrument.price_precision}f"
    quantity = f".{instrument.quantity_precision}f"
    body: Row = {
        "caid": order.client_id,
        "aid": order.algo_id,
        "at": CONDITIONAL,
        "o": terms.kind,
        "s": instrument.symbol,
        "S": terms.side,
        "ps": terms.position_side,
        "f": terms.time_in_force,
        "q": format(terms.quantity, quantity),
        "X": order.status,
        "ai": "",
    }
    child = order.child
    if child is not None:
        body["ai"] = str(child.order_id)
        body["ap"] = format(child.average_price, price) if child.executed else "0"
        body["aq"] = format(child.executed, quantity) if child.executed else "0"
        body["act"] = child.kind
    body |= {
        "tp": format(terms.trigger_price, price) if terms.trigger_price else "0",
        "p": format(terms.price, price) if terms.price else "0",
        "V": terms.self_trade_prevention,
        "wt": terms.working_type,
        "pm": terms.price_match,
        "cp": terms.close_position,
        "pP": terms.price_protect,
        "R": terms.reduce_only,
        "tt": order.trigger_ms,
        "gtd": terms.good_till_ms,
    }
    if order.reason:
        body["rm"] = order.reason
    if terms.is_trailing:
        body["ia"] = order.activated
    return {"e": "ALGO_UPDATE", "T": order.updated_ms, "E": now_ms, "o": body}


def trigger_reject(order: AlgoOrder, instrument: Instrument, now_ms: int) -> Row:
    """Return the deprecated event of an order that was refused at its trigger."""
    told = {"s": instrument.symbol, "i": order.algo_id, "r": order.reason}
    return {"e": "CONDITIONAL_ORDER_TRIGGER_REJECT", "E": now_ms, "T": order.updated_ms, "or": told}
