"""Records a venue's market: streams as they flow, and over REST what a market needs to begin with.

The streams come first, so that nothing falls between history and them; then rules, prices and candles are read, and a
note tells that the session can be served from there on. After a gap the candles of the symbols concerned are read
again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from exchange.binance.client import BinanceClient
from exchange.binance.gate import OpenGate
from exchange.binance.routes import stream_symbol
from exchange.binance.streams import MarketStreams
from exchange.errors import ExchangeError, UnsentError
from exchange.ports import LostError, NotSentError
from exchange.priority import Priority
from exchange.recorder.records import READY, STREAMS_BACK, Note
from exchange.recorder.taps import Stopwatch, TappedDialer, TappedRest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from exchange.binance.stream_events import StreamEvent, StreamsLive
    from exchange.binance.weights import WeightLedger
    from exchange.ports import Clock, Entropy, Rest, StreamDialer
    from exchange.recorder.records import Record

CHANNELS: Final = (
    "bookTicker", "markPrice@1s", "aggTrade", "kline_1m", "kline_5m", "kline_15m", "kline_1h",
)  # fmt: skip
"""What is recorded of every symbol unless asked otherwise."""
INTERVALS: Final = ("1m", "5m", "15m", "1h")
"""Candle intervals of which history is recorded."""
PAGE_BARS: Final = 499
"""The most bars for two units of request weight."""
HISTORY_PAGES: Final = 2
"""A desk wants 500 closed bars of every frame before it judges a symbol."""
_SIDE_BY_SIDE: Final = 4
_TOP: Final = "top:"
_FUNDING_INFO: Final = "/fapi/v1/fundingInfo"


class RecordingError(ValueError):
    """A recording that cannot be made as asked; the text names the value and the remedy."""


class Plan(msgspec.Struct, frozen=True):
    """What to record."""

    symbols: tuple[str, ...]
    channels: tuple[str, ...] = CHANNELS
    intervals: tuple[str, ...] = INTERVALS

    def streams(self) -> list[str]:
        """Return the names of all streams."""
        return [f"{stream_symbol(symbol)}@{channel}" for symbol in self.symbols for channel in self.channels]


class Collector:
    """Runs one recording on the ports of a venue. Belongs to one event loop."""

    def __init__(
        self,
        rest: Rest,
        dialer: StreamDialer,
        clock: Clock,
        entropy: Entropy,
        ledger: WeightLedger,
        put: Callable[[Record], None],
    ) -> None:
        """Take the ports, this address's weight ledger, and where records go (which must not block)."""
        self._clock = clock
        self._put = put
        self._watch = Stopwatch(clock)
        self._rest = TappedRest(rest, self._watch, put)
        self.client = BinanceClient(self._rest, clock, ledger, OpenGate(), entropy)
        self._streams = MarketStreams(
            TappedDialer(dialer, self._watch, put), clock, entropy, _ignore_message, self._heard, self._back
        )
        self._intervals: tuple[str, ...] = ()
        self._symbols: dict[str, str] = {}
        self._missed: asyncio.Queue[str] = asyncio.Queue()
        self.ready = asyncio.Event()
        """Set once the session can be served."""
        self.faults: list[str] = []
        """What could not be read, in the operator's words; the last hundred."""

    def now_us(self) -> int:
        """Return the instant that a record received now would carry."""
        return self._watch.now_us()

    async def run(self, plan: Plan) -> None:
        """Record until cancelled. Raises ExchangeError when the venue does not give what a session begins with."""
        self._intervals = plan.intervals
        self._symbols = {stream_symbol(symbol): symbol for symbol in plan.symbols}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._streams.run(), name="recorded streams")
            self._streams.want(plan.streams())
            await self._begin(plan)
            self._put(Note(self._watch.now_us(), READY, f"{len(plan.symbols)} symbols"))
            self.ready.set()
            await self._refill()

    async def _begin(self, plan: Plan) -> None:
        client = self.client
        await client.exchange_info()
        await client.tickers()
        await client.mark_prices()
        await client.book_tops()
        try:
            await self._rest.send("GET", _FUNDING_INFO, b"", {}, 10.0)
        except (NotSentError, LostError) as error:
            self._note_fault(f"GET {_FUNDING_INFO}: {error}")
        wanted = [(symbol, interval) for interval in plan.intervals for symbol in plan.symbols]
        await self._candles(wanted, HISTORY_PAGES)

    async def _candles(self, wanted: Sequence[tuple[str, str]], pages: int) -> None:
        rest = iter(wanted)

        async def worker() -> None:
            for symbol, interval in rest:
                try:
                    await self._history(symbol, interval, pages)
                except UnsentError:
                    raise
                except ExchangeError as error:
                    self._note_fault(f"{symbol} {interval}: {error}")

        async with asyncio.TaskGroup() as group:
            for _ in range(min(_SIDE_BY_SIDE, len(wanted))):
                group.create_task(worker())

    async def _history(self, symbol: str, interval: str, pages: int) -> None:
        """Read the newest bars, then older ones."""
        end_ms: int | None = None
        for _ in range(pages):
            read = await self.client.klines(symbol, interval, PAGE_BARS, end_ms=end_ms, priority=Priority.LOW)
            if len(read) < PAGE_BARS:
                return
            end_ms = int(read.open_time[0]) - 1

    async def _refill(self) -> None:
        while True:
            symbols = {await self._missed.get()}
            while not self._missed.empty():
                symbols.add(self._missed.get_nowait())
            wanted = [(symbol, interval) for interval in self._intervals for symbol in sorted(symbols)]
            try:
                await self._candles(wanted, 1)
            except* ExchangeError as errors:
                self._note_fault(f"candles after a gap: {errors.exceptions[0]}")

    def _back(self, event: StreamsLive) -> None:
        text = f"{len(event.streams)} streams after {event.silent_s or 0.0:.1f} s"
        self._put(Note(self._watch.now_us(), STREAMS_BACK, text))
        for name in {name.partition("@")[0] for name in event.streams}:
            self._missed.put_nowait(self._symbols[name])

    def _heard(self, event: StreamEvent) -> None:
        del event  # what happens to sockets is noted by the taps

    def _note_fault(self, text: str) -> None:
        self.faults = [*self.faults[-99:], text]


