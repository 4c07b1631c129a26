"""The client's trading side against the simulated venue: every call is answered, decodes and means what it says."""

import asyncio
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.account import OrderLimit
from exchange.binance.account_client import AccountClient
from exchange.binance.algo_client import AlgoClient
from exchange.binance.client import BinanceClient
from exchange.binance.fitted_orders import FittedOrders, RuleBook
from exchange.binance.gate import OpenGate
from exchange.binance.order_client import OrderClient
from exchange.binance.settings_client import SettingsClient
from exchange.binance.signing import Credentials
from exchange.binance.statistics_client import StatisticsClient
from exchange.binance.weights import WeightLedger
from exchange.brackets import clamp_leverage, largest_notional, leverage_cap
from exchange.conditional_orders import AlgoRef, AlgoRequest, ConditionalKind
from exchange.errors import (
    BannedError,
    CredentialsError,
    ExchangeError,
    HeldBackError,
    RateLimitedError,
    RefusedError,
    UnknownOutcomeError,
)
from exchange.instrument import Bracket, LotRule
from exchange.order_reports import OrderAck
from exchange.orders import AmendRequest, OrderKind, OrderRef, OrderRequest, Side, TimeInForce
from exchange.priority import Priority
from exchange.reactions import Reaction
from exchange.simulator.core import Exchange
from exchange.simulator.faults.control import Control
from exchange.simulator.memory import MemoryFront
from exchange.simulator.questions import OpenQuestions
from exchange.simulator.venue import ExchangeOptions, demo_secrets
from exchange.trading_rules import Breach, MarketView, Refusal, quantise_conditional, quantise_order

D = Decimal
KEY, SECRET = next(iter(demo_secrets().items()))


class Trader:
    def __init__(self, front, clock, credentials):
        self.front = front
        self.clock = clock
        self.client = BinanceClient(front.rest, clock, WeightLedger(), OpenGate(), ScriptedEntropy(), credentials)
        calls = self.client.calls
        self.account = AccountClient(calls)
        self.mode = self.account.position_mode()
        self.orders = OrderClient(calls, self.mode)
        self.algo = AlgoClient(calls, self.mode)
        self.settings = SettingsClient(calls, self.mode)
        self._ids = 0

    def order(self, side=Side.BUY, quantity="0.100", price=None, symbol="BTCUSDT", **changes):
        self._ids += 1
        return OrderRequest(
            symbol=symbol, side=side, kind=OrderKind.MARKET if price is None else OrderKind.LIMIT,
            quantity=D(quantity), price=None if price is None else D(price), client_id=f"t{self._ids}", **changes,
        )  # fmt: skip

    async def mark(self, symbol="BTCUSDT"):
        return D(str(next(row.mark for row in await self.client.mark_prices() if row.symbol == symbol)))

    async def passive(self, share="0.97"):
        return (await self.mark() * D(share)).quantize(D("0.1"))

    async def reaction(self, awaitable):
        with pytest.raises((RefusedError, UnknownOutcomeError)) as caught:
            await awaitable
        return caught.value.reaction


def at_the_venue(scenario, *, secrets=None, credentials=None, **options):
    async def main():
        clock = VirtualClock(START)
        exchange = Exchange(SmallMarket(), secrets or demo_secrets(), options=ExchangeOptions(**options))
        front = MemoryFront(exchange, clock, latency=0.01)
        pump = asyncio.create_task(front.run())
        try:
            await clock.sleep(30)
            return await scenario(Trader(front, clock, credentials or Credentials(KEY, SECRET)))
        finally:
            pump.cancel()

    return run_virtual(main())


