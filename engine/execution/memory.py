"""What live orders remember over a restart: plans that stand, orders that had not ended, lives, the stop level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from engine.execution.intents import Intent, read_client_id
from engine.execution.levels import StopLevel
from engine.execution.order_states import OrderState, Stage
from engine.execution.plans import Plan
from engine.journal.record import (
    ChangeRecord,
    FillRecord,
    IntentRecord,
    OrderRecord,
    PlanRecord,
    PositionRecord,
)
from engine.positions.lifecycle import PositionEvent, is_live
from exchange.account_events import TradeId

if TYPE_CHECKING:
    from engine.journal.record import Record

_MAY_HAVE_LEFT = frozenset({Stage.PLANNED.value, Stage.SENT.value})


class HandMemory(msgspec.Struct):
    """Folded from the journal, record by record."""

    level: StopLevel = StopLevel.RUN
    epochs: set[str] = msgspec.field(default_factory=set)
    """Sessions whose client ids are ours."""
    lives: list[PositionEvent] = msgspec.field(default_factory=list)
    """Events of live positions."""
    fills: dict[TradeId, None] = msgspec.field(default_factory=dict)
    """Fills that were heard of, the newest last."""
    _plans: dict[str, Plan] = msgspec.field(default_factory=dict)
    _orders: dict[str, tuple[Intent, OrderState]] = msgspec.field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Take the next record of the journal."""
        if isinstance(record, IntentRecord):
            intent = record.intent
            name = read_client_id(intent.client_id)
            if name is not None:
                self.epochs.add(name.epoch)
            # Whether a byte left after this record is not known: until something says otherwise, it may have.
            self._orders[intent.intent_id] = (intent, OrderState(stage=Stage.UNKNOWN, sent_ms=record.time))
        elif isinstance(record, OrderRecord):
            self._take_order(record)
        elif isinstance(record, PlanRecord):
            if record.event in ("ended", "dropped"):
                self._plans.pop(record.ref, None)
            else:
                self._plans[record.ref] = record.plan
        elif isinstance(record, PositionRecord):
            if is_live(record.ref):
                self.lives.append(record.event)
        elif isinstance(record, FillRecord):
            self.fills[TradeId(record.symbol, record.trade_id, record.order_id)] = None
        elif isinstance(record, ChangeRecord) and record.what == "level":
            self.level = StopLevel[record.new] if record.new in StopLevel.__members__ else StopLevel.PAUSE

    def _take_order(self, record: OrderRecord) -> None:
        known = self._orders.get(record.ref)
        if known is None:
            return
        intent, state = known
        stage = Stage.UNKNOWN if record.stage in _MAY_HAVE_LEFT else Stage(record.stage)
        if stage in (Stage.FILLED, Stage.ENDED, Stage.DEAD):
            del self._orders[record.ref]
            return
        sent_ms = record.time if record.news == "send" else state.sent_ms
        self._orders[record.ref] = (
            intent,
            OrderState(stage, record.order_id, 0, record.filled, 1, sent_ms, record.time, record.text),
        )

    @property
    def plans(self) -> list[Plan]:
        """Return the plans that stand."""
        return list(self._plans.values())

    @property
    def orders(self) -> list[tuple[Intent, OrderState]]:
        """Return the orders that had not ended, as far as the journal says."""
        return [(intent, state) for intent, state in self._orders.values() if not state.is_final]