Wish = int | tuple[str, ...]
"""Symbols by name, or how many of those with the most turnover."""


def parse_wish(text: str) -> Wish:
    """Read `BTCUSDT,ETHUSDT` or `top:N`. Raises RecordingError."""
    if text.startswith(_TOP):
        count = text.removeprefix(_TOP)
        if not count.isdecimal() or not int(count):
            raise RecordingError(f"--symbols {text}: write top:N with N from 1, such as top:50")
        return int(count)
    names = tuple(dict.fromkeys(name.strip().upper() for name in text.split(",") if name.strip()))
    if not names:
        raise RecordingError("--symbols is empty: write BTCUSDT,ETHUSDT or top:50")
    return names


async def choose_symbols(client: BinanceClient, wish: Wish) -> tuple[str, ...]:
    """Return the symbols meant: of top:N USDT perpetuals that trade.

    Raises RecordingError for a name the venue does not list, and ExchangeError.
    """
    listed = [one for one in await client.exchange_info() if one.is_usdt_perpetual]
    if isinstance(wish, int):
        trading = {one.symbol for one in listed if one.is_trading}
        turnover = sorted(await client.tickers(), key=lambda one: (-one.quote_volume, one.symbol))
        return tuple(one.symbol for one in turnover if one.symbol in trading)[:wish]
    unknown = set(wish) - {one.symbol for one in listed}
    if unknown:
        raise RecordingError(f"--symbols: {', '.join(sorted(unknown))} is not listed there; look for the spelling")
    return wish


def _ignore_message(message: object) -> None:
    del message  # the frame has been recorded on its way
