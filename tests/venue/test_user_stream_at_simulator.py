"""The private stream against the simulated exchange, on virtual time: what an account's life looks like on it."""

import asyncio
import contextlib
from decimal import Decimal

from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.account_events import AccountUpdate, AlgoUpdate, LeverageChange, OrderUpdate, Resync, TradeHint, TradeId
from exchange.account_merge import AccountMerge, Reading
from exchange.bad_input import Quarantine
from exchange.binance.account_client import AccountClient
from exchange.binance.algo_client import AlgoClient
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.order_client import OrderClient
from exchange.binance.settings_client import SettingsClient
from exchange.binance.signing import Credentials
from exchange.binance.user_effects import UserLimits
from exchange.binance.user_stream import UserStream
from exchange.binance.weights import WeightLedger
from exchange.conditional_orders import AlgoRequest, ConditionalKind
from exchange.orders import OrderKind, OrderRequest, Side
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions, demo_secrets

KEY, SECRET = next(iter(demo_secrets().items()))


class Account:
    """An account at the simulated venue: its calls, its private stream and what came of it."""

    def __init__(self, front, clock):
        self.clock = clock
        self.client = BinanceClient(
            front.rest, clock, WeightLedger(), OpenGate(), ScriptedEntropy(), Credentials(KEY, SECRET)
        )
        self.reads = AccountClient(self.client.calls)
        mode = self.reads.position_mode()
        self.orders = OrderClient(self.client.calls, mode)
        self.algos = AlgoClient(self.client.calls, mode)
        self.settings = SettingsClient(self.client.calls, mode)
        self.events, self.items, self.applied = [], [], []
        self.quarantine = Quarantine()
        self.merge = AccountMerge()
        self.stream = UserStream(
            self.client, front.dialer, clock, ScriptedEntropy(), self.events.append, self.quarantine,
            limits=UserLimits(rotate_s=1000.0),
        )  # fmt: skip
        self.numbers = 0

    async def consume(self):
        while True:
            item = await self.stream.receive()
            self.items.append(item)
            self.applied += self.merge.take(item)

    async def read(self):
        """Read what a consumer reads after a gap, and close the epoch with it."""
        ticket = self.merge.begin()
        positions = await self.client.positions()
        trades = await self.reads.user_trades("BTCUSDT")
        reading = Reading(
            positions={(row.symbol, row.side): row.update_time for row in positions},
            trades=frozenset(TradeId(row.symbol, row.trade_id, row.order_id) for row in trades),
        )
        follow = self.merge.settle(ticket, reading)
        assert follow is not None
        self.applied += follow
        return {(row.symbol, row.side): row.quantity for row in positions if row.quantity}, reading.trades

    async def market(self, side, quantity="0.010"):
        self.numbers += 1
        await self.orders.place(
            OrderRequest(
                symbol="BTCUSDT",
                side=side,
                kind=OrderKind.MARKET,
                quantity=Decimal(quantity),
                client_id=f"t{self.numbers}",
            )
        )
        await self.clock.sleep(1)

    def got(self, kind):
        return [item for item in self.items if isinstance(item, kind)]

    @property
    def fills(self):
        return [item.trade for item in self.applied if isinstance(item, OrderUpdate) and item.trade is not None]


def play(scenario):
    async def main():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(SmallMarket(), options=ExchangeOptions()), clock, latency=0.02)
        account = Account(front, clock)
        tasks = [asyncio.create_task(work) for work in (front.run(), account.stream.run(), account.consume())]
        try:
            await clock.sleep(2)
            await scenario(account)
            for task in tasks:
                assert not task.done()
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        assert account.quarantine.rows() == ()
        return account

    return run_virtual(main())


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
                account.read_trades = (await account.read())[1]
        account.held, _ = await account.read()

    account = play(scenario)
    assert [type(event).__name__ for event in account.events].count("UserRotated") == 2
    assert len(account.got(Resync)) == 2
    booked = set(account.fills) | account.read_trades
    assert len(account.fills) == len(set(account.fills))
    assert len({trade.order_id for trade in booked}) == 40
    quantity = account.got(AccountUpdate)[-1].positions[0].quantity
    assert account.held.get(("BTCUSDT", "BOTH"), 0) == quantity
