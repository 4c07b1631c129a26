"""What the venue's contract leaves open, as named switches: each field is one question with our answer as its default.

A client that works under either answer does not depend on what nobody has proven.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class SwitchError(ValueError):
    """A switch that cannot be set; the text names it, the value and the remedy."""


class OpenQuestions(msgspec.Struct, frozen=True):
    """Answers to what is not settled by evidence; the comment under a field names the question and its sources."""

    hedge_reduce_only_code: int = -1106
    """`reduceOnly` sent in hedge mode: the error list says -4062, live answers said -1106."""
    batch_self_trade_prevention: str = "EXPIRE_MAKER"
    """Self-trade prevention of a batch element that names none: POST order says EXPIRE_MAKER, the batch page NONE."""
    reduce_only_capped: bool = False
    """Is a reduce-only order larger than the position cut to it? By default it is refused (-2022), as it would flip."""
    reduce_only_stacks: bool = False
    """May reduce-only orders that rest exceed the position together? By default the one too many is refused (-4118)."""
    taking_outranks_resting: bool = True
    """Does a reduce-only order that takes knock resting ones out (er 4)? Else what they hold is used up (-4118)."""
    amend_settle_ms: int = 0
    """How long an amendment is pending, so that a second one meets -5043: nobody has measured it."""
    listen_key_per_api_key: bool = False
    """Has each API key of an account a listen key of its own? Documented is one per account, whoever asks."""
    event_filter_hides_expiry: bool = False
    """Does `events=` on the private path hide listenKeyExpired, too, where it is not named?"""
    algo_latency_ms: int = 11
    """From the trigger of a conditional order to its child: eleven milliseconds in the one recorded case."""
    algo_read_lag_ms: int = 0
    """How far openAlgoOrders lags behind: nobody has measured the worst case."""
    algo_cancel_race_code: int = -4117
    """Cancelling a conditional order that is triggering: -4117 by the error list, -2011 also reported."""
    algo_cap_code: int = -4045
    """Refusal of the 201st conditional order: the code that counted stop orders before the algo service."""
    cancel_all_cancels_algo: bool = False
    """Does DELETE allOpenOrders reach a symbol's conditional orders? Nothing says so."""
    countdown_cancels_algo: bool = False
    """Does countdownCancelAll reach a symbol's conditional orders? Nothing says so."""
    algo_child_bears_algo_id: bool = False
    """Does the child of a conditional order bear its clientAlgoId? Not proven: clients must map by `ai`."""
    algo_trigger_reject_event: bool = False
    """Is the deprecated CONDITIONAL_ORDER_TRIGGER_REJECT still sent beside ALGO_UPDATE? Nothing says so."""
    overload_spares_conditional: bool = False
    """Does -1008 spare conditional orders that only reduce? Its text names reduce-only orders, not the algo service."""
    immediate_trigger_code: int = -2021
    """Refusal of a conditional order that would trigger at once: -2021 in reports, -4142 in the error list, too."""
    gte_needs_position: bool = True
    """Is closePosition refused while flat (-4509)? Most reports of 2026 say so, a few saw it accepted."""
    reduce_only_algo_needs_position: bool = False
    """Is a reduce-only conditional order refused (-2022) while flat? Not settled; accepted, it fails at its trigger."""
    conditional_orders_block_settings: bool = True
    """Do open conditional orders stand in the way of margin type and position mode (-4047, -4067)? Seen on the demo."""
    short_orders_at_last: bool = False
    """Is a short order's margin priced at no less than last x 1.0015 and the mark, as a newer official text says?"""
    taker_fee_reserved: bool = False
    """Does an opening order need its taker fee as well as its margin? Documented it does not."""
    break_even_with_closing_fee: bool = False
    """Does the break-even price count the closing taker fee and those paid? The rule is unpublished."""
    hedge_updates_tell_both_sides: bool = False
    """Does an ACCOUNT_UPDATE in hedge mode tell both sides of a symbol when one changed? Reported only."""
    bracket_object_for_symbol: bool = False
    """Does leverageBracket answer a bare object when a symbol is sent? Documented so; live answers were arrays."""


def answer_questions(switches: Iterable[str]) -> OpenQuestions:
    """Return the answers with `name=value` texts laid over the defaults. Raises SwitchError."""
    known = OpenQuestions.__struct_fields__
    answers: dict[str, str] = {}
    for switch in switches:
        name, equals, value = switch.partition("=")
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else f"switches are {', '.join(known)}"
            raise SwitchError(f"--switch {switch}: {name!r} is no switch; {hint}")
        if not equals:
            raise SwitchError(f"--switch {switch}: give it a value, such as {name}=true")
        answers[name] = value
    try:
        return msgspec.convert(answers, OpenQuestions, strict=False)
    except msgspec.ValidationError as error:
        raise SwitchError(f"--switch: {error}") from error
