"""The synthetic market as a series of 5m bars drawn ahead, and the minutes inside them.

The bars depend on the process and the instant of its first bar alone, the inside of a bar on the seed and the bar: the
market is the same wherever one starts to live through it, and whatever its step, so a restart continues it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from exchange.simulator.bar_ring import (
    CLOSE,
    FIELDS,
    HIGH,
    LOW,
    OPEN,
    QUOTE,
    TAKER_BASE,
    TAKER_QUOTE,
    TRADES,
    VOLUME,
    aggregate,
)
from exchange.simulator.candle_store import FIVE
from exchange.simulator.market import MINUTE
from exchange.simulator.minute_path import Draft
from exchange.simulator.price_grid import Floats
from exchange.simulator.replay_walk import minutes_inside, tick_bar, walk

if TYPE_CHECKING:
    from exchange.simulator.price_grid import Grids
    from exchange.simulator.price_process import PriceProcess

_CHUNK = 48
"""Bars drawn at once. Part of the law: with another number the same seed gives another market."""
_PARTS_PER_MINUTE = 4
"""Parts in which a minute is sketched: enough that hardly any minute stays without a trade."""
_LEAST_TRADES = 60.0
"""Trades, and lots, of the quietest bar: enough for every price that its minutes must show."""


class Chunk(NamedTuple):
    """Consecutive bars, oldest first."""

    bars: Floats
    """[FIELDS, symbols, n]"""
    wide: Floats
    """Volatility relative to the ordinary one of the hour, [n, symbols]; spread and depth follow it."""
    premium: Floats
    """Relative distance of the contract above its index at the close, [n, symbols]."""


class DrawnBars:
    """Draws the bars of a process, the first one opening at `begin_ms`. Holds one chunk; time never goes back."""

    def __init__(self, process: PriceProcess, grids: Grids, begin_ms: int, generator: np.random.Generator) -> None:
        self.traits = process.traits
        self._process = process
        self._grids = grids
        self._generator = generator
        self._open_ms = begin_ms
        self._chunk = self._draw()

    def at(self, open_ms: int) -> Chunk:
        """Return the chunk's bars from the one that opens at `open_ms` on; a bar of an earlier chunk is gone."""
        while open_ms >= self._open_ms + _CHUNK * FIVE:
            self._open_ms += _CHUNK * FIVE
            self._chunk = self._draw()
        first = (open_ms - self._open_ms) // FIVE
        chunk = self._chunk
        return Chunk(chunk.bars[:, :, first:], chunk.wide[first:], chunk.premium[first:])

    def _draw(self) -> Chunk:
        process, draw = self._process, self._generator
        opens = self._open_ms + np.arange(_CHUNK, dtype=np.int64) * FIVE
        before = process.gap.copy()
        scales = process.scales(opens)
        deviation = process.deviation(scales)
        gaps = process.levels(process.noise(scales) + scales.drift)
        change = np.diff(gaps, axis=0, prepend=before[None])
        # The passing part of the price moves inside a bar as well: a tenth more variance than the bar to bar part.
        variance = 2.2 * (scales.unit * deviation) ** 2
        # Highest and lowest point of a Brownian bridge with the bar's ends given, by inversion.
        up = (change + np.sqrt(change**2 + variance * draw.standard_exponential(change.shape))) / 2.0
        down = (change - np.sqrt(change**2 + variance * draw.standard_exponential(change.shape))) / 2.0
        start = gaps - change
        lean = 0.5 + np.clip(
            0.13 * change / (scales.unit * deviation) + draw.normal(0.0, 0.06, change.shape), -0.45, 0.45
        )
        bars = self._on_grids((start, start + up, start + down, gaps), process.turnover(scales, change), lean)
        return Chunk(bars, np.clip(deviation / scales.season, 0.3, 8.0), scales.premium)

    def _on_grids(self, logs: tuple[Floats, Floats, Floats, Floats], turnover: Floats, lean: Floats) -> Floats:
        """Turn log gaps, turnover and taker share [ticks, symbols] into bars on the grids [FIELDS, symbols, ticks]."""
        traits, grids = self.traits, self._grids
        bars: Floats = np.empty((FIELDS, *turnover.T.shape))
        opened, high, low, closed = (np.maximum(grids.price.steps(traits.level * np.exp(log)), 2.0) for log in logs)
        # Half of the recorded bars open beside the close before: their first trade met the other side of the book.
        opened = np.maximum(opened + self._generator.choice((-1.0, 0.0, 0.0, 1.0), opened.shape), 2.0)
        for field, ticks in (
            (OPEN, opened),
            (HIGH, np.maximum(high, opened)),
            (LOW, np.minimum(low, opened)),
            (CLOSE, closed),
        ):
            bars[field] = grids.price.value(ticks).T
        typical = (bars[OPEN] + bars[HIGH] + bars[LOW] + bars[CLOSE]).T / 4.0
        lots = np.maximum(grids.lot.steps(turnover / typical), _LEAST_TRADES)
        bought = np.rint(lots * lean)
        volume = grids.lot.value(lots)
        bars[VOLUME] = volume.T
        bars[QUOTE] = (volume * typical).T
        bars[TRADES] = np.clip(np.rint(turnover / traits.trade_quote), _LEAST_TRADES, lots).T
        bars[TAKER_BASE] = grids.lot.value(bought).T
        bars[TAKER_QUOTE] = bars[TAKER_BASE] * typical.T
        return bars


