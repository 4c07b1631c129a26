"""One execution of the account as a life of a position takes it, and what its closing was due to. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from engine.execution.intents import PositionKey, Purpose
from engine.positions.lifecycle import EventName
from exchange.account_events import Origin, TradeId
from exchange.orders import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.execution.intents import Intent
    from exchange.account_events import OrderUpdate
    from exchange.order_reports import UserTrade

ZERO = Decimal(0)
EXPIRED = "held for its longest time"
"""Reason of a close that ends a position for its age."""


class Cause(NamedTuple):
    """Why a position was closed, should this fill close it."""

    event: EventName
    reason: str = ""


FOREIGN = Cause(EventName.MANUAL_CLOSE, "closed by an order this desk did not send")


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution. Prices and sizes are Decimal, money is in the quote asset, times are UTC milliseconds."""

    trade: TradeId
    key: PositionKey
    sign: int
    """+1 for a buy, -1 for a sell."""
    quantity: Decimal
    price: Decimal
    realised: Decimal
    """Before the fee; 0 where nothing was closed."""
    fee: Decimal
    """Positive is paid, a rebate is negative."""
    at_ms: int
    cause: Cause = FOREIGN


def cause_of(intent: Intent | None, origin: Origin) -> Cause:
    """Return what a closing fill is due to. `intent` is the desk's own, None for an order of somebody else."""
    if origin is not Origin.CLIENT:
        return Cause(EventName.MANUAL_CLOSE, origin.value)
    if intent is None or intent.purpose is Purpose.ENTRY:
        return FOREIGN
    if intent.purpose is Purpose.STOP:
        return Cause(EventName.SL_TRIGGERED)
    if intent.purpose is Purpose.TARGET:
        return Cause(EventName.TP_TRIGGERED)
    if intent.reason == EXPIRED:
        return Cause(EventName.EXPIRED, EXPIRED)
    return Cause(EventName.MANUAL_CLOSE, intent.reason or "closed by the desk")


def fee_in_quote(commission: Decimal, asset: str, quote: str, prices: Mapping[str, Decimal]) -> Decimal | None:
    """Return a commission in the quote asset; None where the price of its asset is not known.

    `prices` holds quote units per unit of an asset.
    """
    if not commission or asset == quote:
        return commission
    price = prices.get(asset)
    return None if price is None else commission * price


def of_update(event: OrderUpdate, fee: Decimal, cause: Cause) -> Fill | None:
    """Return the fill an order's update tells of, None where it tells of none."""
    if event.trade is None:
        return None
    return Fill(
        trade=event.trade,
        key=PositionKey(event.symbol, event.position_side),
        sign=1 if event.side == Side.BUY else -1,
        quantity=event.last_quantity,
        price=event.last_price,
        realised=event.realised,
        fee=fee,
        at_ms=event.trade_time or event.transaction_time,
        cause=cause,
    )


def of_trade(row: UserTrade, fee: Decimal, cause: Cause) -> Fill:
    """Return the fill of a trade that was read."""
    return Fill(
        trade=TradeId(row.symbol, row.trade_id, row.order_id),
        key=PositionKey(row.symbol, row.position_side),
        sign=1 if row.side == Side.BUY else -1,
        quantity=row.quantity,
        price=row.price,
        realised=row.realized,
        fee=fee,
        at_ms=row.time_ms,
        cause=cause,
    )