@pytest.mark.parametrize("hedge", [False, True])
def test_a_position_is_opened_protected_and_closed_in_both_modes(hedge):
    async def scenario(desk):
        assert await desk.settings.set_position_mode(hedge=hedge) is hedge, "the account starts in one-way mode"
        await desk.settings.set_leverage("BTCUSDT", 10)
        entry = desk.order()
        ack = await desk.orders.place(entry)
        assert (ack.client_id, ack.position_side) == (entry.client_id, "LONG" if hedge else "BOTH")
        await desk.clock.sleep(1)
        report = await desk.account.order("BTCUSDT", OrderRef(client_id=entry.client_id))
        assert (report.status, report.executed) == ("FILLED", D("0.100"))
        assert report.average_price > 0
        assert report.order_id == ack.order_id
        (position,) = [row for row in await desk.client.positions() if row.quantity]
        assert (position.quantity, position.side) == (D("0.100"), "LONG" if hedge else "BOTH")

        mark = await desk.mark()
        protective = AlgoRequest(
            symbol="BTCUSDT", side=Side.SELL, kind=ConditionalKind.STOP_MARKET, client_id="stop-1",
            quantity=D("0.100"), trigger_price=(mark * D("0.95")).quantize(D("0.1")),
        )  # fmt: skip
        placed = await desk.algo.place(protective)
        assert placed.is_working
        assert [row.algo_id for row in await desk.account.open_algo_orders("BTCUSDT")] == [placed.algo_id]
        assert await desk.account.open_orders("BTCUSDT") == ()
        assert (await desk.account.algo_order(AlgoRef(client_id="stop-1"))).trigger_price == protective.trigger_price

        await desk.orders.place(desk.order(Side.SELL, reduces=True))
        await desk.clock.sleep(1)
        assert not [row for row in await desk.client.positions() if row.quantity]
        await desk.algo.cancel(AlgoRef(algo_id=placed.algo_id))
        assert await desk.account.open_algo_orders() == ()
        assert await desk.reaction(desk.algo.cancel(AlgoRef(algo_id=placed.algo_id))) is Reaction.ALREADY_CLOSED
        (ended,) = await desk.account.all_algo_orders("BTCUSDT")
        assert ended.is_final

        trades = await desk.account.user_trades("BTCUSDT")
        assert sum(trade.quantity for trade in trades) == D("0.200")
        booked = await desk.account.income()
        for kind, told in (("COMMISSION", -sum(trade.commission for trade in trades)),
                           ("REALIZED_PNL", sum(trade.realized for trade in trades))):  # fmt: skip
            assert sum(row.income for row in booked if row.kind == kind) == told

    at_the_venue(scenario)


def test_a_resting_order_is_shown_amended_and_cancelled():
    async def scenario(desk):
        price = await desk.passive()
        request = desk.order(price=price, time_in_force=TimeInForce.GTX)
        ack = await desk.orders.place(request)
        assert ack.is_open
        by_id = OrderRef(order_id=ack.order_id)
        assert (await desk.account.open_order("BTCUSDT", by_id)).price == price
        amended = await desk.orders.amend(
            AmendRequest(
                symbol="BTCUSDT", side=Side.BUY, order=by_id, quantity=D("0.200"), price=price - 1, modify_id=7
            )
        )
        assert (amended.quantity, amended.price) == (D("0.200"), price - 1)
        (change,) = await desk.account.amendments("BTCUSDT", by_id)
        assert (change.price_before, change.price_after, change.modify_id) == (price, price - 1, 7)
        cancelled = await desk.orders.cancel("BTCUSDT", OrderRef(client_id=request.client_id))
        assert cancelled.status == "CANCELED"
        assert await desk.reaction(desk.orders.cancel("BTCUSDT", by_id)) is Reaction.ALREADY_CLOSED
        assert await desk.reaction(desk.account.open_order("BTCUSDT", by_id)) is Reaction.NO_SUCH_ORDER
        assert (await desk.account.order("BTCUSDT", by_id)).status == "CANCELED"
        assert [row.order_id for row in await desk.account.all_orders("BTCUSDT")] == [ack.order_id]

    at_the_venue(scenario)


