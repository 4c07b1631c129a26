"""The private stream against the simulated exchange, on virtual time: what an account's life looks like on it."""

from decimal import Decimal

from account_at_simulator import play

from exchange.account_events import AccountUpdate, AlgoUpdate, LeverageChange, OrderUpdate, Resync, TradeHint
from exchange.conditional_orders import AlgoRequest, ConditionalKind
from exchange.orders import Side


def test_a_filled_order_tells_order_wallet_hint_and_trade_in_order():
    async def scenario(account):
        await account.read()
        await account.market(Side.BUY)

    account = play(scenario)
    kinds = [type(item) for item in account.items]
    assert kinds[0] is Resync
    assert kinds[1] is OrderUpdate
    assert set(kinds[2:]) == {AccountUpdate, TradeHint, OrderUpdate}
    bought = sum(event.last_quantity for event in account.got(OrderUpdate))
    assert bought == Decimal("0.010")
    assert account.got(AccountUpdate)[-1].positions[0].quantity == Decimal("0.010")
    assert account.got(OrderUpdate)[-1].is_final


def test_conditional_orders_and_settings_are_told():
    async def scenario(account):
        await account.read()
        await account.settings.set_leverage("BTCUSDT", 7)
        await account.market(Side.BUY)
        mark = next(row.mark for row in await account.client.mark_prices() if row.symbol == "BTCUSDT")
        await account.algos.place(
            AlgoRequest(
                symbol="BTCUSDT",
                side=Side.SELL,
                kind=ConditionalKind.STOP_MARKET,
                quantity=Decimal("0.010"),
                trigger_price=Decimal(int(mark * 0.5)),
                client_id="stop-1",
                reduces=True,
            )
        )
        await account.clock.sleep(1)

    account = play(scenario)
    assert [(change.symbol, change.leverage) for change in account.got(LeverageChange)] == [("BTCUSDT", 7)]
    (stop,) = account.got(AlgoUpdate)
    assert (stop.client_id, stop.is_working, stop.side) == ("stop-1", True, "SELL")


def test_a_rotation_and_a_killed_listen_key_lose_no_fill_and_book_none_twice():
    async def scenario(account):
        await account.read()
        for number in range(40):
            await account.market(Side.BUY if number % 2 else Side.SELL)
            await account.clock.sleep(60)
            if number == 20:
                await account.client.listen_key_close()  # as another program of the account might
            if account.merge.wanted is not None:
                await account.read()
        account.before = account.held
        await account.read()

    account = play(scenario)
    assert account.quarantine.rows() == ()
    assert [type(event).__name__ for event in account.events].count("UserRotated") == 2
    assert len(account.got(Resync)) == 2
    assert len(account.booked) == len(set(account.booked))
    assert len({trade.order_id for trade in account.booked}) == 40
    assert account.before == account.held
