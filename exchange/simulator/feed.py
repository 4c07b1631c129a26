"""What each market step puts on the streams and when; each frame is encoded once and fanned out to all sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.contract_info import TRADFI
from exchange.simulator.depth_feed import DepthFeed
from exchange.simulator.frames import COIN_BASES, coin_margined, linear
from exchange.simulator.kline_feed import KlineFeed
from exchange.simulator.stream_names import Kind
from exchange.simulator.subscriptions import deliver
from exchange.simulator.trade_feed import TradeFeed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exchange.simulator.frames import Templates
    from exchange.simulator.liquidations import Liquidations
    from exchange.simulator.subscriptions import Subscriptions
    from exchange.simulator.tape import Tape

FAST_MARK_MS = 1_000
SLOW_MARK_MS = 3_000
ARRAY_TICKER_MS = 1_000
TICKER_MS = 2_000
EVERY_BOOK_MS = 5_000
DAY_MS = 86_400_000


class Feed:
    """The frames of each market step, for whoever subscribed."""

    def __init__(self, tape: Tape, subscriptions: Subscriptions, liquidations: Liquidations) -> None:
        """Feed the subscribers from a tape and from what is reported as liquidated."""
        self._tape = tape
        self._subscriptions = subscriptions
        self._moved = np.zeros(len(tape.symbols), np.bool_)
        self._templates = [
            linear(listing.instrument, formats) for listing, formats in zip(tape.listings, tape.formats, strict=True)
        ]
        self._coin: dict[int, Templates] = {}
        self._listed: list[int] = []
        self._crypto: list[int] = []
        self._tradfi: list[int] = []
        self._klines = KlineFeed(tape, self._templates, subscriptions)
        self._depths = DepthFeed(tape, self._templates, subscriptions)
        self._trades = TradeFeed(tape, self._templates, subscriptions, liquidations, self._coin)
        self.renew()

    def renew(self) -> None:
        """Follow a change of the listed contracts or of their rules."""
        tape = self._tape
        self._listed = tape.listed()
        for i in self._listed:
            self._templates[i] = linear(tape.listings[i].instrument, tape.formats[i])
        instruments = {i: tape.listings[i].instrument for i in self._listed}
        self._coin.clear()
        for i, instrument in instruments.items():
            if instrument.base in COIN_BASES and instrument.is_usdt_perpetual:
                self._coin[i] = coin_margined(instrument, tape.formats[i])
        self._tradfi = [i for i, instrument in instruments.items() if instrument.contract_type == TRADFI]
        self._crypto = [i for i in self._listed if i not in self._tradfi]

    def tick(self, previous_ms: int, now_ms: int) -> None:
        """Send what the step from `previous_ms` to `now_ms` brought; the tape has taken the step over already."""
        self._moved |= self._tape.columns.changed
        self._trades.tick(previous_ms, now_ms)
        self._books(now_ms)
        self._depths.tick(previous_ms, now_ms)
        self._klines.tick(previous_ms, now_ms)
        for period, kind, every in (
            (FAST_MARK_MS, Kind.MARK_FAST, Kind.EVERY_MARK_FAST),
            (SLOW_MARK_MS, Kind.MARK, Kind.EVERY_MARK),
        ):
            if _due(period, previous_ms, now_ms):
                self._marks(kind, every, now_ms)
        if _due(ARRAY_TICKER_MS, previous_ms, now_ms):
            self._tickers(now_ms, singles=_due(TICKER_MS, previous_ms, now_ms))
            self._moved[:] = False
        if _due(EVERY_BOOK_MS, previous_ms, now_ms):
            self._every_book(now_ms)

    def _books(self, now_ms: int) -> None:
        group = self._subscriptions.of(Kind.BOOK)
        if not group:
            return
        changed = self._tape.columns.changed.tolist()
        wanted = [(i, self._templates[i]) for i in group if changed[i]]
        for (i, _), frame in zip(wanted, self._book_frames(wanted, now_ms), strict=True):
            deliver(group[i], frame)

    def _book_frames(self, wanted: Iterable[tuple[int, Templates]], now_ms: int) -> list[bytes]:
        tape, columns = self._tape, self._tape.columns
        rows = list(
            zip(
                tape.update_id.tolist(),
                tape.book_time.tolist(),
                columns.bid.tolist(),
                columns.bid_quantity.tolist(),
                columns.ask.tolist(),
                columns.ask_quantity.tolist(),
                strict=True,
            )
        )
        frames = []
        for i, templates in wanted:
            update_id, time, bid, bid_quantity, ask, ask_quantity = rows[i]
            text = templates.book % (update_id, now_ms, time, bid, bid_quantity, ask, ask_quantity)
            frames.append(text.encode())
        return frames

    def _every_book(self, now_ms: int) -> None:
        sinks = self._subscriptions.of_array(Kind.EVERY_BOOK)
        if sinks:
            everything = [(i, self._templates[i]) for i in self._listed] + list(self._coin.items())
            for frame in self._book_frames(everything, now_ms):
                deliver(sinks, frame)

    def _marks(self, kind: Kind, every: Kind, now_ms: int) -> None:
        group = self._subscriptions.of(kind)
        sinks = self._subscriptions.of_array(every)
        if not group and not sinks:
            return
        columns = self._tape.columns
        rows = list(
            zip(
                columns.mark.tolist(),
                self._tape.average_mark().tolist(),
                columns.index_price.tolist(),
                columns.funding_rate.tolist(),
                columns.next_funding.tolist(),
                strict=True,
            )
        )

        def fill(template: str, i: int) -> str:
            mark, average, index, rate, due = rows[i]
            return template % (now_ms, mark, average, index, index, rate, due)

        for i, single in group.items():
            deliver(single, fill(self._templates[i].mark, i).encode())
        if not sinks:
            return
        crypto = [fill(self._templates[i].mark, i) for i in self._crypto]
        crypto += [fill(templates.mark, i) for i, templates in self._coin.items()]
        deliver(sinks, _array(crypto))
        if self._tradfi:
            deliver(sinks, _array(fill(self._templates[i].mark, i) for i in self._tradfi))

    def _tickers(self, now_ms: int, *, singles: bool) -> None:
        tickers = self._subscriptions.of(Kind.TICKER) if singles else {}
        minis = self._subscriptions.of(Kind.MINI) if singles else {}
        every_ticker, every_mini = (
            self._subscriptions.of_array(Kind.EVERY_TICKER),
            self._subscriptions.of_array(Kind.EVERY_MINI),
        )
        if not (tickers or minis or every_ticker or every_mini):
            return
        day = self._tape.day()
        rows = list(
            zip(
                day.open.tolist(),
                day.high.tolist(),
                day.low.tolist(),
                day.last.tolist(),
                day.volume.tolist(),
                day.quote_volume.tolist(),
                day.trades.tolist(),
                day.first_id.tolist(),
                day.last_id.tolist(),
                self._tape.last_quantity.tolist(),
                strict=True,
            )
        )

        def mini(template: str, i: int) -> str:
            first, high, low, last, volume, quote, *_ = rows[i]
            return template % (now_ms, last, first, high, low, volume, quote)

        def ticker(template: str, i: int) -> str:
            first, high, low, last, volume, quote, trades, first_id, last_id, quantity = rows[i]
            change = last - first
            percent = 100.0 * change / first if first else 0.0
            average = quote / volume if volume else last
            return template % (
                now_ms, change, percent, average, last, quantity, first, high, low, volume, quote,
                now_ms - DAY_MS, now_ms, first_id, last_id, trades,
            )  # fmt: skip

        still = [i for i in {*tickers, *minis} if self._tape.stopped_ms(i) is not None]
        for i, sinks in tickers.items():
            if i not in still:
                deliver(sinks, ticker(self._templates[i].ticker, i).encode())
        for i, sinks in minis.items():
            if i not in still:
                deliver(sinks, mini(self._templates[i].mini, i).encode())
        moved = [i for i in self._listed if self._moved[i]]
        coins = [(i, templates) for i, templates in self._coin.items() if self._moved[i]]
        if every_ticker and moved:
            texts = [ticker(self._templates[i].ticker, i) for i in moved]
            deliver(every_ticker, _array(texts + [ticker(templates.ticker, i) for i, templates in coins]))
        if every_mini and moved:
            texts = [mini(self._templates[i].mini, i) for i in moved]
            deliver(every_mini, _array(texts + [mini(templates.mini, i) for i, templates in coins]))


def _due(period: int, previous_ms: int, now_ms: int) -> bool:
    return previous_ms // period != now_ms // period


def _array(rows: Iterable[str]) -> bytes:
    return ("[" + ",".join(rows) + "]").encode()
