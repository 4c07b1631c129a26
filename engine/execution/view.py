"""The picture of live orders for the screens."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from engine.execution.coverage import STOPS, TARGETS
from engine.execution.guard import Watch
from engine.execution.intents import read_client_id
from engine.snapshot import ArmingView, CoverageRow, HandView, LedgerView, OrderRow

if TYPE_CHECKING:
    from engine.execution.book import BookAlgo, BookOrder, BookPosition
    from engine.execution.hand import Hand

NAN = float("nan")
TAKER = Decimal("0.0005")
"""Fee share a stop is assumed to cost."""


def hand_view(
    hand: Hand,
    arming: ArmingView,
    ledger: LedgerView | None,
    reserved: tuple[tuple[str, float, float], ...],
    entries_off: str,
) -> HandView:
    """Return the picture at this instant."""
    now = hand.state.clock.monotonic()
    coverage = tuple(coverage_row(hand, position, now) for position in hand.state.book.positions.values())
    naked = [row.naked_s for row in coverage if row.state == "NAKED"]
    unknown = hand.sender.unknown
    sent = min((one.state.sent_ms for one in unknown), default=0)
    venue_ms = hand.state.access.client.venue_ms()
    silent = hand.stream.stats().silent_s
    return HandView(
        level=hand.level.name,
        step=hand.step.value,
        ready=hand.is_ready,
        entries_off=entries_off,
        arming=arming,
        coverage=coverage,
        orders=orders_of(hand),
        naked=len(naked),
        naked_now_s=max(naked, default=0.0),
        naked_max_s=hand.keeper.naked_max_s,
        unknown=len(unknown),
        unknown_oldest_s=max(0.0, (venue_ms - sent) / 1000) if unknown else 0.0,
        reconciled_ms=hand.reconciler.read_ms,
        differences=hand.reconciler.differences,
        stream_alive=hand.stream.is_alive,
        stream_heard_ms=hand.state.clock.now_ms() - round(silent * 1000) if silent is not None else 0,
        ledger=ledger,
        reserved=reserved,
        violations=tuple(hand.violations),
    )


def coverage_row(hand: Hand, position: BookPosition, now: float) -> CoverageRow:
    """Return an open position with what protects it; `now` in desk seconds."""
    keeper, key = hand.keeper, position.key
    found = keeper.coverage(position)
    watch = keeper.watches.get(key, Watch(now))
    plan = hand.state.plans.get(key)
    naked = 0.0 if found.is_protected else max(0.0, now - (watch.naked_since if watch.naked_since is not None else now))
    stop = float(found.stops[0].trigger) if found.stops else NAN
    target = float(found.targets[0].trigger) if found.targets else NAN
    if watch.close_reason:
        state, text = "closing", watch.close_reason
    elif found.is_protected:
        kind = "closes the position" if found.stops and found.stops[0].close_position else f"covers {found.covered:f}"
        state, text = "protected", f"stop at {found.stops[0].trigger:f} {kind}" if found.stops else "protected"
    elif found.triggering:
        state, text = "NAKED", "its stop is triggering"
    else:
        state, text = "NAKED", f"{watch.tried} stops tried; it is closed when none can be placed"
    loss = NAN
    if found.stops:
        trigger, size = found.stops[0].trigger, abs(position.quantity)
        fees = (position.entry + trigger) * size * TAKER
        loss = float(position.sign * (position.entry - trigger) * size + fees)
    return CoverageRow(
        symbol=key.symbol,
        side=key.side,
        quantity=f"{position.quantity:f}",
        state=state,
        text=text,
        stop=stop,
        target=target,
        naked_s=naked,
        owner="" if plan is None else (plan.strategy or plan.owner.value),
        trade_id="" if plan is None else plan.trade_id,
        loss_at_stop=loss,
    )


def orders_of(hand: Hand) -> tuple[OrderRow, ...]:
    """Return the open orders, plain ones first, by symbol."""
    book = hand.state.book
    plain = [_plain(hand, one) for one in book.orders.values()]
    conditional = [_conditional(hand, one) for one in book.algos.values()]
    return (*sorted(plain, key=lambda row: row.symbol), *sorted(conditional, key=lambda row: row.symbol))


def _decimals(hand: Hand, symbol: str) -> int:
    instrument = hand.state.instrument(symbol)
    return 8 if instrument is None else instrument.decimals


def _plain(hand: Hand, one: BookOrder) -> OrderRow:
    name = read_client_id(one.client_id)
    price = float(one.price) if one.price else NAN
    return OrderRow(
        one.symbol, one.order_id, one.client_id, conditional=False, side=one.side, kind=one.kind,
        purpose=name.purpose.word if name is not None else "foreign", status=one.status,
        quantity=float(one.quantity), filled=float(one.filled), price=price,
        decimals=_decimals(hand, one.symbol), updated_ms=one.updated_ms,
    )  # fmt: skip


def _conditional(hand: Hand, one: BookAlgo) -> OrderRow:
    name = read_client_id(one.client_id)
    word = "stop" if one.kind in STOPS else "target" if one.kind in TARGETS else "foreign"
    quantity = float(one.quantity)
    if one.close_position:
        held = [p for key, p in hand.state.book.positions.items() if key == (one.symbol, one.position_side)]
        quantity = float(abs(held[0].quantity)) if held else 0.0
    return OrderRow(
        one.symbol, one.algo_id, one.client_id, conditional=True, side=one.side, kind=one.kind,
        purpose=name.purpose.word if name is not None else f"foreign {word}", status=one.status,
        quantity=quantity, filled=0.0, price=float(one.trigger) if one.trigger else NAN,
        decimals=_decimals(hand, one.symbol), updated_ms=one.updated_ms,
    )  # fmt: skip
