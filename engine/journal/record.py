"""What the journal keeps: one tagged union, told in the past tense.

`time` is UTC milliseconds of the desk clock. `ref` is the id of the object a record is about, `cause` the id of what
led to it; following both answers "why". Fields may be added with defaults; none may change its meaning.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from engine.commands import Command
from engine.events import Event
from engine.execution.intents import Intent
from engine.execution.plans import Plan
from engine.positions.lifecycle import PositionEvent
from engine.signals.gate_log import GateRow
from engine.snapshot import CycleView, LeverageRow
from engine.strategy.candidate import Candidate


class Kind(StrEnum):
    """The families of records; the values are the tags in the log."""

    SIGNAL = "signal"
    DECISION = "decision"
    POSITION = "position"
    EVENT = "event"
    COMMAND = "command"
    CYCLE = "cycle"
    CHANGE = "change"
    SESSION = "session"
    INTENT = "intent"
    ORDER = "order"
    PLAN = "plan"
    FILL = "fill"


class About(msgspec.Struct, frozen=True, tag_field="kind"):
    """What every record carries."""

    time: int
    ref: str = ""
    cause: str = ""


class SignalRecord(About, frozen=True, tag="signal", kw_only=True):
    """A signal, whatever became of it. `ref` is its id."""

    candidate: Candidate
    state: str
    """`accepted`, `candidate` or the gate's verdict as the screen shows it."""
    reason: str = ""
    rank: int = 0
    """Rank among the cycle's signals, 0 where none."""
    cycle: int = 0
    quality: float | None = None
    win_probability: float | None = None
    expected_r: float | None = None
    dimensions: tuple[tuple[str, float, bool], ...] = ()
    """(quality dimension, value, passed)."""
    gate: str = ""
    """What kept it from being accepted (`engine.signals.gates`), empty for an accepted one."""
    distance: float = 0.0
    """By how much, in the gate's unit."""
    limits: tuple[str, ...] = ()
    """Per quality dimension the measured value beside its limit."""
    misses: tuple[tuple[str, float], ...] = ()
    """(quality dimension, distance) of every limit that was missed."""
    win_source: str = ""
    """Who knew the probability of winning."""
    costs_r: float | None = None
    mode: str = ""
    """The acting strategy of the cycle."""


class DecisionRecord(About, frozen=True, tag="decision", kw_only=True):
    """A leverage and size decision with every input, cap and the binding one. `cause` is the signal."""

    decision: LeverageRow


class PositionRecord(About, frozen=True, tag="position", kw_only=True):
    """One life-cycle event. `ref` is the position, `cause` the signal; folding them rebuilds the position."""

    event: PositionEvent


class EventRecord(About, frozen=True, tag="event", kw_only=True):
    """One line of the event log."""

    event: Event


class CommandRecord(About, frozen=True, tag="command", kw_only=True):
    """What an operator asked and what came of it: who, when, the value before and after."""

    by: str
    command: Command
    outcome: str
    """`done` or `refused`."""
    old: str = ""
    new: str = ""
    text: str = ""


class CycleRecord(About, frozen=True, tag="cycle", kw_only=True):
    """The summary of one live cycle. `ref` is `cycle-N`."""

    cycle: CycleView
    whole: bool = False
    """Whether `gates` holds every symbol; else what changed since the cycle before."""
    gates: tuple[GateRow, ...] = ()
    """What stopped the symbols, see `engine.signals.gate_log`."""


class ChangeRecord(About, frozen=True, tag="change", kw_only=True):
    """A mode, flag, setting, model or protection state that changed."""

    what: str
    """`mode`, `flag`, `setting`, `model`, `protection`, `breaker` or `venue`."""
    name: str
    old: str
    new: str
    by: str
    takes: str = "now"


class SessionRecord(About, frozen=True, tag="session", kw_only=True):
    """A start or stop of the desk. `ref` is the session."""

    event: str
    """`start` or `stop`."""
    version: str = ""
    exchange: str = ""
    settings_hash: str = ""
    seed: int | None = None
    exit_code: int | None = None
    reason: str = ""


class IntentRecord(About, frozen=True, tag="intent", kw_only=True):
    """Something is to be done at the exchange. Durable before its first byte leaves; `cause` is the trade."""

    intent: Intent


class OrderRecord(About, frozen=True, tag="order", kw_only=True):
    """What became of an intent. `ref` is the intent."""

    client_id: str
    news: str
    """What was heard, see `engine.execution.order_states`."""
    stage: str
    """Where the order stands since."""
    order_id: int = 0
    filled: Decimal = Decimal(0)
    text: str = ""


class PlanRecord(About, frozen=True, tag="plan", kw_only=True):
    """What is wanted of a live position, at its beginning, at each change and at its end. `ref` is the trade."""

    plan: Plan
    event: str
    """`made`, `adopted`, `moved`, `ended` or `dropped`."""
    by: str = ""
    text: str = ""


class FillRecord(About, frozen=True, tag="fill", kw_only=True):
    """One execution at the exchange. `ref` is the trade where one is known, `cause` the intent."""

    symbol: str
    position_side: str
    side: str
    order_id: int
    trade_id: int
    quantity: Decimal
    price: Decimal
    realised: Decimal
    commission: Decimal
    commission_asset: str
    client_id: str
    maker: bool = False


Record = (
    SignalRecord
    | DecisionRecord
    | PositionRecord
    | EventRecord
    | CommandRecord
    | CycleRecord
    | ChangeRecord
    | SessionRecord
    | IntentRecord
    | OrderRecord
    | PlanRecord
    | FillRecord
)


def kind_of(record: Record) -> Kind:
    """Return the family of a record."""
    return Kind(str(type(record).__struct_config__.tag))
