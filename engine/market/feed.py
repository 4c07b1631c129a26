"""Keeps the market true: universe, back-fill, streams, closed bars, gap repair, and why a symbol is not ready.

Only 5m bars are streamed; 15m and 1h bars are built from them as they close, and the built history is compared with the
exchange's own at every load. A hole, a stale price, a missing bar or an inconsistent one makes the symbol not ready
until the cause is gone; holes are fetched over REST.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from engine.analysis.layout import FRAMES
from engine.analysis.recompute import Recompute
from engine.analysis.step import reset, run, step_rows
from engine.analysis.tables import make_tables, row_of
from engine.events import EventKind, Severity
from engine.market.backfill import Backfill
from engine.market.book_lane import BookLane
from engine.market.quotes import STALE_MS, Quotes
from engine.market.tape import Outcome, Tape, is_leap, moment
from engine.market.universe import Universe, decide_universe
from exchange.binance.routes import stream_symbol
from exchange.binance.session import SessionLimits
from exchange.binance.stream_events import FrameRefused, SocketLost, SocketRotated, StreamsLive, SubscriptionsLost
from exchange.binance.streams import MarketStreams
from exchange.market_data import FRAME_MS, BookTop, ContractStatus, KlineUpdate, MarkPrice
from exchange.priority import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from engine.chronicle import Chronicle
    from exchange.bad_input import Quarantine
    from exchange.binance.client import BinanceClient
    from exchange.binance.stream_events import StreamEvent
    from exchange.instrument import Bracket, Instrument
    from exchange.market_data import Candles, MarketMessage, Ticker
    from exchange.ports import Clock, Entropy, StreamDialer

SPARE_SLOTS = 32
"""Room beyond the hysteresis for symbols that stay because of an open position."""
LATE_MS = 10_000
"""Reliability I4: a closed bar may be one bar and 10 s old."""
CLOSED_QUEUE = 20_000
FLUSH_BATCH = 16
"""Closed bars taken per turn of the loop, so that a full hour closing at once never stalls it."""
LONGER = ("15m", "1h")
MARK_STREAM = "!markPrice@arr"
CONTRACT_STREAM = "!contractInfo"
_ODD = (Outcome.DUPLICATE, Outcome.CORRECTED, Outcome.GAP, Outcome.BAD)


class Change(NamedTuple):
    """What a refresh of the universe changed."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    halted: tuple[str, ...]
    marks: dict[str, float]
    """The last known mark prices of the halted ones."""