def test_batches_have_an_outcome_for_each_order():
    async def scenario(desk):
        price = await desk.passive()
        good, bad, other = desk.order(price=price), desk.order(price=price, quantity="0.0001"), desk.order(price=price)
        first, second, third = await desk.orders.place_batch([good, bad, other])
        assert isinstance(first, OrderAck)
        assert isinstance(third, OrderAck)
        assert isinstance(second, ExchangeError)
        assert second.reaction is Reaction.REFRESH_RULES
        amended = await desk.orders.amend_batch(
            [
                AmendRequest(
                    symbol="BTCUSDT", side=Side.BUY, order=OrderRef(order_id=ack.order_id), quantity=D("0.100"),
                    price=price - 2,
                )
                for ack in (first, third)
            ]
        )  # fmt: skip
        assert {one.price for one in amended} == {price - 2}
        gone, unknown = await desk.orders.cancel_batch(
            "BTCUSDT", [OrderRef(client_id=good.client_id), OrderRef(client_id="never")]
        )
        assert gone.status == "CANCELED"
        assert unknown.reaction is Reaction.ALREADY_CLOSED
        await desk.orders.cancel_all("BTCUSDT")
        assert await desk.account.open_orders() == ()

    at_the_venue(scenario)


def test_the_dead_mans_switch_cancels_plain_orders_and_can_be_called_off():
    async def scenario(desk):
        await desk.orders.place(desk.order(price=await desk.passive()))
        assert (await desk.orders.countdown("BTCUSDT", 5_000)).after_ms == 5_000
        await desk.clock.sleep(3)
        await desk.orders.countdown("BTCUSDT", 0)
        await desk.clock.sleep(10)
        assert len(await desk.account.open_orders("BTCUSDT")) == 1
        await desk.orders.countdown("BTCUSDT", 1_000)
        await desk.clock.sleep(3)
        assert await desk.account.open_orders("BTCUSDT") == ()

    at_the_venue(scenario)


def test_refusals_arrive_as_the_reactions_they_ask_for():
    async def scenario(desk):
        price = await desk.passive()
        first = desk.order(price=price)
        await desk.orders.place(first)
        cases = {
            Reaction.DUPLICATE_ID: desk.orders.place(first),
            Reaction.REFRESH_RULES: desk.orders.place(desk.order(price="80000.123456")),
            Reaction.BELOW_MINIMUM: desk.orders.place(desk.order(price="100", quantity="0.001")),
            Reaction.REREAD_POSITION: desk.orders.place(desk.order(Side.SELL, reduces=True)),
            Reaction.DROP_SYMBOL: desk.orders.place(desk.order(symbol="NOSUCHUSDT")),
            Reaction.LOWER_SIZE: desk.orders.place(desk.order(quantity="900")),
            Reaction.NO_SUCH_ORDER: desk.account.order("BTCUSDT", OrderRef(client_id="never")),
            Reaction.LOWER_LEVERAGE: desk.settings.set_leverage("BTCUSDT", 126),
            Reaction.CLEAN_UP_FIRST: desk.settings.set_position_mode(hedge=True),
            Reaction.CLOSE_NOW: desk.algo.place(
                AlgoRequest(
                    symbol="BTCUSDT", side=Side.SELL, kind=ConditionalKind.STOP_MARKET, client_id="s1",
                    quantity=D("0.1"), trigger_price=(await desk.mark() * D("1.2")).quantize(D("0.1")),
                )
            ),
            Reaction.CLOSE_POSITION_CONFLICT: desk.algo.place(
                AlgoRequest(
                    symbol="BTCUSDT", side=Side.SELL, kind=ConditionalKind.STOP_MARKET, client_id="s2",
                    close_position=True, trigger_price=price,
                )
            ),
        }  # fmt: skip
        for reaction, awaitable in cases.items():
            assert await desk.reaction(awaitable) is reaction

    at_the_venue(scenario)


