"""The price and volume process of the synthetic market: regimes of volatility over a common factor and sectors.

Per symbol the log volatility is a sum of two mean-reverting parts of its own (hours and days), two shared by all, and
the rhythm of the day and the week. Bursts lift the fast parts and decay, so volatility clusters. Returns are normal
given a random scale, hence fat-tailed; a slow drift makes trends, a weak pull keeps levels within reason. Time runs in
ticks of five minutes, one per bar; what happens inside a bar is drawn elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exchange.simulator.price_grid import Floats

TICK_MINUTES = 5.0
_MINUTES_PER_YEAR = 525_600.0
_HOUR = 60.0
_DAY = 1440.0


class _Memory(NamedTuple):
    """A mean-reverting part: half-life in minutes and standard deviation in the long run."""

    half_life: float
    deviation: float

    def per_tick(self) -> tuple[float, float]:
        """Return what is kept over a tick and the deviation of what comes in."""
        kept = float(0.5 ** (TICK_MINUTES / self.half_life))
        return kept, self.deviation * float(np.sqrt(1.0 - kept * kept))


_SHARED_SLOW = _Memory(3.0 * _DAY, 0.34)
_SHARED_FAST = _Memory(2.0 * _HOUR, 0.28)
_OWN_SLOW = _Memory(3.0 * _DAY, 0.37)
_OWN_FAST = _Memory(1.0 * _HOUR, 0.30)
_DRIFT = _Memory(4.0 * _HOUR, 0.022)
_VOLUME_MOOD = _Memory(4.0 * _HOUR, 0.65)
_PREMIUM = _Memory(6.0 * _HOUR, 0.0003)
_RIPPLE = _Memory(4.0, 0.26)
"""Passing part of the price in units of an ordinary 5m return: what a rush of orders moves comes back in minutes."""
_OWN_PARTS = (_OWN_SLOW, _OWN_FAST, _DRIFT, _VOLUME_MOOD, _PREMIUM, _RIPPLE)
_LOUDEST = 1.8
"""Largest log volatility above the ordinary, shared and own each: a crash day, not an absurd one."""
_PULL_HALF_LIFE = 8.0 * _DAY

_BURST_MINUTES = 9.0 * _HOUR
_SHARED_BURST_MINUTES = 20.0 * _HOUR
_BURST_SIZES = (0.3, 1.4)
"""Lift of the log volatility by a burst; a burst comes once per so many minutes on average."""

_TAIL_SHAPE = 2.0
"""Shape of the gamma mixing the scale: 2.0 is a Student t with 4 degrees of freedom."""
_TAIL_LIMIT = 6.0
"""Largest random scale relative to its mean."""

_VOLUME_NOISE = 0.42
_SURPRISE_WEIGHT = 0.7

_HOURLY = (1.18, 1.08, 0.98, 0.84, 0.83, 0.83, 0.85, 0.88, 0.94, 0.94, 0.93, 0.87, 1.00, 1.14, 1.32, 1.22, 1.19, 1.14,
           1.12, 1.04, 0.98, 0.96, 0.90, 0.92)  # fmt: skip
"""Volatility by hour of the UTC day relative to its mean: quiet before Europe, loud at the New York open."""
_WEEKEND = 0.77
_VOLUME_RHYTHM = 1.7
"""Volume follows the rhythm of volatility with this power."""


def rhythm(open_ms: npt.NDArray[np.int64]) -> Floats:
    """Return the expected volatility at those instants relative to an ordinary weekday hour; smooth within the day."""
    hour = open_ms % 86_400_000 / 3_600_000
    level: Floats = np.interp(hour, np.arange(25) + 0.5, [*_HOURLY, _HOURLY[0]], period=24.0)
    weekday = (open_ms // 86_400_000 + 4) % 7
    return level * np.where((weekday == 0) | (weekday == 6), _WEEKEND, 1.0)


class Traits(NamedTuple):
    """What distinguishes the symbols, one entry each."""

    level: Floats
    """Price around which the symbol moves."""
    volatility: Floats
    """Annual volatility in an ordinary regime, as a fraction."""
    common: Floats
    """Loading on the common factor; the square is the share of variance."""
    sector_loading: Floats
    sector: npt.NDArray[np.int64]
    daily_quote: Floats
    """Turnover in USDT per day."""
    trade_quote: Floats
    """Mean size of a single trade in USDT."""
    spread: Floats
    """Relative spread in an ordinary regime."""


class Scales(NamedTuple):
    """Deviation of the return per tick by origin, and the drift; [ticks, ...]."""

    shared: Floats
    """Relative deviation of the common factor, [ticks, 1]."""
    sector: Floats
    """Relative deviation of the sector factors, [ticks, 1]."""
    own: Floats
    """Relative deviation of the symbol's own part, [ticks, symbols]."""
    unit: Floats
    """Return that a relative deviation of one means, [ticks, symbols]."""
    drift: Floats
    """Drift per tick in units of return, [ticks, symbols]."""
    mood: Floats
    """Log of the unexplained part of volume, [ticks, symbols]."""
    premium: Floats
    """Relative distance above the index, [ticks, symbols]."""
    season: Floats
    """Rhythm, [ticks, 1]."""