class DrawnSource:
    """Draws minutes inside drawn bars (`minute_path.MinuteSource`)."""

    def __init__(self, drawn: DrawnBars, grids: Grids, seed: int, step_ms: int) -> None:
        self._drawn = drawn
        self._grids = grids
        self._seed = seed
        self._steps = MINUTE // step_ms
        self._inside: tuple[int, Floats] = (-1, np.empty(0))

    def _generator(self, open_ms: int, what: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64((self._seed, open_ms, what)))

    def minutes(self, open_ms: int) -> Floats:
        """Return the minutes [FIELDS, symbols, 5] of the bar that opens at `open_ms`."""
        bar = self._drawn.at(open_ms).bars[:, :, :1]
        parts = FIVE // MINUTE * _PARTS_PER_MINUTE
        return aggregate(minutes_inside(bar, self._grids, parts, self._generator(open_ms, 0)), _PARTS_PER_MINUTE)

    def draft(self, open_ms: int, last_ticks: Floats) -> Draft:
        """Walk the minute that opens at `open_ms`."""
        del last_ticks
        bar_ms = open_ms // FIVE * FIVE
        if self._inside[0] != bar_ms:
            self._inside = bar_ms, self.minutes(bar_ms)
        minute = self._inside[1][:, :, (open_ms - bar_ms) // MINUTE]
        chunk = self._drawn.at(bar_ms)
        wide, premium = chunk.wide[0], chunk.premium[0]
        grids, traits = self._grids, self._drawn.traits
        draw = self._generator(open_ms, 1)
        path = walk(tick_bar(minute, grids), self._steps, draw)
        shape = path.fair.shape
        level = minute[CLOSE]
        spread = traits.spread * level * wide**0.7
        depth = traits.daily_quote**0.55 * 0.6 / wide**0.6 / (level * grids.lot.step)
        return Draft(
            ticks=path.ticks,
            trading=path.trading,
            lots=path.lots,
            counts=path.counts,
            buying=path.buying,
            when=draw.random(shape),
            fair=grids.price.value(path.fair),
            spread_ticks=np.maximum(np.rint(spread / grids.price.step * draw.uniform(0.6, 1.4, shape)), 1.0),
            depth_lots=np.rint(depth * draw.standard_exponential((2, *shape))),
            premium=premium,
        )
