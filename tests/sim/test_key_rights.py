"""The rights of the API key at the simulated exchange (F57): who may arm, and that protection never asks."""

import asyncio

import pytest
from simulated_desk import World
from virtual_loop import run_virtual

from engine.commands import Arm
from engine.execution.rights import CONSENT

START = 1_773_147_600_000


def with_rights(rights, script, **settings):
    """Run a script on a live desk whose key has these rights."""

    async def main():
        world = World(symbols=2, seed=5, start_ms=START, step_ms=1_000)
        serving = asyncio.create_task(world.serve())
        act(world, **rights)
        desk = world.desk(live=True, **settings)
        task = asyncio.create_task(desk.run())
        try:
            while not desk.orders.hand.is_ready:
                await world.clock.sleep(1)
            await script(world, desk)
        finally:
            desk.stop("the test is over")
            await task
            serving.cancel()

    run_virtual(main())


def act(world, **rights):
    world.exchange.control.act({"action": "key_rights", **rights})


async def armed(world, consent=""):
    ticket = world.port.send(Arm(24.0, consent), "the operator")
    await world.clock.sleep(1)
    return world.port.ack(ticket)


@pytest.mark.parametrize(
    ("rights", "words"),
    [
        ({"withdrawals": True}, "may withdraw"),
        ({"internal_transfer": True}, "key_may_transfer"),
        ({"universal_transfer": True}, "key_may_transfer"),
        ({"futures": False}, "only looks"),
        ({"served": False}, "not known"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_dangerous_key_is_not_armed_and_the_care_of_positions_goes_on(rights, words):
    async def script(world, desk):
        ack = await armed(world)
        assert ack.state == "refused"
        assert words in ack.text
        assert words in desk.orders.arming.missing[0]
        assert desk.orders.why_no_entry("BTCUSDT")
        assert desk.orders.hand.is_ready
        told = [one.text for one in world.port.events(0).events if words in one.text]
        assert words == "not known" or "care of positions goes on" in told[0]

    with_rights(rights, script)


@pytest.mark.parametrize("rights", [{"withdrawals": True}, {"served": False}], ids=["withdraws", "not known"])
def test_a_position_is_adopted_and_protected_whatever_the_key_may_do(rights):
    async def script(world, desk):
        order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
        world.exchange.control.act({"action": "elsewhere", "method": "POST", "path": "/fapi/v1/order", "params": order})
        await world.clock.sleep(20)
        (row,) = desk.orders.view().coverage
        assert (row.symbol, row.state) == ("BTCUSDT", "protected")

    with_rights(rights, script)


def test_transfers_allowed_in_writing_are_armed():
    async def script(world, desk):
        assert (await armed(world)).state == "done"
        assert desk.orders.arming.armed

    with_rights({"internal_transfer": True}, script, trading={"key_may_transfer": True})


def test_a_key_for_every_address_is_armed_with_the_typed_word_only():
    async def script(world, desk):
        ack = await armed(world)
        assert ack.state == "refused"
        assert f"arm 24 {CONSENT}" in ack.text
        assert (await armed(world, CONSENT)).state == "done"
        assert desk.orders.arming.armed

    with_rights({"ip_restricted": False}, script)


def test_rights_that_grow_while_the_desk_runs_take_entries_off_within_the_hour():
    async def script(world, desk):
        assert (await armed(world)).state == "done"
        act(world, withdrawals=True)
        await world.clock.sleep(3_700)
        assert not desk.orders.arming.armed
        assert "may withdraw" in desk.orders.arming.missing[0]

    with_rights({}, script)


def test_rights_that_could_not_be_read_are_asked_for_again_soon():
    async def script(world, desk):
        assert (await armed(world)).state == "refused"
        act(world)
        await world.clock.sleep(90)
        assert (await armed(world)).state == "done"

    with_rights({"served": False}, script)


def test_a_reading_stands_for_hours_while_the_wallet_service_is_away():
    async def script(world, desk):
        assert (await armed(world)).state == "done"
        act(world, served=False)
        await world.clock.sleep(2 * 3_600)
        assert desk.orders.arming.armed
        await world.clock.sleep(6 * 3_600)
        assert not desk.orders.arming.armed

    with_rights({}, script)


def test_a_defect_in_reading_the_rights_takes_entries_off_and_nothing_else():
    async def script(world, desk):
        async def broken():
            raise RuntimeError("a defect")

        desk.orders.rights._read = broken
        await world.clock.sleep(2 * 3600)
        hand = desk.orders.hand
        assert hand.is_ready
        assert any("reading of the key's rights failed" in text for text in hand.violations)
        assert "invariant" in hand.why_no_entry("BTCUSDT")

    with_rights({}, script)
