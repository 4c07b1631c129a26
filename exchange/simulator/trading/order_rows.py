"""Orders and own trades as REST and the WS-API answer them (contract 3.4, table of response fields)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.encode import money, plain
from exchange.simulator.frames import stray
from exchange.simulator.trading.model import ZERO, Side

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from exchange.instrument import Instrument
    from exchange.simulator.trading.model import Order, Row, Trade

AVERAGE_PLACES = 5
"""Decimals of avgPrice where the contract's price has fewer, as live."""


def price_text(instrument: Instrument, price: Decimal) -> str:
    """Return a price with the contract's precision."""
    return f"{price:.{instrument.price_precision}f}"


def quantity_text(instrument: Instrument, quantity: Decimal) -> str:
    """Return a quantity with the contract's precision."""
    return f"{quantity:.{instrument.quantity_precision}f}"


def quote_text(amount: Decimal) -> str:
    """Return a quote amount without the zeros that say nothing, at most eight places."""
    text = f"{amount:.8f}".rstrip("0").rstrip(".")
    return text or "0"


def average_text(instrument: Instrument, order: Order) -> str:
    """Return the average price as the REST answers write it."""
    return f"{order.average_price:.{max(AVERAGE_PLACES, instrument.price_precision)}f}"


class OrderRows:
    """Builds the bodies. `lenient` keeps the fields that production removed in July 2026, for old clients."""

    def __init__(self, instrument: Callable[[int], Instrument], *, lenient: bool) -> None:
        """`instrument` returns the present rules of a listing."""
        self._instrument = instrument
        self._lenient = lenient

    def placed(self, order: Order, *, acknowledged: bool, old_shape: bool = False) -> Row:
        """Return the answer to POST: before matching where it is an acknowledgement. `old_shape` is order/test's."""
        instrument = self._instrument(order.listing)
        executed = ZERO if acknowledged else order.executed
        row = self._head(order, instrument, "NEW" if acknowledged else order.status.value, executed)
        row["cumQty"] = row["executedQty"]
        if self._lenient or old_shape:
            row["avgPrice"] = average_text(instrument, order) if executed else price_text(instrument, ZERO)
            row["cumQuote"] = quote_text(order.cumulative_quote if executed else ZERO)
        return self._tail(row, order, instrument)

    def cancelled(self, order: Order) -> Row:
        """Return the answer to DELETE."""
        return self.placed(order, acknowledged=False)

    def modified(self, order: Order, modify_id: int | None) -> Row:
        """Return the answer to PUT."""
        instrument = self._instrument(order.listing)
        row = self.placed(order, acknowledged=False)
        row["pair"] = instrument.base + instrument.quote
        if self._lenient:
            row["cumBase"] = "0"
        if modify_id is not None:
            row["modifyId"] = modify_id
        return row

    def queried(self, order: Order, *, in_history: bool = False) -> Row:
        """Return an element of GET order, openOrder(s) and, with two fields more, allOrders."""
        instrument = self._instrument(order.listing)
        row = self._head(order, instrument, order.status.value, order.executed)
        row["avgPrice"] = average_text(instrument, order)
        row["cumQuote"] = quote_text(order.cumulative_quote)
        if in_history:
            row["pair"] = instrument.base + instrument.quote
            row["cumBase"] = "0"
        row = self._tail(row, order, instrument)
        row["time"] = order.created_ms
        return _with_stray(row)

    def trade(self, trade: Trade) -> Row:
        """Return an element of userTrades."""
        order = trade.order
        instrument = self._instrument(order.listing)
        row = {
            "id": trade.trade_id,
            "symbol": instrument.symbol,
            "pair": instrument.base + instrument.quote,
            "orderId": order.order_id,
            "side": order.side.value,
            "positionSide": trade.position_side.value,
            "price": price_text(instrument, trade.price),
            "qty": quantity_text(instrument, trade.quantity),
            "quoteQty": quote_text(trade.price * trade.quantity),
            "baseQty": quantity_text(instrument, trade.quantity),
            "realizedPnl": money(trade.realized),
            "marginAsset": instrument.quote,
            "commission": money(trade.commission),
            "commissionAsset": instrument.quote,
            "time": trade.time_ms,
            "buyer": order.side is Side.BUY,
            "maker": trade.maker,
        }
        return _with_stray(row)

    def _head(self, order: Order, instrument: Instrument, status: str, executed: Decimal) -> Row:
        return {
            "orderId": order.order_id,
            "symbol": instrument.symbol,
            "status": status,
            "clientOrderId": order.client_id,
            "price": price_text(instrument, order.price),
            "origQty": quantity_text(instrument, order.quantity),
            "executedQty": quantity_text(instrument, executed),
        }

    @staticmethod
    def _tail(row: Row, order: Order, instrument: Instrument) -> Row:
        row["timeInForce"] = order.time_in_force
        row["type"] = order.kind
        row["origType"] = order.original_kind
        row["reduceOnly"] = order.reduce_only
        row["closePosition"] = order.close_position
        row["side"] = order.side.value
        row["positionSide"] = order.position_side.value
        row["stopPrice"] = price_text(instrument, order.stop_price)
        row["workingType"] = order.working_type
        row["priceProtect"] = order.price_protect
        if order.callback_rate:  # only the child of a trailing stop has them
            row["activatePrice"] = price_text(instrument, order.activate_price)
            row["priceRate"] = plain(order.callback_rate)
        row["priceMatch"] = order.price_match
        row["selfTradePreventionMode"] = order.self_trade_prevention
        row["goodTillDate"] = order.good_till_ms
        row["updateTime"] = order.updated_ms
        return row


def _with_stray(row: Row) -> Row:
    """Add a field that no document names: a reader that must know every field fails here, not in production."""
    name, value = stray(row["symbol"])
    row[name] = value
    return row
