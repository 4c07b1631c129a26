"""Order books kept at home against the books of the simulated exchange, on virtual time."""

import asyncio
import contextlib

from small_market import START, SmallMarket
from venue_fakes import ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.book_keeper import BookKeeper
from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.session import SessionLimits
from exchange.binance.weights import WeightLedger
from exchange.simulator.core import Exchange
from exchange.simulator.memory import MemoryFront
from exchange.simulator.venue import ExchangeOptions

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def test_kept_books_equal_the_venue_s_at_every_common_update_over_rotations():
    equal = dict.fromkeys(SYMBOLS, 0)

    async def main():
        clock = VirtualClock(START)
        front = MemoryFront(Exchange(SmallMarket(), options=ExchangeOptions(strict=True)), clock, latency=0.02)
        client = BinanceClient(front.rest, clock, WeightLedger(), OpenGate(), ScriptedEntropy())
        events = []
        keeper = BookKeeper(
            client, front.dialer, clock, ScriptedEntropy(), events.append, session=SessionLimits(rotate_s=60.0)
        )
        tasks = [asyncio.create_task(work) for work in (front.run(), keeper.run())]
        keeper.want(SYMBOLS)
        try:
            await clock.sleep(10)
            for _ in range(200):
                for symbol in SYMBOLS:
                    snapshot = await client.depth(symbol, 20)
                    book = keeper.book(symbol)
                    if book.is_whole and book.update_id == snapshot.update_id:
                        assert book.bids(20) == snapshot.bids
                        assert book.asks(20) == snapshot.asks
                        equal[symbol] += 1
                await clock.sleep(0.97)
            assert all(keeper.book(symbol).rebuilds == 0 for symbol in SYMBOLS)
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        return [type(event).__name__ for event in events]

    names = run_virtual(main())
    assert min(equal.values()) > 20
    assert names.count("SocketRotated") >= 2
    assert "SocketLost" not in names
