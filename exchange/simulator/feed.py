"""What each market step puts on the streams and when; each frame is encoded once and fanned out to all sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from exchange.simulator.contract_info import TRADFI
from exchange.simulator.frames import coin_margined, linear
from exchange.simulator.market import INTERVALS, MINUTE
from exchange.simulator.session import Session
from exchange.simulator.stream_names import EVERY_SYMBOL, Kind, is_served, parse_topic

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from exchange.simulator.market import BarColumns
    from exchange.simulator.tape import Tape

KLINE_MS = 250
FAST_MARK_MS = 1_000
SLOW_MARK_MS = 3_000
ARRAY_TICKER_MS = 1_000
TICKER_MS = 2_000
EVERY_BOOK_MS = 5_000
DAY_MS = 86_400_000
COIN_BASES = ("BTC", "ETH")
NO_TRADE = -1

K = TypeVar("K")


class Sink(NamedTuple):
    """One subscription: who, under which name, and the opening of its wrapped frames."""

    session: Session
    name: str
    opening: bytes


class _Seen:
    """What the klines of one interval looked like when they were last sent."""

    __slots__ = ("close", "number", "volume")

    def __init__(self, number: int, volume: npt.NDArray[np.float64], close: npt.NDArray[np.float64]) -> None:
        self.number = number
        self.volume = volume
        self.close = close


class Feed:
    """Subscriptions by topic, and the frames of each market step."""

    def __init__(self, tape: Tape, *, strict: bool) -> None:
        """Start without subscribers."""
        self._tape = tape
        self._strict = strict
        self._sinks: dict[tuple[Kind, str], dict[int, list[Sink]]] = {}
        self._named: dict[str, list[Sink]] = {}
        self._seen: dict[str, _Seen] = {}
        self._moved = np.zeros(len(tape.symbols), np.bool_)
        pairs = list(zip(tape.listings, tape.formats, strict=True))
        self._templates = [linear(listing.instrument, formats) for listing, formats in pairs]
        self._coin = [
            (i, coin_margined(listing.instrument, formats))
            for i, (listing, formats) in enumerate(pairs)
            if listing.instrument.base in COIN_BASES and listing.instrument.is_usdt_perpetual
        ]
        tradfi = [listing.instrument.contract_type == TRADFI for listing in tape.listings]
        self._crypto = [i for i, is_tradfi in enumerate(tradfi) if not is_tradfi]
        self._tradfi = [i for i, is_tradfi in enumerate(tradfi) if is_tradfi]

    def change(self, session: Session, added: tuple[str, ...], removed: tuple[str, ...]) -> None:
        """Follow a session's subscriptions. A name on a route that does not serve it is accepted and stays silent."""
        for name in removed:
            self._remove(session, name)
        for name in added:
            sink = Sink(session, name, b'{"stream":"' + name.encode() + b'","data":')
            topic = parse_topic(name, self._tape.lower)
            if topic is None:
                self._named.setdefault(name, []).append(sink)
            elif is_served(topic.kind, session.route, strict=self._strict):
                group = self._sinks.setdefault((topic.kind, topic.interval), {})
                group.setdefault(topic.listing, []).append(sink)

    def _remove(self, session: Session, name: str) -> None:
        topic = parse_topic(name, self._tape.lower)
        if topic is None:
            _without(self._named, name, session)
            return
        key = (topic.kind, topic.interval)
        group = self._sinks.get(key)
        if group is None:
            return
        _without(group, topic.listing, session)
        if not group:
            del self._sinks[key]
            self._seen.pop(topic.interval, None)

    def notify(self, name: str, payload: bytes) -> None:
        """Send a payload to everyone who subscribed to a name that is no market stream (a listen key)."""
        _deliver(self._named.get(name, ()), payload)

    def tick(self, previous_ms: int, now_ms: int) -> None:
        """Send what the step from `previous_ms` to `now_ms` brought; the tape has taken the step over already."""
        self._moved |= self._tape.columns.changed
        self._agg_trades(now_ms)
        self._books(now_ms)
        self._klines(previous_ms, now_ms)
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

    def _agg_trades(self, now_ms: int) -> None:
        group = self._sinks.get((Kind.AGG_TRADE, ""))
        if not group:
            return
        for index, time, price, quantity, buyer_is_maker, first, last in self._tape.trades.tolist():
            sinks = group.get(index)
            if sinks:
                maker = "true" if buyer_is_maker else "false"
                template = self._templates[index].agg_trade
                text = template % (now_ms, first, price, quantity, quantity, first, last, time, maker)
                _deliver(sinks, text.encode())

    def _books(self, now_ms: int) -> None:
        group = self._sinks.get((Kind.BOOK, ""))
        if not group:
            return
        changed = self._tape.columns.changed.tolist()
        wanted = [i for i in group if changed[i]]
        for i, frame in zip(wanted, self._book_frames(wanted, now_ms), strict=True):
            _deliver(group[i], frame)

    def _book_frames(self, indices: Iterable[int], now_ms: int) -> list[bytes]:
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
        for i in indices:
            update_id, time, bid, bid_quantity, ask, ask_quantity = rows[i]
            text = self._templates[i].book % (update_id, now_ms, time, bid, bid_quantity, ask, ask_quantity)
            frames.append(text.encode())
        return frames

    def _every_book(self, now_ms: int) -> None:
        sinks = self._array_sinks(Kind.EVERY_BOOK)
        if sinks:
            for frame in self._book_frames(range(len(self._templates)), now_ms):
                _deliver(sinks, frame)

    def _klines(self, previous_ms: int, now_ms: int) -> None:
        due = _due(KLINE_MS, previous_ms, now_ms)
        for (kind, interval), group in self._sinks.items():
            if kind is not Kind.KLINE:
                continue
            length = INTERVALS[interval]
            number = now_ms // length
            # Several boundaries in one step cannot happen: a step is at most the shortest interval.
            if previous_ms // length != number:
                bars = self._tape.market.bars(interval, number * length - 1)
                self._kline_frames(group, interval, bars, now_ms, group, closed=True)
            if due:
                bars = self._tape.market.bars(interval, now_ms)
                self._kline_frames(
                    group, interval, bars, now_ms, self._changed_bars(interval, number, bars), closed=False
                )

    def _changed_bars(self, interval: str, number: int, bars: BarColumns) -> list[int]:
        seen = self._seen.get(interval)
        volume, close = bars.volume.copy(), bars.close.copy()
        if seen is None:
            changed = np.ones(len(volume), np.bool_)
        elif seen.number != number:
            changed = volume > 0
        else:
            changed = (volume != seen.volume) | (close != seen.close)
        self._seen[interval] = _Seen(number, volume, close)
        indices: list[int] = np.flatnonzero(changed).tolist()
        return indices

    def _kline_frames(
        self,
        group: dict[int, list[Sink]],
        interval: str,
        bars: BarColumns,
        now_ms: int,
        indices: Iterable[int],
        *,
        closed: bool,
    ) -> None:
        opened = bars.open_time
        closing = opened + INTERVALS[interval] - 1
        final = "true" if closed else "false"
        rows = list(
            zip(
                self._tape.last_trade_id.tolist(),
                bars.open.tolist(),
                bars.close.tolist(),
                bars.high.tolist(),
                bars.low.tolist(),
                bars.volume.tolist(),
                bars.trades.tolist(),
                bars.quote_volume.tolist(),
                bars.taker_base.tolist(),
                bars.taker_quote.tolist(),
                strict=True,
            )
        )
        for i in indices:
            sinks = group.get(i)
            if not sinks:
                continue
            last_id, first, last, high, low, volume, trades, quote, taker, taker_quote = rows[i]
            first_id, last_id = (last_id - trades + 1, last_id) if trades else (NO_TRADE, NO_TRADE)
            text = self._templates[i].kline % (
                now_ms, opened, closing, interval, first_id, last_id, first, last, high, low,
                volume, trades, final, quote, taker, taker_quote,
            )  # fmt: skip
            _deliver(sinks, text.encode())

    def _marks(self, kind: Kind, every: Kind, now_ms: int) -> None:
        group = self._sinks.get((kind, ""), {})
        sinks = self._array_sinks(every)
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
            _deliver(single, fill(self._templates[i].mark, i).encode())
        if not sinks:
            return
        crypto = [fill(self._templates[i].mark, i) for i in self._crypto]
        crypto += [fill(templates.mark, i) for i, templates in self._coin]
        _deliver(sinks, _array(crypto))
        if self._tradfi:
            _deliver(sinks, _array(fill(self._templates[i].mark, i) for i in self._tradfi))

    def _tickers(self, now_ms: int, *, singles: bool) -> None:
        tickers = self._sinks.get((Kind.TICKER, ""), {}) if singles else {}
        minis = self._sinks.get((Kind.MINI, ""), {}) if singles else {}
        every_ticker, every_mini = self._array_sinks(Kind.EVERY_TICKER), self._array_sinks(Kind.EVERY_MINI)
        if not (tickers or minis or every_ticker or every_mini):
            return
        day = self._tape.market.day()
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

        for i, sinks in tickers.items():
            _deliver(sinks, ticker(self._templates[i].ticker, i).encode())
        for i, sinks in minis.items():
            _deliver(sinks, mini(self._templates[i].mini, i).encode())
        moved: list[int] = np.flatnonzero(self._moved).tolist()
        coins = [(i, templates) for i, templates in self._coin if self._moved[i]]
        if every_ticker and moved:
            texts = [ticker(self._templates[i].ticker, i) for i in moved]
            _deliver(every_ticker, _array(texts + [ticker(templates.ticker, i) for i, templates in coins]))
        if every_mini and moved:
            texts = [mini(self._templates[i].mini, i) for i in moved]
            _deliver(every_mini, _array(texts + [mini(templates.mini, i) for i, templates in coins]))

    def _array_sinks(self, kind: Kind) -> list[Sink]:
        return self._sinks.get((kind, ""), {}).get(EVERY_SYMBOL, [])


def check_step(step_ms: int) -> None:
    """Raise ValueError for a market step on which bars could close unseen."""
    if step_ms < 1 or MINUTE % step_ms:
        raise ValueError(f"step_ms is {step_ms}: use a whole number of milliseconds that divides 60000, such as 250")


def _due(period: int, previous_ms: int, now_ms: int) -> bool:
    return previous_ms // period != now_ms // period


def _array(rows: Iterable[str]) -> bytes:
    return ("[" + ",".join(rows) + "]").encode()


def _deliver(sinks: Iterable[Sink], frame: bytes) -> None:
    wrapped, wrapped_for = b"", None
    for sink in sinks:
        if not sink.session.combined:
            sink.session.push(frame)
            continue
        if wrapped_for != sink.name:
            wrapped, wrapped_for = sink.opening + frame + b"}", sink.name
        sink.session.push(wrapped)


def _without(groups: dict[K, list[Sink]], key: K, session: Session) -> None:
    sinks = groups.get(key)
    if sinks is None:
        return
    kept = [sink for sink in sinks if sink.session is not session]
    if kept:
        groups[key] = kept
    else:
        del groups[key]