def test_what_the_rules_let_pass_the_venue_takes_and_what_they_refuse_it_refuses():
    async def scenario(desk):
        (bitcoin,) = [one for one in await desk.client.exchange_info() if one.symbol == "BTCUSDT"]
        mark = await desk.mark()
        view = MarketView(desk.client.venue_ms(), mark)
        shares = ("0.5", "0.9123456", "0.99", "1.03", "1.2")
        sizes = ("0.0004", "0.001", "0.0123456", "0.5", "2000")
        for share in shares:
            for size in sizes:
                for side in Side:
                    wanted = desk.order(side, size, mark * D(share), time_in_force=TimeInForce.GTC)
                    fitted = quantise_order(bitcoin, wanted, view)
                    if isinstance(fitted, Refusal):
                        await desk.reaction(desk.orders.check(wanted))
                    else:
                        await desk.orders.check(fitted)
        for share in ("0.9", "1.1234567"):
            for side in Side:
                wanted = AlgoRequest(
                    symbol="BTCUSDT", side=side, kind=ConditionalKind.STOP_MARKET, client_id=f"c{share}{side}",
                    quantity=D("0.0123"), trigger_price=mark * D(share), reduces=False,
                )  # fmt: skip
                fitted = quantise_conditional(bitcoin, wanted, view)
                if isinstance(fitted, Refusal):
                    await desk.reaction(desk.algo.place(wanted))
                else:
                    assert (await desk.algo.place(fitted)).is_working
        await desk.algo.cancel_all("BTCUSDT")

    at_the_venue(scenario)


def test_a_mode_switched_by_others_is_noticed_and_the_order_sent_once_more():
    async def scenario(desk):
        assert await desk.mode.refresh() is False
        other = Trader(desk.front, desk.clock, Credentials(KEY, SECRET))
        await other.settings.set_position_mode(hedge=True)
        ack = await desk.orders.place(desk.order())
        assert (ack.position_side, desk.mode.hedge, desk.mode.mismatches) == ("LONG", True, 1)
        await desk.clock.sleep(1)
        await desk.orders.place(desk.order(Side.SELL, reduces=True))
        await desk.clock.sleep(1)
        await other.settings.set_position_mode(hedge=False)
        await desk.orders.place(desk.order())
        assert (desk.mode.hedge, desk.mode.mismatches) == (False, 2)

    at_the_venue(scenario)


def test_settings_and_reads_of_the_account_decode():
    async def scenario(desk):
        config = await desk.account.config()
        assert (config.hedge, config.can_trade) == (False, True)
        assert await desk.account.multi_assets() is False
        assert await desk.settings.set_multi_assets(enabled=False) is False, "nothing to change"
        assert await desk.settings.set_isolated("ETHUSDT", isolated=True) is True
        assert await desk.settings.set_isolated("ETHUSDT", isolated=True) is False
        assert (await desk.settings.set_leverage("ETHUSDT", 20)).leverage == 20
        await desk.orders.place(desk.order(symbol="ETHUSDT", quantity="1.000"))
        await desk.clock.sleep(1)
        await desk.settings.adjust_margin("ETHUSDT", "BOTH", D(10), add=True)
        changes = await desk.account.margin_changes("ETHUSDT")
        assert any(change.added and change.amount == 10 for change in changes)
        rate = await desk.account.commission_rate("ETHUSDT")
        assert 0 < rate.maker < rate.taker
        limits = await desk.account.order_limits()
        assert {(limit.interval_s, limit.limit) for limit in limits} == {(10, 300), (60, 1200)}
        desk.client.order_ledger.adopt(limits)
        assert isinstance(await desk.account.fee_burn(), bool)
        assert isinstance(await desk.account.trading_status(), tuple)
        assert await desk.account.adl_quantiles("ETHUSDT")
        assert await desk.account.force_orders() == ()

    at_the_venue(scenario)


def test_the_desk_counts_weight_and_orders_as_the_venue_does():
    async def scenario(desk):
        await desk.mode.refresh()
        for _ in range(5):
            await desk.orders.place(desk.order(quantity="0.010"))
        now = desk.client.venue_ms()
        assert desk.client.order_ledger.used(now) == (5, 5)
        assert desk.client.calls._budget.address.used(now) == desk.front.exchange.venue.weights.used(now)

    at_the_venue(scenario)


