"""Live orders as lines of panel 5: readiness, protection, unknowns, open orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import numbers
from tui.lines import Line, Span, flow, left, wrapped

if TYPE_CHECKING:
    from engine.snapshot import CoverageRow, HandView, LedgerView, OrderRow

_STATES = {"protected": "ok", "NAKED": "alert", "closing": "warn", "unknown": "warn"}


def hand_lines(hand: HandView, now: int, width: int) -> list[Line]:
    """Return live orders as lines."""
    armed = hand.arming.armed
    pieces: list[Span] = [
        (hand.step, "ok" if hand.ready else "warn"),
        (f"level {hand.level}", "text" if hand.level == "RUN" else "warn"),
        ("ARMED" if armed else "not armed", "ok" if armed else "warn"),
        (f"naked {hand.naked}, longest {hand.naked_max_s:.1f}s", "alert" if hand.naked else "text"),
        (f"unknown {hand.unknown}", "alert" if hand.unknown else "text"),
        (f"reconciled {numbers.age(now, hand.reconciled_ms)}", "text"),
        (f"differences {hand.differences}", "dim"),
        ("stream alive" if hand.stream_alive else "STREAM SILENT", "ok" if hand.stream_alive else "alert"),
    ]
    if armed:
        pieces.append((f"until {numbers.stamp(hand.arming.expires_ms)} by {hand.arming.by}", "dim"))
    lines = flow(_lead("live orders"), pieces, width)
    lines += flow(_lead("API key"), [(hand.arming.rights.text, "warn" if hand.arming.rights.refused else "dim")], width)
    for text in hand.arming.rights.warnings:
        lines += _note(text, width)
    if hand.entries_off:
        lines += _note(f"no entries: {hand.entries_off}", width)
    for text in hand.violations[-3:]:
        lines += _note(f"INVARIANT VIOLATED: {text}", width)
    if hand.ledger is not None:
        lines += _ledger(hand.ledger, now, width)
    if hand.reserved:
        used: list[Span] = [(f"{name} {amount:,.6g} of {most:,.6g}", "dim") for name, amount, most in hand.reserved]
        lines += flow(_lead("limits"), used, width)
    lines += [_position(one, width) for one in hand.coverage]
    lines += [_order(one) for one in hand.orders]
    return lines


def _ledger(view: LedgerView, now: int, width: int) -> list[Line]:
    exact = view.difference == "0"
    pieces: list[Span] = [
        (f"start {view.start:,.2f}", "dim"),
        (f"realised {view.realised:+,.2f}", "text"),
        (f"fees -{view.fees:,.2f}", "text"),
        (f"funding {view.funding:+,.2f}", "text"),
        (f"transfers {view.transfers:+,.2f}", "text"),
        (f"other {view.other:+,.2f}", "text"),
        (f"wallet {view.wallet:,.2f} {view.asset}", "strong"),
        ("exact" if exact else f"DIFFERS by {view.difference}", "ok" if exact else "alert"),
        (f"checked {numbers.age(now, view.checked_ms)}" if view.checked_ms else "not checked yet", "dim"),
    ]
    return flow(_lead("ledger"), pieces, width)


def _position(one: CoverageRow, width: int) -> Line:
    state = f"{one.state} {one.naked_s:.0f}s" if one.state == "NAKED" else one.state
    loss = f", loses {one.loss_at_stop:,.2f} there" if one.loss_at_stop == one.loss_at_stop else ""
    who = f"{one.symbol} {one.side} {one.quantity}"
    text = f"{one.text}{loss} ({one.owner or 'nobody'})"
    room = max(0, width - 15 - len(who) - len(state) - 4)
    style = _STATES.get(one.state, "warn")
    return ((_lead(""), "text"), (f"{who}  ", "strong"), (f"{state}  ", style), (text[:room], "dim"))


def _order(one: OrderRow) -> Line:
    return ((_lead(""), "text"), (left(one.purpose, 9), "key"), (order_text(one), "dim"))


def order_text(order: OrderRow) -> str:
    """Return an order in one line: contract, side, quantity, kind, price, status."""
    price = "market" if order.price != order.price else numbers.price(order.price, order.decimals)
    return f"{order.symbol} {order.side} {order.quantity:g} {order.kind} {price} {order.status}"


def _lead(name: str) -> str:
    return left(" " + name, 14)


def _note(text: str, width: int) -> list[Line]:
    return [((_lead(""), "text"), *part) for part in wrapped(text, width - 15, "warn")]
