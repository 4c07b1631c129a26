"""The hand at the simulated exchange: what an operator relies on, one promise at a time, judged by the exchange."""

import asyncio
from decimal import Decimal

import pytest
from hand_world import at_exchange, kill, ready, wanted

from engine.execution.entering import Refused
from engine.execution.fills import EXPIRED
from engine.execution.intents import PositionKey
from engine.execution.levels import StopLevel
from engine.execution.plans import Plan

KEY = PositionKey("BTCUSDT", "BOTH")
ENTRY, ALGO, CANCEL = "POST /fapi/v1/order", "POST /fapi/v1/algoOrder", "DELETE /fapi/v1/algoOrder"


async def entered(world, hand, **more):
    """Open the usual position and wait until it is protected."""
    plan = await hand.enter(wanted(**more))
    assert isinstance(plan, Plan), plan
    await world.clock.sleep(3)
    return plan


def test_an_entry_is_protected_within_a_second_and_gets_its_target():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        assert world.witness.positions()[KEY].quantity == Decimal("0.010")
        assert {one.terms.kind for one in world.witness.stops(KEY)} == {"STOP_MARKET", "TAKE_PROFIT_MARKET"}
        assert world.witness.longest < 1
        assert hand.keeper.naked_max_s < 1

    at_exchange(script)


def test_a_stop_is_moved_again_and_again_without_a_naked_moment():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand, target=None)
        before = len(world.witness.times)
        for price in ("79100", "79200", "79300"):
            assert hand.move_stop(KEY, Decimal(price), "the operator") == ""
            await world.clock.sleep(4)
            assert [one.terms.trigger_price for one in world.witness.stops(KEY)] == [Decimal(price)]
        assert len(world.witness.times) == before
        assert "would trigger at once" in hand.move_stop(KEY, Decimal(80_500), "the operator")

    at_exchange(script)


def test_a_closed_position_leaves_nothing_behind():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        assert hand.close(KEY, "closed by the operator") == ""
        await world.clock.sleep(10)
        assert not world.witness.positions()
        assert not world.witness.stops()
        assert hand.is_flat
        assert not hand.state.plans
        assert "no position is open" in hand.close(KEY, "again")

    at_exchange(script)


def test_the_stop_takes_the_position_out_and_its_plan_ends_with_the_cause():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        ends = []
        hand.on_end = lambda plan, cause: ends.append((plan.trade_id, cause))
        plan = await entered(world, hand)
        world.price(78_990.0, 78_990.2)
        await world.clock.sleep(10)
        assert not world.witness.positions()
        assert ends == [(plan.trade_id, "stop")]
        assert hand.is_flat

    at_exchange(script)


@pytest.mark.parametrize("executed", [True, False])
def test_an_entry_whose_answer_is_lost_is_sent_once_and_its_fate_is_found(executed):
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        world.faults({"kind": "lost_answer", "on": [ENTRY], "executed": executed, "times": 1})
        plan = await hand.enter(wanted())
        assert isinstance(plan, Plan)
        if not executed:
            assert "unknown" in hand.why_no_entry("BTCUSDT")
        await world.clock.sleep(60)
        assert not hand.sender.unknown
        sent = [one for one in hand.sender.orders.values() if one.intent.purpose.word == "entry"]
        assert [one.state.sends for one in sent] == [1]
        assert (KEY in world.witness.positions()) is executed
        assert (KEY in hand.state.plans) is executed
        assert world.witness.longest < 5

    at_exchange(script)


def test_a_stop_that_is_always_refused_ends_in_a_close_within_thirty_seconds():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        world.faults({"kind": "error_answer", "on": [ALGO], "status": 400, "code": -4120, "msg": "no"})
        await hand.enter(wanted())
        await world.clock.sleep(40)
        assert not world.witness.positions()
        assert world.witness.longest <= 30

    at_exchange(script)


def test_a_stop_whose_answers_are_lost_is_tried_in_its_other_form_and_pruned_to_one():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        world.faults({"kind": "lost_answer", "on": [ALGO], "executed": True, "times": 2, "how": "timeout"})
        await hand.enter(wanted(target=None))
        await world.clock.sleep(60)
        assert KEY in world.witness.positions()
        assert len(world.witness.stops(KEY)) == 1
        assert world.witness.longest <= 5

    at_exchange(script)


def test_a_stop_somebody_cancels_is_back_within_five_seconds():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand, target=None)
        (stop,) = world.witness.stops(KEY)
        world.elsewhere("DELETE", "/fapi/v1/algoOrder", algoId=str(stop.algo_id))
        await world.clock.sleep(5)
        assert len(world.witness.stops(KEY)) == 1
        assert world.witness.longest < 5

    at_exchange(script)


