"""One plain line and the index keys of a record."""

from __future__ import annotations

from typing import NamedTuple

from engine.journal.record import (
    ChangeRecord,
    CommandRecord,
    CycleRecord,
    DecisionRecord,
    EventRecord,
    FillRecord,
    IntentRecord,
    OrderRecord,
    PlanRecord,
    PositionRecord,
    Record,
    SessionRecord,
    SignalRecord,
)


class Line(NamedTuple):
    """What the view keeps beside the record itself."""

    symbol: str
    strategy: str
    name: str
    """What happened, in the words of the kind: event name, state, command."""
    text: str


def describe(record: Record) -> Line:  # noqa: PLR0911 - one answer per kind of a closed union
    """Return the line of a record."""
    match record:
        case SignalRecord():
            one = record.candidate
            text = (
                f"{one.direction.value} {one.pattern} entry {one.entry:g} stop {one.stop:g} "
                f"target {one.targets[0] if one.targets else 0:g} confidence {one.confidence:.2f} {record.reason}"
            )
            return Line(one.symbol, str(one.strategy), record.state, text.rstrip())
        case DecisionRecord():
            row = record.decision
            text = f"{row.direction} leverage {row.leverage:g} ({row.binding}), risk {row.risk_percent:.2f} %"
            return Line(row.symbol, row.strategy, row.outcome, text)
        case PositionRecord():
            life = record.event
            text = f"price {life.price:g} pnl {life.pnl_percent:+.2f} % {life.pnl_r:+.2f} R {life.reason}"
            return Line(life.symbol, life.strategy, life.event.value, text.rstrip())
        case EventRecord():
            return Line(record.event.symbol, "", record.event.kind.value, record.event.text)
        case CommandRecord():
            name = str(type(record.command).__struct_config__.tag)
            change = f"{record.old} -> {record.new} " if record.old or record.new else ""
            return Line("", "", name, f"{record.by}: {record.outcome} {change}{record.text}".rstrip())
        case CycleRecord():
            cycle = record.cycle
            text = f"{cycle.ready} of {cycle.universe} ready, {cycle.accepted} accepted, {cycle.duration_ms:.0f} ms"
            return Line("", "", str(cycle.number), text)
        case ChangeRecord():
            text = f"{record.name}: {record.old} -> {record.new} by {record.by} ({record.takes})"
            return Line("", "", record.what, text)
        case SessionRecord():
            text = f"{record.version} on {record.exchange} {record.reason}"
            return Line("", "", record.event, text.strip())
        case IntentRecord() | OrderRecord() | PlanRecord() | FillRecord():
            return _of_orders(record)


def _of_orders(record: IntentRecord | OrderRecord | PlanRecord | FillRecord) -> Line:
    match record:
        case IntentRecord():
            wish = record.intent
            size = "the whole position" if wish.quantity is None else f"{wish.quantity:f}"
            price = "" if wish.price is None else f" at {wish.price:f}"
            text = f"{wish.side} {size} {wish.kind}{price} {wish.position_side} {wish.reason}"
            return Line(wish.symbol, "", wish.purpose.word, text.rstrip())
        case OrderRecord():
            filled = f" filled {record.filled:f}" if record.filled else ""
            text = f"{record.client_id} {record.news}: {record.stage}{filled} {record.text}"
            return Line("", "", record.stage, text.rstrip())
        case PlanRecord():
            plan = record.plan
            text = f"{plan.side} stop {plan.stop} target {plan.target} {record.by} {record.text}"
            return Line(plan.symbol, plan.strategy, record.event, text.rstrip())
        case FillRecord():
            fee = f"fee {record.commission:f} {record.commission_asset}"
            text = f"{record.side} {record.quantity:f} at {record.price:f}, realised {record.realised:f}, {fee}"
            return Line(record.symbol, "", record.position_side, text)