@pytest.mark.parametrize("kind", ["Ed25519", "RSA"])
def test_key_pairs_are_accepted_and_a_foreign_one_is_not(kind):
    def pair():
        if kind == "Ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def pem(private):
        return private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    private = pair()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    key = "p" * 64

    async def accepted(desk):
        ack = await desk.orders.place(desk.order(price=await desk.passive()))
        assert ack.is_open
        await desk.orders.cancel("BTCUSDT", OrderRef(order_id=ack.order_id))

    async def refused(desk):
        with pytest.raises(CredentialsError):
            await desk.account.config()

    at_the_venue(accepted, secrets={key: public.decode()}, credentials=Credentials(key, pem(private)))
    at_the_venue(refused, secrets={key: public.decode()}, credentials=Credentials(key, pem(pair())))


def test_an_order_limit_is_obeyed_to_the_second_by_everything_but_what_is_critical():
    async def scenario(desk):
        await desk.mode.refresh()
        careless = Trader(desk.front, desk.clock, Credentials(KEY, SECRET))
        careless.mode.hedge = False
        careless.client.order_ledger.adopt([OrderLimit(10, 10_000), OrderLimit(60, 10_000)])
        await desk.clock.sleep(10 - desk.clock.now_ms() / 1000 % 10)

        async def storm():
            while True:
                await careless.orders.place_batch([careless.order(price="100.0")])

        with pytest.raises(RateLimitedError) as caught:
            await storm()
        assert caught.value.code == -1015
        held = careless.client.calls._budget.address.held_until_ms()
        assert 0 < held - desk.client.venue_ms() <= 10_000
        await careless.orders.cancel_all("BTCUSDT")
        assert desk.client.venue_ms() < held, "what reduces risk does not wait"
        with pytest.raises(HeldBackError):
            await careless.client.positions(priority=Priority.CRITICAL)
        await careless.client.server_time(priority=Priority.LOW)
        assert held <= desk.client.venue_ms() < held + 2_000, "all else waits, and no longer than it must"

    at_the_venue(scenario)


def test_a_ban_is_sat_out_to_the_second_by_all_pools():
    async def scenario(desk):
        end = desk.client.venue_ms() + 120_000
        Control(desk.front.exchange).act({"action": "ban", "seconds": 120})
        statistics = StatisticsClient(desk.client.calls)
        with pytest.raises(BannedError) as caught:
            await desk.client.server_time()
        assert caught.value.until_ms == pytest.approx(end, abs=1_000)
        for call in (statistics.funding_terms, lambda: statistics.basis("BTCUSDT", "5m"), desk.client.tickers):
            waiting = asyncio.create_task(call())
            await asyncio.sleep(0)
            await waiting
            assert caught.value.until_ms <= desk.client.venue_ms() < caught.value.until_ms + 4_000

    at_the_venue(scenario)


def test_a_symbol_outside_ascii_and_ids_beyond_the_doubles_travel_unharmed():
    async def scenario(desk):
        name = "币安人生USDT"
        price = (await desk.mark(name) * D("0.97")).quantize(D("0.0001"))
        quantity = str((D(20) / price).quantize(D("0.001")))
        ack = await desk.orders.place(desk.order(symbol=name, quantity=quantity, price=price))
        assert [row.symbol for row in await desk.account.open_orders(name)] == [name]
        assert (await desk.orders.cancel(name, OrderRef(order_id=ack.order_id))).status == "CANCELED"
        ack = await desk.orders.place(desk.order(symbol="ETHUSDT", quantity="1.000"))
        assert ack.order_id > 2**53
        assert (await desk.account.order("ETHUSDT", OrderRef(order_id=ack.order_id))).client_id == ack.client_id

    at_the_venue(scenario)


