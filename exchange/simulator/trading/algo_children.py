"""The child of a conditional order: what is placed at the trigger, and what its refusal makes of the order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from exchange.simulator.trading.algo_model import GTE_GTC, LIMIT_KINDS, AlgoStatus
from exchange.simulator.trading.order_request import OrderRequest

if TYPE_CHECKING:
    from decimal import Decimal

    from exchange.simulator.answers import RefusalError
    from exchange.simulator.trading.algo_model import AlgoTerms

UNABLE = frozenset({-5021, -5022, -5041, -4131, -2020})
"""Refusals of a child that say "not in this market" rather than "not from this account": they expire the order."""
REASONS = {-2022: "Reduce Only reject"}
"""`rm` as recorded where it differs from the refusal's own text."""


def child_request(terms: AlgoTerms, quantity: Decimal, client_id: str, *, hedged: bool) -> OrderRequest:
    """Return the plain order that a triggered one places; in hedge mode the sides alone say whether it closes."""
    limited = terms.kind in LIMIT_KINDS
    return OrderRequest(
        listing=terms.listing,
        side=terms.side,
        kind="LIMIT" if limited else "MARKET",
        quantity=quantity,
        position_side=terms.position_side,
        time_in_force=terms.time_in_force if limited and terms.time_in_force != GTE_GTC else "GTC",
        price=terms.price,
        reduce_only=None if hedged else terms.reduce_only or terms.close_position,
        close_position=terms.close_position,
        client_id=client_id,
        price_match=terms.price_match,
        self_trade_prevention=terms.self_trade_prevention,
        good_till_ms=terms.good_till_ms,
        working_type=terms.working_type,
        price_protect=terms.price_protect,
        stop_price=terms.trigger_price,
        activate_price=terms.activate_price,
        callback_rate=terms.callback_rate,
    )


def refused_child(refusal: RefusalError) -> tuple[AlgoStatus, str]:
    """Return the state and the reason of an order whose child was refused."""
    status = AlgoStatus.EXPIRED if refusal.code in UNABLE else AlgoStatus.REJECTED
    return status, REASONS.get(refusal.code, refusal.text)


def fresh_client_id(kind: str, number: int) -> str:
    """Return an id of the venue's own making: 22 characters that nobody can guess the meaning of."""
    return hashlib.sha256(f"{kind}:{number}".encode()).hexdigest()[:22]
