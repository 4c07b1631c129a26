"""A small client that trades a script through the real one, believes nothing it cannot prove, and keeps a book.

It is the smallest program that shows the client's promise: one POST per intent unless the venue certainly refused it,
unknown outcomes resolved by evidence, the book kept by the private stream and joined with readings after every gap.
"""

import asyncio
from collections import Counter
from decimal import Decimal

from exchange.account_events import AccountUpdate, AlgoUpdate, OrderUpdate, TradeId
from exchange.account_merge import AccountMerge, Reading
from exchange.bad_input import Quarantine
from exchange.binance.account_client import AccountClient
from exchange.binance.algo_client import AlgoClient
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.order_client import OrderClient
from exchange.binance.resolver import Resolver
from exchange.binance.user_stream import UserStream
from exchange.binance.weights import WeightLedger
from exchange.conditional_orders import AlgoRef, AlgoRequest, ConditionalKind
from exchange.errors import ExchangeError, RefusedError, UnknownOutcomeError, UnsentError
from exchange.orders import OrderKind, OrderRef, OrderRequest, Side
from exchange.reactions import Reaction

TRIES = 60
PAUSE_S = 2.0


class CarefulTrader:
    """Trades one symbol of one account. `placed` counts the POSTs of each client id that may have been executed."""

    def __init__(self, rest, dialer, clock, entropy, credentials, symbol, quantity):
        self.clock, self.symbol, self.quantity = clock, symbol, quantity
        self.client = BinanceClient(rest, clock, WeightLedger(), OpenGate(), entropy, credentials)
        self.account = AccountClient(self.client.calls)
        mode = self.account.position_mode()
        self.orders, self.algos = OrderClient(self.client.calls, mode), AlgoClient(self.client.calls, mode)
        self.resolver = Resolver(self.account, self.client.calls, clock)
        self.stream = UserStream(self.client, dialer, clock, entropy, lambda _event: None, Quarantine())
        self.merge = AccountMerge()
        self.position = Decimal(0)
        self.open, self.open_algos, self.trades = set(), set(), set()
        self.placed = Counter()
        self.told = Counter()
        self._count = 0

    async def __aenter__(self):
        self._work = [asyncio.create_task(self.stream.run()), asyncio.create_task(self._listen())]
        return self

    async def __aexit__(self, *exc):
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    # The book

    async def _listen(self):
        while True:
            self._apply(self.merge.take(await self.stream.receive()))
            if self.merge.wanted is not None:
                await self._read()

    async def _read(self):
        """Replace the book by a reading, as often as it takes."""
        while self.merge.wanted is not None:
            ticket = self.merge.begin()
            try:
                positions = await self.account_positions()
                orders = await self.account.open_orders(self.symbol)
                algos = await self.account.open_algo_orders(self.symbol)
                trades = await self.account.user_trades(self.symbol, limit=1000)
            except ExchangeError:
                self.told["reading failed"] += 1
                await self.clock.sleep(PAUSE_S)
                continue
            reading = Reading(
                positions={(row.symbol, row.side): row.update_time for row in positions},
                orders={(row.symbol, row.order_id): row.update_ms for row in orders},
                algos={row.algo_id: row.update_ms for row in algos},
                trades=frozenset(TradeId(row.symbol, row.trade_id, row.order_id) for row in trades),
            )
            later = self.merge.settle(ticket, reading)
            if later is not None:
                self.told["readings"] += 1
                self.position = sum((row.quantity for row in positions), Decimal(0))
                self.open = {row.order_id for row in orders}
                self.open_algos = {row.algo_id for row in algos}
                self.trades = {(row.trade_id, row.order_id) for row in trades}
                self._apply(later)

    async def account_positions(self):
        return [row for row in await self.client.positions() if row.symbol == self.symbol and row.quantity]

    def _apply(self, events):
        for event in events:
            if isinstance(event, OrderUpdate):
                (self.open.discard if event.is_final else self.open.add)(event.order_id)
                if event.trade is not None:
                    self.trades.add((event.trade_id, event.order_id))
            elif isinstance(event, AlgoUpdate):
                (self.open_algos.discard if event.is_final else self.open_algos.add)(event.algo_id)
            elif isinstance(event, AccountUpdate):
                for row in event.positions:
                    if row.symbol == self.symbol:
                        self.position = row.quantity

    # Orders

    async def send(self, kind, request):
        """Carry one intent out; return whether the venue took it. Only what certainly was not done is sent again."""
        client = self.orders if kind == "order" else self.algos
        for _ in range(TRIES):
            self.placed[request.client_id] += 1
            sent_ms = self.client.venue_ms()
            try:
                await client.place(request)
            except UnknownOutcomeError:
                self.told["unknown"] += 1
                return await self._resolve(kind, request, sent_ms)
            except RefusedError as refusal:
                self.told[f"refused {refusal.code}"] += 1
                self.placed[request.client_id] -= 1
                if refusal.reaction is Reaction.DUPLICATE_ID:
                    raise AssertionError(f"{request.client_id} was sent twice") from refusal
                if refusal.reaction not in {Reaction.WAIT, Reaction.BACK_OFF, Reaction.RESYNC_CLOCK}:
                    return False
            except UnsentError:
                self.told["not sent"] += 1
                self.placed[request.client_id] -= 1
            else:
                return True
            await self.clock.sleep(PAUSE_S)
        raise AssertionError(f"{request.client_id} was never taken and never refused for good")

    async def _resolve(self, kind, request, sent_ms):
        find = self.resolver.order if kind == "order" else self.resolver.conditional
        taken = await find(request, sent_ms) is not None
        self.told["found" if taken else "dead"] += 1
        return taken

    def _id(self, what):
        self._count += 1
        return f"careful-{what}-{self._count}"

    async def trade(self, side, *, reduces=False):
        kind = {"symbol": self.symbol, "side": side, "kind": OrderKind.MARKET, "quantity": self.quantity}
        return await self.send("order", OrderRequest(**kind, client_id=self._id("market"), reduces=reduces))

    async def rest(self, price):
        order = OrderRequest(
            symbol=self.symbol, side=Side.BUY, kind=OrderKind.LIMIT, quantity=self.quantity, price=price,
            client_id=self._id("limit"),
        )  # fmt: skip
        return order.client_id if await self.send("order", order) else None

    async def protect(self, trigger):
        order = AlgoRequest(
            symbol=self.symbol, side=Side.SELL, kind=ConditionalKind.STOP_MARKET, quantity=self.quantity,
            trigger_price=trigger, client_id=self._id("stop"),
        )  # fmt: skip
        return order.client_id if await self.send("algo", order) else None

    async def withdraw(self, kind, client_id):
        """Cancel until it is certain: cancels may be repeated."""
        for _ in range(TRIES):
            try:
                if kind == "order":
                    await self.orders.cancel(self.symbol, OrderRef(client_id=client_id))
                else:
                    await self.algos.cancel(AlgoRef(client_id=client_id))
            except RefusedError as refusal:
                if refusal.reaction is Reaction.ALREADY_CLOSED:
                    return
            except ExchangeError:
                self.told["cancel repeated"] += 1
            else:
                return
            await self.clock.sleep(PAUSE_S)
        raise AssertionError(f"{client_id} could not be cancelled")

    async def script(self, rounds, tick):
        """Rest and cancel, buy, protect, take the protection back, sell; again and again."""
        for _ in range(rounds):
            mark = next(row.mark for row in await self._marks() if row.symbol == self.symbol)
            below, deeper = (Decimal(str(mark)) * share // tick * tick for share in (Decimal("0.97"), Decimal("0.9")))
            resting = await self.rest(below)
            if resting:
                await self.withdraw("order", resting)
            if await self.trade(Side.BUY):
                stop = await self.protect(deeper)
                if stop:
                    await self.withdraw("algo", stop)
                while not await self.trade(Side.SELL, reduces=True):
                    if not await self._holds():
                        break
            await self.clock.sleep(PAUSE_S)

    async def _marks(self):
        return await self._until(self.client.mark_prices)

    async def _holds(self):
        return bool(await self._until(self.account_positions))

    async def _until(self, ask):
        for _ in range(TRIES):
            try:
                return await ask()
            except ExchangeError:
                await self.clock.sleep(PAUSE_S)
        raise AssertionError("the venue never answered")

    async def proof(self):
        """Return (book, exchange) of positions, orders, conditional orders and fills, and assert that they are equal.

        Also asserts that no intent was sent twice and none became two orders.
        """
        for _ in range(TRIES):
            if self.merge.wanted is None and self.stream.is_alive:
                break
            await self.clock.sleep(PAUSE_S)
        await self.clock.sleep(PAUSE_S)
        positions = await self._until(self.account_positions)
        orders = await self._until(lambda: self.account.open_orders(self.symbol))
        algos = await self._until(lambda: self.account.open_algo_orders(self.symbol))
        trades = await self._until(lambda: self.account.user_trades(self.symbol, limit=1000))
        every = await self._until(lambda: self.account.all_orders(self.symbol, limit=1000))
        book = (self.position, self.open, self.open_algos, self.trades)
        venue = (
            sum((row.quantity for row in positions), Decimal(0)),
            {row.order_id for row in orders},
            {row.algo_id for row in algos},
            {(row.trade_id, row.order_id) for row in trades},
        )
        assert book == venue, (book, venue)
        ours = Counter(row.client_id for row in every if row.client_id.startswith("careful-"))
        assert ours
        assert max(ours.values()) == 1, ours
        assert max(self.placed.values()) == 1, self.placed
        return book