@pytest.mark.parametrize("as_object", [False, True])
def test_brackets_are_read_as_a_list_and_as_a_bare_object(as_object):
    async def scenario(desk):
        one = await desk.client.leverage_brackets("BTCUSDT")
        assert one["BTCUSDT"] == (await desk.client.leverage_brackets())["BTCUSDT"]
        ceiling = leverage_cap(one["BTCUSDT"], D(1))
        assert (await desk.settings.set_leverage("BTCUSDT", ceiling)).leverage == ceiling
        allowed = largest_notional(one["BTCUSDT"], ceiling)
        assert (await desk.settings.set_leverage("BTCUSDT", ceiling)).max_notional == allowed

    at_the_venue(scenario, questions=OpenQuestions(bracket_object_for_symbol=as_object))


@pytest.mark.parametrize("step_ms", [90_000, -90_000])
def test_a_step_of_the_venues_clock_costs_no_order_and_is_noticed(step_ms):
    async def scenario(desk):
        await desk.client.sync_clock()
        await desk.mode.refresh()
        Control(desk.front.exchange).act({"action": "step_clock", "ms": step_ms})
        ack = await desk.orders.place(desk.order())
        assert (await desk.account.order("BTCUSDT", OrderRef(order_id=ack.order_id))).client_id == ack.client_id
        assert desk.client.clock_sync.offset_ms == pytest.approx(step_ms, abs=25)
        assert sum(trade.quantity for trade in await desk.account.user_trades("BTCUSDT")) == D("0.100"), "sent once"
        assert desk.client.clock_steps == 1, "the refusal showed it"
        Control(desk.front.exchange).act({"action": "step_clock", "ms": -step_ms})
        await desk.client.sync_clock(1)
        assert desk.client.clock_sync.offset_ms == pytest.approx(0, abs=25)
        assert desk.client.clock_steps == 2, "the regular reading showed it"

    at_the_venue(scenario)


def test_rules_that_change_while_the_desk_runs_cost_one_refusal_and_one_reading():
    async def scenario(desk):
        await desk.mode.refresh()
        rules = RuleBook(desk.client)
        await rules.refresh()
        fitted = FittedOrders(rules, desk.orders, desk.algo)
        life = desk.front.exchange.venue.life
        view = MarketView(desk.client.venue_ms(), await desk.mark())
        price = view.mark * D("0.97") + D("0.3")

        life.change_rules("BTCUSDT", tick=D(5), lot=LotRule(D("0.01"), D(1000), D("0.01")))
        ack = await fitted.place(desk.order(quantity="0.125", price=price), view)
        assert (ack.price % 5, ack.quantity, rules.refreshes) == (0, D("0.12"), 2)

        life.change_rules("BTCUSDT", min_notional=D(1_000_000))
        outcome = await fitted.place(desk.order(quantity="0.125", price=price), view)
        assert (outcome.breach, rules.refreshes) == (Breach.NOTIONAL_TOO_SMALL, 3)

        life.halt("BTCUSDT", desk.client.venue_ms())
        assert await desk.reaction(desk.orders.place(desk.order())) is Reaction.DROP_SYMBOL
        await rules.refresh()
        assert (await fitted.place(desk.order(), view)).breach is Breach.NOT_TRADING

    at_the_venue(scenario)


def test_brackets_that_change_while_the_desk_runs_refuse_the_old_leverage():
    async def scenario(desk):
        low = Bracket(D(0), D(1_000_000), 5, D("0.02"), D(0))
        desk.front.exchange.venue.life.change_brackets("BTCUSDT", [low], desk.client.venue_ms())
        assert await desk.reaction(desk.settings.set_leverage("BTCUSDT", 20)) is Reaction.LOWER_LEVERAGE
        brackets = (await desk.client.leverage_brackets("BTCUSDT"))["BTCUSDT"]
        clamped = clamp_leverage(brackets, 20, D(1000))
        assert (await desk.settings.set_leverage("BTCUSDT", clamped)).leverage == 5

    at_the_venue(scenario)
