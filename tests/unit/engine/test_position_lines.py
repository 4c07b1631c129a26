"""What the event log says of a position that begins: its levels, and none that nobody named."""

from decimal import Decimal

import pytest

from engine.chronicle import Chronicle
from engine.execution.fills import Cause, Fill
from engine.execution.intents import PositionKey
from engine.execution.life import LiveBook
from engine.execution.plans import Owner, Plan
from engine.port import LocalPort
from engine.positions.lifecycle import EventName
from exchange.account_events import TradeId

KEY = PositionKey("BTCUSDT", "BOTH")
NOW = 1_700_000_000_000


class Nothing:
    """A clock that stands, a journal that forgets."""

    def now_ms(self):
        return NOW

    def write(self, record):
        del record


def line(sign, plan=None):
    fill = Fill(
        trade=TradeId("BTCUSDT", 1, 1), key=KEY, sign=sign, quantity=Decimal(2), price=Decimal(100),
        realised=Decimal(0), fee=Decimal("0.1"), at_ms=NOW, cause=Cause(EventName.SL_TRIGGERED),
    )  # fmt: skip
    port = LocalPort()
    Chronicle(Nothing(), port, Nothing()).positions(LiveBook(Decimal("0.03")).fill(fill, plan, 2, NOW))
    return port.events(0).events[0].text


@pytest.mark.parametrize("sign", [1, -1])
def test_an_adopted_position_is_told_without_a_target(sign):
    assert "no target" in line(sign)


def test_a_planned_target_is_told():
    plan = Plan(
        trade_id="T1", symbol="BTCUSDT", side="BOTH", sign=1, owner=Owner.DESK, opened_ms=NOW, stop=Decimal(98),
        target=Decimal(104), leverage=10, strategy="ict",
    )  # fmt: skip
    assert "stop 98.00, target 104.00" in line(1, plan)
