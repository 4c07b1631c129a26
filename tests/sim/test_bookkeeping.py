"""The ledger at the simulated exchange: whatever is booked, wallet and books agree to the last digit."""

from decimal import Decimal

from hand_world import at_exchange, ready, wanted

from engine.execution.intents import PositionKey


def test_trades_fees_funding_transfers_and_a_liquidation_leave_the_books_exact():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await world.clock.sleep(5)
        keeper = hand.bookkeeper
        assert keeper.ledger.since_ms
        await hand.enter(wanted())
        await hand.enter(wanted(symbol="ETHUSDT", price="3000", stop="2950", target="3100", quantity="0.2"))
        await world.clock.sleep(3)
        world.act("special_funding", symbol="BTCUSDT", rate="0.0007")
        world.act("transfer", amount="123.45")
        hand.close(PositionKey("ETHUSDT", "BOTH"), "closed by the operator")
        await world.clock.sleep(5)
        world.act("liquidate", symbol="BTCUSDT")
        world.act("transfer", amount="-20")
        await world.clock.sleep(130)
        assert keeper.ledger.checked_ms
        assert keeper.ledger.differences == {}
        view = keeper.view()
        assert view.difference == "0"
        assert view.transfers == 103.45
        assert view.fees > 0
        assert view.funding != 0
        assert not view.unknown

    at_exchange(script)


def test_a_difference_is_told_to_the_last_digit():
    async def script(world):
        hand = world.hand()
        await ready(world, hand)
        await world.clock.sleep(5)
        world.exchange.venue.house.account.cross_wallet += Decimal("0.00000001")  # booked nowhere
        await world.clock.sleep(200)
        assert hand.bookkeeper.ledger.differences == {"USDT": Decimal("0.00000001")}
        assert any("differs from its bookings by 0.00000001 USDT" in text for text in world.said())

    at_exchange(script)
