"""What the algo service looks at before it accepts a conditional order (contract 4.3); margin is not among it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exchange.simulator.answers import refuse
from exchange.simulator.trading.algo_model import STOP, STOP_MARKET
from exchange.simulator.trading.algo_triggers import is_immediate
from exchange.simulator.trading.model import PositionSide

if TYPE_CHECKING:
    from decimal import Decimal

    from exchange.simulator.questions import OpenQuestions
    from exchange.simulator.trading.algo_model import AlgoTerms
    from exchange.simulator.trading.algo_ports import Account
    from exchange.simulator.trading.algo_store import AlgoStore

CAP = 200
"""Open conditional orders of an account, over all symbols."""
IMMEDIATE_TEXTS = {
    -2021: "Order would immediately trigger.",
    -4142: "REJECT: take profit or stop order will be triggered immediately",
}
STOPS = frozenset({STOP, STOP_MARKET})


def check_mode(terms: AlgoTerms, account: Account, questions: OpenQuestions) -> None:
    """Raise RefusalError -4061 where position side and mode differ, or the code of reduceOnly in hedge mode."""
    if account.dual_side == (terms.position_side is PositionSide.BOTH):
        raise refuse(-4061, "Order's position side does not match user's setting.")
    if account.dual_side and terms.reduce_only:
        code = questions.hedge_reduce_only_code
        text = "Invalid or improper reduceOnly value."
        raise refuse(code, text if code == -4062 else "Parameter 'reduceonly' sent when not required.")


def check_trigger(terms: AlgoTerms, price: Decimal, questions: OpenQuestions) -> None:
    """Raise RefusalError -2021 (or -4142, see OpenQuestions) where the order would trigger at once."""
    if is_immediate(terms, price):
        code = questions.immediate_trigger_code
        raise refuse(code, IMMEDIATE_TEXTS.get(code, IMMEDIATE_TEXTS[-2021]))


def check_position(terms: AlgoTerms, account: Account, questions: OpenQuestions) -> bool:
    """Say whether the position that the order needs is there. Raises RefusalError -4509 or -2022 where it must be."""
    held = account.position(terms.listing, terms.position_side).quantity
    there = terms.reduces(held)
    if terms.needs_position and terms.position_side is not PositionSide.BOTH and not _closes(terms):
        raise refuse(-2022, "ReduceOnly Order is rejected.")
    if there:
        return True
    if terms.needs_position and questions.gte_needs_position:
        raise refuse(
            -4509,
            "Time in Force (TIF) GTE can only be used with open positions. Please ensure that positions are available.",
        )
    if terms.reduce_only and questions.reduce_only_algo_needs_position:
        raise refuse(-2022, "ReduceOnly Order is rejected.")
    return False


def check_room(terms: AlgoTerms, store: AlgoStore, questions: OpenQuestions) -> None:
    """Raise RefusalError -4130 beside a closePosition order of the same direction and family, and -4045 at the cap."""
    if terms.close_position:
        for order in store.waiting_of(terms.listing):
            other = order.terms
            if (
                other.close_position
                and other.side is terms.side
                and other.position_side is terms.position_side
                and (other.kind in STOPS) == (terms.kind in STOPS)
            ):
                raise refuse(
                    -4130,
                    "An open stop or take profit order with GTE and closePosition in the direction is existing.",
                )
    if store.count_waiting() >= CAP:
        raise refuse(questions.algo_cap_code, "Reach max stop order limit.")


def _closes(terms: AlgoTerms) -> bool:
    """Say whether a hedge mode order closes its side: SELL of LONG, BUY of SHORT."""
    return (terms.side.sign > 0) == (terms.position_side is PositionSide.SHORT)
