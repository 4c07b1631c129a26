"""Tells what happened: to the journal, to the event log of the screens, or to both.

Looks without news (`price_updated`) are not stored: the next observation replaces them. New extremes are stored once
per flush and position, the newest only; they go out before any other event of their position, so that the stored events
fold in order. A funding payment travels on a `price_updated` and is money, so it is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.events import EventKind, Severity
from engine.execution.life_terms import has_target
from engine.journal.record import ChangeRecord, CommandRecord, PositionRecord
from engine.positions.lifecycle import EventName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from engine.commands import Command
    from engine.journal.journal import Journal
    from engine.journal.record import Record
    from engine.port import LocalPort
    from engine.positions.lifecycle import PositionEvent
    from exchange.ports import Clock

EXTREMES = frozenset({EventName.MAX_PNL_UPDATED, EventName.MIN_PNL_UPDATED})

LINES = {
    EventName.TP_APPROACHING: (Severity.INFO, "is near its target"),
    EventName.SL_APPROACHING: (Severity.INFO, "is near its stop"),
    EventName.TP_TRIGGERED: (Severity.NOTICE, "reached its target"),
    EventName.SL_TRIGGERED: (Severity.NOTICE, "reached its stop"),
    EventName.EXPIRED: (Severity.NOTICE, "expired"),
    EventName.MANUAL_CLOSE: (Severity.NOTICE, "was closed"),
}


class Chronicle:
    """The one place that writes records and event lines."""

    def __init__(self, clock: Clock, port: LocalPort, journal: Journal) -> None:
        self._clock = clock
        self._port = port
        self.journal = journal
        self._extremes: dict[str, PositionEvent] = {}
        self._signals: dict[str, str] = {}
        self.on_position: Callable[[PositionEvent], None] | None = None
        """Hears every life-cycle event after it was stored, also those that are not."""

    def record(self, record: Record) -> None:
        """Store a record; never waits."""
        self.journal.write(record)

    def say(
        self, kind: EventKind, text: str, severity: Severity = Severity.INFO, symbol: str = "", ref: str = ""
    ) -> None:
        """Append a line to the event log."""
        self._port.emit(self._clock.now_ms(), kind, severity, text, symbol, ref)

    def know(self, position_id: str, signal_id: str) -> None:
        """Remember which signal a restored position came from."""
        self._signals[position_id] = signal_id

    def positions(self, events: Iterable[PositionEvent]) -> None:
        """Store and tell life-cycle events, in the order in which the book emitted them."""
        for event in events:
            if event.event in EXTREMES:
                self._extremes[event.position_id] = event
            elif event.event is not EventName.PRICE_UPDATED or event.reason:
                self._store_extreme(event.position_id)
                self._store(event)
                self._tell(event)
            if self.on_position is not None:
                self.on_position(event)

    def flush(self) -> None:
        """Store the newest extreme of every position that had one since the last flush."""
        for position_id in list(self._extremes):
            self._store_extreme(position_id)

    def command(self, command: Command, by: str, outcome: str, text: str, old: str = "", new: str = "") -> None:
        """Store and tell what an operator asked and what came of it."""
        now = self._clock.now_ms()
        self.record(CommandRecord(now, by=by, command=command, outcome=outcome, old=old, new=new, text=text))
        severity = Severity.NOTICE if outcome == "done" else Severity.WARNING
        self.say(EventKind.COMMAND, f"{text} ({by})" if outcome == "done" else f"refused: {text} ({by})", severity)

    def change(self, what: str, name: str, old: str, new: str, by: str, takes: str = "now") -> None:
        """Store a changed mode, flag or protection state."""
        self.record(ChangeRecord(self._clock.now_ms(), what=what, name=name, old=old, new=new, by=by, takes=takes))

    def _store_extreme(self, position_id: str) -> None:
        extreme = self._extremes.pop(position_id, None)
        if extreme is not None:
            self._store(extreme)

    def _store(self, event: PositionEvent) -> None:
        if event.terms is not None:
            self._signals[event.position_id] = event.terms.signal_id
        cause = self._signals.get(event.position_id, "")
        if event.event is EventName.CLOSED:
            self._signals.pop(event.position_id, None)
        self.record(PositionRecord(event.time, event.position_id, cause, event=event))

    def _tell(self, event: PositionEvent) -> None:
        who = f"{event.position_id} {event.symbol} ({event.strategy})"
        if event.event is EventName.CREATED and event.terms is not None:
            terms = event.terms
            places = terms.decimals
            target = f"target {terms.target:.{places}f}" if has_target(terms) else "no target"
            text = (
                f"{who} {terms.direction.value} opened at {terms.entry:.{places}f}, stop {terms.stop:.{places}f}, "
                f"{target}, {terms.leverage:.1f}x"
            )
            self._say_position(Severity.INFO, text, event)
        elif event.event in LINES:
            severity, words = LINES[event.event]
            reason = f": {event.reason}" if event.reason else ""
            self._say_position(severity, f"{who} {words}, {event.pnl_r:+.2f} R{reason}", event)
        elif event.event is EventName.PRICE_UPDATED:
            self._say_position(Severity.INFO, f"{who} {event.reason}", event)

    def _say_position(self, severity: Severity, text: str, event: PositionEvent) -> None:
        self._port.emit(event.time, EventKind.POSITION, severity, text, event.symbol, event.position_id)