class PriceProcess:
    """State of the process for all symbols; every method moves it by whole ticks."""

    def __init__(self, traits: Traits, sectors: int, generator: np.random.Generator) -> None:
        self.traits = traits
        self._sectors = sectors
        self._generator = generator
        symbols = len(traits.level)
        self._own_share = np.sqrt(1.0 - traits.common**2 - traits.sector_loading**2)
        parts = _OWN_PARTS
        start = generator.standard_normal((len(parts), symbols))
        self._own = start * np.array([[part.deviation] for part in parts])
        self._shared = generator.standard_normal(2) * np.array([_SHARED_SLOW.deviation, _SHARED_FAST.deviation])
        self.gap: Floats = np.zeros(symbols)
        """Log distance of the price from its level."""

    def _remember(self, ticks: int) -> tuple[Floats, Floats]:
        """Move the mean-reverting parts; return the shared [ticks, 2] and own [ticks, parts, symbols] trajectories."""
        draw = self._generator
        symbols = len(self.traits.level)
        kept, fresh = np.array([part.per_tick() for part in (_SHARED_SLOW, _SHARED_FAST)]).T
        shared = draw.standard_normal((ticks, 2)) * fresh
        shared[:, 1] += (draw.random(ticks) < TICK_MINUTES / _SHARED_BURST_MINUTES) * draw.uniform(*_BURST_SIZES, ticks)
        parts = _OWN_PARTS
        own_kept, own_fresh = np.array([part.per_tick() for part in parts]).T
        own = draw.standard_normal((ticks, len(parts), symbols)) * own_fresh[:, None]
        # The number of bursts is drawn first: one lift per burst instead of one per symbol and tick.
        bursts = np.nonzero(draw.random((ticks, symbols)) < TICK_MINUTES / _BURST_MINUTES)
        own[bursts[0], 1, bursts[1]] += draw.uniform(*_BURST_SIZES, len(bursts[0]))
        own_kept = own_kept[:, None]
        for tick in range(ticks):
            shared[tick] += kept * self._shared
            self._shared = shared[tick]
            own[tick] += own_kept * self._own
            self._own = own[tick]
        self._own = self._own.copy()
        self._shared = self._shared.copy()
        return shared, own

    def _surprises(self, ticks: int) -> tuple[Floats, Floats]:
        """Return the random scale of returns [ticks, symbols + 2] and the noise of log volume [ticks, symbols]."""
        draw = self._generator
        symbols = len(self.traits.level)
        tail = np.sqrt((_TAIL_SHAPE - 1.0) / draw.standard_gamma(_TAIL_SHAPE, (ticks, symbols + 2)))
        noise = draw.standard_normal((ticks, symbols)) * _VOLUME_NOISE
        return np.minimum(tail, _TAIL_LIMIT), noise

    def scales(self, open_ms: npt.NDArray[np.int64]) -> Scales:
        """Move volatility, drift, mood and premium over the ticks that open at those instants."""
        ticks, symbols = len(open_ms), len(self.traits.level)
        before = self._own[5]
        shared, own = self._remember(ticks)
        ripple = np.diff(own[:, 5], axis=0, prepend=before[None])
        season = rhythm(open_ms)[:, None]
        unit = self.traits.volatility * np.sqrt(TICK_MINUTES / _MINUTES_PER_YEAR)
        # E exp(2 h) = 1 for the mean-reverting parts without bursts, so the annual volatility means what it says.
        everyone = shared.sum(axis=1, keepdims=True) - _SHARED_SLOW.deviation**2 - _SHARED_FAST.deviation**2
        alone = own[:, 0] + own[:, 1] - _OWN_SLOW.deviation**2 - _OWN_FAST.deviation**2
        everyone, alone = np.minimum(everyone, _LOUDEST), np.minimum(alone, _LOUDEST)
        tail, noise = self._surprises(ticks)
        whole = np.exp(everyone) * season
        return Scales(
            shared=whole * tail[:, :1],
            sector=whole * tail[:, 1:2],
            own=np.exp(0.6 * everyone + alone) * season * tail[:, 2:],
            unit=np.broadcast_to(unit, (ticks, symbols)),
            drift=(own[:, 2] * np.sqrt(TICK_MINUTES) + ripple) * unit * season,
            mood=own[:, 3] + noise,
            premium=own[:, 4],
            season=season,
        )

    def deviation(self, scales: Scales) -> Floats:
        """Return the deviation of each symbol's return per tick [ticks, symbols], relative to `unit`."""
        traits = self.traits
        return np.sqrt(
            (traits.common * scales.shared) ** 2
            + (traits.sector_loading * scales.sector) ** 2
            + (self._own_share * scales.own) ** 2
        )

    def noise(self, scales: Scales) -> Floats:
        """Draw the random part of the return of every tick, [ticks, symbols]."""
        draw = self._generator
        ticks, symbols = scales.own.shape
        traits = self.traits
        noise = draw.standard_normal((ticks, symbols)) * (self._own_share * scales.own)
        noise += (draw.standard_normal((ticks, 1)) * scales.shared) * traits.common
        factors = draw.standard_normal((ticks, self._sectors)) * scales.sector
        noise += factors[:, traits.sector] * traits.sector_loading
        noise *= scales.unit
        return noise

    def levels(self, returns: Floats) -> Floats:
        """Move the log gap by the returns [ticks, symbols] under the weak pull; return it after every tick."""
        kept = 0.5 ** (TICK_MINUTES / _PULL_HALF_LIFE)
        gaps = np.empty_like(returns)
        gap = self.gap
        for tick, change in enumerate(returns):
            gap = np.add(kept * gap, change, out=gaps[tick])
        self.gap = gap.copy()
        return gaps

    def turnover(self, scales: Scales, change: Floats) -> Floats:
        """Return the USDT turned over per tick [ticks, symbols]: rhythm, volatility, the move `change`, and mood."""
        deviation = self.deviation(scales)
        surprise = np.abs(change) / (scales.unit * deviation)
        # 0.798 is the mean of |z|.
        busy = 1.0 + _SURPRISE_WEIGHT * (surprise - 0.798)
        log_volume = 0.65 * np.log(deviation / scales.season) + scales.mood
        volume: Floats = np.exp(log_volume) * scales.season**_VOLUME_RHYTHM * np.maximum(busy, 0.1)
        # 1.25 is the mean of the lognormal parts: the daily turnover stays the one of the traits.
        volume *= self.traits.daily_quote * (TICK_MINUTES / _DAY / 1.25)
        return volume
