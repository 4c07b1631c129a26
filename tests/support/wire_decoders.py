"""Every decoder of the venue's client by name, and true bodies and frames to begin mutating from."""

import asyncio
import inspect
from decimal import Decimal
from functools import cache

from careful_trader import CarefulTrader
from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.binance import (
    account_wire,
    algo_wire,
    candles_wire,
    order_wire,
    rules_wire,
    settings_wire,
    statistics_wire,
    wire,
)
from exchange.binance.outcomes import classify
from exchange.binance.signing import Credentials
from exchange.binance.streams_wire import FrameDecoder
from exchange.binance.user_wire import UserDecoder
from exchange.simulator.auth import DEMO_KEY, DEMO_SECRET
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront

MODULES = (
    account_wire, algo_wire, candles_wire, order_wire, rules_wire, settings_wire, statistics_wire, wire,
)  # fmt: skip
OTHERS = {"symbol": "BTCUSDT", "where": "fuzz", "refused": lambda *_: None}


def _bound(function):
    names = list(inspect.signature(function).parameters)[1:]
    arguments = [OTHERS[name] for name in names]
    return lambda body: function(body, *arguments)


@cache
def decoders():
    """Return name -> callable of bytes: it returns or raises DecodeError, whatever the bytes."""
    found = {
        f"{module.__name__.rsplit('.', 1)[1]}.{name}": _bound(function)
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "body"
    }
    frames, account = FrameDecoder(), UserDecoder()
    return found | {
        "streams_wire.FrameDecoder": frames.decode,
        "user_wire.UserDecoder": account.decode,
        "outcomes.classify": lambda body: classify(503, body),
    }


class _Listening:
    """A Rest port that keeps what it hears."""

    def __init__(self, rest, heard):
        self._rest, self._heard = rest, heard

    async def send(self, *arguments):
        answer = await self._rest.send(*arguments)
        self._heard.add(answer.body)
        return answer


@cache
def samples():
    """Return true answers and frames of a small simulated exchange, each once, shortest first."""
    heard = set()

    async def main():
        clock = VirtualClock(START)
        exchange = Exchange(SmallMarket())
        front = MemoryFront(exchange, clock)
        pump = asyncio.create_task(front.run())
        rest = _Listening(front.rest, heard)
        keys = Credentials(DEMO_KEY, DEMO_SECRET)
        streams = "btcusdt@aggTrade/btcusdt@kline_1m/btcusdt@bookTicker/btcusdt@depth/!markPrice@arr"
        market = exchange.open(f"/stream?streams={streams}/!ticker@arr", clock.now_ms())
        private = exchange.open(f"/private/ws/{exchange.venue.listen_keys.issue(DEMO_KEY, START)}", clock.now_ms())
        trader = CarefulTrader(rest, front.dialer, clock, ScriptedEntropy(), keys, "BTCUSDT", Decimal("0.010"))
        async with trader:
            await trader.script(1, Decimal("0.1"))
            await trader.proof()
            client, account = trader.client, trader.account
            for ask in (
                client.exchange_info, client.tickers, client.book_tops, client.account, client.account_v2,
                client.balances, client.symbol_configs, client.leverage_brackets, account.config, account.order_limits,
                account.adl_quantiles, account.income, account.trading_status, account.fee_burn, account.multi_assets,
            ):  # fmt: skip
                await ask()
            await client.klines("BTCUSDT", "5m", 3)
            await client.depth("BTCUSDT", 5)
            await client.agg_trades("BTCUSDT", 3)
            await account.commission_rate("BTCUSDT")
        heard.update(market.outbox)
        heard.update(private.outbox)
        pump.cancel()

    run_virtual(main())
    return sorted((body for body in heard if len(body) < 20_000), key=lambda body: (len(body), body))
