"""What a desk remembers over a restart: the virtual book, the signals it has journaled, the account protection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.events import EventKind, Severity
from engine.execution.memory import HandMemory
from engine.journal.log import replay
from engine.journal.record import ChangeRecord, DecisionRecord, PositionRecord, SignalRecord
from engine.positions.lifecycle import EventName, LifecycleError, PositionEvent, is_live
from engine.risk import protection
from engine.risk.paper import PaperAccount, intent_of
from engine.risk.protection import ProtectionError

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.ports import Disk

SIGNAL_MEMORY_MS = 2 * 86_400_000
"""Set-ups live for hours; ids older than this cannot come back."""


class Remembered(msgspec.Struct):
    """The journal's words, as far as the desk needs them."""

    positions: list[PositionEvent]
    signals: list[tuple[str, str]]
    """(signal id, state) of what has been journaled and may come back, oldest first."""
    entered: list[str]
    """Signals that opened a position."""
    last_ms: int
    """Time of the newest record, 0 for an empty journal."""
    protection: dict[str, str] = msgspec.field(default_factory=dict)
    """The saved protection of an account and of paper trading, by name."""
    paper: PaperAccount = msgspec.field(default_factory=PaperAccount)
    hand: HandMemory = msgspec.field(default_factory=HandMemory)
    """Plans and orders of live trading."""


def recall(disk: Disk) -> Remembered:
    """Read the journal. Raises DiskError and JournalFormatError."""
    memory = Remembered([], [], [], 0)
    signals: list[tuple[int, str, str]] = []
    for entry in replay(disk):
        record = entry.record
        memory.last_ms = max(memory.last_ms, record.time)
        memory.hand.take(record)
        if isinstance(record, PositionRecord) and not is_live(record.ref):
            memory.positions.append(record.event)
            memory.paper.take(record.event)
            if record.event.event is EventName.CREATED and record.cause:
                memory.entered.append(record.cause)
        elif isinstance(record, SignalRecord):
            signals.append((record.time, record.ref, record.state))
        elif isinstance(record, ChangeRecord) and record.what == "protection" and record.name != "level":
            memory.protection[record.name] = record.new
        elif isinstance(record, DecisionRecord):
            intent = intent_of(record.decision)
            if intent is not None:
                memory.paper.intend(intent)
    oldest = memory.last_ms - SIGNAL_MEMORY_MS
    memory.signals = [(ref, state) for time, ref, state in signals if time >= oldest]
    return memory


def restore(desk: Desk, memory: Remembered) -> None:
    """Continue where the journal ends. Positions wait for their symbol's column until the universe is known."""
    now = desk.clock.now_ms()
    for ref, state in memory.signals:
        desk.live.remember(ref, state)
    for ref in memory.entered:
        desk.virtual.note_done(ref)
    desk.live.entries.account.paper = memory.paper
    saved = memory.protection.get(protection.OF_ACCOUNT if desk.has_key else protection.OF_PAPER)
    if saved:
        try:
            desk.take_protection(protection.load(saved.encode()))
        except ProtectionError as error:
            desk.chronicle.say(EventKind.RISK, f"the account protection starts anew: {error}", Severity.ALERT)
    try:
        late = desk.book.restore(memory.positions, now)
    except LifecycleError as error:
        desk.chronicle.say(EventKind.SYSTEM, f"the virtual book starts empty: {error}", Severity.ALERT)
        desk.live.entries.account.paper = PaperAccount()
        return
    for event in memory.positions:
        if event.terms is not None and desk.book.state(event.position_id) is not None:
            desk.chronicle.know(event.position_id, event.terms.signal_id)
    desk.chronicle.positions(late)
    desk.virtual.wait_for(memory.last_ms)
    if memory.positions:
        closed = sum(event.event is EventName.CLOSED for event in memory.positions) + len(late)
        desk.chronicle.say(
            EventKind.SYSTEM,
            f"the virtual book continues: {len(desk.book)} positions open, {closed} closed before",
            Severity.NOTICE,
        )
