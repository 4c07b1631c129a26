"""Klines no market keeps: of one second, from the trades of each step, and of 3d, 1w and 1M, joined from days.

Both are worked out for the contracts somebody listens to only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from exchange.simulator.long_bars import bar_opens, columns_of, long_candles, next_opens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from exchange.market_data import Candles
    from exchange.simulator.stream_names import Kind
    from exchange.simulator.tape import Tape

SECOND = "1s"
SECOND_MS = 1_000


class StreamBar(NamedTuple):
    """A bar on its way into a kline frame, in the order of the frame."""

    listing: int
    opened: int
    closing: int
    closed: bool
    open: float
    close: float
    high: float
    low: float
    volume: float
    trades: int
    quote: float
    taker_base: float
    taker_quote: float


class SecondBars:
    """Bars of one second: the open one whenever a step traded, each closed one once, quiet seconds too."""

    def __init__(self, tape: Tape) -> None:
        """Read the trades of a tape."""
        self._tape = tape
        self._open: dict[int, StreamBar] = {}

    def tick(self, indices: Iterable[int], previous_ms: int, now_ms: int) -> Iterator[StreamBar]:
        """Yield the bars that the step from `previous_ms` to `now_ms` changed or closed."""
        trades = self._tape.trades
        for i in indices:
            if self._tape.stopped_ms(i) is not None:
                continue
            own = trades[trades["symbol"] == i]
            for second in range(previous_ms // SECOND_MS, now_ms // SECOND_MS + 1):
                opened = second * SECOND_MS
                inside = own[own["time"] // SECOND_MS == second]
                bar = self._grown(i, opened, inside)
                if now_ms >= opened + SECOND_MS:
                    yield bar._replace(closed=True)
                elif len(inside):
                    yield bar

    def _grown(self, i: int, opened: int, rows: np.ndarray[tuple[int], np.dtype[np.void]]) -> StreamBar:
        bar = self._open.get(i)
        if bar is None or bar.opened != opened or bar.trades == 0:
            price = self._tape.columns.last[i] if bar is None else bar.close
            flat = float(rows["price"][0]) if len(rows) else float(price)
            bar = StreamBar(i, opened, opened + SECOND_MS - 1, False, flat, flat, flat, flat, 0.0, 0, 0.0, 0.0, 0.0)
        if len(rows):
            price, quantity = rows["price"], rows["quantity"]
            bought = np.where(rows["buyer_is_maker"], 0.0, quantity)
            bar = bar._replace(
                close=float(price[-1]),
                high=max(bar.high, float(price.max())),
                low=min(bar.low, float(price.min())),
                volume=bar.volume + float(quantity.sum()),
                trades=bar.trades + int((rows["last"] - rows["first"] + 1).sum()),
                quote=bar.quote + float((price * quantity).sum()),
                taker_base=bar.taker_base + float(bought.sum()),
                taker_quote=bar.taker_quote + float((price * bought).sum()),
            )
        self._open[i] = bar
        return bar


class LongKlines:
    """Bars of 3d, 1w and 1M: once a second where they changed, and once when they close."""

    def __init__(self, tape: Tape) -> None:
        """Join the days of a tape's market."""
        self._tape = tape
        self._volume: dict[tuple[Kind, str, int], float] = {}

    def tick(self, key: tuple[Kind, str], indices: Iterable[int], previous_ms: int, now_ms: int) -> Iterator[StreamBar]:
        """Yield the bars of the interval in `key` that the step from `previous_ms` to `now_ms` changed or closed."""
        if previous_ms // SECOND_MS == now_ms // SECOND_MS:
            return
        interval = key[1]
        before, now = bar_opens(interval, np.array([previous_ms, now_ms])).tolist()
        for i in indices:
            if self._tape.stopped_ms(i) is not None:
                continue
            candles = long_candles(self._tape.market, i, interval, None, None, 2)
            if before != now and len(candles) > 1:
                yield self._bar(i, interval, candles, len(candles) - 2, closed=True)
            bar = self._bar(i, interval, candles, len(candles) - 1, closed=False)
            if self._volume.get((*key, i)) != bar.volume:
                self._volume[(*key, i)] = bar.volume
                yield bar

    def _bar(self, i: int, interval: str, candles: Candles, row: int, *, closed: bool) -> StreamBar:
        cells = [column[row].item() for column in columns_of(candles)]
        opened, first, high, low, last, volume, quote, trades, taker, taker_quote = cells
        closing = int(next_opens(interval, np.array([opened]))[0]) - 1
        return StreamBar(i, opened, closing, closed, first, last, high, low, volume, trades, quote, taker, taker_quote)
