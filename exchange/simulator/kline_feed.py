"""Kline frames: what changed at most each quarter second, and exactly one closing frame per bar, quiet symbols too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from exchange.simulator.market import INTERVALS, MINUTE
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
        self._seen: dict[str, _Seen] = {}

    def tick(self, previous_ms: int, now_ms: int) -> None:
        """Send what the step from `previous_ms` to `now_ms` closed and, when due, changed."""
        due = previous_ms // KLINE_MS != now_ms // KLINE_MS
        for interval, group in self._subscriptions.klines():
            length = INTERVALS[interval]
            number = now_ms // length
            # Several boundaries in one step cannot happen: a step is at most the shortest interval.
            if previous_ms // length != number:
                bars = self._tape.market.bars(interval, number * length - 1)
                self._send(group, interval, bars, now_ms, group, closed=True)
            if due:
                bars = self._tape.market.bars(interval, now_ms)
                self._send(group, interval, bars, now_ms, self._changed_bars(interval, number, bars), closed=False)

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

    def _send(
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
            deliver(sinks, text.encode())


def check_step(step_ms: int) -> None:
    """Raise ValueError for a market step on which bars could close unseen."""
    if step_ms < 1 or MINUTE % step_ms:
        raise ValueError(f"step_ms is {step_ms}: use a whole number of milliseconds that divides 60000, such as 250")
