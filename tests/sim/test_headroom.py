"""Room for entries of a hand at the simulated exchange: what counts while entries go out, fill, fail and are lost."""

import asyncio
from decimal import Decimal

import pytest
from hand_world import at_exchange, ready, wanted

from engine.execution.entering import Refused
from engine.execution.headroom import Headroom
from engine.execution.limits import Limits, Standing
from engine.execution.plans import Plan
from exchange.account import OrderLimit
from exchange.orders import OrderKind, OrderRequest, Side

D = Decimal
ETH = {"price": "3000", "stop": "2950", "target": "3100", "quantity": "0.200"}


def bound(hand, **limits):
    """Headroom of a hand as a desk binds it."""

    def standing():
        summary = hand.state.book.summary
        if summary is None:
            return None
        return Standing(equity=summary.wallet + summary.unrealized, wallet=summary.wallet, day_start=D(10_000))

    room = Headroom(hand, Limits(**limits), standing)
    hand.reserve, hand.release, hand.on_event = room.reserve, room.release, room.hear
    return room


def counted(room, name="gross notional"):
    return next(used for limit, used, _ in room.used() if limit == name)


async def ended(world, running):
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_two_entries_at_once_do_not_both_take_the_last_place():
    async def script(world):
        hand = world.hand()
        room = bound(hand, positions=1)
        running = await ready(world, hand)
        found = await asyncio.gather(hand.enter(wanted()), hand.enter(wanted("ETHUSDT", **ETH)))
        assert [type(one) for one in found].count(Plan) == 1
        (refused,) = [one.text for one in found if isinstance(one, Refused)]
        assert "the number of positions" in refused
        assert "would be 2, 1 is allowed" in refused
        await ended(world, running)
        assert room.reservations.reserved == frozenset()

    at_exchange(script)


def test_a_filled_entry_counts_once_as_its_position():
    async def script(world):
        hand = world.hand()
        room = bound(hand)
        running = await ready(world, hand)
        assert isinstance(await hand.enter(wanted()), Plan)
        assert counted(room) == pytest.approx(800, rel=0.02)
        await world.clock.sleep(30)
        assert room.reservations.reserved == frozenset()
        assert counted(room) == pytest.approx(800, rel=0.02)
        assert counted(room, "day loss") == pytest.approx(10, abs=3)
        hand.close_all("test")
        await world.clock.sleep(5)
        assert counted(room) == 0
        await ended(world, running)

    at_exchange(script)


def test_a_resting_entry_counts_until_it_is_cancelled():
    async def script(world):
        hand = world.hand()
        room = bound(hand)
        running = await ready(world, hand)
        assert isinstance(await hand.enter(wanted(price="70000", stop="69000")), Plan)
        await world.clock.sleep(25)
        assert counted(room) == pytest.approx(700)
        assert counted(room, "positions") == 1
        hand.entering.withdraw_all()
        await world.clock.sleep(5)
        assert counted(room) == 0
        assert counted(room, "positions") == 0
        await ended(world, running)

    at_exchange(script)


@pytest.mark.parametrize("executed", [True, False])
def test_an_entry_of_unknown_fate_counts_whole_until_its_fate_is_known(executed):
    async def script(world):
        hand = world.hand()
        room = bound(hand, positions=1)
        running = await ready(world, hand)
        world.faults({"kind": "lost_answer", "on": ["POST /fapi/v1/order"], "executed": executed, "times": 1})
        await hand.enter(wanted())
        assert counted(room) == pytest.approx(800, rel=0.02)
        refused = await hand.enter(wanted("ETHUSDT", **ETH))
        assert isinstance(refused, Refused)
        await world.clock.sleep(120)
        assert counted(room) == pytest.approx(800 if executed else 0, rel=0.02)
        await ended(world, running)

    at_exchange(script)


def test_a_refused_entry_is_given_back_and_a_new_desk_counts_what_the_old_one_left():
    async def script(world):
        hand = world.hand()
        room = bound(hand)
        running = await ready(world, hand)
        assert isinstance(await hand.enter(wanted("ETHUSDT", **ETH | {"quantity": "900"})), Refused)
        assert counted(room) == 0
        await hand.enter(wanted(price="70000", stop="69000"))
        await hand.enter(wanted("ETHUSDT", **ETH))
        await world.clock.sleep(3)
        before = counted(room)
        await ended(world, running)
        hand = world.hand()
        room = bound(hand)
        running = asyncio.create_task(hand.run())
        while not room.used():
            await world.clock.sleep(0.001)
        assert counted(room) == pytest.approx(before, rel=0.02)
        await ended(world, running)

    at_exchange(script)


def test_a_position_somebody_else_opens_takes_room():
    async def script(world):
        hand = world.hand()
        bound(hand, gross_notional=D("0.2"))
        running = await ready(world, hand)
        await _opened_by_hand(world, hand)
        refused = await hand.enter(wanted("ETHUSDT", **ETH))
        assert isinstance(refused, Refused)
        assert "the notional of all positions" in refused.text
        await ended(world, running)

    at_exchange(script)


async def _opened_by_hand(world, hand):
    order = OrderRequest(
        symbol="BTCUSDT", side=Side.BUY, kind=OrderKind.MARKET, quantity=D("0.020"), client_id="by-hand"
    )  # fmt: skip
    await hand.state.access.orders.place(order)
    await world.clock.sleep(2)


def test_a_fifth_of_the_exchanges_order_limit_is_kept_for_exits():
    async def script(world):
        hand = world.hand()
        bound(hand, venue=(OrderLimit(10, 2),))
        running = await ready(world, hand)
        assert isinstance(await hand.enter(wanted()), Plan)
        refused = await hand.enter(wanted("ETHUSDT", **ETH))
        assert isinstance(refused, Refused)
        assert "kept for exits" in refused.text
        await ended(world, running)

    at_exchange(script)
