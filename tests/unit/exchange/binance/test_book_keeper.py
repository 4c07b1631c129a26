import asyncio
import contextlib
import itertools

from venue_fakes import HeldDialer, ScriptedEntropy
from virtual_loop import VirtualClock, run_virtual

from exchange.binance.book_keeper import BookChanged, BookKeeper
from exchange.errors import UnsentError
from exchange.market_data import DepthSnapshot


class Venue:
    """A book per symbol whose best bid's quantity is the number of the last change, with its stream and snapshot."""

    def __init__(self, *symbols):
        self.dialer = HeldDialer()
        self.last = dict.fromkeys(symbols, 1000)
        self.fetched = []
        self.failures = 0

    async def depth(self, symbol, limit, *, priority):
        self.fetched.append((asyncio.get_running_loop().time(), symbol))
        await asyncio.sleep(0.05)
        if self.failures:
            self.failures -= 1
            raise UnsentError("no network")
        number = self.last[symbol]
        bids = tuple((99.0 - level, float(number)) for level in range(100))
        asks = tuple((101.0 + level, 1.0) for level in range(100))
        return DepthSnapshot(symbol, number, bids, asks, number)

    def change(self, symbol, *, lost=False, bid="99"):
        before, self.last[symbol] = self.last[symbol], self.last[symbol] + 10
        number = self.last[symbol]
        data = {
            "e": "depthUpdate", "E": number, "T": number, "s": symbol, "ps": symbol, "U": before + 1, "u": number,
            "pu": before, "b": [[bid, str(number)]], "a": [], "st": 1,
        }  # fmt: skip
        stream = f"{symbol.lower()}@depth@100ms"
        for held in self.dialer.streams:
            if not lost and not held.closed and stream in held.subscribed:
                held.push({"stream": stream, "data": data})

    async def trade(self, seconds):
        for _ in range(int(seconds * 10)):
            for symbol in self.last:
                self.change(symbol)
            await asyncio.sleep(0.1)


def play(venue, script):
    events = []

    async def main():
        clock = VirtualClock(0)
        keeper = BookKeeper(venue, venue.dialer, clock, ScriptedEntropy(), events.append)
        task = asyncio.create_task(keeper.run())
        try:
            await script(keeper)
            assert not task.done()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    run_virtual(main())
    return events


def test_books_become_whole_and_follow_their_streams():
    venue = Venue("BTCUSDT", "ETHUSDT")

    async def script(keeper):
        keeper.want(["BTCUSDT", "ETHUSDT"])
        await venue.trade(5)
        for symbol in venue.last:
            book = keeper.book(symbol)
            assert book.is_whole, book.reason
            assert book.bids(1) == ((99.0, float(venue.last[symbol])),)
            assert len(book.asks(20)) == 20

    events = play(venue, script)
    assert [symbol for _, symbol in venue.fetched] == ["BTCUSDT", "ETHUSDT"]
    assert sum(isinstance(event, BookChanged) for event in events) == 2


def test_a_gap_is_noticed_told_and_mended():
    venue = Venue("BTCUSDT")

    async def script(keeper):
        keeper.want(["BTCUSDT"])
        await venue.trade(3)
        venue.change("BTCUSDT", lost=True)
        venue.change("BTCUSDT")
        await asyncio.sleep(0.02)
        assert not keeper.book("BTCUSDT").is_whole
        assert keeper.book("BTCUSDT").bids(1) == ()
        await venue.trade(3)
        assert keeper.book("BTCUSDT").is_whole
        assert keeper.book("BTCUSDT").rebuilds == 1

    events = play(venue, script)
    changes = [event for event in events if isinstance(event, BookChanged)]
    assert [change.is_whole for change in changes] == [True, False, True]
    assert "missing" in changes[1].reason


def test_a_lost_socket_costs_one_snapshot_each_never_two_at_once():
    symbols = [f"S{number}USDT" for number in range(8)]
    venue = Venue(*symbols)

    async def script(keeper):
        keeper.want(symbols)
        await venue.trade(20)
        venue.fetched.clear()
        venue.dialer.streams[-1].end(1006, "reset")
        await asyncio.sleep(0.05)
        assert not any(keeper.book(symbol).is_whole for symbol in symbols)
        await venue.trade(20)
        assert all(keeper.book(symbol).is_whole for symbol in symbols)

    play(venue, script)
    times = [at for at, _ in venue.fetched]
    assert len(times) == 8
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 1.0


def test_a_snapshot_that_cannot_be_had_is_tried_again():
    venue = Venue("BTCUSDT")
    venue.failures = 2

    async def script(keeper):
        keeper.want(["BTCUSDT"])
        await venue.trade(4)
        assert "no network" in keeper.book("BTCUSDT").reason
        await venue.trade(20)
        assert keeper.book("BTCUSDT").is_whole

    play(venue, script)
    assert len(venue.fetched) == 3


def test_a_crossed_book_is_rebuilt():
    venue = Venue("BTCUSDT")

    async def script(keeper):
        keeper.want(["BTCUSDT"])
        await venue.trade(3)
        venue.change("BTCUSDT", bid="105")
        await asyncio.sleep(0.02)
        assert "crossed" in keeper.book("BTCUSDT").reason
        await venue.trade(5)
        assert keeper.book("BTCUSDT").is_whole

    play(venue, script)


def test_a_symbol_no_longer_wanted_is_let_go():
    venue = Venue("BTCUSDT")

    async def script(keeper):
        keeper.want(["BTCUSDT"])
        await venue.trade(3)
        keeper.want([])
        await venue.trade(3)
        assert keeper.book("BTCUSDT") is None
        assert venue.dialer.streams[-1].closed

    play(venue, script)