def test_a_position_is_closed_at_its_longest_time_and_its_stop_goes_last():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        ends = []
        hand.on_end = lambda plan, cause: ends.append((plan.symbol, cause))
        await entered(world, hand, expires_ms=world.clock.now_ms() + 60_000)
        await world.clock.sleep(50)
        assert world.witness.positions()
        before = len(world.witness.times)
        await world.clock.sleep(20)
        assert not world.witness.positions()
        assert not world.witness.stops()
        assert len(world.witness.times) == before, "its stop stood until it was flat"
        assert ends == [("BTCUSDT", EXPIRED)]

    at_exchange(script)


def test_the_longest_time_of_a_position_outlives_a_kill_and_may_pass_while_the_desk_is_dead():
    async def script(world):
        hand = world.hand()
        running = await ready(world, hand)
        await entered(world, hand, expires_ms=world.clock.now_ms() + 60_000)
        await kill(world, running)
        await world.clock.sleep(120)
        again = world.hand()
        await ready(world, again)
        await world.clock.sleep(5)
        assert not world.witness.positions()
        assert any(EXPIRED in text for text in world.said())

    at_exchange(script)


def test_the_operators_own_close_keeps_its_reason_when_the_longest_time_passes():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        ends = []
        hand.on_end = lambda _plan, cause: ends.append(cause)
        await entered(world, hand, expires_ms=world.clock.now_ms() + 10_000)
        world.faults({"kind": "error_answer", "on": [ENTRY], "status": 400, "code": -2022, "rate": 1.0, "msg": "no"})
        hand.close(KEY, "closed by the operator")
        await world.clock.sleep(15)
        world.faults()
        await world.clock.sleep(10)
        assert ends == ["closed by the operator"]

    at_exchange(script)


def test_a_killed_desk_protects_first_and_continues_without_a_question():
    async def script(world):
        hand = world.hand()
        running = await ready(world, hand)
        plan = await entered(world, hand)
        await kill(world, running)
        (stop,) = [one for one in world.witness.stops(KEY) if one.terms.kind == "STOP_MARKET"]
        world.elsewhere("DELETE", "/fapi/v1/algoOrder", algoId=str(stop.algo_id))
        again = world.hand()
        began = world.clock.monotonic()
        await ready(world, again)
        assert world.clock.monotonic() - began < 30
        assert again.state.plans[KEY] == plan
        triggers = [one.terms.trigger_price for one in world.witness.stops(KEY) if one.terms.kind == "STOP_MARKET"]
        assert triggers == [Decimal("79000.0")]

    at_exchange(script)


def test_without_a_journal_positions_are_adopted_with_an_emergency_stop():
    async def script(world):
        world.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.020")
        hand = world.hand()
        await ready(world, hand)
        await world.clock.sleep(1)
        (stop,) = world.witness.stops(KEY)
        assert stop.terms.trigger_price > 80_000
        assert hand.state.plans[KEY].owner.value == "adopted"
        assert any("did not plan" in text for text in world.said())

    at_exchange(script)


def test_nothing_is_entered_before_ready_nor_while_paused_nor_on_old_prices():
    async def script(world):
        hand = world.hand()
        early = await hand.enter(wanted())
        assert isinstance(early, Refused)
        assert "not ready" in early.text
        await ready(world, hand)
        hand.set_level(StopLevel.PAUSE, "the operator")
        assert "PAUSE" in (await hand.enter(wanted())).text
        hand.set_level(StopLevel.RUN, "the operator")
        world.seen.stale_s = 3.5
        assert "3.5 s old" in (await hand.enter(wanted())).text
        world.seen.stale_s = 0.0
        assert not world.witness.positions()
        assert isinstance(await hand.enter(wanted()), Plan)

    at_exchange(script)


def test_a_second_entry_of_a_symbol_is_refused():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        assert "already" in (await hand.enter(wanted())).text

    at_exchange(script)


def test_a_signal_decided_on_twice_is_entered_once():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        found = await asyncio.gather(hand.enter(wanted()), hand.enter(wanted()))
        assert [type(one) for one in found] == [Plan, Refused]
        assert "on its way already" in found[1].text
        assert not hand.entering.decided

    at_exchange(script)


def test_a_decision_that_a_stop_level_met_on_its_way_is_let_go_although_entries_are_allowed_again():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        world.faults({"kind": "slow_answer", "on": ["GET /fapi/v1/symbolConfig"], "rate": 1.0, "seconds": 2.0})
        entry = asyncio.create_task(hand.enter(wanted()))
        await world.clock.sleep(1)
        hand.set_level(StopLevel.FLATTEN, "the operator")
        hand.set_level(StopLevel.RUN, "the operator")
        assert "stopped after it was decided" in (await entry).text
        assert not world.witness.positions()

    at_exchange(script)


