"""Kline frames: what changed at most each quarter second, and exactly one closing frame per bar, quiet symbols too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.long_bars import LONG
from exchange.simulator.market import INTERVALS, MINUTE
from exchange.simulator.special_klines import SECOND, LongKlines, SecondBars, StreamBar
from exchange.simulator.stream_names import Kind
from exchange.simulator.subscriptions import deliver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from exchange.simulator.frames import Templates
    from exchange.simulator.market import BarColumns
    from exchange.simulator.subscriptions import Sink, Subscriptions
    from exchange.simulator.tape import Tape

KLINE_MS = 250
NO_TRADE = -1


class _Seen:
    """What the klines of one interval looked like when they were last sent."""

    __slots__ = ("close", "number", "volume")

    def __init__(self, number: int, volume: npt.NDArray[np.float64], close: npt.NDArray[np.float64]) -> None:
        self.number = number
        self.volume = volume
        self.close = close


class KlineFeed:
    """The kline frames of each market step."""

    def __init__(self, tape: Tape, templates: Sequence[Templates], subscriptions: Subscriptions) -> None:
        """Start with nothing sent."""
        self._tape = tape
        self._templates = templates
        self._subscriptions = subscriptions
        self._seen: dict[tuple[Kind, str], _Seen] = {}
        self._long = LongKlines(tape)
        self._seconds = SecondBars(tape)

    def tick(self, previous_ms: int, now_ms: int) -> None:
        """Send what the step from `previous_ms` to `now_ms` closed and, when due, changed."""
        for kind in (Kind.KLINE, Kind.CONTINUOUS):
            for variant, group in self._subscriptions.variants(kind):
                contract, _, interval = variant.rpartition("@")
                wanted = self._of_contract(group, contract)
                if interval == SECOND:
                    bars = self._seconds.tick(wanted, previous_ms, now_ms)
                elif interval in LONG:
                    bars = self._long.tick((kind, interval), wanted, previous_ms, now_ms)
                else:
                    self._tick((kind, variant), interval, wanted, previous_ms, now_ms)
                    continue
                for bar in bars:
                    self._one(kind, interval, bar, wanted[bar.listing], now_ms)

    def _of_contract(self, group: dict[int, list[Sink]], contract: str) -> dict[int, list[Sink]]:
        """Keep the contracts that a continuous stream's contract type names; a plain kline names none."""
        if not contract:
            return group
        listings = self._tape.listings
        return {i: sinks for i, sinks in group.items() if listings[i].instrument.contract_type.lower() == contract}

    def _tick(
        self, key: tuple[Kind, str], interval: str, group: dict[int, list[Sink]], previous_ms: int, now_ms: int
    ) -> None:
        length = INTERVALS[interval]
        number = now_ms // length
        # Several boundaries in one step cannot happen: a step is at most the shortest interval.
        if previous_ms // length != number:
            bars = self._tape.market.bars(interval, number * length - 1)
            self._send(key[0], group, interval, bars, now_ms, group, closed=True)
        if previous_ms // KLINE_MS != now_ms // KLINE_MS:
            bars = self._tape.market.bars(interval, now_ms)
            changed = self._changed_bars(key, number, bars)
            self._send(key[0], group, interval, bars, now_ms, changed, closed=False)

    def _changed_bars(self, key: tuple[Kind, str], number: int, bars: BarColumns) -> list[int]:
        seen = self._seen.get(key)
        volume, close = bars.volume.copy(), bars.close.copy()
        if seen is None:
            changed = np.ones(len(volume), np.bool_)
        elif seen.number != number:
            changed = volume > 0
        else:
            changed = (volume != seen.volume) | (close != seen.close)
        self._seen[key] = _Seen(number, volume, close)
        indices: list[int] = np.flatnonzero(changed).tolist()
        return indices

    def _send(
        self,
        kind: Kind,
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
        columns = (
            bars.open.tolist(),
            bars.close.tolist(),
            bars.high.tolist(),
            bars.low.tolist(),
            bars.volume.tolist(),
            bars.trades.tolist(),
            bars.quote_volume.tolist(),
            bars.taker_base.tolist(),
            bars.taker_quote.tolist(),
        )
        rows = list(zip(*columns, strict=True))
        for i in indices:
            sinks = group.get(i)
            if sinks and self._tape.stopped_ms(i) is None:
                self._one(kind, interval, StreamBar(i, opened, closing, closed, *rows[i]), sinks, now_ms)

    def _one(self, kind: Kind, interval: str, bar: StreamBar, sinks: list[Sink], now_ms: int) -> None:
        i, opened, closing, closed, *prices, volume, trades, quote, taker, taker_quote = bar
        last_id = int(self._tape.last_trade_id[i] if kind is Kind.KLINE else self._tape.book_id(i))
        first_id, last_id = (last_id - trades + 1, last_id) if trades else (NO_TRADE, NO_TRADE)
        values = (
            opened, closing, interval, first_id, last_id, *prices,
            volume, trades, "true" if closed else "false", quote, taker, taker_quote,
        )  # fmt: skip
        templates = self._templates[i]
        if kind is Kind.KLINE:
            text = templates.kline % (now_ms, *values)
        else:
            text = templates.continuous % (now_ms, self._tape.listings[i].instrument.contract_type, *values)
        deliver(sinks, text.encode())


def check_step(step_ms: int) -> None:
    """Raise ValueError for a market step on which bars could close unseen."""
    if step_ms < 1 or MINUTE % step_ms:
        raise ValueError(f"step_ms is {step_ms}: use a whole number of milliseconds that divides 60000, such as 250")
