"""Fetches candles over REST: the history of a new member, and whatever a series lacks later.

A few workers share one queue in rank order. A symbol may not signal before its hole is filled; the feed says so.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from engine.analysis.layout import FRAMES
from engine.events import EventKind, Severity
from engine.market.tape import build_frame, differences
from exchange.errors import ExchangeError
from exchange.market_data import FRAME_MS, Candles
from exchange.priority import Priority

if TYPE_CHECKING:
    from engine.chronicle import Chronicle
    from engine.market.feed import Feed
    from exchange.binance.client import BinanceClient
    from exchange.ports import Clock

WORKERS = 4
LIMIT = 499
"""Bars per request: 499 cost weight 2, 500 would cost 5."""
RETRY_S = 5.0
SCAN_S = 5.0


class Backfill:
    """The queue of series that lack bars, and the workers that fetch them."""

    def __init__(self, feed: Feed, client: BinanceClient, clock: Clock, chronicle: Chronicle) -> None:
        self._feed = feed
        self._client = client
        self._clock = clock
        self._chronicle = chronicle
        self._wanted: dict[tuple[str, str], None] = {}
        self._busy: set[tuple[str, str]] = set()
        self._news = asyncio.Event()
        self._compared: set[str] = set()
        self._told = ""

    @property
    def waiting(self) -> int:
        """Return how many series wait or are being fetched."""
        return len(self._wanted) + len(self._busy)

    def want(self, symbol: str, frame: str) -> None:
        """Queue a series; one that waits already is not queued twice."""
        self._wanted.setdefault((symbol, frame))
        self._news.set()

    async def run(self) -> None:
        """Fetch for ever, and look every few seconds for series that fell behind unnoticed."""
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self._work(), name=f"back-fill {number}")
            while True:
                await self._clock.sleep(SCAN_S)
                for symbol, frame in self._feed.late(self._client.venue_ms()):
                    if (symbol, frame) not in self._busy:
                        self.want(symbol, frame)

    async def _work(self) -> None:
        while True:
            while not self._wanted:
                self._news.clear()
                await self._news.wait()
            key = next(iter(self._wanted))
            del self._wanted[key]
            self._busy.add(key)
            try:
                await self._fill(*key)
                self._told = ""
            except ExchangeError as error:
                self._complain(key, error)
                await self._clock.sleep(RETRY_S)
                self.want(*key)
            finally:
                self._busy.discard(key)

    def _complain(self, key: tuple[str, str], error: ExchangeError) -> None:
        """Say why candles could not be fetched, once per cause: 600 series fail alike when the venue is away."""
        cause = f"{type(error).__name__}: {error}"
        self._feed.last_error = cause
        if cause != self._told:
            self._told = cause
            self._chronicle.say(
                EventKind.FEED, f"candles of {key[0]} {key[1]} could not be fetched: {error}", Severity.WARNING
            )

    async def _fill(self, symbol: str, frame: str) -> None:
        feed = self._feed
        if feed.slot_of(symbol) is None:
            return
        missing = feed.tape.needs(symbol, frame, self._client.venue_ms())
        if missing is None:
            return
        interval = FRAME_MS[frame]
        first, last = missing
        whole = feed.tape.last_open(symbol, frame) < 0 or first <= last - (feed.tape.history - 1) * interval
        candles = await self._fetch(symbol, frame, first, last)
        if feed.slot_of(symbol) is None:
            return
        now = self._client.venue_ms()
        if whole:
            feed.tape.load(symbol, frame, candles, now)
            feed.rebuild(symbol, frame)
            self._compare(symbol)
        else:
            feed.extend(symbol, frame, candles, now)

    async def _fetch(self, symbol: str, frame: str, first: int, last: int) -> Candles:
        """Return the closed bars from `first` to `last`, in as many requests as the cheap size takes."""
        interval = FRAME_MS[frame]
        parts = []
        while first <= last:
            count = min(LIMIT, (last - first) // interval + 1)
            part = await self._client.klines(
                symbol, frame, count, first, first + count * interval - 1, priority=Priority.LOW
            )
            parts.append(part)
            first += count * interval
        return join(parts)

    def _compare(self, symbol: str) -> None:
        """Compare 15m and 1h bars built from 5m with the exchange's, once all three frames are there."""
        feed = self._feed
        if symbol in self._compared or any(feed.tape.readiness(symbol, frame) for frame in FRAMES):
            return
        self._compared.add(symbol)
        base = feed.tape.candles(symbol, "5m")
        for frame in ("15m", "1h"):
            found = differences(build_frame(base, "5m", frame), feed.tape.candles(symbol, frame))
            if found:
                self._chronicle.say(
                    EventKind.FEED,
                    f"{symbol} {frame}: {len(found)} bars built from 5m differ from the exchange's, first {found[0]}",
                    Severity.WARNING,
                    symbol,
                )


def join(parts: list[Candles]) -> Candles:
    """Return consecutive candle columns as one."""
    return Candles(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in Candles.__struct_fields__}
    )