def test_an_entry_that_rests_too_long_is_cancelled_and_its_plan_dropped():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        assert isinstance(await hand.enter(wanted(price="79500", stop="79000")), Plan)
        await world.clock.sleep(2)
        assert len(world.witness.orders()) == 1
        await world.clock.sleep(hand.state.limits.rest_s + 5)
        assert not world.witness.orders()
        assert not hand.state.plans

    at_exchange(script)


def test_flatten_cancels_entries_closes_everything_and_says_when_it_is_done():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        await hand.enter(wanted(symbol="ETHUSDT", price="2950", stop="2900", target="3100", quantity="0.1"))
        assert len(world.witness.orders()) == 1
        hand.set_level(StopLevel.FLATTEN, "the operator")
        await world.clock.sleep(15)
        assert not world.witness.positions()
        assert not world.witness.stops()
        assert not world.witness.orders()
        assert hand.is_flat

    at_exchange(script)


def test_a_flatten_is_taken_up_again_after_a_kill():
    async def script(world):
        hand = world.hand()
        running = await ready(world, hand)
        await entered(world, hand)
        world.faults({"kind": "error_answer", "on": [ENTRY], "status": 503, "msg": "Service Unavailable."})
        hand.set_level(StopLevel.FLATTEN, "the operator")
        await world.clock.sleep(3)
        await kill(world, running)
        world.faults()
        again = world.hand()
        await ready(world, again)
        await world.clock.sleep(15)
        assert again.level is StopLevel.FLATTEN
        assert not world.witness.positions()

    at_exchange(script)


def test_the_exchanges_liquidation_is_adopted_and_never_traded_back():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        world.act("liquidate", symbol="BTCUSDT")
        await world.clock.sleep(20)
        assert not world.witness.positions()
        assert not world.witness.stops()
        assert not hand.state.plans
        assert any("LIQUIDATION" in text for text in world.said())

    at_exchange(script)


def test_another_desks_order_on_the_account_keeps_entries_off():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        world.elsewhere(
            "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.010", price="70000",
            timeInForce="GTC", newClientOrderId="pd-other-e1",
        )  # fmt: skip
        await world.clock.sleep(2)
        assert "another desk" in (await hand.enter(wanted(symbol="ETHUSDT", price="3000", stop="2900"))).text

    at_exchange(script)


@pytest.mark.parametrize("conditional", [False, True], ids=["plain", "conditional"])
def test_another_desks_order_is_found_by_a_reading_while_the_private_stream_is_silent(conditional):
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await world.clock.sleep(10)
        world.faults({"kind": "lost_frame", "route": "private", "rate": 1.0})
        if conditional:
            world.elsewhere(
                "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL",
                type="STOP_MARKET", quantity="0.010", triggerPrice="70000", clientAlgoId="pd-other-s1",
            )  # fmt: skip
        else:
            world.elsewhere(
                "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.010", price="70000",
                timeInForce="GTC", newClientOrderId="pd-other-e1",
            )  # fmt: skip
        await world.clock.sleep(20)
        assert "another desk" in (await hand.enter(wanted(symbol="ETHUSDT", price="3000", stop="2900"))).text
        assert any("stop one of the two" in text for text in world.said())

    at_exchange(script)


def test_what_a_desk_without_a_journal_left_does_not_keep_entries_off():
    async def script(world):
        world.elsewhere(
            "POST", "/fapi/v1/order", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.010", price="70000",
            timeInForce="GTC", newClientOrderId="pd-lost-e1",
        )  # fmt: skip
        hand = world.hand()
        await ready(world, hand)
        await world.clock.sleep(30)
        assert not hand.foreign

    at_exchange(script)


def test_a_manual_close_is_adopted_and_its_stop_swept():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        assert hand.move_stop(KEY, Decimal(79_500), "the operator") == ""
        await world.clock.sleep(4)
        world.elsewhere(
            "POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.010", reduceOnly="true"
        )
        await world.clock.sleep(15)
        assert not world.witness.stops()
        assert hand.is_flat
        assert not hand.state.plans

    at_exchange(script)


def test_in_hedge_mode_both_sides_are_held_and_protected_apart():
    async def script(world):
        world.exchange.venue.house.account.set_dual_side(True, world.clock.now_ms())
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        assert isinstance(await hand.enter(wanted(sign=-1, stop="81000", target="78000")), Plan)
        await world.clock.sleep(3)
        assert set(world.witness.positions()) == {("BTCUSDT", "LONG"), ("BTCUSDT", "SHORT")}
        assert world.witness.longest < 1
        assert hand.close_all("closed by the operator") == 2
        await world.clock.sleep(10)
        assert not world.witness.positions()
        assert not world.witness.stops()

    at_exchange(script)


