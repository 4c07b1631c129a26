"""The real client and the real stream session against the simulated venue, over the same ports, on virtual time."""

import asyncio
import contextlib
from decimal import Decimal

import pytest
from small_market import START, SYMBOLS, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.routes import stream_symbol
from exchange.binance.signing import Credentials
from exchange.binance.stream_events import FrameRefused, RequestRefused, SocketLost
from exchange.binance.streams import MarketStreams
from exchange.binance.weights import WeightLedger
from exchange.errors import BusinessError, CredentialsError
from exchange.market_data import AggTrade, BookTop, KlineUpdate, MarkPrice, Ticker
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions, demo_secrets

KEY, SECRET = next(iter(demo_secrets().items()))


class SkewedClock(VirtualClock):
    """The desk's clock, wrong against the venue's by a fixed error."""

    def __init__(self, epoch_ms, error_ms):
        super().__init__(epoch_ms)
        self.error_ms = error_ms


def at_the_venue(scenario, *, latency=0.02, error_ms=0, credentials=(KEY, SECRET), **options):
    async def main():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(SmallMarket(), options=ExchangeOptions(**options)), clock, latency=latency)
        desk_clock = SkewedClock(START, error_ms)
        client = BinanceClient(
            front.rest, desk_clock, WeightLedger(), OpenGate(), ScriptedEntropy(), Credentials(*credentials)
        )
        pump = asyncio.create_task(front.run())
        try:
            return await scenario(client, front, desk_clock)
        finally:
            pump.cancel()

    return run_virtual(main())


def test_every_read_of_the_client_is_answered_and_decodes():
    async def scenario(client, _front, clock):
        await client.ping()
        assert abs((await client.sync_clock()).offset_ms) <= 1
        await clock.sleep(120)
        instruments = await client.exchange_info()
        assert set(SYMBOLS) <= {instrument.symbol for instrument in instruments}
        assert {"BTCUSDT", "ETHUSDT"} <= {row.symbol for row in await client.tickers()}
        assert {"BTCUSDT", "ETHUSDT"} <= {row.symbol for row in await client.book_tops()}
        assert {"BTCUSDT", "ETHUSDT"} <= {row.symbol for row in await client.mark_prices()}
        for symbol in SYMBOLS:
            candles = await client.klines(symbol, "1m", 499)
            assert len(candles) > 0
            assert candles.open_time[-1] <= client.venue_ms()
        book = await client.depth("BTCUSDT", 20)
        assert book.bids[0][0] < book.asks[0][0]
        assert (await client.agg_trades("BTCUSDT"))[-1].symbol == "BTCUSDT"
        assert await client.position_mode() in (True, False)
        assert (await client.account()).wallet > 0
        assert (await client.account_v2()).wallet > 0
        assert any(row.asset == "USDT" and row.wallet > 0 for row in await client.balances())
        assert await client.positions() == ()
        assert all(config.leverage >= 1 for config in await client.symbol_configs())
        brackets = await client.leverage_brackets()
        assert brackets["BTCUSDT"] == (await client.leverage_brackets("BTCUSDT"))["BTCUSDT"]
        assert brackets["BTCUSDT"][0].mmr == Decimal("0.004")
        key = await client.listen_key_create()
        assert key == await client.listen_key_create()
        await client.listen_key_keepalive()
        await client.listen_key_close()
        with pytest.raises(BusinessError) as caught:
            await client.listen_key_keepalive()
        assert caught.value.code == -1125
        assert client.refused_rows == 0

    at_the_venue(scenario)


@pytest.mark.parametrize("error_ms", [-40_000, 25_000])
def test_a_clock_that_is_wrong_is_cured_on_the_first_refusal(error_ms):
    async def scenario(client, _front, _clock):
        assert (await client.account()).wallet > 0
        return client.clock_sync.offset_ms

    assert at_the_venue(scenario, error_ms=error_ms) == pytest.approx(-error_ms, abs=25)


def test_a_wrong_secret_and_an_unknown_symbol_are_refused_in_their_branch():
    async def scenario(client, _front, _clock):
        with pytest.raises(CredentialsError):
            await client.account()
        with pytest.raises(BusinessError) as caught:
            await client.klines("NOSUCHUSDT", "5m")
        assert caught.value.code == -1121

    at_the_venue(scenario, credentials=(KEY, "wrong"))


def test_streams_of_every_kind_flow_on_the_routes_of_a_strict_venue():
    wanted = [f"{stream_symbol(symbol)}@{kind}" for symbol in SYMBOLS[:3] for kind in ("bookTicker", "kline_1m")]
    wanted += ["btcusdt@aggTrade", "!markPrice@arr@1s", "!ticker@arr", "ethusdt@markPrice@1s"]
    messages, events = [], []

    async def scenario(_client, front, clock):
        streams = MarketStreams(front.dialer, clock, ScriptedEntropy(), messages.extend, events.append)
        streams.want(wanted)
        task = asyncio.create_task(streams.run())
        await clock.sleep(300)
        stats = streams.stats()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert sum(socket.confirmed for socket in stats) == len(wanted)
        assert all(socket.unanswered_audits == socket.lost_subscriptions == 0 for socket in stats)
        assert streams.decoder.refused_rows == 0

    at_the_venue(scenario, strict=True)
    assert not [event for event in events if isinstance(event, FrameRefused | RequestRefused | SocketLost)]
    assert {type(message) for message in messages} == {AggTrade, BookTop, KlineUpdate, MarkPrice, Ticker}
    closed = [bar for bar in messages if isinstance(bar, KlineUpdate) and bar.closed and bar.symbol == "BTCUSDT"]
    assert len(closed) >= 4
