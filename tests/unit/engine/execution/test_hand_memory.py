"""What is remembered over a restart: an intent may have left unless the journal says otherwise."""

from decimal import Decimal

from engine.execution.intents import Intent, Purpose
from engine.execution.levels import StopLevel
from engine.execution.memory import HandMemory
from engine.execution.order_states import Stage
from engine.execution.plans import Owner, Plan
from engine.journal.record import ChangeRecord, IntentRecord, OrderRecord, PlanRecord
from exchange.orders import Side

INTENT = Intent(
    intent_id="s1-1", client_id="pd-s1-e1", purpose=Purpose.ENTRY, symbol="BTCUSDT", position_side="BOTH",
    side=Side.BUY, kind="MARKET", created_ms=5, quantity=Decimal("0.01"),
)  # fmt: skip
PLAN = Plan(
    trade_id="Ts1-1", symbol="BTCUSDT", side="BOTH", sign=1, owner=Owner.DESK, stop=Decimal(79_000), target=None,
    opened_ms=5,
)  # fmt: skip


def order(news, stage):
    return OrderRecord(7, "s1-1", client_id="pd-s1-e1", news=news, stage=stage)


def folded(*records):
    memory = HandMemory()
    for record in records:
        memory.take(record)
    return memory


def test_an_intent_alone_may_have_left():
    memory = folded(IntentRecord(6, "s1-1", intent=INTENT))
    ((intent, state),) = memory.orders
    assert intent == INTENT
    assert state.stage is Stage.UNKNOWN
    assert memory.epochs == {"s1"}


def test_a_sending_without_an_outcome_may_have_arrived():
    memory = folded(IntentRecord(6, "s1-1", intent=INTENT), order("send", "sent"))
    ((_, state),) = memory.orders
    assert state.stage is Stage.UNKNOWN
    assert state.sent_ms == 7


def test_what_ended_is_not_remembered_and_what_was_refused_may_be_sent_again():
    assert not folded(IntentRecord(6, "s1-1", intent=INTENT), order("FILLED", "filled")).orders
    refused = [IntentRecord(6, "s1-1", intent=INTENT), order("send", "sent"), order("refuse", "refused")]
    assert not folded(*refused).orders
    ((_, state),) = folded(*refused, order("send", "sent")).orders
    assert state.stage is Stage.UNKNOWN


def test_plans_stand_until_they_end():
    made = PlanRecord(6, "Ts1-1", plan=PLAN, event="made")
    assert folded(made).plans == [PLAN]
    assert folded(made, PlanRecord(9, "Ts1-1", plan=PLAN, event="ended")).plans == []


def test_the_stop_level_is_the_last_one_set_and_a_strange_one_pauses():
    change = ChangeRecord(1, what="level", name="stop level", old="RUN", new="CANCEL", by="x")
    assert folded(change).level is StopLevel.CANCEL
    strange = ChangeRecord(1, what="level", name="stop level", old="RUN", new="NOBODY", by="x")
    assert folded(strange).level is StopLevel.PAUSE
