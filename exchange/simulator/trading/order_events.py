"""The order events of the user data stream: ORDER_TRADE_UPDATE and TRADE_LITE, fields in the documented order."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from exchange.simulator.encode import money, plain
from exchange.simulator.trading.model import ZERO
from exchange.simulator.trading.order_rows import price_text, quantity_text, quote_text

if TYPE_CHECKING:
    from exchange.instrument import Instrument
    from exchange.simulator.trading.model import Order, Row


class Fill(NamedTuple):
    """The trade an event tells of."""

    price: Decimal
    quantity: Decimal
    commission: Decimal
    realized: Decimal
    trade_id: int
    maker: bool


def order_update(
    order: Order,
    instrument: Instrument,
    what: str,
    now_ms: int,
    *,
    fill: Fill | None = None,
    notionals: tuple[Decimal, Decimal] = (ZERO, ZERO),
    modify_id: int | None = None,
) -> Row:
    """Return ORDER_TRADE_UPDATE; `what` is its `x`, `notionals` the open orders' of bids and asks.

    `N` and `n` are absent where no fee was paid, `M` where the amendment bore no id.
    """
    told: Row = {
        "s": instrument.symbol,
        "c": order.client_id,
        "S": order.side.value,
        "o": order.kind,
        "f": order.time_in_force,
        "q": quantity_text(instrument, order.quantity),
        "p": _price(instrument, order.price),
        "ap": _price(instrument, order.average_price),
        "sp": _price(instrument, order.stop_price),
        "x": what,
        "X": order.status.value,
        "i": order.order_id,
        "l": quantity_text(instrument, fill.quantity) if fill else "0",
        "z": quantity_text(instrument, order.executed) if order.executed else "0",
        "L": price_text(instrument, fill.price) if fill else "0",
    }
    if fill is not None and fill.commission:
        told["N"] = instrument.quote
        told["n"] = money(fill.commission)
    if modify_id is not None:
        told["M"] = str(modify_id)
    bids, asks = notionals
    return {
        "e": "ORDER_TRADE_UPDATE",
        "E": now_ms,
        "T": now_ms,
        "o": told
        | {
            "T": now_ms,
            "t": fill.trade_id if fill else 0,
            "b": quote_text(bids),
            "a": quote_text(asks),
            "m": fill.maker if fill else False,
            "R": order.reduce_only,
            "wt": order.working_type,
            "ot": order.original_kind,
            "ps": order.position_side.value,
            "cp": order.close_position,
            **_trailing(order, instrument),
            "pP": order.price_protect,
            "si": 0,
            "ss": 0,
            "rp": money(fill.realized) if fill and fill.realized else "0",
            "V": order.self_trade_prevention,
            "pm": order.price_match,
            "gtd": order.good_till_ms,
            "er": order.expiry.value,
        },
    }


def trade_lite(order: Order, instrument: Instrument, fill: Fill, now_ms: int) -> Row:
    """Return TRADE_LITE of a fill: a hint without fee and profit."""
    return {
        "e": "TRADE_LITE",
        "E": now_ms,
        "T": now_ms,
        "s": instrument.symbol,
        "q": quantity_text(instrument, order.quantity),
        "p": price_text(instrument, order.price),
        "m": fill.maker,
        "c": order.client_id,
        "S": order.side.value,
        "L": price_text(instrument, fill.price),
        "l": quantity_text(instrument, fill.quantity),
        "t": fill.trade_id,
        "i": order.order_id,
    }


def _trailing(order: Order, instrument: Instrument) -> Row:
    """Return what only the child of a trailing stop carries."""
    if not order.callback_rate:
        return {}
    return {"AP": price_text(instrument, order.activate_price), "cr": plain(order.callback_rate)}


def _price(instrument: Instrument, price: Decimal) -> str:
    return price_text(instrument, price) if price else "0"
