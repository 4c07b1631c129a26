"""The lives of live positions at the simulated exchange: whatever closes one, it brought what the wallet moved by."""

import asyncio
from decimal import Decimal

import pytest
from hand_world import at_exchange, kill, ready, wanted

from engine.execution.fills import EXPIRED
from engine.execution.intents import PositionKey
from engine.execution.life import UNTOLD, LiveBook
from engine.execution.lives import Lives
from engine.execution.plans import Plan
from engine.journal.log import replay
from engine.journal.record import FillRecord
from engine.positions.lifecycle import EventName, fold
from exchange.account_events import TradeId

D = Decimal
KEY = PositionKey("BTCUSDT", "BOTH")


class Told:
    """A hand's lives with everything they told."""

    def __init__(self, world, hand, before=()):
        self.events, self.ended = list(before), []
        book = LiveBook(D("0.03"))
        self.late = book.restore(before, world.clock.now_ms())
        self.lives = Lives(hand, book, self.events.extend, self.ended.append)
        hand.on_event = self.lives.hear
        self.task = asyncio.create_task(self._compare(world))

    async def _compare(self, world):
        while True:
            self.lives.compare()
            await world.clock.sleep(1)

    @property
    def names(self):
        return [
            event.event.value for event in self.events if event.reason or event.event is not EventName.PRICE_UPDATED
        ]

    @property
    def last(self):
        return self.events[-1]


async def opened(world, **more):
    hand = world.hand()
    told = Told(world, hand)
    running = await ready(world, hand)
    before = world.exchange.venue.house.account.wallet
    plan = await hand.enter(wanted(**more))
    assert isinstance(plan, Plan)
    await world.clock.sleep(3)
    return hand, told, running, before


def brought(world, before):
    """What the wallet moved by."""
    return world.exchange.venue.house.account.wallet - before


def check(world, told, before, cause, words=""):
    closed = told.last
    assert closed.event is EventName.CLOSED
    assert closed.net == brought(world, before)
    assert [one.net for one in told.ended] == [closed.net]
    state = fold([event for event in told.events if event.position_id == closed.position_id])
    assert state.cause is cause
    assert words in state.reason


def test_a_filled_stop_ends_a_life_as_sl_triggered():
    async def script(world):
        _, told, _, before = await opened(world)
        world.price(78_990.0, 78_990.2)
        await world.clock.sleep(10)
        assert told.names[0] == "created"
        assert told.events[0].position_id == "L000001"
        check(world, told, before, EventName.SL_TRIGGERED)
        assert told.ended[0].trade.r < -1

    at_exchange(script)


def test_a_filled_target_ends_a_life_as_tp_triggered():
    async def script(world):
        _, told, _, before = await opened(world)
        world.price(82_010.0, 82_010.2)
        await world.clock.sleep(10)
        check(world, told, before, EventName.TP_TRIGGERED)
        assert told.ended[0].trade.r > 1

    at_exchange(script)


def test_the_operator_closes_and_the_reason_is_kept():
    async def script(world):
        hand, told, _, before = await opened(world)
        hand.close(KEY, "closed by ann")
        await world.clock.sleep(10)
        check(world, told, before, EventName.MANUAL_CLOSE, "closed by ann")

    at_exchange(script)


def test_a_position_held_for_its_longest_time_ends_as_expired():
    async def script(world):
        _, told, _, before = await opened(world, expires_ms=world.clock.now_ms() + 30_000)
        await world.clock.sleep(40)
        check(world, told, before, EventName.EXPIRED, EXPIRED)

    at_exchange(script)


def test_another_hand_closes_in_two_parts():
    async def script(world):
        _, told, _, before = await opened(world)
        for _ in range(2):
            world.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.005")
            await world.clock.sleep(2)
        check(world, told, before, EventName.MANUAL_CLOSE, "did not send")
        assert any("0.005 closed" in event.reason for event in told.events)

    at_exchange(script)


def test_a_liquidation_ends_a_life_without_its_fee_which_the_exchange_books_apart():
    async def script(world):
        _, told, _, before = await opened(world)
        world.act("liquidate", symbol="BTCUSDT")
        await world.clock.sleep(10)
        rows = world.exchange.venue.house.account.income.rows(world.exchange.now_ms, start_ms=0)
        fee = sum(row.amount for row in rows if row.kind == "INSURANCE_CLEAR")
        assert told.last.net == brought(world, before) - fee
        assert told.last.reason == "liquidation"

    at_exchange(script)


def test_funding_is_part_of_the_result():
    async def script(world):
        hand, told, _, before = await opened(world)
        world.exchange.venue.house.account.special_funding(0, D("0.001"), world.exchange.now_ms)
        world.front.wake()
        await world.clock.sleep(2)
        paid = told.lives.book.state(KEY).funding
        assert paid < 0
        hand.close(KEY, "enough")
        await world.clock.sleep(5)
        check(world, told, before, EventName.MANUAL_CLOSE, "enough")
        assert told.last.funding == paid

    at_exchange(script)


def test_fills_the_stream_never_told_come_from_the_trade_list():
    async def script(world):
        _, told, _, before = await opened(world)
        world.faults({"kind": "lost_frame", "route": "private", "rate": 1.0})
        world.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.010")
        await world.clock.sleep(200)
        check(world, told, before, EventName.MANUAL_CLOSE)
        assert UNTOLD not in told.last.reason

    at_exchange(script)


def test_a_desk_that_was_dead_while_its_stop_filled_tells_the_true_result():
    async def script(world):
        hand, told, running, before = await opened(world)
        told.task.cancel()
        await kill(world, running)
        world.price(78_990.0, 78_990.2)
        await world.clock.sleep(60)
        hand = world.hand()
        again = Told(world, hand, before=told.events)
        again.lives.book.know(seen_of(world))
        await ready(world, hand)
        await world.clock.sleep(120)
        check(world, again, before, EventName.SL_TRIGGERED)

    at_exchange(script)


def seen_of(world):
    """The fills the journal holds."""

    rows = [entry.record for entry in replay(world.disk) if isinstance(entry.record, FillRecord)]
    return [TradeId(row.symbol, row.trade_id, row.order_id) for row in rows]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_position_found_at_the_start_is_adopted_as_an_estimate(sign):
    async def script(world):
        side = "BUY" if sign > 0 else "SELL"
        world.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side=side, type="MARKET", quantity="0.010")
        hand = world.hand()
        told = Told(world, hand)
        await ready(world, hand)
        await world.clock.sleep(60)
        assert told.names[0] == "created"
        assert told.events[0].strategy == "adopted"
        assert told.lives.book.open_quantity(KEY) == sign * D("0.010")
        assert world.exchange.venue.house.account.wallet < 10_000
        hand.close(KEY, "not wanted")
        await world.clock.sleep(10)
        assert told.last.event is EventName.CLOSED
        assert [one.adopted for one in told.ended] == [True]

    at_exchange(script)
