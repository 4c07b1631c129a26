"""Keeps the order books of a few symbols over the ports: their streams, and a snapshot wherever one is wanted.

Snapshots are dear (20 weight of 1000 levels), so they are fetched one at a time with pauses, for whatever number of
books a lost socket costs. A book tells nothing while it is not whole.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from exchange.binance.routes import stream_symbol
from exchange.binance.stream_events import SocketLost, StreamsLive
from exchange.binance.streams import MarketStreams
from exchange.errors import ExchangeError
from exchange.local_book import BookState, LocalBook
from exchange.market_data import DepthUpdate
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from exchange.binance.client import BinanceClient
    from exchange.binance.session import SessionLimits
    from exchange.binance.stream_events import StreamEvent
    from exchange.market_data import MarketMessage
    from exchange.ports import Clock, Entropy, StreamDialer

SNAPSHOT_LEVELS = 1000
LEAST_LEVELS = 50
"""Certain levels a side below which a snapshot is fetched again."""


class KeeperLimits(msgspec.Struct, frozen=True):
    """Pauses in desk seconds."""

    pace_s: float = 1.0
    """Between two snapshots."""
    settle_s: float = 0.5
    """From the confirmation of a stream to its snapshot, so that the first change is there to join it."""
    retry_s: float = 5.0
    """After a snapshot that could not be had."""


class BookChanged(msgspec.Struct, frozen=True):
    """A book became whole, or ceased to be."""

    symbol: str
    is_whole: bool
    reason: str


class BookKeeper:
    """The books of the wanted symbols while `run` runs. Belongs to one event loop."""

    def __init__(
        self,
        client: BinanceClient,
        dialer: StreamDialer,
        clock: Clock,
        entropy: Entropy,
        on_event: Callable[[StreamEvent | BookChanged], None],
        *,
        limits: KeeperLimits | None = None,
        session: SessionLimits | None = None,
    ) -> None:
        """Take the ports; `on_event` is called on the loop and must neither block nor raise."""
        self._client = client
        self._clock = clock
        self._entropy = entropy
        self._on_event = on_event
        self._limits = limits or KeeperLimits()
        self._books: dict[str, LocalBook] = {}
        self._names: dict[str, str] = {}
        self._sockets: dict[int, dict[str, None]] = {}
        self._due: dict[str, float] = {}
        self._whole: set[str] = set()
        self._asked = asyncio.Event()
        self.streams = MarketStreams(dialer, clock, entropy, self._take, self._on_stream_event, limits=session)

    def want(self, symbols: Iterable[str]) -> None:
        """Replace the wanted symbols. Raises VenueError for one that cannot name a stream."""
        wanted = dict.fromkeys(symbols)
        self.streams.want(_stream(symbol) for symbol in wanted)
        self._books = {symbol: self._books.get(symbol) or LocalBook(symbol) for symbol in wanted}
        self._names = {_stream(symbol): symbol for symbol in wanted}
        self._due = {symbol: at for symbol, at in self._due.items() if symbol in wanted}
        self._whole.intersection_update(wanted)

    def book(self, symbol: str) -> LocalBook | None:
        """Return the book of a wanted symbol, whole or not."""
        return self._books.get(symbol)

    async def run(self) -> None:
        """Keep the books until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.streams.run(), name="book streams")
            group.create_task(self._snapshots(), name="book snapshots")

    def _take(self, messages: Sequence[MarketMessage]) -> None:
        for message in messages:
            book = self._books.get(message.symbol)
            if book is None or not isinstance(message, DepthUpdate):
                continue
            is_sound = book.take(message)
            if book.is_shallow(LEAST_LEVELS):
                book.forget("the price walked off the snapshot")
                is_sound = False
            if not is_sound:
                self._ask(book.symbol, 0.0)
            self._tell(book)

    def _on_stream_event(self, event: StreamEvent) -> None:
        if isinstance(event, StreamsLive):
            symbols = [self._names[name] for name in event.streams if name in self._names]
            self._sockets.setdefault(event.socket, {}).update(dict.fromkeys(symbols))
            for symbol in symbols:
                self._forget(symbol, "its stream has begun")
                self._ask(symbol, self._limits.settle_s)
        elif isinstance(event, SocketLost):
            for symbol in self._sockets.pop(event.socket, {}):
                self._forget(symbol, f"its stream was lost: {event.reason}")
                self._due.pop(symbol, None)
        self._on_event(event)

    def _forget(self, symbol: str, reason: str) -> None:
        book = self._books.get(symbol)
        if book is not None:
            book.forget(reason)
            self._tell(book)

    def _tell(self, book: LocalBook) -> None:
        """Report a book that became whole or ceased to be, once."""
        if book.is_whole is (book.symbol in self._whole):
            return
        if book.is_whole:
            self._whole.add(book.symbol)
        else:
            self._whole.discard(book.symbol)
        self._on_event(BookChanged(book.symbol, book.is_whole, book.reason))

    def _ask(self, symbol: str, delay: float) -> None:
        self._due.setdefault(symbol, self._clock.monotonic() + delay)
        self._asked.set()

    async def _snapshots(self) -> None:
        """Fetch the snapshots that are due, the longest waiting first, never two at once."""
        while True:
            if not self._due:
                self._asked.clear()
                await self._asked.wait()
                continue
            symbol = min(self._due, key=self._due.__getitem__)
            wait = self._due[symbol] - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(min(wait, self._limits.pace_s))
                continue
            del self._due[symbol]
            await self._snapshot(symbol)
            await self._clock.sleep(self._limits.pace_s * (1.0 + self._entropy.uniform() / 2))

    async def _snapshot(self, symbol: str) -> None:
        book = self._books.get(symbol)
        if book is None or book.state is not BookState.WANTS_SNAPSHOT:
            return
        try:
            snapshot = await self._client.depth(symbol, SNAPSHOT_LEVELS, priority=Priority.NORMAL)
        except ExchangeError as error:
            book.reason = f"no snapshot: {error}"
            self._ask(symbol, self._limits.retry_s)
            return
        if self._books.get(symbol) is book and not book.settle(snapshot, SNAPSHOT_LEVELS):
            self._ask(symbol, 0.0)
        self._tell(book)


def _stream(symbol: str) -> str:
    return f"{stream_symbol(symbol)}@depth@100ms"