def test_while_the_private_stream_is_silent_a_fill_is_found_by_reading():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        world.faults({"kind": "lost_frame", "route": "private", "rate": 1.0})
        await hand.enter(wanted())
        await world.clock.sleep(30)
        assert KEY in hand.state.book.positions
        assert world.witness.longest <= 4

    at_exchange(script)


def test_while_the_private_stream_is_silent_a_position_somebody_opens_is_protected_within_five_seconds():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        world.faults({"kind": "lost_frame", "route": "private", "rate": 1.0})
        world.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.020")
        await world.clock.sleep(10)
        assert world.witness.stops(KEY)
        assert world.witness.longest <= 5

    at_exchange(script)


def test_while_the_private_stream_is_silent_a_cancelled_stop_is_back_within_five_seconds():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        world.faults({"kind": "lost_frame", "route": "private", "rate": 1.0})
        (stop,) = [one for one in world.witness.stops(KEY) if one.terms.kind == "STOP_MARKET"]
        world.elsewhere("DELETE", "/fapi/v1/algoOrder", algoId=str(stop.algo_id))
        await world.clock.sleep(10)
        assert "STOP_MARKET" in {one.terms.kind for one in world.witness.stops(KEY)}
        assert world.witness.longest <= 5

    at_exchange(script)


def refused_reads(path, **more):
    return {"kind": "error_answer", "on": [f"GET {path}"], "status": 503, "code": None, "msg": "Service Unavailable.",
            "rate": 1.0, **more}  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/fapi/v1/time", "/fapi/v1/positionSide/dual", "/fapi/v1/exchangeInfo", "/fapi/v1/openAlgoOrders"]
)
@pytest.mark.parametrize("hedge", [False, True], ids=["one-way", "hedge"])
def test_a_start_protects_although_something_else_cannot_be_read(path, hedge):
    async def script(world):
        side, more = "BOTH", {}
        if hedge:
            world.exchange.venue.house.account.set_dual_side(True, world.clock.now_ms())
            side, more = "SHORT", {"positionSide": "SHORT"}
        world.elsewhere(
            "POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.020", **more
        )
        world.faults(refused_reads(path))
        hand = world.hand()
        running = asyncio.create_task(hand.run())
        await world.clock.sleep(10)
        assert world.witness.stops(PositionKey("BTCUSDT", side))
        assert world.witness.longest < 5
        running.cancel()

    at_exchange(script)


def test_a_position_that_opens_while_the_desk_cannot_become_ready_is_protected():
    async def script(world):
        world.faults(refused_reads("/fapi/v3/account"))
        hand = world.hand()
        running = asyncio.create_task(hand.run())
        await world.clock.sleep(20)
        assert not hand.is_ready
        world.elsewhere("POST", "/fapi/v1/order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.020")
        await world.clock.sleep(10)
        assert world.witness.stops(KEY)
        assert world.witness.longest <= 5
        running.cancel()

    at_exchange(script)


class CountingRest:
    """Notes when what was asked for."""

    def __init__(self, inner):
        self.inner, self.asked = inner, []

    async def send(self, method, path, query, headers, deadline):
        answer = await self.inner.send(method, path, query, headers, deadline)
        self.asked.append((method, path, answer.status))
        return answer


def test_in_a_ban_nothing_is_asked_for_and_the_stop_goes_first_when_it_ends():
    rests = []

    def counted(rest):
        rests.append(CountingRest(rest))
        return rests[-1]

    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        (stop,) = [one for one in world.witness.stops(KEY) if one.terms.kind == "STOP_MARKET"]
        world.act("ban", seconds=60)
        world.elsewhere("DELETE", "/fapi/v1/algoOrder", algoId=str(stop.algo_id))
        await world.clock.sleep(10)
        rests[-1].asked.clear()
        await world.clock.sleep(48)
        assert not rests[-1].asked
        await world.clock.sleep(5)
        assert rests[-1].asked[0] == ("POST", "/fapi/v1/algoOrder", 200)
        assert world.witness.positions(), "it is protected again, not closed for the time of the ban"

    at_exchange(script, wrap_rest=counted)


def test_a_full_disk_stops_entries_and_no_exit():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await entered(world, hand)
        world.disk.fault = lambda operation, _name: "no space left" if operation in ("append", "sync") else None
        refused = await hand.enter(wanted(symbol="ETHUSDT", price="3000", stop="2900", target="3100", quantity="0.1"))
        assert isinstance(refused, Refused)
        hand.close(KEY, "closed by the operator")
        await world.clock.sleep(5)
        assert not world.witness.positions()

    at_exchange(script)
