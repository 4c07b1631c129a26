"""One plain line and the index keys of a record."""

from __future__ import annotations

from typing import NamedTuple

from engine.journal.record import (
    ChangeRecord,
    CommandRecord,
    CycleRecord,
    DecisionRecord,
    EventRecord,
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