class Feed:
    """The desk's market. Belongs to the engine's loop; `run_streams` and `run_repair` are tasks of the runtime."""

    def __init__(
        self,
        client: BinanceClient,
        dialer: StreamDialer,
        clock: Clock,
        entropy: Entropy,
        chronicle: Chronicle,
        size: int,
        history: int = 500,
        patience: float = 1.0,
        quarantine: Quarantine | None = None,
    ) -> None:
        slots = int(size * 1.15) + SPARE_SLOTS
        self.size = size
        self.tables = make_tables(slots)
        self.tape = Tape(slots, history)
        self.quotes = Quotes(slots)
        self.instruments: dict[str, Instrument] = {}
        self.brackets: dict[str, tuple[Bracket, ...]] = {}
        self.universe = Universe((), {}, (), (), ())
        self._recompute: Recompute | None = None
        self.messages = 0
        self.last_message_ms = 0
        self.last_error = ""
        self.contract_news = asyncio.Event()
        """Set when the venue tells of a contract that changed its status: the universe should be read again."""
        self.bars: Counter[Outcome] = Counter()
        """Closed bars by what became of them."""
        self._stale_ms = int(STALE_MS * patience)
        self._late_ms = int(LATE_MS * patience)
        self._clock = clock
        self._client = client
        self._chronicle = chronicle
        self._slots: dict[str, int] = {}
        self._closed: deque[KlineUpdate] = deque(maxlen=CLOSED_QUEUE)
        self.on_forming: Callable[[int, KlineUpdate], None] | None = None
        usual = SessionLimits()
        limits = SessionLimits(stall_s=usual.stall_s * patience, answer_s=usual.answer_s * patience)
        self._books = BookLane(self.quotes)
        self.streams = MarketStreams(
            dialer,
            clock,
            entropy,
            self.on_messages,
            self._on_stream_event,
            lane=self._take_books,
            limits=limits,
            quarantine=quarantine,
        )
        self.backfill = Backfill(self, client, clock, chronicle)

    # The universe.

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the members in rank order."""
        return self.universe.members

    @property
    def incremental(self) -> bool:
        """Say whether a closed bar advances its series by one step; else the series is recomputed, to the same bits."""
        return self._recompute is None

    @incremental.setter
    def incremental(self, value: bool) -> None:
        if value:
            self._recompute = None
        elif self._recompute is None:
            self._recompute = Recompute(self.tables)

    def slot_of(self, symbol: str) -> int | None:
        """Return the column of a member, None for a stranger."""
        return self._slots.get(symbol)

    def slots(self) -> dict[str, int]:
        """Return a copy of the map from symbol to column."""
        return dict(self._slots)

    async def refresh(self, held: Collection[str]) -> Change:
        """Read rules and statistics, decide the universe anew and follow it. Raises ExchangeError."""
        instruments = await self._client.exchange_info()
        tickers = await self._client.tickers()
        marks = await self._client.mark_prices()
        tops = await self._client.book_tops()
        self.instruments = self._rules(instruments, tickers)
        decided = decide_universe(
            self.instruments,
            tickers,
            size=self.size,
            previous=self.universe.members,
            held=held,
            room=self.quotes.slots,
        )
        self.universe = decided
        told = {mark.symbol: mark.mark for mark in marks}
        last_marks = {
            symbol: told.get(symbol) or float(self.quotes.mark[self._slots[symbol]])
            for symbol in decided.halted
            if symbol in told or symbol in self._slots
        }
        for symbol in decided.removed:
            self.tape.release(symbol)
            self.quotes.clear(self._slots.pop(symbol))
        for symbol in decided.added:
            slot = self.tape.assign(symbol)
            self._slots[symbol] = slot
            self.quotes.clear(slot)
            for frame in FRAMES:
                reset(self.tables, self.tape.row(symbol, frame), FRAME_MS[frame])
                self.backfill.want(symbol, frame)
        self._books.know(self._slots)
        for mark in marks:
            if mark.symbol in self._slots:
                self.quotes.on_mark(self._slots[mark.symbol], mark)
        for top in tops:
            if top.symbol in self._slots:
                self.quotes.on_book(self._slots[top.symbol], top)
        self._take_tickers(tickers)
        self._subscribe()
        usable = {symbol: mark for symbol, mark in last_marks.items() if mark > 0}
        return Change(decided.added, decided.removed, decided.halted, usable)

    def _rules(self, instruments: Iterable[Instrument], tickers: Iterable[Ticker]) -> dict[str, Instrument]:
        """Return the contracts; one whose row was refused keeps its former rules while it still has statistics."""
        rules = {instrument.symbol: instrument for instrument in instruments}
        traded = {ticker.symbol for ticker in tickers}
        lost = [symbol for symbol in self._slots if symbol not in rules and symbol in traded]
        return {**rules, **{symbol: self.instruments[symbol] for symbol in lost}}

    async def refresh_tickers(self) -> None:
        """Read the 24 h statistics. Raises ExchangeError."""
        self._take_tickers(await self._client.tickers())

    def _take_tickers(self, tickers: Iterable[Ticker]) -> None:
        for ticker in tickers:
            slot = self._slots.get(ticker.symbol)
            if slot is not None:
                self.quotes.on_ticker(slot, ticker)

    def _subscribe(self) -> None:
        names = [stream_symbol(symbol) for symbol in self.symbols]
        self.streams.want(
            [
                *(f"{name}@kline_5m" for name in names),
                *(f"{name}@bookTicker" for name in names),
                MARK_STREAM,
                CONTRACT_STREAM,
            ]
        )

    # Messages.

    def _take_books(self, frames: Sequence[bytes]) -> Sequence[bytes]:
        """Let the book tops of one wake-up go their short way; return the other frames."""
        rest = self._books.take(frames)
        if len(rest) < len(frames):
            self.messages += len(frames) - len(rest)
            self.last_message_ms = self._clock.now_ms()
        return rest

    def on_messages(self, messages: Sequence[MarketMessage]) -> None:
        """Take the stream messages of one wake-up; called synchronously by the sockets' readers."""
        self.messages += len(messages)
        self.last_message_ms = self._clock.now_ms()
        slots = self._slots
        tops: dict[int, BookTop] = {}
        for message in messages:
            slot = slots.get(message.symbol)
            if slot is None or isinstance(message, ContractStatus):
                if isinstance(message, ContractStatus):
                    self._take_status(message)
                continue
            if isinstance(message, BookTop):
                # Nobody looks between two messages of a batch: only the newest book of a symbol reaches its columns.
                before = tops.get(slot)
                if before is None or message.event_time >= before.event_time:
                    tops[slot] = message
            elif isinstance(message, KlineUpdate):
                self._take_bar(slot, message)
            elif isinstance(message, MarkPrice):
                self.quotes.on_mark(slot, message)
        for slot, top in tops.items():
            self.quotes.on_book(slot, top)

    def _take_status(self, news: ContractStatus) -> None:
        """Let a contract that stopped be not ready at once, and have the universe read again."""
        known = self.instruments.get(news.symbol)
        if known is not None:
            if known.status == news.status:
                return
            self.instruments[news.symbol] = msgspec.structs.replace(known, status=news.status)
        self.contract_news.set()

    def _take_bar(self, slot: int, bar: KlineUpdate) -> None:
        if bar.interval != "5m":
            return
        self.quotes.on_bar(slot, bar)
        if bar.closed:
            self._closed.append(bar)
        elif self.on_forming is not None:
            self.on_forming(slot, bar)

    def _on_stream_event(self, event: StreamEvent) -> None:
        if isinstance(event, SocketLost):
            self.last_error = f"market socket {event.socket} lost: {event.reason}"
            self._chronicle.say(
                EventKind.FEED, f"{self.last_error}; next try in {event.retry_in_s:.1f} s", Severity.WARNING
            )
        elif isinstance(event, StreamsLive) and event.silent_s is not None:
            self._chronicle.say(
                EventKind.FEED, f"{len(event.streams)} streams are back after {event.silent_s:.1f} s", Severity.NOTICE
            )
        elif isinstance(event, SubscriptionsLost):
            self._chronicle.say(
                EventKind.FEED, f"{len(event.streams)} streams had been dropped; asked again", Severity.WARNING
            )
        elif isinstance(event, FrameRefused):
            self.last_error = f"frame refused: {event.error}"  # the venue watch tells it
        elif isinstance(event, SocketRotated):
            self._chronicle.say(EventKind.FEED, f"market socket {event.socket} was renewed without a gap")

    # Closed bars.

    def flush(self) -> bool:
        """Bring a batch of closed bars into the analysis; True while more of them wait."""
        batch = [self._closed.popleft() for _ in range(min(len(self._closed), FLUSH_BATCH))]
        batch = [update for update in batch if update.symbol in self._slots]
        if batch:
            appended = self._append(batch)
            longer = [bar for update in appended for bar in self._longer(update)]
            if longer:
                self._append(longer)
        return bool(self._closed)

    def _append(self, updates: Sequence[KlineUpdate]) -> list[KlineUpdate]:
        # Before its history is there a series takes no bar: the history, fetched later, will hold it.
        updates = [one for one in updates if self.tape.begun(one.symbol, one.interval)]
        taken = self.tape.append_many(updates)
        appended, rebuilt = [], set()
        for update, verdict in zip(updates, taken.verdicts, strict=True):
            self.bars[verdict.outcome] += 1
            if verdict.outcome is Outcome.APPENDED:
                appended.append(update)
            elif verdict.outcome is Outcome.CORRECTED:
                self._chronicle.say(
                    EventKind.FEED, f"{update.symbol} {update.interval}: {verdict.reason}; rebuilt", Severity.NOTICE
                )
                self.rebuild(update.symbol, update.interval)
                rebuilt.add(self.tape.row(update.symbol, update.interval))
            elif verdict.outcome in (Outcome.GAP, Outcome.BAD):
                self._chronicle.say(
                    EventKind.FEED, f"{update.symbol} {update.interval}: {verdict.reason}", Severity.WARNING
                )
                self.backfill.want(update.symbol, update.interval)
        rows, bars = taken.rows, taken.bars
        if rebuilt:  # a series that was run anew has taken the new bars of this batch too
            fresh = ~np.isin(rows, list(rebuilt))
            rows, bars = rows[fresh], bars[fresh]
        if self._recompute is None:
            step_rows(self.tables, rows, bars)
        else:
            for row, new in zip(*np.unique(rows, return_counts=True), strict=True):
                self._recompute.advance(int(row), self.tape.bars_of_row(int(row)), int(new))
        return appended

    def _longer(self, update: KlineUpdate) -> list[KlineUpdate]:
        """Return the longer bars that this 5m bar completes."""
        built = []
        end = update.open_time + FRAME_MS["5m"]
        for frame in LONGER:
            if end % FRAME_MS[frame] == 0:
                bar = self._built(update, frame, end)
                if bar is not None:
                    built.append(bar)
        return built

    def _built(self, update: KlineUpdate, frame: str, end: int) -> KlineUpdate | None:
        size = FRAME_MS[frame] // FRAME_MS["5m"]
        parts = self.tape.candles(update.symbol, "5m", size)
        start = end - FRAME_MS[frame]
        if len(parts) < size or int(parts.open_time[0]) != start:
            return None
        return KlineUpdate(
            symbol=update.symbol,
            interval=frame,
            open_time=start,
            close_time=end - 1,
            open=float(parts.open[0]),
            high=float(parts.high.max()),
            low=float(parts.low.min()),
            close=float(parts.close[-1]),
            volume=float(parts.volume.sum()),
            quote_volume=float(parts.quote_volume.sum()),
            trades=int(parts.trades.sum()),
            taker_base=float(parts.taker_base.sum()),
            taker_quote=float(parts.taker_quote.sum()),
            closed=True,
            event_time=update.event_time,
        )

    def rebuild(self, symbol: str, frame: str) -> None:
        """Run a series anew over every bar the tape holds."""
        row = self.tape.row(symbol, frame)
        reset(self.tables, row, FRAME_MS[frame])
        bars = self.tape.bars(symbol, frame)
        run(self.tables, row, bars)
        if self._recompute is not None:
            self._recompute.begin(row, bars)

    def extend(self, symbol: str, frame: str, candles: Candles, now_ms: int) -> None:
        """Take fetched bars that follow the last held one into tape and analysis."""
        bars = self.tape.extend(symbol, frame, candles, now_ms)
        row = self.tape.row(symbol, frame)
        if len(bars) and self._recompute is None:
            run(self.tables, row, bars)
        elif len(bars) and self._recompute is not None:
            self._recompute.advance(row, self.tape.bars_of_row(row), len(bars))

    # Readiness.

    def reason(self, symbol: str, now_ms: int) -> str:
        """Return why a member may not signal at this instant, empty when it may."""
        slot = self._slots.get(symbol)
        if slot is None:
            return "not in the universe"
        if not self.instruments[symbol].is_trading:
            return f"the exchange has stopped its trading ({self.instruments[symbol].status})"
        for frame in FRAMES:
            reason = self.tape.readiness(symbol, frame)
            if reason:
                return reason
            wanted = self.tape.last_open(symbol, frame) + 2 * FRAME_MS[frame]
            if now_ms - wanted > self._late_ms:
                return f"{frame}: waits for the bar of {moment(wanted - FRAME_MS[frame])}"
        return self._price_reason(slot, self.tape.newest_close(symbol, "5m"), now_ms)

    def _price_reason(self, slot: int, close: float, now_ms: int) -> str:
        """Return why the prices of a slot may not be used, empty when they may; `close` is the newest bar's."""
        bid, ask, mark = float(self.quotes.bid[slot]), float(self.quotes.ask[slot]), float(self.quotes.mark[slot])
        if not (bid > 0 and ask > 0 and mark > 0):
            return "no price yet"
        age = now_ms - int(max(self.quotes.book_time[slot], self.quotes.mark_time[slot]))
        if age > self._stale_ms:
            return f"price is {age / 1000:.0f} s old"
        for price in (mark, float(self.quotes.last[slot]), bid):
            if is_leap(close, price):
                return f"price {price:.6g} does not fit the newest bar's {close:.6g}: redenominated, waits for new bars"
        return ""

    def odd_bars(self) -> tuple[tuple[str, int], ...]:
        """Return how many closed bars came twice, corrected, after a gap or inconsistent, and frames after newer ones.

        Kinds that never occurred are left out.
        """
        counts = [(outcome.value, self.bars[outcome]) for outcome in _ODD]
        return tuple((name, count) for name, count in [*counts, ("late", self.quotes.late)] if count)

    def late(self, now_ms: int) -> list[tuple[str, str]]:
        """Return (symbol, frame) of every series whose next closed bar is overdue or that holds a hole or fault."""
        if not self.symbols:
            return []
        series = self.tables.series
        behind = now_ms - (series["last_open"] + 2 * series["interval"]) > self._late_ms
        behind[self.tape.faulty_rows()] = True
        return [
            (symbol, frame)
            for symbol in self.symbols
            if self.instruments[symbol].is_trading
            for frame, is_behind in zip(
                FRAMES, behind[row_of(self._slots[symbol], 0) :][: len(FRAMES)].tolist(), strict=True
            )
            if is_behind
        ]

    async def read_brackets(self) -> None:
        """Read the leverage brackets (needs a key). Raises ExchangeError."""
        self.brackets = dict(await self._client.leverage_brackets(priority=Priority.NORMAL))
